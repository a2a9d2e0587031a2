"""Containers that X comes in: which are refused, and what a mask means."""

from contextlib import contextmanager
from os import PathLike

import numpy as np
from scipy.sparse import issparse

# Type, after its package: how to get a table from it. No package is imported for this.
_REMEDIES = {
    "anndata.AnnData": (
        "Pass adata.to_df(), or a layer of it by adata.to_df(layer='counts'); if it is "
        "backed by a file, adata.to_memory().to_df(), or what skgex.io.to_memmap makes "
        "of the file. What comes out goes back by adata.obsm['X_embedding'] = "
        "estimator.transform(adata.to_df())."
    ),
    "anndata.Raw": "Pass adata.raw.to_adata().to_df().",
    "anndata.": "Pass adata.to_memory().to_df().",
    "mudata.MuData": "Pass one modality: mdata['rna'].to_df().",
    "xarray.DataArray": "Pass X.to_pandas(), which must have samples in rows.",
    "xarray.Dataset": "Pass one of its variables: X['expression'].to_pandas().",
    "polars.LazyFrame": "Call X.collect() first.",
    "pyarrow.": "Pass X.to_pandas().",
    "dask.": "Pass X.compute(), or write it by skgex.io.to_memmap in parts.",
    "cudf.DataFrame": "Pass X.to_pandas().",
    "cupy.ndarray": "Pass X.get().",
}

# What numpy says of objects that are neither numbers nor text.
_NO_NUMBER = ("float() argument must be", "setting an array element with a sequence")


def refuse_containers(X):
    """Refuse what neither numpy nor scikit-learn reads as a table, and say what to do.

    Raises
    ------
    ValueError
        If `X` is sparse, annotated, lazy, on another device, a dict or a path.
    """
    if issparse(X):
        raise ValueError(
            "X is sparse, but dense data is required: call X.toarray(), or write X to "
            "a memory map, which may be larger than memory."
        )
    remedy = _remedy(X)
    if remedy is not None:
        kind = f"{type(X).__module__.partition('.')[0]}.{type(X).__name__}"
        raise ValueError(
            f"X is of type {kind.removeprefix('builtins.')}, but a table or an array "
            f"of samples x genes is needed. {remedy}"
        )


def refuse_dates(X):
    """Refuse dates and durations, which numpy takes for numbers."""
    columns = list(getattr(X, "columns", ()))
    dtypes = list(X.dtypes) if columns else [getattr(X, "dtype", None)]
    for i, dtype in enumerate(dtypes):
        # Those of polars have names only.
        named = str(dtype).startswith(("Date", "Duration", "Time"))
        if getattr(dtype, "kind", None) in ("m", "M") or named:
            where = f" in column {str(columns[i])!r}" if columns else ""
            raise ValueError(
                f"X has dates or times{where}: keep columns of genes only, or convert "
                "durations to numbers of days."
            )


def native(X):
    """Return an array in the byte order of the machine, which torch needs."""
    return X if X.dtype.isnative else X.astype(X.dtype.newbyteorder("="))


def without_mask(X, dtype=np.float64):
    """Return a masked array as an array, in which masked values are NaN.

    Parameters
    ----------
    X : object
        What is no masked array is returned as it is.
    dtype : dtype, default=float64
        What integers become, which have no NaN.

    Returns
    -------
    X : object
        Without a copy where nothing is masked.
    """
    if not isinstance(X, np.ma.MaskedArray):
        return X
    if not np.ma.is_masked(X):
        return X.data
    if X.dtype.kind in "biu":
        X = X.astype(dtype)
    return X.filled(np.nan) if X.dtype.kind in "fcO" else X.data


@contextmanager
def naming_missing_values():
    """Say what to do with missing values of pandas, and others, among objects."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "NAType" in str(error):
            raise ValueError(
                "X has pandas.NA in a column of type object: pass X.convert_dtypes(), "
                "which finds the type of each column."
            ) from None
        if not any(words in str(error) for words in _NO_NUMBER):
            raise
        # scikit-learn's checks tell a wrong type from a wrong value.
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"X has values that are no numbers ({str(error).rstrip('.')}): keep "
            "columns of genes only."
        ) from None


def _remedy(X):
    """Return what to do with an object that cannot be used, or None."""
    if isinstance(X, np.ndarray):  # also what anndata derives from it
        structured = X.dtype.names is not None
        return "Pass pandas.DataFrame(X), as it is structured." if structured else None
    if isinstance(X, str | bytes | PathLike):
        return "Read a file by skgex.io.read_expression(path)."
    if isinstance(X, dict):
        return "Pass pandas.DataFrame(X), if it has a list of values for each gene."
    return _remedy_by_type(X)


def _remedy_by_type(X):
    kinds = [(k.__module__.partition(".")[0], k.__name__) for k in type(X).__mro__]
    if any(package == "pandas" for package, _ in kinds):  # as views of anndata are
        is_sparse = len(getattr(X, "columns", ())) and hasattr(X, "sparse")
        return "Pass X.sparse.to_dense()." if is_sparse else None
    if ("torch", "Tensor") in kinds:
        return _remedy_of_tensor(X)
    for package, name in kinds:
        for key in (f"{package}.{name}", f"{package}."):
            if key in _REMEDIES:
                return _REMEDIES[key]
    if hasattr(X, "assays"):  # SummarizedExperiment and what derives from it
        return (
            "Its assays are of genes x samples: pass pandas.DataFrame(X.assay('counts')"
            ".T, X.column_names, X.row_names)."
        )
    return None


def _remedy_of_tensor(X):
    if X.requires_grad:
        return "It requires gradients: pass X.detach().cpu()."
    try:
        X.numpy()
    except (TypeError, RuntimeError):
        return f"numpy cannot read it on {X.device}: pass X.detach().cpu().float()."
    return None
