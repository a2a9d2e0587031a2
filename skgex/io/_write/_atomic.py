"""New files that are there when they are complete, and not before."""

import os
import stat
from contextlib import contextmanager
from pathlib import Path

from ..._new_file import new_file


@contextmanager
def replacing(path):
    """Yield the path of a temporary file, which becomes the file in the end.

    Whatever goes wrong on the way, an interrupt included, nothing is left of it, and an
    older file is as it was. Pipes and devices, such as ``/dev/stdout``, have no place
    to write beside them, and are yielded themselves.

    Parameters
    ----------
    path : path-like
        Where the file is to be.
    """
    if is_stream(path):
        yield Path(path)
        return
    try:
        with new_file(path) as new:
            yield new
    except FileNotFoundError as error:
        if error.filename != os.path.realpath(path):
            raise
        raise ValueError(f"{path}: {error.strerror}.") from None


def is_stream(path):
    """Whether there is a pipe or a device, which is written to and never replaced."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def check_free(path, overwrite):
    """Refuse to write where there is something already.

    Parameters
    ----------
    path : path-like
        Where the file is to be.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ValueError
        If there is a folder, or a file that may not be replaced.
    """
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder: name a file in it.")
    if os.path.exists(path) and not overwrite and not is_stream(path):
        raise ValueError(
            f"{path} exists already: write to another path, or set overwrite=True to "
            "replace it."
        )
