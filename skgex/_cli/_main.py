"""The command and what belongs to it."""

import signal
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

import skgex

from ._check import check
from ._convert import convert
from ._embed import embed
from ._errors import is_usage, tell_usage
from ._impute import impute
from ._inspect import inspect
from ._predict import predict
from ._pretrain import pretrain
from ._register import register
from ._restore import restore
from ._session import SESSION

TERMINATED = 143


class _Group(TyperGroup):
    def main(self, args=None, prog_name=None, **extra):
        """Run a command; usage errors are told in one line, as all others are."""
        SESSION.start()
        extra["standalone_mode"] = False
        try:
            code = super().main(args, "skgex", **extra)
        except Exception as error:
            if not is_usage(error):
                raise
            code = tell_usage(error)
        sys.exit(code if isinstance(code, int) else 0)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)


def _show_version(value):
    if value:
        print("skgex", skgex.__version__)
        raise typer.Exit


@app.callback()
def _about(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
):
    """Bulk gene expression: files in, files out.

    Looks at tables, fills in what is missing, pretrains models and uses them. Tables
    may be of any kind that skgex.io.read_expression reads.

    Exit codes: 0 fine, 1 the table is odd (check), 2 wrong usage, 3 what was asked for
    cannot be done, such as a damaged file, 130 interrupted, 141 nobody reads on.
    """


for _function in (
    *(check, convert, impute, pretrain, embed, restore, predict, inspect),
):
    register(app, _function)


def main():
    """Run the command `skgex`."""
    if hasattr(signal, "SIGTERM"):
        # So that temporary files are removed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    app()
