"""Prepared rows, a block at a time."""

import torch

_BLOCK_BYTES = 32 * 2**20


class Blocks:
    """Prepared rows, a block at a time, in the same order each time."""

    def __init__(self, reader, rows, prepare):
        self.reader, self.rows, self.prepare = reader, rows, prepare
        self.size = max(16, min(512, _BLOCK_BYTES // (4 * reader.shape[1])))

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        return self.take(self.rows)

    def spread(self, n_rows):
        """Return blocks of so many rows at most, evenly spaced among all."""
        if len(self) <= n_rows:
            return self
        some = torch.linspace(0, len(self) - 1, n_rows, dtype=torch.float64).long()
        return Blocks(self.reader, self.rows[some], self.prepare)

    def are_complete(self):
        """Return whether no value is missing."""
        return not any(Z.isnan().any() for Z in self)

    def take(self, rows):
        """Yield some of the rows instead."""
        for part in rows.split(self.size):
            yield self.prepare(self.reader.take(part))
