"""What `to_memmap` converts, one part after the other."""

from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import validate_parameter_constraints

from ._archs4 import ARCHS4_PARAMETERS, open_archs4
from ._expression import EXPRESSION_PARAMETERS
from ._frame_matrix import FrameMatrix
from ._gct import GCT_PARAMETERS, open_gct
from ._h5ad import H5AD_PARAMETERS, open_h5ad
from ._open_any import kind_of_table, open_expression
from ._path import local_path
from ._selection import quoted
from ._xena import READER_PARAMETERS

# By what is in a file: who reads it. All others are read as by read_expression.
READERS = {
    "h5ad": (open_h5ad, H5AD_PARAMETERS),
    "ARCHS4": (open_archs4, ARCHS4_PARAMETERS),
    "GCT": (open_gct, GCT_PARAMETERS),
}
ANY = open_expression, EXPRESSION_PARAMETERS
# They are parameters of their own, or of no use here.
_NOT_PASSED_ON = {"genes", "samples", "dtype", "return_metadata", "verbose"}


def parts(source, *, genes, samples, reader_params, dtype):
    """Yield the parts of a source, with the same genes, as they are needed."""
    options = {"genes": genes, "strict": genes is None, "dtype": dtype}
    if isinstance(source, np.ndarray):
        yield _open_array(source, genes, samples, dtype)
        return
    if hasattr(source, "columns") and hasattr(source, "to_pandas"):
        source = source.to_pandas()
    if isinstance(source, str | PathLike | pd.DataFrame):
        yield _open(source, "source", {**options, "samples": samples}, reader_params)
        return
    if samples is not None:
        raise ValueError(
            "samples selects in one file or table: of several, select in each, and "
            "pass tables."
        )
    if not isinstance(source, Sequence | Iterator) or isinstance(source, memoryview):
        raise ValueError(
            f"source is of type {type(source).__name__}: a path, a DataFrame or an "
            "array of samples x genes is needed, or a list of paths and DataFrames."
        )
    first = None
    for number, item in enumerate(source):
        part = _open(item, f"source[{number}]", options, reader_params)
        first = first or part
        _check_same_genes(part, first)
        yield part
    if first is None:
        raise ValueError("source is empty: there is nothing to convert.")


def _open(item, name, options, reader_params):
    options = {"samples": None, **options}
    if isinstance(item, pd.DataFrame):
        _check_params(
            reader_params, {"on_duplicate": READER_PARAMETERS["on_duplicate"]}
        )
        return FrameMatrix(item, name, **options, **reader_params)
    if not isinstance(item, str | PathLike):
        raise ValueError(
            f"{name} is of type {type(item).__name__}: a path or a DataFrame of "
            "samples x genes is needed."
        )
    item = local_path(item, name)
    reader, constraints = READERS.get(kind_of_table(item), ANY)
    _check_params(reader_params, constraints)
    return reader(item, **options, **reader_params)


def _check_params(params, constraints):
    accepted = sorted(constraints.keys() - _NOT_PASSED_ON)
    unknown = sorted(params.keys() - set(accepted))
    if unknown:
        raise ValueError(
            f"reader_params has {quoted(unknown)}, but this source takes only "
            f"{quoted(accepted, 10)}."
        )
    validate_parameter_constraints(constraints, params, caller_name="to_memmap")


def _open_array(X, genes, samples, dtype):
    if X.ndim != 2 or genes is None or len(genes) != X.shape[1]:
        raise ValueError(
            f"source is an array of shape {X.shape}, for which genes must name each "
            f"column: {'none' if genes is None else len(genes)} named."
        )
    samples = range(len(X)) if samples is None else samples
    if len(samples) != len(X):
        raise ValueError(
            f"source is an array of {len(X):,d} rows, but samples names "
            f"{len(samples):,d}."
        )
    frame = pd.DataFrame(X, index=samples, columns=genes, copy=False)
    return FrameMatrix(
        frame, "source", genes=None, samples=None, strict=True, dtype=dtype
    )


def _check_same_genes(part, first):
    if part.genes == first.genes:
        return
    others = set(part.genes) ^ set(first.genes)
    what = (
        f"{quoted(sorted(others))} in one of them only" if others else "another order"
    )
    raise ValueError(
        f"{part.name} has other genes than {first.name}: {what}. Name the genes of the "
        "result by genes: absent ones become NaN, others are left out."
    )
