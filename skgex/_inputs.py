"""What every estimator asks of its expression matrix, and of the names of its genes."""

from contextlib import contextmanager
from functools import partial

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import (
    _check_sample_weight,
    _get_feature_names,
    validate_data,
)

from ._containers import (
    check_distinct,
    naming_wrong_values,
    native,
    refuse_containers,
    refuse_other_types,
    refuse_unread,
    without_mask,
)
from ._mapped_table import MappedTable, memory_map
from ._warn import warn_caller


def check_genes(
    estimator,
    X,
    *,
    reset,
    ensure_min_samples=1,
    dtype=(np.float32, np.float64),
    lazy=False,
):
    """Return `X` as a float array without reading its values.

    Values are checked where they are read, batch by batch, since `X` may be a memory
    map that is larger than memory.

    Parameters
    ----------
    estimator : estimator
        Takes or holds `n_features_in_` and `feature_names_in_`.
    X : array-like of shape (n_samples, n_genes)
        Input. Masked values are missing ones, NaN.
    reset : bool
        Whether to learn the genes rather than to compare with those of `fit`.
    ensure_min_samples : int, default=1
        Fewer samples are refused.
    dtype : sequence of dtype, default=(np.float32, np.float64)
        Accepted dtypes. Anything else, such as integers, is converted to the first.
    lazy : bool, default=False
        Whether a selection from a table on disk is returned as it is: for what reads
        rows by a reader alone.

    Returns
    -------
    X : ndarray of shape (n_samples, n_genes), dtype float32 or float64
        The input itself where it has such a dtype. With `lazy` perhaps a MappedTable.

    Raises
    ------
    ValueError
        If `X` is in a container that cannot be used, not numeric, not two-dimensional,
        or has other genes than in `fit`, or the same in another order.
    """
    if isinstance(X, MappedTable):
        # Compared is what it would be as a table, without reading a value.
        options = {"ensure_min_samples": ensure_min_samples, "dtype": dtype}
        check_genes(estimator, X.without_values(), reset=reset, **options)
        return X if lazy else np.asarray(X)
    refuse_containers(X)
    refuse_other_types(X)
    X = without_mask(X, dtype[0])
    check_distinct(X)
    labels = getattr(X, "columns", None)
    if labels is not None and not len(labels):
        raise ValueError("X has no column, and so no gene.")
    try:
        with naming_wrong_values(X):
            X = validate_data(
                estimator,
                X,
                reset=reset,
                dtype=list(dtype),
                ensure_all_finite=False,
                ensure_min_samples=ensure_min_samples,
            )
            if reset and labels is not None:
                _warn_of_labels(estimator, labels)
            # A table of pandas keeps the byte order that it has.
            return native(X)
    except ValueError as error:
        if "feature names" not in str(error).lower():
            raise
        raise ValueError(
            f"{error}\nBring the columns into the order of training with "
            "GeneAligner(estimator), or X.reindex(columns=estimator.feature_names_in_):"
            " genes that are absent become NaN, which means not measured."
        ) from None


def _warn_of_labels(estimator, labels):
    """Warn of labels that scikit-learn passes over, other than plain numbers."""
    if hasattr(estimator, "feature_names_in_"):
        return
    names = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    if names == [*range(len(names))]:
        return
    warn_caller(
        f"X has the column label {names[0]!r}, which is not a string: genes are told "
        "by their places alone, and other orders pass unseen. Write X.columns = "
        "X.columns.astype(str) first."
    )


def on_disk(X, names=None):
    """Return a memory map as a table on disk, of which a selection copies nothing.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_columns)
        Checked input. What is no memory map is returned as it is.
    names : ndarray of str, default=None
        Names of the columns, if they have any.

    Returns
    -------
    X : ndarray or MappedTable of shape (n_samples, n_columns)
    """
    if isinstance(X, MappedTable) or memory_map(X) is None:
        return X
    columns = np.arange(X.shape[1]) if names is None else names
    return _as_table(X, columns)


def _as_table(X, columns):
    # The path is not known, so that values go where the table goes.
    return MappedTable(X, np.arange(len(X)), columns, partial(_as_table, X, columns))


def feature_names(X):
    """Return the names of the columns of `X`, None if it has none."""
    return _get_feature_names(X.without_values() if isinstance(X, MappedTable) else X)


def warn_of_column(y):
    """Warn, in the words of scikit-learn, if a target is a column."""
    if np.asarray(y).ndim == 2:
        warn_caller(
            "A column-vector y was passed when a 1d array was expected. Please change "
            "the shape of y to (n_samples,), for example using ravel().",
            DataConversionWarning,
        )


def check_weights(sample_weight, X, dtype=None, **options):
    """Return a weight of each sample, zero or positive.

    `options` are those of scikit-learn's check.

    Raises
    ------
    ValueError
        If weights are missing, negative or infinite, or not one of each sample.
    """
    if np.ma.is_masked(sample_weight):
        raise ValueError(
            "sample_weight has masked values: give sample_weight.filled(0), which "
            "leaves these samples out."
        )
    refuse_unread(sample_weight, "sample_weight")
    return _check_sample_weight(
        sample_weight, X, dtype=dtype, ensure_non_negative=True, **options
    )


def gene_label(gene, gene_names):
    """Name of a gene for messages, or its position where genes have no names."""
    return gene if gene_names is None else repr(str(gene_names[gene]))


@contextmanager
def genes_kept_on_failure(estimator):
    """Leave an estimator with the genes of its last fit, should this one fail."""
    learnt = ("n_features_in_", "feature_names_in_")
    before = {name: vars(estimator)[name] for name in learnt if name in vars(estimator)}
    try:
        yield
    except BaseException:
        for name in learnt:
            vars(estimator).pop(name, None)
        vars(estimator).update(before)
        raise


def places_of_genes(estimator, X):
    """Return where an estimator had the genes of a table that has others.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like of shape (n_samples, n_genes)
        Input.

    Returns
    -------
    places : ndarray of shape (n_genes,) or None
        The column that each gene had in `fit`, -1 for those that are new. None if the
        genes are the same, or without names.

    Raises
    ------
    ValueError
        If the estimator knows none of the genes.
    """
    old, new = getattr(estimator, "feature_names_in_", None), feature_names(X)
    if old is None or new is None or np.array_equal(old, new):
        return None
    places = match_genes(old, new)
    if (places < 0).all():
        raise ValueError(
            f"X shares none of its {len(new)} genes with the {len(old)} of the last "
            f"fit: it has {some_names(new)}, where that had {some_names(old)}. Bring "
            "names of genes to those of the last fit, or set warm_start=False."
        )
    return places


def match_genes(known, names):
    """Return the place of each name among the known ones, -1 for one that is not."""
    place = {name: i for i, name in enumerate(known)}
    return np.array([place.get(name, -1) for name in names])


def some_names(names):
    """Name the first few for a message."""
    return ", ".join(repr(str(name)) for name in names[:3]) or "none"
