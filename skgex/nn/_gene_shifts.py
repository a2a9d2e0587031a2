"""Values of the same gene in other samples of a batch, by one shift for each gene."""

import torch

from ._draws import generator_aside, integers

# So many values of a block of genes stay in the cache of a processor.
_BLOCK_SIZE = 2**17
_MIN_GENES, _MAX_GENES = 32, 512


class GeneShifts:
    """Rows to take values from, for 2 * d independent shifts of batches of n rows.

    Sample ``i`` takes gene ``j`` from sample ``(i + shift[j]) % n``. To write these
    indices costs several times what it costs to use them. A window of d columns at a
    random place is a fresh draw: two genes that share a source in one batch do not
    in the next.

    On a CPU genes are taken a block at a time. Values of a sample come from all rows,
    and each would be waited for anew, if the batch is larger than the cache.

    Parameters
    ----------
    n, d : int
        Number of samples and of genes of a batch; two samples at least.
    device : torch.device
        Where the batches are.
    """

    def __init__(self, n, d, device):
        # Validation draws the same in each epoch, though in the first alone it
        # may be what makes the shifts.
        aside = generator_aside(device)
        shift = torch.randint(1, n, (2 * d,), generator=aside, device=device)
        row = torch.arange(n, device=device)[:, None]
        self.n_genes = d
        if device.type != "cpu":
            self.n_block, self.index = None, (row + shift).remainder_(n)
            return
        self.n_block = min(max(_BLOCK_SIZE // n, _MIN_GENES), _MAX_GENES, 2 * d)
        # The last block may have more columns than there are shifts.
        blocks = torch.nn.functional.pad(shift, (0, -2 * d % self.n_block))
        blocks = blocks.int().view(-1, 1, self.n_block)
        place = torch.arange(self.n_block, dtype=torch.int32, device=device)
        # (blocks, n, genes of a block), places in the values of a block
        taken = (row.int() + blocks).remainder_(n)
        self.index = taken.mul_(self.n_block).add_(place)

    def take(self, X, rows=slice(None)):
        """Return values of other samples for some rows of a batch."""
        start = int(integers(self.n_genes))
        if self.n_block is None:
            return X.gather(0, self.index[rows, start : start + self.n_genes])
        return self._take_by_blocks(X, start, rows)

    def _take_by_blocks(self, X, start, rows):
        stop, out = start + self.n_genes, torch.empty_like(X[rows])
        block = X.new_empty(len(X), self.n_block)
        for number in range(start // self.n_block, -(-stop // self.n_block)):
            first = number * self.n_block
            low, high = max(first, start), min(first + self.n_block, stop)
            genes = slice(low - start, high - start)
            columns = slice(low - first, high - first)
            block[:, columns] = X[:, genes]
            index = self.index[number, rows].flatten()
            taken = block.flatten().index_select(0, index).view(-1, self.n_block)
            out[:, genes] = taken[:, columns]
        return out
