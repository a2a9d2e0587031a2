"""Results out, to files and standard output."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import skgex

from ._errors import WrongUsage
from ._tables import STREAM


def destination(output, writing, *others):
    """Return where to write, after a look whether that is possible.

    Parameters
    ----------
    output : str or None
        The argument.
    writing : Writing
        Options, of which one says the same.
    *others : str or None
        Further files that are written.
    """
    if (output is None) == (writing.out is None):
        raise WrongUsage(
            "name one place to write to, as OUT or by -o: - is standard output."
        )
    target = output or writing.out
    named = [name for name in (target, *others) if name and name != STREAM]
    for name in named:
        _check_free(name, writing.force)
    if len({os.path.realpath(name) for name in named}) < len(named):
        raise WrongUsage("the files to write must be different ones.")
    return target


def destination_of_table(output, writing, *others):
    """Return where to write tables, whose format their names must say.

    Parameters
    ----------
    output : str or None
        The argument.
    writing : Writing
        Options, of which one says the same.
    *others : str or None
        Further tables that are written.
    """
    target = destination(output, writing, *others)
    for name in (target, *others):
        if name and name != STREAM and not skgex.io._write.is_stream(name):
            skgex.io._write.file_format(name)
    return target


def is_h5ad(target):
    """Whether a result goes to a file of AnnData."""
    return target.lower().endswith(".h5ad")


def is_text(target):
    """Whether a result is written as text."""
    if target == STREAM or skgex.io._write.is_stream(target):
        return True
    return skgex.io._write.file_format(target)[0] in skgex.io._write.TEXT


def write_table(X, target, layout, like):
    """Write a table, laid out as another one.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    target : str
        The file, or - for standard output.
    layout : Layout
        Options.
    like : dict
        What is known of the input.
    """
    options = {
        "like": like,
        "orient": layout.out_orient and str(layout.out_orient),
        "decimals": layout.decimals,
        "overwrite": layout.force,
    }
    if target == STREAM:
        with tempfile.TemporaryDirectory("skgex") as folder:
            path = Path(folder, "table")
            skgex.io.write_expression(X, path, format="txt", **options)
            _to_stdout(path)
    elif skgex.io._write.is_stream(target):
        skgex.io.write_expression(X, target, format="txt", **options)
    else:
        skgex.io.write_expression(X, target, **options)


def write_columns(frame, target, force):
    """Write a table of any columns as text, a sample in each line.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_columns)
        What was predicted, say.
    target : str
        The file, or - for standard output.
    force : bool
        Whether a file that is there may be replaced.
    """
    separator = "," if ".csv" in Path(target).suffixes else "\t"
    options = {"sep": separator, "na_rep": "NA", "lineterminator": "\n"}
    if target == STREAM:
        _open_stdout().write(frame.to_csv(None, **options))
        return
    skgex.io._write.check_free(target, force)
    with skgex.io._write.replacing(target) as path:
        frame.to_csv(path, compression=_compression(target), **options)


def _check_free(name, force):
    path = Path(name)
    if path.is_dir():
        raise ValueError(f"{name} is a folder: name a file in it.")
    if not Path(os.path.realpath(path)).parent.is_dir():
        raise ValueError(f"{name}: there is no folder {path.parent}: make it first.")
    if path.is_file() and not force:
        raise ValueError(f"{name} exists already: --force replaces it.")


def _to_stdout(path):
    buffer = _open_stdout().buffer
    with open(path, "rb") as file:
        shutil.copyfileobj(file, buffer)
    buffer.flush()


def _open_stdout():
    if sys.stdout is None:
        raise ValueError("standard output is closed: name a file.")
    return sys.stdout


def _compression(target):
    endings = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip"}
    return endings.get(Path(target).suffix.lower())
