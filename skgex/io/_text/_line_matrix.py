"""What tables of text have in common, whatever stands in their lines."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from .._matrix import Matrix, file_identity, reading
from ._names import table_lines
from ._open import open_text
from ._values import ValueParser

PARSED_BYTES = 4 * 2**20
_N_PARSERS = 2


class LineMatrix(Matrix):
    """A table of text that is read line by line.

    Parameters
    ----------
    path : path-like
        The file.
    layout : TextLayout
        Where things stand in it.
    names : sequence of str
        Names of the lines that are read, cleaned.
    lines : ndarray of int
        Which of the lines with values these are.
    dtype : str
        Of the values.
    """

    orient: str
    where: str

    def __init__(self, path, layout, names, lines, dtype):
        self.path, self.name = path, str(path)
        self.layout, self.dtype = layout, np.dtype(dtype)
        self._names, self._lines = names, lines
        self._parser = ValueParser(layout, self.dtype, path, self.where)

    def identity(self):
        columns = self.layout.columns
        return [
            file_identity(self.path),
            [self.orient, columns.id, columns.values[0], len(columns.values)],
            self._selection.rule,
        ]

    @contextmanager
    def _reading_lines(self):
        """Open the file for `_values`, which goes on from line to line."""
        with reading(self.path), open_text(self.path, self.layout.storage) as file:
            lines = table_lines(file, self.layout, self.path)
            yield enumerate(line for _, line in lines)

    def _values(self, lines, wanted, places):
        """Read the values of some lines.

        Parameters
        ----------
        lines : iterator of (int, bytes)
            Of `_reading_lines`; it goes on behind the last line that was read before.
        wanted : ndarray of int
            Places among the names of lines, in order.
        places : ndarray of int or slice
            Columns with values that are kept.

        Returns
        -------
        values : ndarray of shape (n_wanted, n_places)
            The numbers.
        """
        n_places = len(np.arange(len(self.layout.samples))[places])
        values = np.empty((len(wanted), n_places), self.dtype)
        pending = deque()
        # pandas parses outside of Python's lock, while the next lines are read.
        with ThreadPoolExecutor(_N_PARSERS) as pool:
            for part, batch in self._batches(lines, wanted):
                if len(pending) > _N_PARSERS:
                    done, parsed = pending.popleft()
                    values[done] = parsed.result()[:, places]
                pending.append((part, pool.submit(self._parse, batch, wanted[part])))
            for done, parsed in pending:
                values[done] = parsed.result()[:, places]
        return values

    def _batches(self, lines, wanted):
        """Yield some of the wanted lines at a time, and which these are."""
        positions = self._lines[wanted]
        done, batch, n_bytes = 0, [], 0
        for position, line in lines:
            if position != positions[done + len(batch)]:
                continue
            batch.append(self._parser.cut(line))
            n_bytes += len(batch[-1])
            stop = done + len(batch)
            if stop == len(wanted) or n_bytes >= PARSED_BYTES:
                yield slice(done, stop), batch
                done, batch, n_bytes = stop, [], 0
            if stop == len(wanted):
                return
        raise ValueError(f"{self.path} became shorter while it was read.")

    def _parse(self, batch, wanted):
        names = [self._names[i] for i in wanted]
        return self._parser.parse(batch, names, self.layout.samples)
