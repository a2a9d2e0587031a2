"""Tables of logarithms, told from counts, TPM and other linear values."""

import numpy as np

from .._inputs import gene_label
from ._rows import checked_rows

# What looks like a logarithm: no value above that of 2**30, some with a fraction.
_LARGEST_LOG = 30
# Columns that are no genes, such as lengths, or genes that never were logged: so many
# in each sample may be larger, one at least.
_SHARE_OF_OTHERS = 0.01
# From the third quartile to the highest values of a sample, logarithms of expression
# rise by a factor of 1.3 to 2.5, the expression itself by 4 and more.
_STEEPNESS = 3


class LogarithmCheck:
    """Find out, chunk by chunk, whether values are logarithms already.

    Parameters
    ----------
    n_genes : int
        Number of columns.
    """

    def __init__(self, n_genes):
        self.largest = 0.0
        self._n_others = max(1, int(_SHARE_OF_OTHERS * n_genes))
        self._n_samples = self._n_like_logs = 0
        self._bulk = 0.0
        self._others = np.zeros(n_genes, bool)

    def add(self, chunk):
        """Take in samples of shape (n, n_genes), in which NaN is not counted."""
        self.largest = max(self.largest, np.fmax.reduce(chunk, axis=None))
        large = chunk > _LARGEST_LOG
        self._n_samples += len(chunk)
        for row in np.flatnonzero(large.sum(axis=1) <= self._n_others):
            bulk = chunk[row][chunk[row] <= _LARGEST_LOG]
            if _is_like_logs(bulk[bulk > 0]):
                self._n_like_logs += 1
                self._others |= large[row]
                self._bulk = max(self._bulk, bulk.max())

    def refuse(self, X, names):
        """Refuse the table, of which all samples were added, if these are logarithms.

        Parameters
        ----------
        X : ndarray or MappedTable of shape (n_samples, n_genes)
            The same table.
        names : sequence of str or None
            Names of its columns.

        Raises
        ------
        ValueError
            If no value is large and some have fractions, or the same holds for most
            samples but for a few columns.
        """
        if self.largest <= _LARGEST_LOG:
            if _has_fractions(X):
                raise _error(f"{self.largest:.4g}", "round counts that have fractions")
        elif (
            2 * self._n_like_logs > self._n_samples
            and self._others.sum() <= self._n_others
        ):
            columns = [gene_label(i, names) for i in np.flatnonzero(self._others)[:3]]
            others = ", ".join(map(str, columns)) or "a few samples"
            remedy = "drop columns that are no genes"
            raise _error(f"{self._bulk:.4g} but in {others}", remedy)


def _is_like_logs(values):
    """Whether values of one sample, none of them large, rise as logarithms do."""
    if len(values) < 2 or np.mean(values != np.rint(values)) < 0.5:
        return False
    quartile, largest = np.quantile(values, [0.75, 0.99])
    return largest < _STEEPNESS * quartile


def _has_fractions(X):
    for _, chunk in checked_rows(X):
        # NaN is no fraction.
        if (np.rint(chunk) != chunk)[~np.isnan(chunk)].any():
            return True
    return False


def _error(bound, remedy):
    return ValueError(
        "X looks as if it were logarithms already: it has fractions, and no value "
        f"above {bound}. Leave LogCPM out, or undo the logarithm with 2**X - 1; "
        f"{remedy}."
    )
