"""Synthetic expression: a linear factor model with known factors and loadings."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

# Noise and holes are drawn for this many values at a time: the generator needs no
# second array of the size of its result.
_BLOCK_SIZE = 2**22

EXPRESSION_PARAMETERS = {
    "n_samples": [Interval(Integral, 1, None, closed="left")],
    "n_genes": [Interval(Integral, 1, None, closed="left")],
    "n_factors": [Interval(Integral, 1, None, closed="left")],
    "noise": [Interval(Real, 0, 1, closed="both")],
    "missing_rate": [Interval(Real, 0, 1, closed="left")],
    "random_state": ["random_state"],
}


def make_generator(random_state):
    """Make a numpy Generator, which draws float32 in place, from any random_state."""
    seed = check_random_state(random_state).randint(2**31 - 1)
    return np.random.default_rng(seed)


def draw_genes(rng, n_factors, n_genes, noise):
    """Draw the means, loadings and noise levels of the genes."""
    means = rng.uniform(4, 12, n_genes)
    sds = rng.uniform(0.5, 1.5, n_genes)
    loadings = rng.standard_normal((n_factors, n_genes))
    loadings *= np.sqrt(1 - noise) * sds / np.linalg.norm(loadings, axis=0)
    genes = means, loadings, np.sqrt(noise) * sds
    return tuple(values.astype(np.float32) for values in genes)


def _blocks(X):
    n_rows = max(1, _BLOCK_SIZE // X.shape[1])
    return (X[start : start + n_rows] for start in range(0, len(X), n_rows))


def add_noise(rng, X, noise_sds):
    """Add independent Gaussian noise to each gene, in place."""
    if not noise_sds.any():
        return
    for block in _blocks(X):
        noise = rng.standard_normal(block.shape, dtype=np.float32)
        noise *= noise_sds
        block += noise


def hide_values(rng, X, missing_rate):
    """Set values to NaN completely at random, in place."""
    if missing_rate == 0:
        return
    for block in _blocks(X):
        block[rng.random(block.shape, dtype=np.float32) < missing_rate] = np.nan


@validate_params(
    {**EXPRESSION_PARAMETERS, "return_factors": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def make_expression(
    n_samples=100,
    n_genes=200,
    *,
    n_factors=5,
    noise=0.3,
    missing_rate=0.0,
    return_factors=False,
    random_state=None,
) -> Any:
    """Generate an expression matrix of low rank plus noise.

    Each sample has a value of each factor (think of pathways), drawn from a standard
    normal distribution, and each gene responds to the factors by its loadings::

        X = means + factors @ loadings + noise

    A gene has a mean between 4 and 12 and a standard deviation between 0.5 and 1.5, as
    on a log2 scale. Values are not cut off at zero, so the rank stays exact.

    Parameters
    ----------
    n_samples : int, default=100
        Number of samples.

    n_genes : int, default=200
        Number of genes.

    n_factors : int, default=5
        Number of factors: the rank of the centred matrix without noise.

    noise : float, default=0.3
        Share of the variance of each gene that no factor explains, from 0 (an exactly
        low-rank matrix) to 1 (independent genes).

    missing_rate : float, default=0.0
        Probability of each value to be missing, completely at random.

    return_factors : bool, default=False
        Whether to return the factors and the loadings as well.

    random_state : int, RandomState instance or None, default=None
        Determines the draw. Pass an int for the same data at each call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_genes)
        Expression, float32; NaN where missing.

    factors : ndarray of shape (n_samples, n_factors)
        Value of each factor in each sample; only if ``return_factors=True``.

    loadings : ndarray of shape (n_factors, n_genes)
        Response of each gene to each factor; only if ``return_factors=True``.

    See Also
    --------
    make_cohort : Expression with classes, survival, patients and batches.

    Examples
    --------
    >>> import numpy as np
    >>> from skgex.datasets import make_expression
    >>> X = make_expression(n_samples=50, n_genes=30, random_state=0)
    >>> X.shape, X.dtype
    ((50, 30), dtype('float32'))

    Without noise, a gene is its mean plus the factors times its loadings:

    >>> X, factors, loadings = make_expression(
    ...     noise=0, return_factors=True, random_state=0
    ... )
    >>> means = (X - factors @ loadings).mean(axis=0)
    >>> np.allclose(X, means + factors @ loadings, atol=1e-4)
    True
    """
    rng = make_generator(random_state)
    means, loadings, noise_sds = draw_genes(rng, n_factors, n_genes, noise)
    factors = rng.standard_normal((n_samples, n_factors), dtype=np.float32)
    X = factors @ loadings
    X += means
    add_noise(rng, X, noise_sds)
    hide_values(rng, X, missing_rate)
    return (X, factors, loadings) if return_factors else X
