"""Tables in, from files and standard input."""

import shutil
import sys
import tempfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

import skgex

from ._errors import WrongUsage
from ._session import SESSION

STREAM = "-"


class Input(NamedTuple):
    """A table that was read.

    Attributes
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        Expression.
    path : pathlib.Path
        Where it was read from; a temporary file for standard input.
    source : dict
        What the reader says of the file.
    """

    X: object
    path: Path
    source: dict

    @property
    def is_h5ad(self):
        """Whether more than the table may be in the file."""
        return self.source["format"] == "h5ad"


def read_table(name, reading, *, exact=False):
    """Read a table.

    Parameters
    ----------
    name : str
        The file, or - for standard input.
    reading : Reading
        Options.
    exact : bool, default=False
        Whether values are written again, and must be as they were.
    """
    path = local_file(name)
    X = skgex.io.read_expression(
        path, **reader_options(reading), dtype="float64" if exact else "float32"
    )
    source = X.attrs["source"]
    name = SESSION.names.get(str(path), name)
    SESSION.say(f"{name}: {len(X):,d} samples x {X.shape[1]:,d} genes.")
    # Other formats hold single precision as a rule, which is best left as it is.
    X = _single(X) if exact and not source["delimiter"] else X
    return Input(X, path, source)


def reader_options(reading):
    """Return what `read_expression` is told."""
    options = {
        "orient": reading.orient and str(reading.orient),
        "id_column": reading.id_column,
        "sheet": reading.sheet,
        "on_duplicate": str(reading.on_duplicate),
    }
    return {name: value for name, value in options.items() if value is not None}


def local_file(name):
    """Return the path of a file that can be read twice.

    Parameters
    ----------
    name : str
        Its name; standard input and pipes are copied to a temporary file.
    """
    path = Path(name)
    if name == STREAM:
        return _copied(getattr(sys.stdin, "buffer", None), "standard input")
    if "://" in name and not path.exists():
        raise ValueError(f"{name} is a URL: download the file first, and name it.")
    if not path.exists():
        raise ValueError(f"{name}: there is no such file.")
    if path.is_dir() or S_ISREG(path.stat().st_mode):
        return path
    with open(path, "rb") as stream:
        return _copied(stream, name)


def read_names(name):
    """Read names, one in each line.

    Parameters
    ----------
    name : str
        The file, or - for standard input.
    """
    text = _text(name)
    names = [line.split("\t")[0].strip() for line in text.splitlines()]
    names = list(dict.fromkeys(filter(None, names)))
    if not names:
        raise ValueError(f"{name} is empty: write one gene in each line.")
    return names


def read_pairs(name):
    """Read pairs of names, as a dict.

    Parameters
    ----------
    name : str
        The file, two columns of it; or - for standard input.
    """
    text = _text(name)
    lines = [line.replace(",", "\t").split("\t") for line in text.splitlines()]
    pairs = {line[0].strip(): line[1].strip() for line in lines if len(line) > 1}
    if not pairs:
        raise ValueError(
            f"{name}: no line has two columns: write an id, a tab and a gene in each."
        )
    return pairs


def _text(name):
    """Return the text of a file, in UTF-8 or, as Excel writes it, in UTF-16."""
    path = local_file(name)
    if path.is_dir():
        raise ValueError(f"{name} is a folder: name a file of text.")
    raw = path.read_bytes()
    is_utf16 = raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is no text in UTF-8 ({error}): save it as such."
        ) from None


def _copied(stream, name):
    folder = SESSION.resources.enter_context(tempfile.TemporaryDirectory("skgex"))
    path = Path(folder, "table")
    if stream is None:
        raise WrongUsage("standard input is closed: name a file.")
    if stream is getattr(sys.stdin, "buffer", None) and sys.stdin.isatty():
        raise WrongUsage("standard input is the terminal: name a file.")
    with open(path, "wb") as file:
        shutil.copyfileobj(stream, file)
    if not path.stat().st_size:
        raise ValueError(f"{name} is empty: there is nothing to read.")
    SESSION.names[str(path)] = name
    return path


def _single(X):
    """Return a table in single precision, if it loses nothing by that."""
    single = X.astype("float32")
    same = (single == X) | X.isna()
    if not same.to_numpy().all():
        return X
    single.attrs = X.attrs
    return single
