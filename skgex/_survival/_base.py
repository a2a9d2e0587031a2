"""What the fine-tuned survival estimators share."""

from abc import ABCMeta, abstractmethod
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._covariates import gene_names, take_covariates, take_genes
from .._finetune._columns import learn_columns
from .._finetune._start import pretrain
from .._finetune._tuned import TunedEncoder
from .._inputs import check_genes
from .._training import (
    FitTask,
    FitTasks,
    agree,
    check_callbacks,
    draw_seed,
    fit_together,
    resolve_device,
    usual_modes,
)
from ..nn._draws import draws_from
from ..nn._layers import zero_linear
from ..pretext import SCARF
from ._curves import SurvivalCurvesMixin
from ._data import check_data
from ._earlier import find_earlier
from ._effects import CovariateEffects, covariate_risk, fit_scale, learnt_effects
from ._folds import make_folds
from ._held_out import held_out_risk
from ._linear import fit_linear_risk
from ._network import fit_network, start_head
from ._parameters import SurvivalParameters
from ._risk_groups import RiskGroupsMixin, training_risks
from ._scaling import fit_scaling, scale_by_stratum


class BaseFineTunedSurvival(
    RiskGroupsMixin,
    CovariateEffects,
    SurvivalCurvesMixin,
    SurvivalParameters,
    TunedEncoder,
    metaclass=ABCMeta,
):
    """Base class of the survival estimators; each adds its likelihood and its curves.

    The log risk is a weighted sum of a linear one of all genes and of what the head
    makes of the embedding, beside that of covariates, which has no weight but one.
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    coef_: Any
    alpha_: Any
    alphas_: Any
    gains_: Any
    prior_weight_: Any
    unique_times_: Any
    event_times_: Any
    n_iter_: Any

    # How tied events are treated where the partial likelihood is used.
    ties = "efron"

    @abstractmethod
    def _make_task(self, data):
        """Return the objective and the likelihood, as `CoxTask` and `HazardTask`."""

    @abstractmethod
    def _finish(self, learnt, task, risk, data):
        """Return fitted attributes that depend on the final risk."""

    @fit_together()
    @usual_modes()
    def _fit(self, X, y, sample_weight, strata, groups):
        resume = self.warm_start and hasattr(self, "head_")
        table, (genes, X, C) = X, learn_columns(self, X, resume)
        data, names = check_data(self, X, y, sample_weight, strata)
        check_consistent_length(X, groups)
        check_callbacks(self.callbacks)
        seed = draw_seed(self.random_state)
        tasks = FitTasks(self, table, y, max_subtasks=2)
        start = tasks.step("pretrain")
        earlier, pretrained = self._pretrain(genes, X, y, groups, seed, start, resume)
        folds = make_folds(self, X, data, groups, seed, earlier is not None)
        X, C, data = _of_weight(X, C, data)
        task = self._make_task(data)
        biases = task.biases(data)
        linear, held_out, learnt = agree(
            self._fit_linear(X, C, data, folds, earlier, biases)
        )
        learnt["_strata"] = names
        known = covariate_risk(C, learnt)
        fitted = partial(self._fitted, learnt, task, X, known, data)
        tuning = tasks.begin("fine-tune", self.max_epochs)
        with draws_from(seed):
            encoder, weight = pretrained[1], learnt["prior_weight_"]
            head = start_head(encoder.embedding_dim, biases, earlier, weight)
            model = (linear, *pretrained, head)
            report = FitTask(
                tuning, **tasks.arguments, fitted=lambda: fitted(_finished_copy(model))
            )
            history, weighed = fit_network(
                self, task, X, data, folds, model, *held_out, seed, report
            )
        genes, added = weighed or (held_out[0], None)
        risk = self._risk(X, known, *model)
        stratum = data.stratum.numpy()
        seen = training_risks(risk, folds, genes, held_out[1], added, stratum)
        unseen = held_out_risk(risk, folds, genes, known, added)
        learnt, history = agree((fitted(model, unseen) | seen, history))
        self._set(**learnt, history_=history, n_iter_=len(history))
        tasks.end(learnt)
        return self

    @property
    def _device(self):
        return resolve_device(self.device)

    def _pretrain(self, table, X, y, groups, seed, task, resume):
        """Return an earlier model or None, and a standardizer and an encoder."""
        earlier = find_earlier(self, X, resume)
        if earlier is None:
            return None, pretrain(self, SCARF, table, X, y, groups, seed, task)
        if not resume:
            task.call_on_fit_task_begin(estimator=self, X=table, y=y)
            task.call_on_fit_task_end(estimator=self, X=table, y=y)
        return earlier, (earlier.standardizer, earlier.encoder)

    def _fit_linear(self, X, C, data, folds, earlier, biases):
        """Return the linear part, the risks the network gets, and what was learnt."""
        names = gene_names(self)
        center, scale = fit_scale(self, C)
        scaler, G = fit_scaling(X, self.scaling, names)
        G = scale_by_stratum(X, G, self.scaling, data.stratum.numpy(), names)
        # In place, as they are as large as the table.
        mean = G.mean(axis=0)
        G -= mean
        risk = fit_linear_risk(
            G,
            data,
            alpha=self.alpha,
            l1_ratio=self.l1_ratio,
            ties=self.ties,
            folds=folds,
            prior=None if earlier is None else earlier.coef,
            prior_weight=0.0 if earlier is None else self.prior_weight,
            added=self._added_before(X, earlier, biases),
            C=(C - center) / scale,
        )
        n_events = float(data.weight[data.event].sum())
        learnt = {
            "alpha_": risk.alpha,
            "alphas_": risk.alphas,
            "gains_": risk.gains,
            "prior_weight_": float(risk.prior_weight),
            "unique_times_": np.unique(data.time),
            "event_times_": np.unique(data.time[data.event]),
            **learnt_effects(self, risk, center, scale, n_events),
        }
        layer = _linear_layer(risk.coef, -float(mean @ risk.coef))
        held_out = risk.held_out, risk.held_out_covariates
        return nn.Sequential(scaler, layer), held_out, learnt

    def _added_before(self, X, earlier, biases):
        """Return what the network of an earlier model adds to the log risk."""
        if earlier is None or not earlier.speaks_to(len(biases)):
            return 0.0
        network = earlier.standardizer, earlier.encoder, earlier.head
        # Intervals of time share the linear log risk, and its weight.
        return self._apply(X, *network, dtype=torch.float64).mean(axis=1)

    def _fitted(self, learnt, task, X, known, data, model, risk=None):
        """Return fitted attributes as of now; `known` is the risk by covariates."""
        linear, standardizer, encoder, head = model
        risk = risk or self._risk(X, known, *model)
        return {
            **learnt,
            "coef_": linear[-1].weight[0].double().numpy(force=True),
            "linear_": linear,
            "standardizer_": standardizer,
            "encoder_": encoder,
            "head_": head,
            "_n_features_out": encoder.embedding_dim,
            **self._finish(learnt, task, risk, data),
        }

    def _risk(self, X, known, linear, standardizer, encoder, head):
        """Return the linear log risk, and what the head adds to it."""
        biases = head.bias.numpy(force=True)
        added = np.broadcast_to(biases, (len(X), len(biases)))
        risk = self._apply(X, linear, dtype=torch.float64)[:, 0]
        # Where the network is not used, its pass through all genes is spared.
        if head.weight.any():
            added = self._apply(X, standardizer, encoder, head, dtype=torch.float64)
        return risk + known, added.astype(np.float64)

    def _checked_risk(self, X):
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        known = self._covariate_risk(take_covariates(self, X))
        model = self.linear_, self.standardizer_, self.encoder_, self.head_
        return self._risk(take_genes(self, X), known, *model)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.positive_only = True
        tags.target_tags.one_d_labels = True
        return tags


def _of_weight(X, C, data):
    """Return the samples that have a weight; the same arrays where all have one."""
    weighted = data.weight.numpy() > 0
    if weighted.all():
        return X, C, data
    return X[weighted], C[weighted], data.take(torch.from_numpy(weighted))


def _linear_layer(coef, bias):
    layer = zero_linear(len(coef), 1)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(coef)[None])
        layer.bias.fill_(bias)
    return layer


def _finished_copy(model):
    """Return a copy to predict with, while training goes on with the original."""
    model = deepcopy(model)
    for module in model:
        module.cpu().eval()
    return model
