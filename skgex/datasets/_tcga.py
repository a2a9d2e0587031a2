"""The Cancer Genome Atlas: many samples of few genes, few samples of all genes."""

from typing import Any

from sklearn.utils._param_validation import validate_params

from ._base import (
    LOADER_PARAMETERS,
    make_bunch,
    make_survival,
    read_arrays,
    read_metadata,
)


def _load_tcga(name, *, return_X_y, as_frame, unit):
    arrays, metadata = read_arrays(name), read_metadata(name)
    ids = {"entrez_ids": arrays["entrez"]} if "entrez" in arrays else {}
    return make_bunch(
        name,
        arrays["X"],
        metadata["cancer"].to_numpy(str),
        arrays["genes"],
        metadata,
        target_name="cancer",
        return_X_y=return_X_y,
        as_frame=as_frame,
        groups=metadata["patient"].to_numpy(str),
        survival=make_survival(metadata["event"], metadata["time"]),
        unit=unit,
        **ids,
    )


@validate_params(LOADER_PARAMETERS, prefer_skip_nested_validation=True)
def load_tcga_pancancer(*, return_X_y=False, as_frame=False) -> Any:
    """Load 5,044 primary tumours of 23 cancer types, measured at 90 genes.

    The genes are a random choice. The set is made for what needs thousands of samples
    and little time: pretraining, learning from few labels, survival; it is of no use
    for biology at the level of genes [1]_ [2]_.

    =================   =====================================
    Samples             5,044, each of another patient
    Genes               90, no missing value
    Unit                log2(normalised RSEM + 1), -0.83 to 19.1
    Classes             23 cancer types, 4 to 681 samples
    Survival            4,983 followed up, 1,246 deaths
    =================   =====================================

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        Whether to return pandas objects: `data` a DataFrame indexed by sample, with
        one column per gene, and `target` a Series named "cancer".

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray or DataFrame of shape (5044, 90)
            Expression, float32.
        target : ndarray or Series of shape (5044,)
            TCGA's abbreviation of the cancer type, such as "BRCA".
        frame : DataFrame of shape (5044, 91)
            `data` and `target` together; None unless `as_frame=True`.
        feature_names : ndarray of shape (90,)
            Gene symbols; six genes without one go by their Entrez id, such as "6318".
        target_names : ndarray of shape (23,)
            The cancer types, sorted.
        sample_names : ndarray of shape (5044,)
            TCGA sample barcodes.
        groups : ndarray of shape (5044,)
            TCGA patient barcodes, to split by.
        survival : structured ndarray of shape (5044,)
            Overall survival, with the fields "event" (bool) and "time" (float, days)
            of scikit-survival; "time" is NaN for the 61 samples without follow-up.
        metadata : DataFrame of shape (5044, 15)
            Patient, sample type, endpoints, age, gender, race, stage.
        unit : str
            Unit of `data`.
        DESCR : str
            Source, terms, citation, columns and traps of the data.

    (data, target) : tuple if ``return_X_y=True``
        The two attributes of these names.

    See Also
    --------
    load_tcga_genomewide : Few samples of the same project, 16,261 genes.

    References
    ----------
    .. [1] Weinstein JN, et al. (2013). "The Cancer Genome Atlas Pan-Cancer analysis
       project." Nature Genetics 45, 1113-1120.

    .. [2] Liu J, et al. (2018). "An integrated TCGA pan-cancer clinical data resource
       to drive high-quality survival outcome analytics." Cell 173, 400-416.

    Examples
    --------
    >>> from skgex.datasets import load_tcga_pancancer
    >>> X, y = load_tcga_pancancer(return_X_y=True, as_frame=True)
    >>> X.shape, y.nunique()
    ((5044, 90), 23)

    Samples without follow-up are left out of a survival analysis:

    >>> import numpy as np
    >>> tcga = load_tcga_pancancer()
    >>> followed_up = np.isfinite(tcga.survival["time"])
    >>> tcga.data[followed_up].shape
    (4983, 90)
    """
    return _load_tcga(
        "tcga_pancancer",
        return_X_y=return_X_y,
        as_frame=as_frame,
        unit="log2(normalised RSEM + 1)",
    )


@validate_params(LOADER_PARAMETERS, prefer_skip_nested_validation=True)
def load_tcga_genomewide(*, return_X_y=False, as_frame=False) -> Any:
    """Load 123 tumours of 23 cancer types, measured at 16,261 genes.

    The set is small and as wide as real expression data are. 90 of its patients are
    also in :func:`load_tcga_pancancer`, so neither set tests what was learnt from the
    other [1]_ [2]_.

    =================   =====================================
    Samples             123, each of another patient
    Genes               16,261, no missing value
    Unit                log2(batch-adjusted RSEM + 1), -5.87 to 21.6
    Classes             23 cancer types, 1 to 12 samples
    Survival            121 followed up, 28 deaths
    =================   =====================================

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        Whether to return pandas objects: `data` a DataFrame indexed by sample, with
        one column per gene, and `target` a Series named "cancer".

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray or DataFrame of shape (123, 16261)
            Expression, float32.
        target : ndarray or Series of shape (123,)
            TCGA's abbreviation of the cancer type, such as "BRCA".
        frame : DataFrame of shape (123, 16262)
            `data` and `target` together; None unless `as_frame=True`.
        feature_names : ndarray of shape (16261,)
            Gene symbols.
        entrez_ids : ndarray of shape (16261,)
            Entrez ids of the genes.
        target_names : ndarray of shape (23,)
            The cancer types, sorted.
        sample_names : ndarray of shape (123,)
            TCGA sample barcodes.
        groups : ndarray of shape (123,)
            TCGA patient barcodes, to split by.
        survival : structured ndarray of shape (123,)
            Overall survival, with the fields "event" (bool) and "time" (float, days)
            of scikit-survival; "time" is NaN for the two samples without follow-up.
        metadata : DataFrame of shape (123, 15)
            Patient, sample type (one metastasis), endpoints, age, gender, race, stage.
        unit : str
            Unit of `data`.
        DESCR : str
            Source, terms, citation, columns and traps of the data.

    (data, target) : tuple if ``return_X_y=True``
        The two attributes of these names.

    See Also
    --------
    load_tcga_pancancer : Thousands of samples of the same project, 90 genes.

    References
    ----------
    .. [1] Hoadley KA, et al. (2018). "Cell-of-origin patterns dominate the molecular
       classification of 10,000 tumors from 33 types of cancer." Cell 173, 291-304.

    .. [2] Liu J, et al. (2018). "An integrated TCGA pan-cancer clinical data resource
       to drive high-quality survival outcome analytics." Cell 173, 400-416.

    Examples
    --------
    >>> from skgex.datasets import load_tcga_genomewide
    >>> tcga = load_tcga_genomewide(as_frame=True)
    >>> tcga.data.shape
    (123, 16261)
    >>> tcga.data.loc["TCGA-21-5787-01", "TP53"]
    np.float32(10.9)
    """
    return _load_tcga(
        "tcga_genomewide",
        return_X_y=return_X_y,
        as_frame=as_frame,
        unit="log2(batch-adjusted RSEM + 1)",
    )
