"""One safetensors file: arrays, a header in JSON, and a checksum over both."""

import errno
import hashlib
import json
import os
import re
import stat

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from .._new_file import new_file
from ._budget import Budget

FORMAT = "skgex"
FORMAT_NUMBER = 1


def write(path, header, arrays, digests):
    """Write a file at once: an interrupted write leaves the old one, or none.

    Parameters
    ----------
    path : path-like
        Where to. A file that is there is replaced.
    header : dict
        Goes into the file as JSON.
    arrays : dict of str to ndarray
        Go into the file as they are.
    digests : dict of str to str
        What `digest` says of each of them.
    """
    header = json.dumps(header, allow_nan=False, separators=(",", ":"))
    metadata = {
        "format": FORMAT,
        "format_number": str(FORMAT_NUMBER),
        "header": header,
        "sha256": checksum(header, digests),
    }
    with new_file(path) as new:
        try:
            save_file(arrays, new, metadata)
        except SafetensorError as error:
            raise _as_os_error(error, new) from error


def _as_os_error(error, path):
    """Return an error of the system, which safetensors puts into words alone."""
    number = re.search(r"os error (\d+)", str(error))
    number = int(number[1]) if number else errno.EIO
    return OSError(number, os.strerror(number), str(path))


def read(path):
    """Return the header and the arrays of a file, and what they may unfold to.

    Returns
    -------
    header : dict
        What was written.
    arrays : dict of str to ndarray
        What was written.
    budget : Budget
        How much memory the content may take.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such a file, is damaged, or from a newer version.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        # A number would be read, and closed, as what the system has open under it.
        raise TypeError(f"a path is needed, not {path!r}")
    # A pipe would be waited for. The error of a missing file is clearer from here.
    about = os.stat(path)
    if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
        raise ValueError("it is a device or a pipe, and no file")
    with open(path, "rb"):
        budget = Budget(about.st_size)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            check_format(metadata)
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise ValueError(
            f"it is not a safetensors file, or was cut short ({error})"
        ) from error
    header = metadata["header"]
    digests = {name: digest(array) for name, array in arrays.items()}
    if checksum(header, digests) != metadata["sha256"]:
        raise ValueError(
            "its content does not match its checksum: it was changed or damaged after "
            "it was written; get it again from where it came from"
        )
    budget.check_json(header)
    return json.loads(header), arrays, budget


def check_format(metadata):
    """Refuse files of other programs, and of newer formats."""
    if metadata.get("format") != FORMAT or not {"header", "sha256"} <= metadata.keys():
        raise ValueError(
            "it is a safetensors file, but was not written by the save method of an "
            "estimator of skgex"
        )
    number = metadata.get("format_number", "")
    if not number.isdecimal() or int(number) > FORMAT_NUMBER:
        raise ValueError(
            f"its format has number {number}, and this version of skgex knows formats "
            f"up to {FORMAT_NUMBER}; install a newer one"
        )


def digest(array):
    """Return a digest of type, shape and values of an array that is in row order."""
    found = hashlib.sha256(f"{array.dtype} {array.shape} ".encode())
    found.update(array.reshape(-1).view(np.uint8))
    return found.hexdigest()


def checksum(header, digests):
    """Return a digest of the header and of all arrays."""
    content = json.dumps([header, sorted(digests.items())])
    return hashlib.sha256(content.encode()).hexdigest()
