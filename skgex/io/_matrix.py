"""What all sources of expression have in common: they are read block by block."""

import hashlib
import json
import os
from abc import ABC, abstractmethod
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile
from zlib import error as ZlibError

import numpy as np
import pandas as pd

from .._memory import machine_bytes

BLOCK_BYTES = 32 * 2**20
# What libraries raise at damaged files; zipfile says of other compressions that they
# are not implemented, and of what is encrypted by a RuntimeError.
_DAMAGE = (
    *(EOFError, KeyError, OSError, UnicodeError, NotImplementedError, RuntimeError),
    *(BadZipFile, LZMAError, ZlibError),
)


class Matrix(ABC):
    """A source of expression: names, and values that are read block by block.

    Attributes
    ----------
    name : str
        For messages.
    samples, genes : list of str
        Rows and columns of the table that is read.
    dtype : dtype
        Of the values.
    """

    @abstractmethod
    def n_blocks(self, size=None):
        """Return into how many blocks of `size` samples, or genes, it is cut."""

    @abstractmethod
    def blocks(self, size=None, start=0):
        """Yield rows, columns and values of each block of the table from `start` on.

        Rows and columns are slices or positions: ``table[rows, columns] = values``.
        """

    @abstractmethod
    def identity(self):
        """Return what tells this content from another, as something JSON can hold."""

    def fingerprint(self, size=None):
        """Return a text that is the same only where all blocks are."""
        names = [self.samples, self.genes, str(self.dtype), size, self.identity()]
        return hashlib.sha256(json.dumps(names).encode()).hexdigest()

    def to_frame(self):
        """Read everything into a table."""
        self._check_memory()
        table = np.empty((len(self.samples), len(self.genes)), self.dtype)
        for rows, columns, values in self.blocks():
            table[rows, columns] = values
        index = pd.Index(self.samples, name="sample")
        columns = pd.Index(self.genes, name="gene")
        return pd.DataFrame(table, index, columns, copy=False)

    def _check_memory(self):
        """Refuse a table that this machine cannot hold: the process would be ended."""
        shape = len(self.samples), len(self.genes)
        needed, held = shape[0] * shape[1] * self.dtype.itemsize, machine_bytes()
        if held is not None and needed > held:
            raise ValueError(
                f"{self.name}: {shape[0]:,d} samples x {shape[1]:,d} genes take "
                f"{needed / 1e9:,.0f} GB, and this machine has {held / 1e9:,.0f} GB: "
                "select samples or genes, or convert the table by to_memmap, which "
                "leaves it on disk."
            )


def as_slice(positions):
    """Return positions as a slice where they are consecutive: that is quicker."""
    start, n = int(positions[0]), len(positions)
    consecutive = np.array_equal(positions, np.arange(start, start + n))
    return slice(start, start + n) if consecutive else positions


def check_samples(samples, source):
    """Refuse a source or a query without samples."""
    if not len(samples):
        raise ValueError(f"{source}: there are no samples to read.")


def file_identity(path):
    """Return name, size and time of change of a file."""
    stat = os.stat(path)
    return [Path(path).name, stat.st_size, stat.st_mtime_ns]


@contextmanager
def reading(path):
    """Name the file in errors that say that it is damaged."""
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except _DAMAGE as error:
        if getattr(error, "filename", None) is not None:
            raise  # the system says it of the path
        raise ValueError(
            f"{path} is damaged or of another format ({error}). Compare its size with "
            "that of the original, and download it again."
        ) from error
