"""Text files as lines of bytes: compressed or not, in any encoding, with any ends."""

import bz2
import gzip
import io
import lzma
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass

_HEAD_BYTES = 64 * 2**10
# A million samples, and the genes and transcripts of any annotation.
_LONGEST_LINE = 128 * 2**20
_MOST_LINES = 5_000_000
_COMPRESSION = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


@dataclass
class Storage:
    """How text is stored.

    Attributes
    ----------
    compression : {"gzip", "bz2", "xz", "zip"} or None
        How it is compressed.
    encoding : str
        Name that Python has for it.
    returns_end_lines : bool
        Whether lines end in carriage returns alone, as those of old Macs.
    head : bytes
        The first bytes, not compressed, as they are stored.
    """

    compression: str | None
    encoding: str = "utf-8"
    returns_end_lines: bool = False
    head: bytes = b""


def storage_of(path):
    """Find out how the text of a file is stored."""
    with open(path, "rb") as file:
        start = file.read(8)
    compression = next(
        (c for s, c in _COMPRESSION.items() if start.startswith(s)), None
    )
    with _decompressed(path, compression) as file:
        head = file.read(_HEAD_BYTES)
    storage = Storage(compression, _encoding(head), head=head)
    text = head.decode(storage.encoding, errors="replace")
    storage.returns_end_lines = "\n" not in text and "\r" in text.rstrip("\r")
    return storage


def open_text(path, storage=None):
    """Open a text file for reading lines of UTF-8 (or Latin-1), as a context."""
    storage = storage or storage_of(path)
    return _lines(path, storage)


@contextmanager
def _lines(path, storage):
    with _decompressed(path, storage.compression) as file:
        if storage.encoding == "utf-8-sig":
            file.read(3)
        as_stored = storage.encoding in ("utf-8", "utf-8-sig")
        if as_stored and not storage.returns_end_lines:
            yield _bounded(file, path)
        else:
            lines = _recoded(file, path, storage)
            try:
                yield lines
            finally:
                lines.close()


def _recoded(file, path, storage):
    encoding = "latin-1" if storage.encoding.startswith("utf-8") else storage.encoding
    newline = None if storage.returns_end_lines else "\n"
    text = io.TextIOWrapper(file, encoding, newline=newline)
    try:
        for line in _bounded(text, path):
            # Bytes that are no UTF-8 went through Latin-1 and come out as they were.
            yield line.encode("latin-1" if encoding == "latin-1" else "utf-8")
    finally:
        text.detach()


def _bounded(file, path):
    """Yield lines, of which none is so long that no table could have it.

    A compressed file of a megabyte may unfold to gigabytes without a line end.
    """
    n_lines = 0
    while line := file.readline(_LONGEST_LINE):
        n_lines += 1
        if len(line) == _LONGEST_LINE or n_lines > _MOST_LINES:
            raise ValueError(
                f"{path} unfolds to more than a table may have: a line of "
                f"{_LONGEST_LINE:,d} characters, or {_MOST_LINES:,d} lines. If it is "
                "no damaged file, split it, and pass the parts to to_memmap."
            )
        yield line


@contextmanager
def _decompressed(path, compression):
    if compression == "zip":
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive)) as file:
            yield io.BufferedReader(file)
        return
    opener = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}.get(
        compression, open
    )
    with opener(path, "rb") as file:
        yield file


def _member(archive):
    """Return the one file in a zip archive."""
    files = [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and not info.filename.startswith("__MACOSX/")
        and not info.filename.rpartition("/")[2].startswith(".")
    ]
    if "[Content_Types].xml" in archive.namelist():
        raise ValueError(
            f"{archive.filename} is a workbook of Excel: read it with read_expression."
        )
    if len(files) != 1:
        names = ", ".join(info.filename for info in files[:5])
        raise ValueError(
            f"{archive.filename} is a zip archive of {len(files)} files ({names}): one "
            "table is needed. Unpack it, and read the table."
        )
    if files[0].flag_bits & 1:
        raise ValueError(
            f"{archive.filename} is a zip archive with a password: unpack it first."
        )
    return files[0]


def _encoding(head):
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    # Latin letters in UTF-16 have a zero in each second byte.
    if len(head) >= 4 and head[1] == head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == head[2] == 0 and head[1] and head[3]:
        return "utf-16-be"
    return "utf-8"
