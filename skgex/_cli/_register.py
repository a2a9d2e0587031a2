"""From functions to commands."""

import functools
import inspect
from dataclasses import fields, is_dataclass

from ._errors import told_in_one_line
from ._options import Telling


def register(app, function):
    """Make a function a command of its name.

    A parameter whose type is a dataclass stands for the options that its fields are.
    Its docstring is the text of ``--help``.

    Parameters
    ----------
    app : typer.Typer
        Where to.
    function : callable
        What the command does.
    """
    groups, parameters = {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        if is_dataclass(parameter.annotation):
            groups[name] = parameter.annotation
        else:
            parameters.append(parameter)
    for group in [*groups.values(), Telling]:
        parameters += _options(group)

    @functools.wraps(function)
    def command(**given):
        with told_in_one_line():
            for field in fields(Telling):
                del given[field.name]
            for name, group in groups.items():
                own = {field.name: given.pop(field.name) for field in fields(group)}
                given[name] = group(**own)
            function(**given)

    del command.__wrapped__
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    # The mark keeps the lines of the examples as they are.
    text = inspect.getdoc(function).replace("\nFor ex", "\n\b\nFor ex")
    app.command(function.__name__, help=text)(command)


def _options(group):
    for field in fields(group):
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=field.type,
        )
