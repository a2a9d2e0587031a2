"""Clinical columns of a table of expression: which they are, and their values."""

from numbers import Integral

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _get_feature_names

from ._containers import refuse_containers
from ._inputs import gene_label, on_disk
from ._mapped_table import MappedTable

# What the parameter `covariates` may be.
CONSTRAINT = [None, str, Integral, slice, "array-like", callable]


def find_covariates(covariates, X):
    """Return the positions of the columns that are covariates.

    Parameters
    ----------
    covariates : str, int, slice, list of them or of bool, callable or None
        Names, positions, or a function of `X` that returns them, such as what
        `sklearn.compose.make_column_selector` makes.
    X : array-like of shape (n_samples, n_columns)
        The table as it was passed.

    Returns
    -------
    places : ndarray of shape (n_covariates,), dtype int
        In the order asked for.

    Raises
    ------
    ValueError
        If a column is not there, is named twice, holds text, or if none is left for
        the genes.
    """
    if covariates is None:
        return np.empty(0, dtype=int)
    refuse_containers(X)
    X = X.without_values() if isinstance(X, MappedTable) else X
    asked = covariates(X) if callable(covariates) else covariates
    shape = np.shape(X) if not hasattr(X, "shape") else X.shape
    if len(shape) != 2:
        return np.empty(0, dtype=int)  # refused later, as such input always is
    names, n_columns = _get_feature_names(X), shape[1]
    places = _places(asked, names, n_columns)
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise ValueError(
            f"covariates has column {gene_label(twice, names)} twice: name it once."
        )
    if len(places) == n_columns:
        raise ValueError(
            f"All {n_columns} columns of X are covariates, and no gene is left. "
            "Without genes use sksurv.linear_model.CoxPHSurvivalAnalysis, or an "
            "estimator of scikit-learn; with genes in X and alpha=1e12 a survival "
            "model is Cox regression on the covariates alone."
        )
    places = np.array(places, dtype=int)
    for place in places if hasattr(X, "columns") else ():
        _refuse_text(X, place, names)
    return places


def _places(asked, names, n_columns):
    if isinstance(asked, slice):
        if isinstance(asked.start, str) or isinstance(asked.stop, str):
            raise ValueError(
                "covariates is a slice of names: list the names instead, or give a "
                "slice of positions."
            )
        return list(range(n_columns))[asked]
    one = isinstance(asked, str | Integral) or not np.iterable(asked)
    asked = [asked] if one else list(asked)
    if asked and all(isinstance(value, bool | np.bool_) for value in asked):
        if len(asked) != n_columns:
            raise ValueError(
                f"covariates has {len(asked)} values of bool, but X {n_columns} "
                "columns."
            )
        return np.flatnonzero(asked).tolist()
    return [_place(value, names, n_columns) for value in asked]


def _place(value, names, n_columns):
    if isinstance(value, Integral) and not isinstance(value, bool | np.bool_):
        if not -n_columns <= value < n_columns:
            raise ValueError(
                f"covariates has position {value}, but X has {n_columns} columns."
            )
        return int(value) % n_columns
    if not isinstance(value, str):
        raise ValueError(
            f"covariates has {value!r}: give names or positions of columns of X, a "
            "mask of bool, or a function of X that returns them."
        )
    if names is None:
        raise ValueError(
            f"covariates names column {value!r}, but X has no names of columns: give "
            "positions, or a table such as a DataFrame. A step before may have dropped "
            'the names: set_output(transform="pandas") keeps them.'
        )
    found = np.flatnonzero(names == value)
    if not len(found):
        raise ValueError(
            f"covariates names {value!r}, which is no column of X; the last ones are "
            f"{', '.join(repr(str(name)) for name in names[-3:])}."
        )
    return int(found[0])


def _refuse_text(X, place, names):
    column = np.asarray(_safe_indexing(X, int(place), axis=1))
    if column.dtype.kind in "biuf":
        return
    for value in column.ravel():
        # pandas' NA is neither equal to itself nor not.
        if value is None or str(value == value) != "True":
            continue
        try:
            float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"Covariate {gene_label(place, names)} has {value!r}, which is no "
                "number: code it by OrdinalEncoder or OneHotEncoder(drop='first', "
                "sparse_output=False) in a ColumnTransformer before."
            ) from None


def learn_covariates(estimator, X, resume):
    """Set `covariates_` of an estimator that is being fitted.

    Raises
    ------
    ValueError
        As by `find_covariates`, and if it goes on from a fit with other covariates.
    """
    places = find_covariates(estimator.covariates, X)
    if resume and not np.array_equal(places, covariate_places(estimator)):
        raise ValueError(
            "warm_start=True goes on from a fit with other covariates, of columns "
            f"{covariate_places(estimator).tolist()}, now {places.tolist()}: set "
            "covariates as before, or warm_start=False."
        )
    estimator.covariates_ = places


def covariate_places(estimator):
    """Return the positions of the covariates of an estimator; most have none."""
    # Files of before they were there lack the attribute.
    return vars(estimator).get("covariates_", np.empty(0, dtype=int))


def gene_columns(estimator):
    """Return the columns of an estimator's input that are genes.

    Returns
    -------
    columns : slice or ndarray of int
        A slice where genes lie side by side, so that they need not be copied.
    """
    n_columns = estimator.n_features_in_
    genes = np.delete(np.arange(n_columns), covariate_places(estimator))
    if len(genes) == genes[-1] - genes[0] + 1:
        return slice(int(genes[0]), int(genes[-1]) + 1)
    return genes


def count_genes(estimator):
    """Return how many columns of an estimator's input are genes."""
    return estimator.n_features_in_ - len(covariate_places(estimator))


def gene_names(estimator):
    """Return the names of an estimator's genes, without covariates, or None."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else names[gene_columns(estimator)]


def take_genes(estimator, X):
    """Return the genes of a checked array; the array itself without covariates.

    Those of a table on disk, or of a memory map, stay there.
    """
    if not len(covariate_places(estimator)):
        return X
    columns = gene_columns(estimator)
    X = on_disk(X, getattr(estimator, "feature_names_in_", None))
    return X._of_genes(columns) if isinstance(X, MappedTable) else X[:, columns]


def take_covariates(estimator, X):
    """Return the covariates of a checked array.

    Parameters
    ----------
    estimator : estimator
        With `covariates_`, and the names of its columns.
    X : ndarray of shape (n_samples, n_columns)
        Its input.

    Returns
    -------
    C : ndarray of shape (n_samples, n_covariates), dtype float64

    Raises
    ------
    ValueError
        If a value is missing or infinite: a missing gene is common and hardly matters,
        a missing stage does, and what to put in its place is to be said by the user.
    """
    places = covariate_places(estimator)
    # Also of a table on disk by columns, as sums are rounded by the order.
    C = np.asarray(X[:, places], dtype=np.float64, order="F")
    if np.isfinite(C).all():
        return C
    names = getattr(estimator, "feature_names_in_", None)
    bad = ~np.isfinite(C)
    place = int(np.flatnonzero(bad.any(axis=0))[0])
    label, missing = gene_label(places[place], names), np.isnan(C[:, place])
    if not missing.any():
        raise ValueError(f"Covariate {label} has infinite values.")
    raise ValueError(
        f"Covariate {label} is missing (NaN) for {missing.sum()} of {len(C)} samples, "
        f"the first is sample {missing.argmax()}. Leave them out, or impute it before, "
        f"as by ColumnTransformer([('clinic', SimpleImputer(), [{label}])], "
        "remainder='passthrough', verbose_feature_names_out=False)"
        '.set_output(transform="pandas").'
    )


def gene_table(estimator, table, genes):
    """Return what an embedder is fitted on: the genes, with names if they have any.

    `genes` are those of the table, as `take_genes` returns them.
    """
    if not len(covariate_places(estimator)):
        return table
    if isinstance(genes, MappedTable) or not hasattr(table, "columns"):
        return genes
    columns = gene_columns(estimator)
    if not isinstance(columns, slice):
        columns = columns.tolist()
    return _safe_indexing(table, columns, axis=1)


def covariate_labels(estimator):
    """Return the names of the covariates, or x3 for column 3 without names."""
    places = covariate_places(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return np.array([f"x{place}" for place in places], dtype=object)
    return names[places]
