"""Options that several commands have."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from ._session import SESSION


class Orient(StrEnum):
    """What has a line of its own."""

    genes_in_rows = "genes_in_rows"
    samples_in_rows = "samples_in_rows"


class OnDuplicate(StrEnum):
    """What becomes of genes with the same name."""

    error = "error"
    first = "first"
    max = "max"
    mean = "mean"
    sum = "sum"


def _set_quiet(value):
    SESSION.quiet = SESSION.quiet or value


def _set_debug(value):
    SESSION.debug = SESSION.debug or value


Input = Annotated[
    str, typer.Argument(metavar="IN", help="Table to read; - is standard input.")
]
Output = Annotated[
    str | None,
    typer.Argument(metavar="OUT", help="Where to write; - is standard output."),
]
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A file that save wrote, or a name such as gexbert-tcga of a model that "
        "ships with the package.",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Fitted model to start from, a file or a name."),
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, help="The same seed, the same result.")
]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="Where to compute: auto, cpu, cuda, ...")
]


@dataclass
class Reading:
    """How a table is read."""

    orient: Annotated[
        Orient | None,
        typer.Option(help="What has a line of its own, if it cannot be told."),
    ] = None
    id_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column that names the lines.")
    ] = None
    sheet: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sheet of a spreadsheet.")
    ] = None
    on_duplicate: Annotated[
        OnDuplicate, typer.Option(help="What becomes of genes with the same name.")
    ] = OnDuplicate.error


@dataclass
class Mapping:
    """What genes are called."""

    mapping: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Text of two columns: ids of the table, and the genes of the model "
            "that they are.",
        ),
    ] = None


@dataclass
class Matching(Mapping):
    """How the genes of a table are found among those of a model."""

    min_coverage: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            min=0,
            max=1,
            help="Refuse a table with a smaller share of the model's genes.",
        ),
    ] = 0.5


@dataclass
class Writing:
    """Where a result is written."""

    out: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="The same as OUT."),
    ] = None
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace files that are there.")
    ] = False


@dataclass
class Layout(Writing):
    """Where a table is written, and how it is laid out."""

    out_orient: Annotated[
        Orient | None,
        typer.Option(help="What has a line of its own in OUT; else as in IN."),
    ] = None
    decimals: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=15, help="Round what is written; else as in IN."
        ),
    ] = None


@dataclass
class Telling:
    """What is told."""

    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", callback=_set_quiet, help="Tell only errors."),
    ] = False
    debug: Annotated[
        bool,
        typer.Option("--debug", callback=_set_debug, help="Show where errors arise."),
    ] = False
