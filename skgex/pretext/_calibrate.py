"""How far what is restored is off: learnt where values are hidden on purpose."""

from statistics import NormalDist

import torch

from .._low_rank import SharedPosterior, pattern_groups
from ..nn._draws import integers, permutation, uniform

SHARES = (0.3, 0.7)
COVERAGE = 0.9
_MAX_ROWS, _MAX_GENES = 128, 1024
# What it counts, in hidden values, that samples of the fit are like others.
_USUAL_COUNT = 20.0


@torch.no_grad()
def calibrate(objective, batches):
    """Learn the scale of the errors of a trained objective.

    Intervals of 90 % then cover as much of what was hidden, although errors have
    heavier tails than a normal distribution. Without a prior, the mean squared error
    of each gene is learnt first.

    Parameters
    ----------
    objective : RestorationObjective
        In evaluation mode.
    batches : iterable of (X, fold)
        Some of the training rows.
    """
    objective.calibration.fill_(1)
    n_genes, device = len(objective.encoder.gene), objective.calibration.device
    genes = torch.arange(n_genes, device=device)
    if objective.encoder.prior is not None:
        genes = permutation(n_genes, device)[:_MAX_GENES]
    found = list(_hidden_errors(objective, genes, *_some(batches)))
    if not found:
        return
    error, variance = (torch.cat(parts) for parts in zip(*found, strict=True))
    known = ~error.isnan()
    if objective.encoder.prior is None:
        square = torch.where(known, error.square(), 0).sum(0)
        # A prior of one sample with the variance of the gene, for rare genes.
        objective.gene_error.copy_((square + 1) / (known.sum(0) + 1))
        variance = objective.gene_error.expand_as(error)
    if known.any():
        objective.calibration.copy_(_scale_of(error[known], variance[known]))


@torch.no_grad()
def calibrate_seen(objective):
    """Learn how much further off what is filled in is where it was fitted.

    The model has followed the measured values of its own samples, and is surer of
    the missing ones than it should be. So it was fitted again with more holes; of what
    was hidden there intervals of 90 % are to cover as much.

    Parameters
    ----------
    objective : RestorationObjective
        Calibrated for new samples, and with a prior that was fitted again.
    """
    parts = []
    for again in objective.again:
        found = objective.restore_with_variance(again.view, again.genes, again.prior)
        known = ~again.hidden.isnan()
        parts.append([found[0][known] - again.hidden[known], found[1][known]])
    if parts:
        error, variance = (torch.cat(part) for part in zip(*parts, strict=True))
        if len(error):
            share = len(error) / (len(error) + _USUAL_COUNT)
            objective.seen_calibration.lerp_(_scale_of(error, variance), share)


def _scale_of(error, variance):
    """Return what to scale deviations by, so that intervals of 90 % are of that."""
    ratio = (error.square() / variance).sqrt()
    # torch.quantile has a limit on the size of its input.
    rank = max(1, round(COVERAGE * len(ratio)))
    normal = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    return ratio.kthvalue(rank).values / normal


def _some(batches):
    """Return enough rows, and their folds if there are any."""
    parts, n_rows = [], 0
    for X, *fold in batches:
        parts.append((X, *fold))
        n_rows += len(X)
        if n_rows >= _MAX_ROWS:
            break
    return [torch.cat(part)[:_MAX_ROWS] for part in zip(*parts, strict=True)]


def _hidden_errors(objective, genes, X, fold=None):
    """Yield errors where genes are hidden, NaN elsewhere, and their variances."""
    n_genes = X.shape[1]
    for f, prior in enumerate(objective.fold_priors or [objective.encoder.prior]):
        rows = X if fold is None else X[fold == f]
        groups = pattern_groups([rows]) if prior is not None and len(rows) else None
        for share in SHARES:
            hidden = uniform((n_genes,), X.device) < share
            hidden[integers(n_genes, device=X.device)] = False
            view = rows.masked_fill(hidden, torch.nan)
            if not len(rows) or view.isnan().all(1).any():
                continue
            posterior = None
            if prior is not None:
                posterior = SharedPosterior(prior.model, groups.share * ~hidden)
                posterior = posterior(view, groups.row_group)
            restored, variance = objective.restore_with_variance(
                view, genes, prior, posterior
            )
            error = restored - rows[:, genes]
            yield error.masked_fill(~hidden[genes], torch.nan), variance
