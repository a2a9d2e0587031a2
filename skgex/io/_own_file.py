"""Files beside a table, that nobody else's file may be reached by."""

import os
import stat


def open_own(path):
    """Open a file for reading and writing; it may be there, or be made.

    Raises
    ------
    ValueError
        If it is a link or no file at all: what it leads to is not touched.
    """
    # On Windows neither of these is there, nor what they are for.
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if os.path.islink(path):
        raise _no_own_file(path, "a symbolic link")
    flags |= getattr(os, "O_BINARY", 0)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
    about = os.fstat(handle)
    is_file = stat.S_ISREG(about.st_mode)
    if not is_file or about.st_nlink > 1:
        os.close(handle)
        raise _no_own_file(path, "a file with another name" if is_file else "no file")
    return open(handle, "r+b")


def make_own(path):
    """Make a new file for text, in the place of what has the name, and return it."""
    path.unlink(missing_ok=True)
    return open(path, "x", encoding="utf-8")


def _no_own_file(path, what):
    return ValueError(
        f"{path} is {what}, which is not written to, as it may lead to something else: "
        "remove it."
    )
