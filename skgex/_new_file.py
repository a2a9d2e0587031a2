"""New files that are there when they are complete, and not before."""

import errno
import hashlib
import os
import platform
import re
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

# File systems take names of 255 bytes, of which temporary ones need some themselves.
_LONGEST, _LONGEST_KEPT = 255, 200
# What says that a disk cannot take more: it comes without the name of a file.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
# What was not written to for so long belongs to nobody, wherever that was.
_ABANDONED_S = 24 * 3600


@contextmanager
def new_file(path):
    """Yield the path of a temporary file, which becomes the file in the end.

    Whatever goes wrong on the way, an interrupt included, nothing is left of it, and an
    older file is as it was. What a process left that was killed is removed by the next
    one that writes the same file. A symbolic link is followed: it stays, and what it
    points to is replaced.

    Parameters
    ----------
    path : path-like
        Where the file is to be.

    Raises
    ------
    OSError
        Of the kind that it is: there is no such folder, a folder or something else
        that is no file has the name, the file that is there is read-only, the name is
        too long, or the disk is full. It names the file.
    """
    path = Path(os.path.realpath(path))
    check_replaceable(path)
    _remove_abandoned(path)
    handle, new = tempfile.mkstemp(".partial", _stem(path) + _writer(), path.parent)
    os.close(handle)
    new = Path(new)
    try:
        yield new
        # A temporary file is for its owner only; a new file is as the umask says.
        os.chmod(new, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        with open(new, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException as error:
        new.unlink(missing_ok=True)
        if not isinstance(error, OSError) or not _is_of(error, new):
            raise
        why = f"{error.strerror}; nothing was written, and an older file is as it was"
        raise OSError(error.errno, why, str(path)) from error


def check_replaceable(path):
    """Refuse a place where no file can be, or one that may not be replaced.

    Raises
    ------
    OSError
        Of the kind that the reason is. It names the file.
    """
    if len(os.fsencode(path.name)) > _LONGEST:
        raise _refusal(errno.ENAMETOOLONG, "the name is too long", path)
    if not path.parent.is_dir():
        why = f"there is no folder {path.parent}: make it first"
        raise _refusal(errno.ENOENT, why, path)
    if not path.exists():
        return
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise _refusal(errno.EISDIR, "it is a folder: name a file in it", path)
    if not stat.S_ISREG(mode):
        raise _refusal(errno.EINVAL, "it is a device or a pipe, and no file", path)
    # The administrator may write to all, but whoever made it read-only meant it.
    if not mode & 0o222 or not os.access(path, os.W_OK):
        why = "the file that is there is read-only: it is not replaced"
        raise _refusal(errno.EACCES, why, path)


def _refusal(number, why, path):
    return OSError(number, why, str(path))


def _is_of(error, new):
    """Whether an error is about the new file, and not about one that is read."""
    return error.errno in _NO_ROOM or error.filename in (new, str(new))


def _stem(path):
    name = path.name
    if len(os.fsencode(name)) > _LONGEST_KEPT:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return f".{name}."


def _writer(pid=None):
    """Return what tells, in a name, which process of which machine writes a file."""
    host = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
    return f"{host}-{os.getpid() if pid is None else pid}-"


def _remove_abandoned(path):
    """Remove the temporary files of processes that were killed."""
    pattern = re.compile(
        re.escape(_stem(path)) + r"(?:[0-9a-f]{6}-(\d+)-)?[a-z0-9_]{8}\.partial"
    )
    with suppress(OSError):
        for name in os.listdir(path.parent):
            found, other = pattern.fullmatch(name), path.with_name(name)
            if not found:
                continue
            # Earlier versions did not note who writes.
            here = found[1] and name.startswith(_stem(path) + _writer(found[1]))
            with suppress(OSError):
                age = time.time() - os.lstat(other).st_mtime
                if age > _ABANDONED_S or (here and _has_ended(int(found[1]))):
                    os.unlink(other)


def _has_ended(pid):
    if os.name != "posix":  # where asking would end it
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # it is another user's
        return False
    return False


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
