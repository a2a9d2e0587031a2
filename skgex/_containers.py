"""Containers that X comes in: which are refused, and what a mask means."""

import re
from collections.abc import Iterator, Set
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
    "torch.": "Pass a tensor of samples x genes.",
}
# How numpy and Python say that a cell is no number.
_NO_NUMBER = re.compile(
    "could not convert|argument must be|too large to convert|array element|NAType"
)


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


def check_distinct(X):
    """Refuse tables with a gene twice."""
    if getattr(getattr(X, "columns", None), "is_unique", False):
        return  # as pandas remembers of its tables
    names = list(getattr(X, "columns", ()))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"X has {names.count(twice)} columns of the gene {str(twice)!r}: keep one, "
            "or average them by X.T.groupby(level=0).mean().T."
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


def refuse_unread(values, name):
    """Refuse a tensor of a network in training, and a mask, which numpy passes over."""
    if getattr(values, "requires_grad", False):
        raise ValueError(
            f"{name} is a tensor that requires gradients: give {name}.detach()."
        )
    mask = np.ma.getmask(values)
    if any(np.any(mask[field]) for field in mask.dtype.names or ((),)):
        raise ValueError(
            f"{name} is a masked array, and the mask would be passed over: leave the "
            "masked samples out, or mark them as missing."
        )


@contextmanager
def naming_wrong_values(X, names=None):
    """Name the gene of a value that is no number, and say what to do.

    `names` are those of the columns, where the table has others.
    """
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        message = _NO_NUMBER.search(str(error)) and _wrong_value(X, names)
        if not message:
            raise
        missing = "NAType" in str(error)
        kind = TypeError if isinstance(error, TypeError) and not missing else ValueError
        raise kind(message if missing else f"{message} ({error})") from None


def _remedy(X):
    """Return what to do with an object that cannot be used, or None."""
    if isinstance(X, np.ndarray):  # also what anndata derives from it
        structured = X.dtype.names is not None
        return "Pass pandas.DataFrame(X), as it is structured." if structured else None
    if isinstance(X, str | bytes | PathLike):
        return "Read a file by skgex.io.read_expression(path)."
    if isinstance(X, dict):
        return "Pass pandas.DataFrame(X), if it has a list of values for each gene."
    if isinstance(X, list | tuple) and len(X) and isinstance(X[0], dict):
        return "Pass pandas.DataFrame(X), if each sample is a dict of its genes."
    if isinstance(X, Iterator | Set):
        return "Pass a list with a list of values for each sample."
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
    if X.is_complex():
        return "Complex data not supported: pass X.real."
    try:
        X.numpy()
    except (TypeError, RuntimeError):
        return f"numpy cannot read it on {X.device}: pass X.detach().cpu().float()."
    return None


def refuse_other_types(X, names=None):
    """Refuse dates, times and complex numbers, which become numbers in silence.

    Raises
    ------
    ValueError
        Naming the first such column of a table.
    """
    if isinstance(X, np.ndarray):
        types, names = [X.dtype], None
    elif hasattr(X, "columns") and hasattr(X, "dtypes"):
        types = list(X.dtypes)
        names = X.columns if names is None else names
    else:
        return
    # Genes are many, and their types few.
    for dtype in dict.fromkeys(types):
        remedy = _remedy_of_type(dtype)
        if remedy is not None:
            place = types.index(dtype)
            what = "values" if names is None else repr(str(names[place]))
            raise ValueError(f"X has {what} of type {dtype}, no numbers: {remedy}")


def _remedy_of_type(dtype):
    """Return what to do with columns of a type that is no number, or None."""
    if getattr(dtype, "kind", "") == "c":
        return "Complex data not supported: pass the real part."
    is_time = getattr(dtype, "kind", "") in ("m", "M")
    if is_time or (hasattr(dtype, "is_temporal") and dtype.is_temporal()):
        return "drop columns that are no expression."
    return None


def _wrong_value(X, names):
    """Return a message on the first value that is no number, or None."""
    try:
        cells = np.asarray(X, dtype=object)
    except (TypeError, ValueError):
        return None
    if cells.ndim != 2:
        return None
    if names is None:
        names = list(getattr(X, "columns", ())) or None
    for place, column in enumerate(cells.T):
        for row, cell in enumerate(column):
            if _is_number(cell):
                continue
            if type(cell).__name__ == "NAType":
                return (
                    "X has pandas.NA in a column of type object: pass "
                    "X.convert_dtypes(), which finds the type of each column."
                )
            gene = f"column {place}" if names is None else f"gene {str(names[place])!r}"
            return (
                f"X has {cell!r:.60} in {gene}, row {row}, which is no number: drop "
                "columns that are no expression, and mark missing values as NaN."
            )
    return None


def _is_number(cell):
    try:
        return cell is None or isinstance(float(cell), float)
    except (TypeError, ValueError, OverflowError):
        return False
