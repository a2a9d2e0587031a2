"""Hide measured values of a table, by a mechanism."""

from numbers import Real

import numpy as np
from sklearn.utils import check_random_state

from ._checks import check_share
from ._mechanisms import MECHANISMS
from ._profiles import check_profiles

# What is steeper is as good as a step.
_STEEPEST = 1_000_000


def ampute(X, rate, mechanism="mcar", *, slope=2.0, random_state=None):
    """Return a copy of a table in which a share of the measured values is missing.

    For experiments on missing values: what was hidden is known, so that what an
    imputer fills in can be compared with it.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_genes)
        Expression profiles. Values that are missing (NaN) stay so.
    rate : float
        Share of the measured values to hide, in (0, 1).
    mechanism : {"mcar", "mar", "mnar", "censoring", "block", "panel"}, default="mcar"
        What decides which values are hidden; see Notes.
    slope : float, default=2.0
        How much the log-odds of being hidden change with one standard deviation of what
        they depend on. Of effect with "mar" and "mnar" only.
    random_state : int, RandomState instance or None, default=None
        Seed of what is drawn. With the same seed, "mcar", "mnar" and "panel" hide at a
        higher rate what they hide at a lower one, and more ("panel" up to a rate of
        2/3).

    Returns
    -------
    X_holed : ndarray, DataFrame or polars DataFrame of shape (n_samples, n_genes)
        In the container of `X`, float64, or float32 if `X` is. Values that are not
        hidden are the same.

    Raises
    ------
    ValueError
        If so many values cannot be hidden and leave each sample one.

    See Also
    --------
    missingness_curve : Compares imputers over mechanisms and rates.

    Notes
    -----
    Exactly ``round(rate * n_measured)`` values are hidden with each mechanism. A
    sample that has a measured value keeps one, at least. z_ij is the value of gene j in
    sample i, in standard deviations from the mean of the gene over the measured
    samples. The mechanisms [1]_ are:

    - "mcar", completely at random: all values alike.
    - "mar", at random given what is measured. A random share of (1 - rate) / 2 of the
      genes is never hidden. Each other gene j has one of these as its driver d(j), and
      P(hidden) = 1 / (1 + exp(-(slope z_i,d(j) + b))), with b such that the number is
      right: the higher the driver, the more is hidden. The driver counts as z = 0
      where `X` has no value of it.
    - "mnar", not at random: low values are hidden rather than high ones of the same
      gene, P(hidden) = 1 / (1 + exp(slope z_ij - b)).
    - "censoring", a limit of detection for each gene: what is below it is hidden, what
      is above is not, as ``GexImputer(censored="left")`` takes it. Gene j loses a share
      s_j + c of its values, where s_j is from a Beta distribution with mean `rate` that
      ends at min(1, 2 rate), and c, which is small, makes the number right. Equal
      values are hidden together, if the limit allows for all of them, but in one gene.
      The highest value of each gene is kept.
    - "block": a share of sqrt(rate) of the samples lack the same share of the genes, as
      samples of an older platform do; with a rate of 0.25 half lack half. If these
      numbers are not whole, one gene is hidden in only some of these samples.
    - "panel": each sample is measured with one of K gene panels at random, and lacks
      the other genes, a share of `rate`. K is the least number, but 3 at least, with
      K (1 - rate) >= 1, so that each gene can be on a panel: the genes stand on a
      circle in random order, and panel k lacks the genes that follow on the place
      k / K.

    References
    ----------
    .. [1] Little R. J. A., Rubin D. B. "Statistical analysis with missing data",
       3rd edition, Wiley, 2019. :doi:`10.1002/9781119482260`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex.datasets import make_expression
    >>> from skgex.evaluation import ampute
    >>> X = make_expression(n_samples=200, n_genes=50, random_state=0)
    >>> holed = ampute(X, 0.25, "censoring", random_state=0)
    >>> float(np.isnan(holed).mean())
    0.25
    >>> bool(X[np.isnan(holed)].mean() < X.mean())
    True
    """
    _check_parameters(rate, mechanism, slope)
    table = check_profiles(X)
    hidden = draw_hidden(
        np.asarray(table), rate, mechanism, slope, check_random_state(random_state)
    )
    values = np.where(hidden, np.nan, np.asarray(table))
    if not hasattr(table, "columns"):
        return values
    if not hasattr(X, "index"):  # a table of polars
        return type(X)(dict(zip(X.columns, values.T, strict=True)))
    return type(table)(values, index=table.index, columns=table.columns)


def draw_hidden(values, rate, mechanism, slope, rng):
    """Return which values to hide."""
    measured = ~np.isnan(values)
    n_hidden = round(rate * measured.sum())
    scores = MECHANISMS[mechanism](values, rate, slope, rng)
    scores = np.where(measured, scores, -np.inf)
    # In random order first, so that equal scores are ranked at random.
    order = rng.permutation(scores.size)
    order = order[np.argsort(scores.ravel()[order], kind="stable")]
    rank = np.empty(scores.size, dtype=np.int64)
    rank[order] = np.arange(scores.size)
    rank = np.where(measured, rank.reshape(scores.shape), scores.size)
    # The value that a sample loses last is not lost: it would be only with all others.
    rows = np.flatnonzero(measured.any(axis=1))
    can_be_hidden = np.isfinite(scores)
    can_be_hidden[rows, rank[rows].argmin(axis=1)] = False
    if n_hidden > can_be_hidden.sum():
        raise ValueError(
            f"rate={rate} is {n_hidden} of the {measured.sum()} measured values, but "
            f"{mechanism!r} can hide {can_be_hidden.sum()} of them, as each sample "
            "keeps one: lower rate."
        )
    rank = np.where(can_be_hidden, rank, -1)
    if not n_hidden:
        return np.zeros(scores.shape, dtype=bool)
    place = scores.size - n_hidden
    return rank >= np.partition(rank.ravel(), place)[place]


def _check_parameters(rate, mechanism, slope):
    check_share("rate", rate)
    if not isinstance(mechanism, str) or mechanism not in MECHANISMS:
        raise ValueError(f"mechanism={mechanism!r} must be one of {list(MECHANISMS)}.")
    if not isinstance(slope, Real) or not abs(slope) <= _STEEPEST:
        raise ValueError(
            f"slope={slope!r} must be a number of at most {_STEEPEST:,} either way."
        )
