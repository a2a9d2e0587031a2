"""Which columns of a table go into which gene."""

import numpy as np


class ColumnPlan:
    """Columns of a table in the order of genes, those of one gene side by side.

    Parameters
    ----------
    places : sequence of int or None
        Place of the gene of each column in the output; columns of None are left out.

    Attributes
    ----------
    columns : ndarray of int
        Which columns are used, by gene.
    genes : ndarray of int
        Places of the genes that have columns, in order.
    starts : ndarray of int
        Where the columns of each of these begin in `columns`.
    """

    def __init__(self, places):
        pairs = [(p, column) for column, p in enumerate(places) if p is not None]
        pairs = np.array(sorted(pairs), dtype=int).reshape(-1, 2)
        self.columns = pairs[:, 1]
        self.genes, self.starts = np.unique(pairs[:, 0], return_index=True)

    def duplicates(self):
        """Return the gene and the columns of the first gene with several, or None."""
        counts = np.diff(np.append(self.starts, len(self.columns)))
        if (counts < 2).all():
            return None
        first = np.argmax(counts > 1)
        start = self.starts[first]
        return self.genes[first], self.columns[start : start + counts[first]]

    def changes_nothing(self, n_columns, n_genes):
        """Whether the plan takes so many columns as they are for so many genes."""
        in_order = np.array_equal(self.columns, np.arange(n_columns))
        return in_order and len(self.genes) == n_columns == n_genes

    def write(self, values, how, output):
        """Write columns, which are in the order of the plan, into the output.

        Parameters
        ----------
        values : ndarray of shape (n, n_columns)
            Columns in the order of `columns`.
        how : {"mean", "sum", "max", "first", "error"}
            What becomes of several columns of one gene.
        output : ndarray of shape (n, n_genes)
            Where to write; genes without a column become NaN.
        """
        merged = values
        if len(self.starts) < len(self.columns):
            merged = self._merge(values, how)
        if len(self.genes) == output.shape[1]:
            output[:] = merged
        else:
            output[:] = np.nan
            output[:, self.genes] = merged

    def _merge(self, values, how):
        counts = np.diff(np.append(self.starts, len(self.columns)))
        merged = values[:, self.starts]
        several = counts > 1
        if how != "first":
            # Tables lie in memory by column, in which order the sums take six times as
            # long.
            part = np.ascontiguousarray(values[:, np.repeat(several, counts)])
            starts = np.cumsum(counts[several]) - counts[several]
            merged[:, several] = _reduce(part, starts, how)
        return merged


def _reduce(values, starts, how):
    """Merge runs of columns, leaving out what was not measured."""
    if how == "max":
        return np.fmax.reduceat(values, starts, axis=1)
    count = np.diff(np.append(starts, values.shape[1])).astype(np.float64)
    missing = np.isnan(values)
    if missing.any():
        values = np.where(missing, 0, values)
        count = np.add.reduceat(~missing, starts, axis=1, dtype=np.float64)
        count[count == 0] = np.nan
    total = np.add.reduceat(values, starts, axis=1, dtype=np.float64)
    return total / count if how == "mean" else total + 0 * count
