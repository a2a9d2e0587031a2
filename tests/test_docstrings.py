"""Docstrings say what the signatures say; their examples run as doctests."""

import ast
import importlib
import inspect
import pkgutil
import re

import pytest
from discovery import ESTIMATORS, class_name
from numpydoc.docscrape import FunctionDoc

import skgex
from skgex import nn

NAMES = [getattr(skgex, name) for name in skgex.__all__]
MODULES = filter(inspect.ismodule, NAMES)
FUNCTIONS = [
    *filter(inspect.isfunction, NAMES),
    *(
        getattr(module, name)
        for module in MODULES
        for name in module.__all__
        if callable(getattr(module, name))
    ),
]
PUBLIC = [*ESTIMATORS, *FUNCTIONS]


def sections(thing):
    """Return the sections of a numpydoc docstring."""
    return FunctionDoc(thing, doc=inspect.getdoc(thing))


def documented(thing):
    """Return the type text of each parameter, by name, in order."""
    return {
        name: parameter.type
        for parameter in sections(thing)["Parameters"]
        for name in parameter.name.lstrip("*").split(", ")
    }


def written(text):
    """Return the value of a default as it stands in a docstring."""
    match = re.search(r"default=(.+)$", text)
    assert match, f"no default in {text!r}"
    # nan is the one default that has no literal.
    return float("nan") if match[1] == "nan" else ast.literal_eval(match[1])


@pytest.mark.parametrize("thing", PUBLIC, ids=class_name)
def test_parameters_are_documented_in_order(thing):
    assert list(documented(thing)) == list(inspect.signature(thing).parameters)


@pytest.mark.parametrize("thing", PUBLIC, ids=class_name)
def test_documented_defaults_are_those_of_the_signature(thing):
    text = documented(thing)
    for name, parameter in inspect.signature(thing).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            assert "default" not in text[name], name
        else:
            value = written(text[name])
            # By their text, since nan is not equal to itself.
            assert repr(value) == repr(parameter.default), name
            assert type(value) is type(parameter.default), name


@pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)
def test_public_methods_document_their_parameters(Estimator):
    for name, method in inspect.getmembers(Estimator, inspect.isfunction):
        if name.startswith("_") or not method.__module__.startswith("skgex."):
            continue
        signature = inspect.signature(method)
        assert list(documented(method)) == list(signature.parameters)[1:], name
        returns = signature.return_annotation is not None
        assert bool(sections(method)["Returns"]) == returns, name


@pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)
def test_estimators_have_examples_references_and_see_also(Estimator):
    found = sections(Estimator)
    for section in ("Examples", "References", "Attributes", "See Also"):
        assert found[section], section


@pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)
def test_references_are_cited(Estimator):
    text = inspect.getdoc(Estimator)
    numbers = re.findall(r"^\.\. \[(\d+)\]", text, flags=re.MULTILINE)
    assert numbers
    for number in numbers:
        assert f"[{number}]_" in text


@pytest.mark.parametrize("thing", FUNCTIONS, ids=class_name)
def test_functions_and_modules_have_examples(thing):
    if thing is not nn.Objective:  # it is there to be subclassed
        assert sections(thing)["Examples"]


def test_no_example_is_skipped():
    for module in pkgutil.walk_packages(skgex.__path__, "skgex."):
        source = inspect.getsource(importlib.import_module(module.name))
        assert "+SKIP" not in source, module.name
