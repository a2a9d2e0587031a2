"""skgex impute: fill in what was not measured."""

from enum import StrEnum
from typing import Annotated

import typer

import skgex

from ._errors import WrongUsage
from ._models import by_genes_of, load_model, progress_of
from ._options import Device, Input, Layout, Mapping, Output, Reading, Seed, Start
from ._results import destination_of_table, is_h5ad, is_text, write_table
from ._session import SESSION
from ._tables import read_table

# Of values of the table itself, to see whether they all have so many decimals.
_MOST_VALUES = 10**6


class Censored(StrEnum):
    """What is known of missing values."""

    left = "left"


def impute(
    input: Input,
    reading: Reading,
    writing: Layout,
    mapping: Mapping,
    output: Output = None,
    start: Start = None,
    censored: Annotated[
        Censored | None,
        typer.Option(help="left: values are missing because they were too low."),
    ] = None,
    uncertainty: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write how uncertain values are, as standard deviations: 0 where a "
            "value was measured, NA where nothing is known.",
        ),
    ] = None,
    epochs: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Epochs in which a network is trained on top of the linear model, "
            "which takes minutes and gains little.",
        ),
    ] = 0,
    seed: Seed = 0,
    device: Device = "auto",
):
    """Fill in missing values.

    They are expected from all genes measured in the same sample. Give expression on a
    logarithmic scale. Measured values are written as they are. A small cohort gains by
    --start. Genes that nobody has measured stay NA; restore fills them from a model.

    For example:
      skgex impute arrays.tsv complete.tsv
      skgex impute cohort.csv complete.csv --start gexbert-tcga --uncertainty sd.csv
      skgex impute proteins.tsv complete.tsv --censored left
    """
    if censored and uncertainty:
        raise WrongUsage(
            "--uncertainty does not know how uncertain values below a limit are: leave "
            "it out with --censored."
        )
    target = destination_of_table(output, writing, uncertainty)
    table = read_table(input, reading, exact=True)
    X = table.X
    model = None if start is None else load_model(start)
    named = X if model is None else by_genes_of(model, X, start, mapping)
    embedder = _embedder(model, epochs, seed, device)
    imputer = skgex.GexImputer(embedder, censored=censored, random_state=seed)
    with progress_of(imputer):
        imputer.fit(named)
    filled = _filled(X, named, imputer, _decimals(table, target))
    SESSION.say(f"{_n_missing(X) - _n_missing(filled):,d} values were filled in.")
    if uncertainty:
        std = _uncertainty(X, named, imputer)
        like = {**table.source, "decimals": None}
        write_table(std, uncertainty, writing, like)
    if table.is_h5ad and is_h5ad(target):
        copy = skgex.io._write.copy_h5ad
        copy(table.path, target, X=filled, overwrite=writing.force)
    else:
        write_table(filled, target, writing, table.source)


def _embedder(model, epochs, seed, device):
    from sklearn.frozen import FrozenEstimator

    if model is not None and not isinstance(model, skgex.GexBERT):
        raise ValueError(
            f"--start must be a GexBERT, which restores genes; it is a "
            f"{type(model).__name__}."
        )
    start = None if model is None else FrozenEstimator(model)
    options = {"start": start, "device": device, "random_state": seed}
    return skgex.GexBERT(max_epochs=epochs, **options)


def _filled(X, named, imputer, round_by):
    """Return a table whose holes are filled, and whose other values are as before."""
    imputed = imputer.set_output(transform="pandas").transform(named)
    filled = X.copy()
    places = named.columns.get_indexer(imputed.columns)
    for place, gene in zip(places, imputed.columns, strict=True):
        holes = X.iloc[:, place].isna().to_numpy()
        if holes.any():
            values = filled.iloc[:, place].to_numpy(copy=True)
            values[holes] = round_by(imputed[gene].to_numpy()[holes])
            filled.isetitem(place, values)
    empty = X.columns.delete(places)
    if len(empty):
        SESSION.say(
            f"warning: {len(empty):,d} genes without any value stay NA, such as "
            f"{empty[0]!r}: skgex restore fills them from a model."
        )
    return filled


def _decimals(table, target):
    """Return how to round what is imputed: so that it looks like what is measured."""
    if not is_text(target):
        return lambda values: values
    decimals = table.source["decimals"]
    if decimals is not None:
        X = table.X.iloc[:: max(1, table.X.size // _MOST_VALUES)]
        if not ((X.round(decimals) == X) | X.isna()).to_numpy().all():
            decimals = None
    return lambda values: skgex.io._write.round_like(values, decimals)


def _uncertainty(X, named, imputer):
    """Return the standard deviation of each value; measured ones have none."""
    std = X.where(X.isna(), 0.0)
    embedder = imputer.embedder_
    if embedder is None:
        return std
    genes = list(embedder.feature_names_in_)
    rows = X.isna().any(axis=1) & named[genes].notna().any(axis=1)
    if rows.any():
        _, found = embedder.restore(named.loc[rows, genes], return_std=True)
        found = skgex.io._write.round_like(found.to_numpy(), None)
        places = named.columns.get_indexer(genes)
        part = std.loc[rows].iloc[:, places]
        std.loc[rows, X.columns[places]] = part.where(part.notna(), found)
    return std


def _n_missing(X):
    return int(X.isna().to_numpy().sum())
