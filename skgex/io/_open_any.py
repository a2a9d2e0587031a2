"""Any file of expression, opened by what is in it."""

from ._archs4 import open_archs4
from ._file_kind import kind_of
from ._folder import open_folder
from ._frame_file import open_frame_file
from ._frame_matrix import FrameMatrix
from ._h5ad import open_h5ad
from ._hdf5 import member, open_hdf5
from ._matrix import reading
from ._open import open_memmap
from ._text import SAMPLES, open_table, storage_of


def open_expression(
    path, *, orient="auto", id_column=None, value_column=None, sheet=None, **options
):
    """Open a file for reading block by block, as `read_expression` does.

    Returns
    -------
    matrix : Matrix
        The table, with `source`, which describes the file.
    """
    kind = kind_of_table(path)
    if kind not in ("text", "GCT"):
        about = options.pop("metadata", False) or None
        _refuse_unused(path, kind, return_metadata=about)
    if kind == "folder":
        _refuse_unused(path, kind, sheet=sheet)
        return open_folder(
            path, id_column=id_column, value_column=value_column, **options
        )
    _refuse_unused(path, kind, value_column=value_column, sheet=sheet)
    if kind in ("text", "GCT"):
        return open_table(
            path,
            orient=orient,
            id_column=id_column,
            value_column=value_column,
            **options,
        )
    if kind in ("parquet", "feather", "xlsx"):
        return open_frame_file(
            path, kind, orient=orient, id_column=id_column, sheet=sheet, **options
        )
    if kind == "memory map":
        _refuse_unused(path, kind, id_column=id_column)
        options.setdefault("strict", True)
        matrix = FrameMatrix(open_memmap(path), str(path), **options)
    elif kind == "ARCHS4":
        if options.get("on_duplicate") == "error":
            # Genes of ARCHS4 recur as a rule, and are counts.
            options["on_duplicate"] = "sum"
        gene_names = {} if id_column is None else {"gene_names": id_column}
        matrix = open_archs4(path, **gene_names, **options)
    else:
        matrix = open_h5ad(path, gene_column=id_column, orient=orient, **options)
    notes = list(getattr(matrix, "notes", ()))
    matrix.source = _source(path, kind, orient, id_column, notes)
    return matrix


def kind_of_table(path):
    """Return what kind of file this is, as `kind_of`, with kinds of HDF5 and text.

    Returns
    -------
    kind : str
        "h5ad" or "ARCHS4" for HDF5, "GCT" for such text.
    """
    with reading(path):
        kind = kind_of(path)
        if kind == "text" and storage_of(path).head.startswith((b"#1.2", b"#1.3")):
            return "GCT"
    if kind == "hdf5":
        with open_hdf5(path) as file:
            archs4 = all(member(file, name) is not None for name in ("data", "meta"))
            return "ARCHS4" if archs4 else "h5ad"
    return kind


def _refuse_unused(path, kind, **parameters):
    for name, value in parameters.items():
        fits = (kind, name) in {("text", "value_column"), ("xlsx", "sheet")}
        if value is not None and not fits:
            raise ValueError(
                f"{path} is a file of {kind}, for which {name}={value!r} means "
                "nothing. Leave it out."
            )


def _source(path, kind, orient, id_column, notes):
    return {
        "path": str(path),
        "format": kind,
        "compression": None,
        "encoding": "",
        "delimiter": "",
        "decimal": ".",
        "decimals": None,
        "orient": SAMPLES if orient == "auto" else orient,
        "id_column": id_column or "",
        "annotation": [],
        "notes": notes,
    }
