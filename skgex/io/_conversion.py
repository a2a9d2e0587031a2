"""A table on its way to disk, with a journal of how far it is."""

import io
import mmap
import os
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from .._new_file import check_replaceable
from ._journal import FORMAT, Journal, write_json
from ._own_file import open_own
from ._selection import quoted

try:
    import fcntl
except ImportError:  # on Windows there are no such locks
    fcntl = None


class Conversion:
    """Writes a table part by part, and goes on where another one was stopped.

    Values go to ``path.partial``, and how many blocks of which parts are there to
    ``path.partial.json``, after they have reached the disk.

    Parameters
    ----------
    path : path-like
        Where the table will be.
    chunk_size : int or None
        Size of the blocks.
    """

    def __init__(self, path, chunk_size):
        self.path, self._size = Path(path), chunk_size
        self._data, journal, self._sidecar = (
            self.path.with_name(self.path.name + end)
            for end in (".partial", ".partial.json", ".json")
        )
        self._journal = Journal(journal)
        self.samples, self._seen, self.genes, self.dtype = [], set(), None, None
        self._entries, self._n_parts = [], 0

    def __enter__(self):
        check_replaceable(self.path)
        _refuse_other_file(self.path)
        self._file = open_own(self._data)
        try:
            self._lock()
            self._entries = self._journal.start(self._file)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_):
        self._file.close()

    def add(self, part, progress):
        """Write all blocks of a part that are not there yet."""
        row = len(self.samples)
        self._check_new(part)
        self.samples += part.samples
        if self.genes is None:
            self.genes, self.dtype = part.genes, part.dtype
        n_blocks = part.n_blocks(self._size)
        entry = self._entry(part, n_blocks)
        shape = len(part.samples), len(self.genes)
        offset = len(self._header()) + row * shape[1] * self.dtype.itemsize
        self._allocate(offset + shape[0] * shape[1] * self.dtype.itemsize)
        done = entry["n_done"]
        progress(part.name, done, n_blocks)
        if done == n_blocks:
            return
        table = np.memmap(self._file, self.dtype, "r+", offset, shape)
        for rows, columns, values in part.blocks(self._size, done):
            table[rows, columns] = values
            table.flush()
            _give_back(table)
            entry["n_done"] += 1
            self._journal.write(self._entries)
            progress(part.name, entry["n_done"], n_blocks)

    def finish(self, unit):
        """Put the table in its place, together with what describes it.

        A table is there only with its description: an older one goes first, the new
        one comes last.
        """
        header = self._header(len(self.samples))
        shape = len(self.samples), len(self.genes)
        size = len(header) + shape[0] * shape[1] * self.dtype.itemsize
        self._file.seek(0)
        self._file.write(header)
        self._file.truncate(size)
        self._file.flush()
        os.fsync(self._file.fileno())
        description = {
            "format": FORMAT,
            "shape": shape,
            "dtype": self.dtype.name,
            "size": size,
            "unit": unit,
            "genes": self.genes,
            "samples": self.samples,
        }
        new = self.path.with_name(self.path.name + ".json.partial")
        write_json(new, description)
        self._sidecar.unlink(missing_ok=True)
        self._file.close()
        os.replace(self._data, self.path)
        os.replace(new, self._sidecar)
        self._journal.remove()

    def _check_new(self, part):
        known = [sample for sample in part.samples if sample in self._seen]
        if known:
            raise ValueError(
                f"{part.name}: {quoted(known)} occurs more than once among the samples "
                "of all parts. Give all samples names of their own, such as by "
                "X.add_prefix('cohort-', axis=0)."
            )
        self._seen.update(part.samples)

    def _entry(self, part, n_blocks):
        """Return the place of the next part in the journal, of which it may be new."""
        number, self._n_parts = self._n_parts, self._n_parts + 1
        fingerprint = part.fingerprint(self._size)
        known = self._entries[number : number + 1]
        same = known and known[0]["fingerprint"] == fingerprint
        if not same or known[0]["n_done"] > n_blocks:
            self._entries[number:] = [{"fingerprint": fingerprint, "n_done": 0}]
            # Before anything is written over what the journal says is there.
            self._journal.write(self._entries, sync=True)
        return self._entries[number]

    def _header(self, n_samples=0):
        # numpy leaves room for the number of rows, so that the length stays the same.
        header = {"shape": (n_samples, len(self.genes)), "fortran_order": False}
        header["descr"] = npy.dtype_to_descr(self.dtype)
        file = io.BytesIO()
        npy.write_array_header_1_0(file, header)
        return file.getvalue()

    def _allocate(self, size):
        """Claim room on the disk now: a full one would kill the process later."""
        held = os.fstat(self._file.fileno()).st_size
        if held < size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._file.fileno(), held, size - held)
        elif held < size:
            self._file.truncate(size)

    def _lock(self):
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another one may have put it in its place before it was locked.
            mine = os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._data))
        except (BlockingIOError, FileNotFoundError):
            mine = False
        if not mine:
            raise RuntimeError(
                f"Another process is writing {self.path}: wait for it, or write to "
                "another path."
            )


def _give_back(table):
    """Give pages that have reached the disk back to the system."""
    if hasattr(mmap, "MADV_DONTNEED"):
        table._mmap.madvise(mmap.MADV_DONTNEED)


def _refuse_other_file(path):
    """Refuse to replace what is no table of `to_memmap`, such as its own source."""
    if path.suffix == ".npy" or not path.is_file():
        return  # the name says what may be replaced
    with open(path, "rb") as file:
        start = file.read(len(npy.MAGIC_PREFIX))
    if start and start != npy.MAGIC_PREFIX:
        raise ValueError(
            f"{path} is there and is no memory map: name another file, or remove it."
        )
