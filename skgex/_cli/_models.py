"""Models by file or name, and tables with their genes."""

import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import skgex

from ._session import SESSION
from ._tables import read_pairs


def load_model(name, device=None):
    """Load a model from a file, or one that ships with the package by its name."""
    if Path(name).is_file():
        return skgex.load(name, device=None if device == "auto" else device)
    try:
        model = skgex.datasets.load_pretrained(name)
    except ValueError as error:
        names = str(error).partition("among")[2].partition(". Got")[0].strip()
        raise ValueError(
            f"{name}: there is no such file, and no such model ships with the package:"
            f" these are {names}."
        ) from None
    if device and hasattr(model, "device"):
        model.device = device
    return model


def kind_of(model):
    """Return what a model is, in one word."""
    name = type(model).__name__
    if hasattr(model, "predict_survival_function"):
        return "survival model"
    if hasattr(model, "predict"):
        return "classifier" if hasattr(model, "classes_") else "regressor"
    if name in ("GexImputer", "GeneRestorer"):
        return "imputer"
    return "embedder"


def with_genes_of(model, X, name, matching):
    """Return a table with the genes of a model, and say how many it has.

    Parameters
    ----------
    model : estimator
        Fitted to a table.
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    name : str
        What to call the model.
    matching : Matching
        Options.
    """
    genes = genes_of(model, name)
    aligner = skgex.GeneAligner(
        list(genes),
        mapping=_mapping(matching.mapping),
        min_coverage=matching.min_coverage,
    )
    aligned = aligner.set_output(transform="pandas").fit(X).transform(X)
    _say_coverage(aligner.coverage_, len(genes), name)
    _say_unit(model, name)
    return aligned


def by_genes_of(model, X, name, mapping):
    """Return a table whose genes are named as in a model, where that has them.

    Parameters
    ----------
    model : estimator
        Fitted to a table.
    X : DataFrame of shape (n_samples, n_genes)
        The table, of which no column is left out or moved.
    name : str
        What to call the model.
    mapping : Mapping
        Options.
    """
    genes = getattr(model, "restorable_genes_", None)
    genes = genes_of(model, name) if genes is None else genes
    mapping = _mapping(mapping.mapping)
    aligner = skgex.GeneAligner(list(genes), mapping=mapping, min_coverage=0).fit(X)
    columns, found = aligner.matches_["column"], aligner.matches_["gene"]
    new = dict(zip(columns, found, strict=True))
    names = [new.get(column, column) for column in X.columns]
    _say_coverage(aligner.coverage_, len(genes), name)
    _say_unit(model, name)
    # Several columns of one gene stay what they are.
    if len(set(names)) < len(names):
        return X
    return X.set_axis(names, axis=1)


def genes_of(model, name):
    """Return the names of the genes that a model was fitted to."""
    genes = getattr(model, "feature_names_in_", None)
    if genes is None:
        raise ValueError(
            f"{name} was fitted to an array, without names of genes, so that tables "
            "cannot be brought to them: fit it to a table."
        )
    return genes


@contextmanager
def progress_of(estimator):
    """Show how far the training of an estimator is, if somebody is watching."""
    if not SESSION.shows_progress():
        yield estimator
        return
    from sklearn.callback import ProgressBar

    # The bar goes to standard output, which is for results here.
    with redirect_stdout(sys.stderr):
        yield estimator.set_callbacks(ProgressBar())


def _mapping(name):
    return None if name is None else read_pairs(name)


def _say_coverage(share, n_genes, name):
    rest = "." if share == 1 else ", the others count as not measured."
    SESSION.say(
        f"{round(share * n_genes):,d} of the {n_genes:,d} genes of {name} were found "
        f"({100 * share:.0f} %){rest}"
    )


def _say_unit(model, name):
    unit = getattr(model, "unit_", None)
    if unit:
        SESSION.say(f"{name} expects {unit}.")
