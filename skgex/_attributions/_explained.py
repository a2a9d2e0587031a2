"""The output of an estimator that is attributed, as a function of its inputs."""

from copy import deepcopy
from functools import partial

import torch
import torch.nn.functional as F
from sklearn.base import is_classifier, is_regressor
from torch import nn

from ..nn import NormalScores


class Explained(nn.Module):
    """One number for each sample, as the estimator predicts it.

    Parameters
    ----------
    model : torch.nn.Module
        From genes, and covariates behind them, to all outputs.
    read : callable
        From all outputs, of shape (n, n_outputs), and what is asked of each sample to
        a tensor of shape (n,).
    score : torch.nn.Module or None, default=None
        From genes to what a linear part beside the model is given in their place, gene
        by gene. None without such a part.
    beside : torch.nn.Module or None, default=None
        From these scores to what is added to all outputs.
    covariates : tensor of shape (n_covariates,) or None, default=None
        Coefficients that covariates have beside the model, which then is not given any.
    """

    def __init__(self, model, read, score=None, beside=None, covariates=None):
        super().__init__()
        self.model, self.read = model, read
        self.score, self.beside = score, beside
        self.register_buffer("covariates", covariates)

    def outputs(self, measured, genes, *others):
        """Return all outputs; what was not measured is not shown to the model."""
        others, added = list(others), 0.0
        genes = genes.where(measured, torch.nan)
        if self.beside is not None:
            added = self.beside(others.pop(0).where(measured, torch.nan))
        if others and self.covariates is not None:
            added = added + (others.pop() * self.covariates).sum(1, keepdim=True)
        elif others:
            genes = torch.cat([genes, others.pop()], dim=1)
        return self.model(genes) + added

    def forward(self, *inputs):
        """Return the number of each sample.

        Parameters
        ----------
        *inputs : tensor of shape (n, ...)
            The parts of `split_parts`, what was measured, and what is asked.
        """
        *parts, measured, asked = inputs
        return self.read(self.outputs(measured, *parts), asked)


def explain(estimator, log_odds):
    """Return the module that is attributed, with weights of its own.

    Parameters
    ----------
    estimator : estimator
        Fitted: an embedder or a fine-tuned one.
    log_odds : bool
        Whether log odds rather than probabilities of classes.

    Returns
    -------
    explained : Explained
    """
    if hasattr(estimator, "predict_survival_function"):
        explained = _survival(estimator)
    elif is_classifier(estimator):
        explained = Explained(
            estimator._network(), _log_odds if log_odds else _probability
        )
    elif is_regressor(estimator):
        scale, mean = (
            torch.as_tensor(values, dtype=torch.float32)
            for values in (estimator._y_scale, estimator._y_mean)
        )
        read = partial(_value, scale=scale, mean=mean)
        explained = Explained(estimator._network(), read)
    else:
        network = nn.Sequential(estimator.standardizer_, estimator.encoder_)
        explained = Explained(network, _of_embedding)
    # Gradients by weights would be computed for nothing.
    return deepcopy(explained).eval().requires_grad_(False)


def _survival(estimator):
    scaler, layer = estimator.linear_
    score, rest = nn.Identity(), scaler
    if isinstance(scaler[0], NormalScores):
        # The only step that is not smooth, and one gene at a time.
        score, rest = scaler[0], scaler[1:]
    covariates = torch.from_numpy(estimator._covariate_coef).float()
    read = partial(_log_risk, slope=vars(estimator).get("slope_", 1.0))
    if hasattr(estimator, "intercepts_"):
        intercepts = torch.from_numpy(estimator.intercepts_).float()
        read = partial(_expected_events, intercepts=intercepts)
    network = nn.Sequential(
        estimator.standardizer_, estimator.encoder_, estimator.head_
    )
    if not estimator.head_.weight.any():
        network = _Constant(estimator.head_.bias)
    return Explained(network, read, score, nn.Sequential(*rest, layer), covariates)


class _Constant(nn.Module):
    """The head of a network that is not used."""

    def __init__(self, bias):
        super().__init__()
        self.bias = bias

    def forward(self, X):
        # Gradients are asked for, and are zero.
        return 0 * X.nan_to_num(nan=0.0).sum(1, keepdim=True) + self.bias


def _probability(logits, asked):
    return logits.softmax(1).gather(1, asked[:, None])[:, 0]


def _log_odds(logits, asked):
    chosen = F.one_hot(asked, logits.shape[1]).bool()
    others = logits.masked_fill(chosen, -torch.inf).logsumexp(1)
    return logits.gather(1, asked[:, None])[:, 0] - others


def _value(outputs, asked, *, scale, mean):
    scale, mean = scale.to(outputs.device), mean.to(outputs.device)
    return (outputs * scale + mean).gather(1, asked[:, None])[:, 0]


def _of_embedding(embedding, asked):
    if asked.is_floating_point():
        return (embedding - asked).square().sum(1)
    return embedding.gather(1, asked[:, None])[:, 0]


def _log_risk(outputs, asked, *, slope):
    return slope * outputs[:, 0]


def _expected_events(logits, asked, *, intercepts):
    hazards = F.softplus(logits + intercepts.to(logits.device))
    return hazards.cumsum(1).sum(1)
