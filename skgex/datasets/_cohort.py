"""A synthetic cohort: expression with classes, survival, patients and batches."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_params

from ._base import make_survival
from ._expression import (
    EXPRESSION_PARAMETERS,
    add_noise,
    draw_genes,
    hide_values,
    make_generator,
)

# Median survival, in days, where the log hazard is 0.
_MEDIAN_SURVIVAL = 1000


def _draw_patients(rng, n_samples, replicate_rate):
    """Draw the patient of each sample; nobody has more than two samples."""
    n_patients = int(np.ceil(n_samples / (1 + replicate_rate)))
    patients = np.arange(n_samples) % n_patients
    return rng.permutation(patients), n_patients


def _draw_factors(rng, classes, n_classes, n_factors, class_sep):
    """Draw factors around the centre of each class, of unit variance over all."""
    centres = rng.standard_normal((n_classes, n_factors))
    factors = rng.standard_normal((len(classes), n_factors))
    factors += class_sep * centres[classes]
    factors /= np.sqrt(1 + class_sep**2)
    return factors.astype(np.float32)


def _draw_survival(rng, log_hazard, censoring_rate):
    """Draw exponential survival times and independent, uniform censoring times."""
    scale = _MEDIAN_SURVIVAL / np.log(2)
    time = scale * rng.standard_exponential(len(log_hazard)) / np.exp(log_hazard)
    dropout = 1 - rng.random(len(time))  # in (0, 1]
    # Stretched by the right factor, dropout comes before the event in the wanted share.
    dropout *= np.quantile(time / dropout, 1 - censoring_rate, method="higher")
    return time <= dropout, np.minimum(time, dropout)


@validate_params(
    {
        **EXPRESSION_PARAMETERS,
        "n_classes": [Interval(Integral, 1, None, closed="left")],
        "class_sep": [Interval(Real, 0, None, closed="left")],
        "replicate_rate": [Interval(Real, 0, 1, closed="both")],
        "n_batches": [Interval(Integral, 1, None, closed="left")],
        "batch_effect": [Interval(Real, 0, None, closed="left")],
        "hazard_ratio": [Interval(Real, 0, None, closed="neither")],
        "censoring_rate": [Interval(Real, 0, 1, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def make_cohort(
    n_samples=200,
    n_genes=200,
    *,
    n_classes=3,
    n_factors=5,
    class_sep=1.5,
    replicate_rate=0.2,
    n_batches=1,
    batch_effect=0.5,
    hazard_ratio=2.0,
    censoring_rate=0.4,
    noise=0.3,
    missing_rate=0.0,
    random_state=None,
) -> Any:
    """Generate a cohort: expression with classes, survival, patients and batches.

    The genes follow the factors as in :func:`make_expression`. Classes differ in the
    centres of their factors, and the first factor drives the hazard. The two samples of
    a patient share factors, class and survival and differ by noise and batch, so a
    split that ignores `groups` leaks.

    Parameters
    ----------
    n_samples : int, default=200
        Number of samples.

    n_genes : int, default=200
        Number of genes.

    n_classes : int, default=3
        Number of classes, of about equal size in patients.

    n_factors : int, default=5
        Number of factors.

    class_sep : float, default=1.5
        Spread of the class centres, in standard deviations within a class. At 0 the
        classes can't be told apart.

    replicate_rate : float, default=0.2
        Share of patients with two samples.

    n_batches : int, default=1
        Number of batches, over which the samples are spread at random.

    batch_effect : float, default=0.5
        Standard deviation of the shift of a gene between batches, in log2 units. It has
        no effect on a single batch.

    hazard_ratio : float, default=2.0
        Hazard ratio of one unit of the first factor.

    censoring_rate : float, default=0.4
        Share of patients whose event is not observed.

    noise : float, default=0.3
        Share of the variance of each gene that no factor explains.

    missing_rate : float, default=0.0
        Probability of each value to be missing, completely at random.

    random_state : int, RandomState instance or None, default=None
        Determines the draw. Pass an int for the same data at each call.

    Returns
    -------
    cohort : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : ndarray of shape (n_samples, n_genes)
            Expression, float32; NaN where missing.
        target : ndarray of shape (n_samples,)
            Class of each sample, from 0.
        survival : structured ndarray of shape (n_samples,)
            Fields "event" (bool) and "time" (float, days) of scikit-survival.
        groups : ndarray of shape (n_samples,)
            Patient of each sample, to split by.
        batch : ndarray of shape (n_samples,)
            Batch of each sample.
        factors : ndarray of shape (n_samples, n_factors)
            Value of each factor in each sample.
        loadings : ndarray of shape (n_factors, n_genes)
            Response of each gene to each factor.
        log_hazard : ndarray of shape (n_samples,)
            Logarithm of the relative hazard.
        feature_names : ndarray of shape (n_genes,)
            "gene0", "gene1" and so on.
        sample_names : ndarray of shape (n_samples,)
            "sample0", "sample1" and so on.
        unit : str
            Unit of `data`.

    See Also
    --------
    make_expression : The expression matrix alone.

    Examples
    --------
    >>> from skgex.datasets import make_cohort
    >>> cohort = make_cohort(n_samples=60, n_genes=30, random_state=0)
    >>> cohort.data.shape, cohort.survival.dtype.names
    ((60, 30), ('event', 'time'))

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GroupKFold, cross_val_score
    >>> scores = cross_val_score(
    ...     LogisticRegression(max_iter=1000),
    ...     cohort.data,
    ...     cohort.target,
    ...     groups=cohort.groups,
    ...     cv=GroupKFold(3),
    ... )
    >>> bool(scores.mean() > 0.7)
    True
    """
    rng = make_generator(random_state)
    patients, n_patients = _draw_patients(rng, n_samples, replicate_rate)
    if n_classes > n_patients:
        raise ValueError(
            f"n_classes={n_classes} is more than the {n_patients} patients of "
            f"n_samples={n_samples} samples. Lower n_classes or raise n_samples."
        )
    classes = rng.permutation(np.arange(n_patients) % n_classes)
    factors = _draw_factors(rng, classes, n_classes, n_factors, class_sep)
    log_hazard = np.log(hazard_ratio) * factors[:, 0].astype(float)
    survival = make_survival(*_draw_survival(rng, log_hazard, censoring_rate))
    batch = rng.integers(n_batches, size=n_samples)

    means, loadings, noise_sds = draw_genes(rng, n_factors, n_genes, noise)
    X = factors[patients] @ loadings
    X += means
    if n_batches > 1:
        shifts = rng.normal(0, batch_effect, (n_batches, n_genes)).astype(np.float32)
        X += shifts[batch]
    add_noise(rng, X, noise_sds)
    hide_values(rng, X, missing_rate)
    return Bunch(
        data=X,
        target=classes[patients],
        survival=survival[patients],
        groups=patients,
        batch=batch,
        factors=factors[patients],
        loadings=loadings,
        log_hazard=log_hazard[patients],
        feature_names=np.array([f"gene{i}" for i in range(n_genes)]),
        sample_names=np.array([f"sample{i}" for i in range(n_samples)]),
        unit="log2 (synthetic)",
    )
