"""The path of a file to read, from what a caller gives."""

import os
import re
from os import PathLike
from stat import S_ISDIR, S_ISREG
from urllib.parse import urlsplit
from urllib.request import url2pathname

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


def local_path(path, parameter="path", *, reads=True):
    """Return the path of a file or folder, which can be read more than once.

    Parameters
    ----------
    path : object
        A path, as text or bytes or of another type of paths; ``~`` stands for the home
        of the user. A URL of a file of this machine is a path as well.
    parameter : str, default="path"
        For messages.
    reads : bool, default=True
        Whether it is to be read, so that pipes are refused.

    Returns
    -------
    path : str or path-like
        What was given, where that is a path already.

    Raises
    ------
    ValueError
        If this is no path, a URL of another machine, or a pipe.
    """
    if not isinstance(path, str | bytes | PathLike):
        raise ValueError(
            f"{parameter} is of type {type(path).__name__}, but the path of a file is "
            f"needed. {_remedy(path)}"
        )
    text = os.fsdecode(path)
    if match := _URL.match(text):
        if match[1].lower() != "file":
            raise ValueError(
                f"{text[:200]} is a URL: download the file first, and give its path."
            )
        text = url2pathname(urlsplit(text).path)
    if "\0" in text or ("\n" in text and not os.path.exists(text)):
        raise ValueError(
            f"{parameter} begins with {text[:40]!r}, which is no path: it may be what "
            "a file holds. Write it to a file, and give its path."
        )
    if text.startswith("~"):
        text = os.path.expanduser(text)
    if reads:
        _refuse_pipe(text)
    return path if text == path or isinstance(path, PathLike) else text


def _refuse_pipe(path):
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return  # said where it is opened
    if not (S_ISREG(mode) or S_ISDIR(mode)):
        raise ValueError(
            f"{path} is a pipe or a device, which cannot be read twice. Write what "
            "comes out of it to a file, and give its path."
        )


def _remedy(given):
    if hasattr(given, "read"):
        return "Give the path of the file rather than the open file."
    if hasattr(given, "columns"):
        return "This is a table already: there is nothing to read."
    if isinstance(given, list | tuple):
        return "Read the files one by one, or give the list to to_memmap."
    return "Give it as text or as a pathlib.Path."
