"""GexBERT from pretrained ones: its prior is adapted, its network is tried."""

from copy import deepcopy

import numpy as np
import torch

from .._low_rank import fit_priors, pretrained_for, regression_on_factors
from ..nn._draws import draws_from, new_seed, permutation
from ._carry_over import carry_over
from ._kept_genes import genes_of_starts
from ._starts import AS_THE_START

# The network must lower the error by this share, on samples it has not seen.
_MIN_GAIN = 1e-3
_TRIAL_ROWS, _BATCH_ROWS = 512, 64
# Parameters that networks must share for one to start from the other.
_SIZES = (
    *("embedding_dim", "n_layers", "n_decoder_layers", "value_encoder", "n_bins"),
    "n_heads",
)


def moments_of(starts):
    """Return means and standard deviations of genes as starts have learnt them.

    Parameters
    ----------
    starts : list of Start
        The first that has a gene is asked.

    Returns
    -------
    mean, scale : ndarray of shape (n_genes,)
        NaN for genes that none has.
    """
    moments = np.full((2, len(starts[0].places)), np.nan)
    for embedder, places, _ in reversed(starts):
        known = places >= 0
        learnt = embedder.standardizer_
        for values, found in zip(moments, (learnt.mean, learnt.scale), strict=True):
            values[known] = found.numpy()[places[known]]
    return moments


def check_priors(prior, starts):
    """Refuse starts that have a prior where none is asked for, or the other way."""
    for embedder, *_ in starts:
        if embedder.prior != prior:
            raise ValueError(
                f"start was fitted with prior={embedder.prior!r}, and here prior="
                f"{prior!r}: what was learnt by the one is of no use to the other. "
                f"Set prior={embedder.prior!r}, or give another start."
            )


def fit_adapted_priors(reader, prepare, groups, starts, start_weight, names):
    """Fit the prior, and those of folds, drawn to what starts have learnt.

    Parameters
    ----------
    reader, prepare, groups, start_weight
        See :func:`fit_priors`.
    starts : list of Start
        Fitted embedders.
    names : sequence of str or None
        The genes of the samples.

    Returns
    -------
    fitted : FittedPriors
        The prior keeps the genes that only starts have.
    """
    known = [pretrained_for(part.encoder_.prior, places) for part, places, _ in starts]
    on_device = [start.to(reader.device) for start in known]
    fitted = fit_priors(reader, prepare, groups, on_device, start_weight)
    if names is not None and starts:
        fitted.prior.other = genes_of_starts(
            reader, prepare, starts, fitted.weights, names
        )
    return fitted


def weights_of_all(given, starts, weights):
    """Return the weights of all starts that were given, 0 for those that are not used.

    Parameters
    ----------
    given : FrozenEstimator or list of FrozenEstimator
        The parameter.
    starts : list of Start
        Those that are used.
    weights : list of float
        Their weights.

    Returns
    -------
    weights : ndarray of shape (n_given,)
    """
    found = np.zeros(len(given) if isinstance(given, (list, tuple)) else 1)
    found[[start.number for start in starts]] = weights
    return found


def carry_network(estimator, start, objective):
    """Give a network the weights of a start, if it is of the same size.

    Parameters
    ----------
    estimator : GexBERT
        Whose network it is.
    start : Start
        Where the weights are from.
    objective : RestorationObjective
        Changed in place.

    Returns
    -------
    carried : bool
        False if the start has learnt nothing beyond its prior, or is of another size.
    """
    embedder, places, _ = start
    before = embedder.objective_
    if before.decoder.is_zero or any(
        getattr(estimator, name) != getattr(embedder, name) for name in _SIZES
    ):
        return False
    encoder, old = objective.encoder, embedder.encoder_
    # Factors and known samples are of another prior, if there is one.
    skip = ["encoder.prior.", "encoder.factors.", "seen_calibration"]
    skip = [] if encoder.prior is None else skip
    carry_over(before, objective, places, skip=skip, remedy=AS_THE_START)
    encoder.read_in_order_of(old, torch.from_numpy(places))
    if encoder.prior is not None:
        # The summary tokens are told of the factors that the start would have seen.
        known = pretrained_for(old.prior, places)
        weights = regression_on_factors(encoder.prior.model, known)
        with torch.no_grad():
            encoder.factors.weight.copy_(old.factors.weight @ weights)
            encoder.factors.bias.copy_(old.factors.bias)
    return True


@torch.no_grad()
def keep_if_better(objective, reader, prepare):
    """Take corrections back that don't restore more than the prior does.

    Judged by samples that neither the network nor the prior of their fold has seen;
    without folds nothing is kept.

    Parameters
    ----------
    objective : RestorationObjective
        With a network that was trained elsewhere.
    reader : RowReader
        The training rows.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    """
    out = objective.decoder.out
    trained = deepcopy(out.state_dict())
    if objective.fold is not None:
        rows = permutation(len(reader))[:_TRIAL_ROWS]
        seed = new_seed()
        with_it = _loss(objective, reader, prepare, rows, seed)
    for parameter in out.parameters():
        parameter.zero_()
    if objective.fold is None:
        return
    without = _loss(objective, reader, prepare, rows, seed)
    if with_it < (1 - _MIN_GAIN) * without:
        out.load_state_dict(trained)


def _loss(objective, reader, prepare, rows, seed):
    """Return the validation loss of some rows; equal seeds hide the same."""
    device, total = reader.device, 0.0
    objective.to(device).eval()
    with draws_from(seed):
        for part in rows.split(_BATCH_ROWS):
            Z = prepare(reader.take(part))
            fold = objective.fold[part].to(device)
            total += len(part) * float(objective(Z, fold))
    objective.train()
    return total / len(rows)
