"""Breast cancers of the Netherlands Cancer Institute."""

from typing import Any

from sklearn.utils._param_validation import validate_params

from ._base import (
    LOADER_PARAMETERS,
    make_bunch,
    make_survival,
    read_arrays,
    read_metadata,
)


@validate_params(LOADER_PARAMETERS, prefer_skip_nested_validation=True)
def load_breast_nki(*, return_X_y=False, as_frame=False) -> Any:
    """Load 150 breast cancers with the time to distant metastasis.

    A part of the study behind the 70-gene signature [1]_ [2]_: microarrays, with the
    values that real arrays lack. Estrogen receptor status and grade are columns of
    `metadata`.

    =================   =====================================
    Samples             150, each of another patient
    Genes               862, 341 missing values in all
    Unit                two-colour log ratio, -2 to 2
    Survival            146 followed up, 53 distant metastases
    =================   =====================================

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        Whether to return pandas objects: `data` a DataFrame indexed by sample, with
        one column per gene, and `target` a DataFrame with the columns "event" and
        "time".

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray or DataFrame of shape (150, 862)
            Expression, float32; NaN where a gene was not measured.
        target : structured ndarray or DataFrame of shape (150,) or (150, 2)
            Distant-metastasis-free survival, with the fields "event" (bool) and "time"
            (float, days) of scikit-survival; "time" is NaN for the four patients
            without follow-up.
        frame : DataFrame of shape (150, 864)
            `data` and `target` together; None unless `as_frame=True`.
        feature_names : ndarray of shape (862,)
            Gene symbols.
        target_names : ndarray of shape (2,)
            "event" and "time".
        sample_names : ndarray of shape (150,)
            Sample names, such as "NKI_123".
        groups : ndarray of shape (150,)
            Patient numbers, to split by.
        survival : structured ndarray of shape (150,)
            `target` as a structured array, whatever `as_frame` says.
        metadata : DataFrame of shape (150, 18)
            Patient, endpoints, receptor status `er`, `grade`, lymph nodes, tumour
            size, age, treatment, risk scores.
        unit : str
            Unit of `data`.
        DESCR : str
            Source, terms, citation, columns and traps of the data.

    (data, target) : tuple if ``return_X_y=True``
        The two attributes of these names.

    References
    ----------
    .. [1] van 't Veer LJ, et al. (2002). "Gene expression profiling predicts clinical
       outcome of breast cancer." Nature 415, 530-536.

    .. [2] van de Vijver MJ, et al. (2002). "A gene-expression signature as a predictor
       of survival in breast cancer." New England Journal of Medicine 347, 1999-2009.

    Examples
    --------
    >>> import numpy as np
    >>> from skgex.datasets import load_breast_nki
    >>> nki = load_breast_nki()
    >>> followed_up = np.isfinite(nki.target["time"])
    >>> X, y = nki.data[followed_up], nki.target[followed_up]
    >>> len(y), int(y["event"].sum())
    (146, 53)
    >>> nki.metadata["er"].value_counts().to_dict()
    {1: 112, 0: 38}
    """
    arrays, metadata = read_arrays("breast_nki"), read_metadata("breast_nki")
    survival = make_survival(metadata["event"], metadata["time"])
    return make_bunch(
        "breast_nki",
        arrays["X"],
        survival,
        arrays["genes"],
        metadata,
        target_name=None,
        return_X_y=return_X_y,
        as_frame=as_frame,
        groups=metadata["patient"].to_numpy(str),
        survival=survival,
        unit="two-colour log ratio",
    )
