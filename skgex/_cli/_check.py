"""skgex check: what is odd about a table."""

from typing import Annotated

import typer

import skgex

from ._errors import ODD
from ._models import load_model
from ._options import Input, Reading
from ._tables import read_table


def check(
    input: Input,
    reading: Reading,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Say how many genes of this model, a file or a name, are there.",
        ),
    ] = None,
):
    """Tell what is odd about a table, and what to do.

    Exit code 1 if there are errors, which make results wrong; warnings and notes are
    for you to judge.

    For example:
      skgex check cohort.tsv.gz
      skgex check cohort.csv --model gexbert-tcga
    """
    table = read_table(input, reading)
    genes = None if model is None else load_model(model)
    report = skgex.io.check_expression(table.X, genes=genes)
    print(report)
    if any(finding.severity == "error" for finding in report.findings):
        raise typer.Exit(ODD)
