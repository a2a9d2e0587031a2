"""What kind of file this is, by its content and not by its name."""

import os
import zipfile

from ._text import refuse_no_text, storage_of

_BINARY = {
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"PAR1": "parquet",
    b"ARROW1": "feather",
    b"FEA1": "feather",
    b"\x93NUMPY": "memory map",
}


def kind_of(path):
    """Return what kind of file this is.

    Returns
    -------
    kind : {"folder", "hdf5", "parquet", "feather", "xlsx", "memory map", "text"}
        By its first bytes.

    Raises
    ------
    ValueError
        If it is of a kind that holds no table, or is empty.
    """
    if os.path.isdir(path):
        return "folder"
    with open(path, "rb") as file:
        start = file.read(16)
    if not start:
        raise ValueError(f"{path} is empty. Download it again.")
    kind = next(
        (kind for mark, kind in _BINARY.items() if start.startswith(mark)), None
    )
    if kind is not None:
        return kind
    if start.startswith(b"PK") and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if "[Content_Types].xml" in archive.namelist():
                return "xlsx"
    refuse_no_text(path, storage_of(path))
    return "text"
