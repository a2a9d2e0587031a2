"""New files that are there when they are complete, and not before."""

import os
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path


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
    path = Path(os.path.realpath(path))
    handle, new = _temporary(path)
    os.close(handle)
    try:
        yield Path(new)
        # A temporary file is for its owner only; a new file is as the umask says.
        os.chmod(new, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        os.replace(new, path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise


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


def _temporary(path):
    try:
        return tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".partial", dir=path.parent
        )
    except FileNotFoundError:
        raise ValueError(
            f"{path}: there is no folder {path.parent}: make it first."
        ) from None


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
