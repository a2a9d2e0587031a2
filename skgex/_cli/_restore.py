"""skgex restore: append the genes that a panel lacks."""

from typing import Annotated

import typer

import skgex

from ._models import by_genes_of, load_model
from ._options import Device, Input, Layout, Mapping, Model, Output, Reading
from ._results import destination_of_table, is_text, write_table
from ._tables import read_names, read_table


def restore(
    model: Model,
    input: Input,
    reading: Reading,
    writing: Layout,
    mapping: Mapping,
    output: Output = None,
    genes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File with the genes to append, one in each line; all that the model "
            "knows if it is left out.",
        ),
    ] = None,
    device: Device = "auto",
):
    """Append genes that a table lacks.

    MODEL, a GexBERT, restores them from those that the table has, which must be in its
    unit. Values of the table are written as they are; holes in genes that the model
    knows are filled.

    For example:
      skgex restore gexbert.safetensors panel.tsv profiles.tsv
      skgex restore gexbert-tcga panel.tsv profiles.tsv --genes wanted.txt
      skgex inspect gexbert-tcga --genes | head -100 |
        skgex restore gexbert-tcga panel.tsv profiles.tsv --genes -
    """
    target = destination_of_table(output, writing)
    estimator = load_model(model, device)
    if not isinstance(estimator, skgex.GexBERT):
        raise ValueError(
            f"{model} is a {type(estimator).__name__}, which does not restore genes: a "
            "GexBERT does."
        )
    wanted = None if genes is None else read_names(genes)
    table = read_table(input, reading, exact=True)
    named = by_genes_of(estimator, table.X, model, mapping)
    completed = _restored(estimator, table.X, named, wanted, is_text(target))
    write_table(completed, target, writing, table.source)


def _restored(estimator, X, named, wanted, rounds):
    from sklearn.frozen import FrozenEstimator

    restorer = skgex.GeneRestorer(FrozenEstimator(estimator), genes=wanted)
    completed = restorer.set_output(transform="pandas").fit_transform(named)
    own = named.shape[1]
    measured = X.notna().to_numpy()
    if rounds:
        values = skgex.io._write.round_like(completed.to_numpy(), None)
        values[:, :own][measured] = X.to_numpy()[measured]
        completed = completed.astype(values.dtype)
        completed.iloc[:, :] = values
    names = [*X.columns, *completed.columns[own:]]
    return completed.set_axis(names, axis=1)
