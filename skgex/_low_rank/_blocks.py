"""Prepared rows, a block at a time."""

import torch

# What is computed of a block is to stay in the cache of a processor. On other devices
# large blocks are faster.
_BLOCK_BYTES, _DEVICE_BLOCK_BYTES = 8 * 2**20, 32 * 2**20
# As many bytes are kept, so that rows which are read again need not be prepared again.
_KEPT_BYTES = 256 * 2**20


class Blocks:
    """Prepared rows, a block at a time, in the same order each time."""

    def __init__(self, reader, rows, prepare):
        self.reader, self.rows, self.prepare = reader, rows, prepare
        self._kept = None
        is_cpu = reader.device.type == "cpu"
        n_bytes = _BLOCK_BYTES if is_cpu else _DEVICE_BLOCK_BYTES
        self.size = max(16, min(512, n_bytes // (4 * reader.shape[1])))

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        if self._kept is not None:
            return iter(self._kept)
        return self._read()

    def _read(self):
        keep = 4 * len(self) * self.reader.shape[1] <= _KEPT_BYTES
        parts = []
        for part in self.rows.split(self.size):
            Z = self.prepare(self.reader.take(part))
            if keep:
                parts.append(Z)
            yield Z
        self._kept = parts if keep else None

    def spread(self, n_rows):
        """Return blocks of so many rows at most, evenly spaced among all."""
        if len(self) <= n_rows:
            return self
        return self.only(
            torch.linspace(0, len(self) - 1, n_rows, dtype=torch.float64).long()
        )

    def only(self, places):
        """Return blocks of some of the rows, by their places among these."""
        return Blocks(self.reader, self.rows[places], self.prepare)

    def are_complete(self):
        """Return whether no value is missing."""
        return not any(Z.isnan().any() for Z in self)
