"""Healthy tissues on Affymetrix arrays."""

from typing import Any

from sklearn.utils._param_validation import validate_params

from ._base import LOADER_PARAMETERS, make_bunch, read_arrays, read_metadata


@validate_params(LOADER_PARAMETERS, prefer_skip_nested_validation=True)
def load_tissues_u133(*, return_X_y=False, as_frame=False) -> Any:
    """Load 189 samples of 7 tissues, measured at 500 genes.

    A small and easy set for a first look: the genes are a random choice, and simple
    models tell the tissues apart without error [1]_.

    =================   =====================================
    Samples             189 of 185 arrays: four are listed twice
    Genes               500, no missing value
    Unit                log2 intensity (RMA), 4.22 to 14.1
    Classes             7 tissues, 6 to 39 samples
    =================   =====================================

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        Whether to return pandas objects: `data` a DataFrame indexed by sample, with
        one column per gene, and `target` a Series named "tissue".

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray or DataFrame of shape (189, 500)
            Expression, float32.
        target : ndarray or Series of shape (189,)
            The tissue, such as "kidney".
        frame : DataFrame of shape (189, 501)
            `data` and `target` together; None unless `as_frame=True`.
        feature_names : ndarray of shape (500,)
            Gene symbols.
        target_names : ndarray of shape (7,)
            The tissues, sorted.
        sample_names : ndarray of shape (189,)
            Tissue and number, such as "kidney_1".
        groups : ndarray of shape (189,)
            The array of each sample, to split by: the two rows of an array that is
            listed twice share it. The source doesn't name the donors.
        metadata : DataFrame of shape (189, 2)
            Tissue and array.
        unit : str
            Unit of `data`.
        DESCR : str
            Source, terms, citation, columns and traps of the data.

    (data, target) : tuple if ``return_X_y=True``
        The two attributes of these names.

    References
    ----------
    .. [1] Irizarry RA (2019). "Introduction to Data Science: Data Analysis and
       Prediction Algorithms with R." Chapman and Hall/CRC.

    Examples
    --------
    >>> from skgex.datasets import load_tissues_u133
    >>> X, y = load_tissues_u133(return_X_y=True, as_frame=True)
    >>> X.shape
    (189, 500)
    >>> y.value_counts().to_dict()["placenta"]
    6
    """
    arrays, metadata = read_arrays("tissues_u133"), read_metadata("tissues_u133")
    return make_bunch(
        "tissues_u133",
        arrays["X"],
        metadata["tissue"].to_numpy(str),
        arrays["genes"],
        metadata,
        target_name="tissue",
        return_X_y=return_X_y,
        as_frame=as_frame,
        groups=metadata["array"].to_numpy(str),
        unit="log2 intensity (RMA)",
    )
