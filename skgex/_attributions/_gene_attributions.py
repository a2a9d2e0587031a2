"""The function `gene_attributions`."""

from functools import partial
from numbers import Integral

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from .._covariates import gene_names, take_genes
from .._inputs import check_genes
from .._training import check_profiles, resolve_device, usual_modes
from .._warn import warn_caller
from ._asked import check_estimator, find_asked
from ._baseline import find_baseline
from ._captum import import_captum
from ._explained import explain
from ._inputs import split_parts
from ._path import attribute, changes, points_at_once
from ._table import like

# Share of all that genes add and take away that a sum may be off.
_TOLERANCE = 0.01


@validate_params(
    {
        "estimator": "no_validation",
        "X": "no_validation",
        "method": [StrOptions({"integrated_gradients", "gradient"})],
        "baseline": "no_validation",
        "target": "no_validation",
        "log_odds": ["boolean"],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
@usual_modes()
def gene_attributions(
    estimator,
    X,
    method="integrated_gradients",
    baseline="mean",
    *,
    target=None,
    log_odds=False,
    n_steps=64,
):
    r"""Say which genes an output is due to, sample by sample.

    How much the output of a sample differs from that of an average profile is shared
    out among the genes, by integrated gradients [1]_: a positive share says that the
    value that the gene has in this sample raises the output.

    Parameters
    ----------
    estimator : estimator
        Fitted: an embedder, :class:`FineTunedClassifier`, :class:`FineTunedRegressor`,
        :class:`FineTunedCoxPH` or :class:`FineTunedDiscreteHazard`.
    X : array-like of shape (n_samples, n_genes)
        Profiles, as for the estimator itself; NaN where a gene was not measured.
    method : {"integrated_gradients", "gradient"}, default="integrated_gradients"
        "gradient" is the gradient at the sample times the difference from the baseline:
        `n_steps` times as fast, but shares do not add up to anything.
    baseline : "mean" or array-like of shape (n_genes,), default="mean"
        The profile that samples are compared with. "mean" has the mean of each gene in
        training, that of pretraining if the embedder was fitted before. Of a Series
        values are taken by the names of the genes.
    target : object, default=None
        Which output. Of a classifier a class, or one for each sample; None is the class
        that is predicted for the sample. Of a regressor with several outputs the
        position of one. Of an embedder a dimension, by position or by name, as
        "scarf3"; None is the squared distance of the embedding from that of the
        baseline. Survival estimators have one output.
    log_odds : bool, default=False
        Of a classifier: whether to explain the log odds of the class rather than its
        probability, which hardly changes any more where it is near 0 or 1.
    n_steps : int, default=64
        Number of profiles between baseline and sample at which gradients are taken.

    Returns
    -------
    attributions : ndarray of shape (n_samples, n_genes), dtype float32, or DataFrame
        In the units of the output. A table for a table, of pandas or polars, with the
        names of the genes. Covariates have attributions like genes.

    Raises
    ------
    ImportError
        If captum is not installed.
    ValueError
        If the estimator is of another kind, such as a pipeline, if it has no such
        output, or if no means are known for the baseline.

    Warns
    -----
    UserWarning
        If the attributions of a sample don't add up: `n_steps` is to be raised.

    See Also
    --------
    skgex.plotting.AttentionDisplay : What :class:`GexBERT` reads; not what matters.

    Notes
    -----
    What is explained is the whole prediction: of a classifier the probability that
    `predict_proba` returns, in which linear models vote beside the network; of a
    regressor the value in the units of `y`; of :class:`FineTunedCoxPH` the log risk,
    and of :class:`FineTunedDiscreteHazard` the risk, that `predict` returns.

    The share of gene j is

    .. math:: (x_j - b_j) \int_0^1 \frac{\partial f}{\partial x_j}(b + t (x - b)) \, dt

    with the integral by Gauss-Legendre quadrature. Shares add up to
    :math:`f(x) - f(b)`, exactly for what is linear, else as exactly as the quadrature
    is. A gene that was not measured in a sample has a share of 0: it is missing from
    the baseline of that sample too. Where survival estimators rank genes, the way from
    the baseline to the sample is straight in the ranks for their linear part, and in
    expression for their network; shares of both are added.

    A probability can say little of a class that is the most probable one at the
    baseline already: there is nothing left to share out. Log odds can.

    Genes that go together share what they say in a way that depends on the model, and
    shares tell what the model uses, not what is behind it. Compare them with those of a
    model of permuted labels.

    Memory is bounded: samples, and points on the way, are computed some at a time.

    References
    ----------
    .. [1] Sundararajan M., Taly A., Yan Q. "Axiomatic attribution for deep networks",
       ICML 2017. :arxiv:`1703.01365`

    Examples
    --------
    >>> from skgex import VIME, FineTunedClassifier, gene_attributions
    >>> from skgex.datasets import load_tissues_u133
    >>> X, tissue = load_tissues_u133(return_X_y=True, as_frame=True)
    >>> classifier = FineTunedClassifier(
    ...     VIME(max_epochs=5), max_epochs=10, random_state=0
    ... ).fit(X, tissue)
    >>> liver = X[tissue == "liver"]
    >>> attributions = gene_attributions(classifier, liver, target="liver")
    >>> "HAMP" in attributions.mean().nlargest(3)  # hepcidin, a hormone of the liver
    True

    They add up to what the probability of liver differs by from that of the average
    profile:

    >>> k = classifier.classes_.tolist().index("liver")
    >>> average = X.mean().to_frame().T
    >>> sample, mean = (classifier.predict_proba(x)[0, k] for x in (liver[:1], average))
    >>> bool(abs(attributions.iloc[0].sum() - (sample - mean)) < 0.01)
    True
    """
    captum = import_captum()
    estimator = check_estimator(estimator)
    if log_odds and not is_classifier(estimator):
        raise ValueError("log_odds=True is for classifiers only.")
    table, X = X, check_genes(estimator, X, reset=False)
    origin = find_baseline(estimator, baseline)
    asked = find_asked(estimator, table, target)
    device = resolve_device(estimator.device)
    explained = explain(estimator, log_odds).to(device)
    share_out = partial(attribute, captum, explained, method=method, n_steps=n_steps)
    n_rows = points_at_once(explained, X.shape[1])
    if method == "integrated_gradients":
        n_rows = max(1, n_rows // n_steps)
    found, off = np.zeros(X.shape, np.float32), np.zeros(len(X))
    for start in range(0, len(X), n_rows):
        rows = slice(start, start + n_rows)
        some = np.array(X[rows])
        check_profiles(
            torch.from_numpy(take_genes(estimator, some)).float(),
            start,
            gene_names(estimator),
        )
        parts, measured = split_parts(estimator, explained.score, some, origin, device)
        if asked is None:
            with torch.no_grad():
                which = explained.outputs(measured, *(part.origin for part in parts))
        else:
            which = torch.from_numpy(asked[rows]).to(device)
        for part, share in zip(parts, share_out(parts, (measured, which)), strict=True):
            found[rows, part.places] += share.numpy(force=True)
        change = changes(explained, parts, (measured, which)).numpy(force=True)
        off[rows] = found[rows].sum(axis=1, dtype=float) - change
    if method == "integrated_gradients":
        _warn_of_rest(off, found, n_steps)
    return like(table, found)


def _warn_of_rest(off, found, n_steps):
    """Warn of samples whose attributions don't add up."""
    share = np.abs(off) / np.maximum(np.abs(found).sum(axis=1), 1e-12)
    bad = ~(share <= _TOLERANCE)  # NaN is bad, too
    worst = int(np.where(bad, share, 0).argmax())
    if bad.any():
        warn_caller(
            f"Attributions of {bad.sum()} of {len(off)} samples don't "
            f"add up to the difference from the baseline: those of sample {worst} are "
            f"off by {share[worst]:.1%} of what genes add and take away. Raise "
            f"n_steps={n_steps}."
        )
