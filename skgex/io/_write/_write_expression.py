"""The function `write_expression`."""

from numbers import Integral
from os import PathLike
from pathlib import Path

import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from .._selection import quoted
from .._to_memmap import to_memmap
from ._atomic import check_free, replacing
from ._columnar import write_columnar, write_spreadsheet
from ._h5ad import write_h5ad
from ._style import table_style
from ._text_table import COMPRESSIONS, write_text
from ._writable import check_writable

# What a name ends in: the format.
FORMATS = {
    ".csv": "csv",
    ".feather": "feather",
    ".gct": "gct",
    ".h5ad": "h5ad",
    ".npy": "npy",
    ".parquet": "parquet",
    ".tab": "tsv",
    ".tsv": "tsv",
    ".txt": "txt",
    ".xlsx": "xlsx",
}
TEXT = {"csv", "gct", "tsv", "txt"}
# Formats that have an order of their own.
FIXED = {"gct": "genes_in_rows", "h5ad": "samples_in_rows", "npy": "samples_in_rows"}


@validate_params(
    {
        "X": [pd.DataFrame],
        "path": [str, PathLike],
        "format": [StrOptions({*FORMATS.values()}), None],
        "like": [dict, None],
        "orient": [StrOptions({"genes_in_rows", "samples_in_rows"}), None],
        "delimiter": [StrOptions({"\t", ",", ";", " "}), None],
        "decimals": [Interval(Integral, 0, 15, closed="both"), None],
        "overwrite": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def write_expression(
    X,
    path,
    *,
    format=None,
    like=None,
    orient=None,
    delimiter=None,
    decimals=None,
    overwrite=False,
):
    r"""Write expression to a file, whose name says in which format.

    The file is there when it is complete, and not before. Values are read back equal,
    in their precision: text has the fewest digits that this takes. Names and their
    order are kept. Text is written in blocks, so that little memory is needed.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        Expression, samples in rows.
    path : str or path-like
        Where to write: ``.tsv``, ``.csv``, ``.txt`` or ``.gct``, and the same followed
        by ``.gz``, ``.bz2``, ``.xz`` or ``.zip``; ``.parquet``, ``.feather``,
        ``.h5ad`` and ``.xlsx``, which has no more than 16 digits, all of which need
        ``pip install ".[io]"`` in a checkout; ``.npy``, a table on disk as `to_memmap`
        writes it.
    format : str, default=None
        The format, if the name does not say it: one of those endings without its dot.
    like : dict, default=None
        ``attrs["source"]`` of a table that `read_expression` read: the file is laid
        out like that one, as far as its format allows. That is the orientation, the
        delimiter, the decimal mark, what stands above the names, and the number of
        decimals, unless fewer would change a value.
    orient : {"genes_in_rows", "samples_in_rows"}, default=None
        What has a line of its own. None takes that of `like`, else genes in text and
        spreadsheets, samples in other formats.
    delimiter : str, default=None
        What stands between values of text: a tab, a comma, a semicolon or a space. None
        takes that of `like` if it goes with the name, else a comma for ``.csv`` and a
        tab for others.
    decimals : int, default=None
        Round to so many decimals. None does not round.
    overwrite : bool, default=False
        Whether a file that is there may be replaced.

    Raises
    ------
    ImportError
        If a library is missing that the format needs.
    ValueError
        If there is such a file already, the format is unknown or has no room for the
        table, or the table is none that could be read again: not numeric, infinite, or
        with names that are missing or there twice.

    See Also
    --------
    to_memmap : Converts what is larger than memory.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> from skgex.io import write_expression
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> X = pd.DataFrame(
    ...     {"TP53": [5.5, None], "MYC": [10, 2.25]}, index=["TCGA-1", "TCGA-2"]
    ... )
    >>> write_expression(X, folder / "cohort.tsv")
    >>> print((folder / "cohort.tsv").read_text().expandtabs(8).rstrip())
    gene    TCGA-1  TCGA-2
    TP53    5.5     NA
    MYC     10      2.25
    >>> like = {"orient": "samples_in_rows", "delimiter": ";", "decimal": ","}
    >>> write_expression(X, folder / "cohort.csv", like=like)
    >>> print((folder / "cohort.csv").read_text().rstrip())
    sample;TP53;MYC
    TCGA-1;5,5;10
    TCGA-2;NA;2,25
    """
    kind, compression = file_format(path, format)
    _check_fixed(kind, path, orient)
    check_writable(X)
    check_free(path, overwrite)
    if decimals is not None and kind not in TEXT:
        X = X.round(decimals)
    if kind == "npy":
        _write_memmap(X, Path(path))
        return
    style = table_style(
        kind, like or {}, orient=orient, delimiter=delimiter, decimals=decimals
    )
    with replacing(path) as new:
        if kind == "h5ad":
            write_h5ad(X, new)
        elif kind == "xlsx":
            write_spreadsheet(X, new, style)
        elif kind in TEXT:
            member = Path(path).stem if compression == ".zip" else "table.tsv"
            options = {"compression": compression, "member": member}
            write_text(X, new, style, gct=kind == "gct", **options)
        else:
            write_columnar(X, new, style, kind)


def file_format(path, format=None):
    """Return the format that a name says, and how the file is compressed.

    Parameters
    ----------
    path : path-like
        The name.
    format : str or None, default=None
        What is told instead.

    Returns
    -------
    format : str
        One of the values of `FORMATS`.
    compression : {".gz", ".bz2", ".xz", ".zip"} or None
        How text is compressed.
    """
    name = Path(path)
    compression = name.suffix.lower() if name.suffix.lower() in COMPRESSIONS else None
    ending = Path(name.stem if compression else name.name).suffix.lower()
    kind = format or FORMATS.get(ending)
    if kind is None:
        raise ValueError(
            f"{path}: the name does not say in which format to write. End it in one of "
            f"{quoted(sorted(FORMATS), 10)}, or set format."
        )
    if compression and kind not in TEXT:
        raise ValueError(
            f"{path}: {kind} is not compressed by {compression}, only text is: leave "
            "that out of the name."
        )
    return kind, compression


def _check_fixed(kind, path, orient):
    fixed = FIXED.get(kind, orient)
    if orient not in (None, fixed):
        raise ValueError(
            f"{path}: {kind} always has {fixed}, which orient={orient!r} cannot "
            "change: leave it out, or write another format."
        )


def _write_memmap(X, path):
    single = all(dtype == "float32" for dtype in X.dtypes)
    try:
        to_memmap(X, path, dtype="float32" if single else "float64")
    except RuntimeError:  # another process is writing it
        raise
    except BaseException:
        # It would go on there the next time, but with the same table only.
        for part in (".partial", ".partial.json", ".json.partial"):
            for ending in (part, f"{part}.new"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
        raise
