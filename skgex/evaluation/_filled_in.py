"""What estimators fill in, and how certain they say that it is."""

from inspect import signature

import numpy as np
import pandas as pd

from ._align import align_genes


def restore(estimator, table):
    """Return what an estimator makes of a table; NaN for genes that it leaves out."""
    if hasattr(estimator, "restore"):
        output, found = estimator.restore(table), None
    else:
        output = estimator.transform(table)
        found = _names_out(estimator, output)
    values = np.asarray(output, dtype=float)
    if found is None and values.shape != table.shape:
        raise ValueError(
            f"{values.shape[1]} columns were returned for {table.shape[1]} genes, "
            "without names; an imputer is needed, or an embedder with `restore`."
        )
    if found is None or found == list(getattr(table, "columns", [])):
        return values
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = [f"x{i}" for i in range(table.shape[1])]
    place = pd.Index(found).get_indexer(names)
    return np.where(place >= 0, values[:, place], np.nan)


def standard_deviations(estimator, table):
    """Return the standard deviations of what is restored; NaN where there are none."""
    spread = np.full(table.shape, np.nan)
    model, shown = estimator, table
    if not hasattr(model, "restore"):  # GexImputer restores by an embedder
        model = getattr(estimator, "embedder_", None)
        if model is None or getattr(estimator, "censored", None) is not None:
            return spread
        shown = align_genes(model, table)
    restore = getattr(model, "restore", None)
    known = getattr(model, "n_features_in_", None) == shown.shape[1]
    if (
        restore is None
        or not known
        or "return_std" not in signature(restore).parameters
    ):
        return spread
    rows = ~np.isnan(np.asarray(shown)).all(axis=1)
    if rows.any():
        found = np.asarray(restore(shown[rows], return_std=True)[1])
        place = np.arange(table.shape[1])
        if shown is not table:
            place = shown.columns.get_indexer(table.columns)
        spread[rows] = np.where(place >= 0, found[:, place], np.nan)
    return spread


def _names_out(estimator, output):
    """Return the names of the columns that were returned, or None."""
    if hasattr(output, "columns"):
        return list(output.columns)
    try:
        return list(estimator.get_feature_names_out())
    except AttributeError:  # also of a pipeline with such a step
        return None
