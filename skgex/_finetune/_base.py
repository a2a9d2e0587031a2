"""What the fine-tuned estimators share: pretrain, put a head on, train both."""

from abc import ABCMeta, abstractmethod
from functools import partial
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._covariates import (
    CONSTRAINT,
    covariate_places,
    take_covariates,
    take_genes,
)
from .._inputs import check_genes, check_weights
from .._training import (
    FitTask,
    FitTasks,
    RowReader,
    agree,
    apply_by_batches,
    check_callbacks,
    draw_seed,
    fit_together,
    resolve_device,
    usual_modes,
)
from ..nn._draws import draws_from
from ..pretext import VIME
from ..pretext._base import BaseEmbedder
from ._beside import append_covariates, fit_covariates, put_beside, take_from
from ._columns import learn_columns
from ._corrupted import check_corruption
from ._head import new_head, old_head
from ._linear_part import Vote, fit_linear_part
from ._network import fine_tune
from ._start import copy_weights, pretrain
from ._tuned import TunedEncoder

_LEAST_WEIGHT = 1e-15


class BaseFineTuned(TunedEncoder, metaclass=ABCMeta):
    """Base class of the fine-tuned estimators; a task adds its targets and its loss."""

    _parameter_constraints: dict = {
        "embedder": [HasMethods(["fit", "transform"]), None],
        "covariates": CONSTRAINT,
        "freeze": ["boolean"],
        "head_init": [StrOptions({"probe", "random"})],
        "linear_weight": [Interval(Real, 0, 1, closed="both")],
        "encoder_lr": [Interval(Real, 0, None, closed="neither")],
        "corruption_rate": [Interval(Real, 0, 1, closed="left")],
        **{
            name: BaseEmbedder._parameter_constraints[name]
            for name in (
                "max_epochs",
                "lr",
                "weight_decay",
                "validation_fraction",
                "n_iter_no_change",
                "device",
                "callbacks",
                "warm_start",
                "verbose",
                "random_state",
            )
        },
        "batch_size": [
            Interval(Integral, 2, None, closed="left"),
            StrOptions({"auto"}),
        ],
    }

    def __init__(
        self,
        embedder,
        *,
        covariates,
        freeze,
        head_init,
        linear_weight,
        encoder_lr,
        unlabeled,
        max_epochs,
        batch_size,
        lr,
        weight_decay,
        corruption_rate,
        validation_fraction,
        n_iter_no_change,
        device,
        callbacks,
        warm_start,
        verbose,
        random_state,
    ):
        self.embedder = embedder
        self.covariates = covariates
        self.freeze = freeze
        self.head_init = head_init
        self.linear_weight = linear_weight
        self.encoder_lr = encoder_lr
        self.unlabeled = unlabeled
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.corruption_rate = corruption_rate
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @abstractmethod
    def _check_target(self, y):
        """Return y as an array, and which samples are labelled."""

    @abstractmethod
    def _encode_target(self, y, weight):
        """Return what the loss needs, for the labelled samples.

        Returns
        -------
        target : tensor of shape (n_labeled,) or (n_labeled, n_outputs)
        weight : ndarray of shape (n_labeled,)
        n_outputs : int
        learnt : dict
            Fitted attributes, such as `classes_`.
        """

    @abstractmethod
    def _loss(self, output, target):
        """Return the loss of each sample, of shape (n,)."""

    @abstractmethod
    def _probe(self, embedding, target, weight):
        """Fit a linear model on the embedding.

        Returns
        -------
        coef : ndarray of shape (n_outputs, embedding_dim)
        intercept : ndarray of shape (n_outputs,)
        """

    @abstractmethod
    def _fit_linear(self, genes, rows, target, weight, groups):
        """Fit a linear model on standardised genes.

        Parameters
        ----------
        genes : ndarray of shape (n_samples, n_genes), dtype float32
            All samples.
        rows : ndarray of shape (n_labeled,)
            Which of them are labelled.
        target, weight : ndarray of shape (n_labeled, ...)
            As `_encode_target` returns them.
        groups : ndarray of shape (n_labeled,) or None
            Samples of a group are not split.

        Returns
        -------
        coef : ndarray of shape (n_outputs, n_genes)
        intercept : ndarray of shape (n_outputs,)
        learnt : dict
            Fitted attributes.
        """

    def _stratify(self, target, n_valid):
        """Return the classes to keep in proportion among `n_valid` samples, or None."""
        return None

    @fit_together()
    @usual_modes()
    def _fit(self, X, y, sample_weight, groups):
        resume = self.warm_start and hasattr(self, "head_")
        # Callbacks and the embedder are shown the table, with the names of the genes.
        table, (genes, X, C) = X, learn_columns(self, X, resume)
        y, labels, n_outputs, learnt = self._labels(X, y, sample_weight, groups)
        learnt |= fit_covariates(self, C, labels[0].numpy())
        device = resolve_device(self.device)
        check_callbacks(self.callbacks)
        check_corruption(self)
        seed = draw_seed(self.random_state)
        tasks = FitTasks(self, table, y, max_subtasks=2)
        start = tasks.step("pretrain")
        pretrained = self._pretrain(genes, X, y, groups, seed, start, resume)
        # From here on covariates stand beside the genes, then beside the embedding.
        X = append_covariates(X, C, learnt)
        pretrained = put_beside(pretrained, C.shape[1])
        learnt |= self._fit_vote(X, labels, n_outputs, groups)
        with draws_from(seed):
            if resume:
                head = old_head(self, n_outputs, learnt)
            else:
                head = new_head(self, X, pretrained, labels, n_outputs, device)
            model = agree((*pretrained, head))
            task = tasks.begin("fine-tune", self.max_epochs)
            fitted = partial(self._fitted, learnt, *model)
            report = FitTask(task, **tasks.arguments, fitted=fitted)
            reader = RowReader(self._inputs(X, *model[:2], device), device)
            history = fine_tune(self, model, reader, labels, groups, seed, report)
        model, history, learnt = agree((model, history, learnt))
        attributes = self._fitted(learnt, *model)
        self._set(**attributes, history_=history, n_iter_=len(history))
        tasks.end(attributes)
        return self

    def _pretrain(self, table, X, y, groups, seed, task, resume):
        """Return a standardizer and an encoder to start from, ours to modify."""
        if resume:
            return copy_weights(self, self, X)
        return pretrain(self, VIME, table, X, y, groups, seed, task)

    def _fit_vote(self, X, labels, n_outputs, groups):
        """Return the linear model that votes beside the network, and how it came."""
        if not self.linear_weight:
            return {}
        linear, how = fit_linear_part(self, X, labels, n_outputs, groups)
        return {"linear_": linear, "_linear_weight": self.linear_weight, **how}

    def _labels(self, X, y, sample_weight, groups):
        """Check the targets and encode those of the labelled samples."""
        y, labeled = self._check_target(y)
        check_consistent_length(X, y, groups)
        weight = _of_usual_size(check_weights(sample_weight, X))
        rows = np.flatnonzero(labeled & (weight > 0))
        if not len(rows):
            raise ValueError(
                f"No sample is labelled: each has the target unlabeled="
                f"{self.unlabeled!r} or a sample_weight of zero."
            )
        if len(rows) < 2:
            raise ValueError(
                f"Only sample {rows[0]} is labelled, of positive weight, and two are "
                "needed to learn from; label more, or look at `unlabeled` and "
                "`sample_weight`."
            )
        target, weight, n_outputs, learnt = self._encode_target(y[rows], weight[rows])
        weight = torch.from_numpy(_of_usual_size(weight)).float()
        labels = (torch.from_numpy(rows), target, weight)
        return y, labels, n_outputs, learnt

    def _inputs(self, X, standardizer, encoder, device):
        """Return what is trained on: the genes, or under `freeze` their embedding."""
        if not self.freeze:
            return X
        return apply_by_batches(nn.Sequential(standardizer, encoder), X, device)

    def _fitted(self, learnt, standardizer, encoder, head):
        """Fitted attributes for a model, as of now."""
        standardizer, encoder = take_from(standardizer), take_from(encoder)
        return {
            "linear_": None,
            **learnt,
            "standardizer_": standardizer,
            "encoder_": encoder,
            "head_": head,
            "_n_features_out": encoder.embedding_dim,
        }

    def _outputs(self, X, dtype=torch.float32):
        """Return what the network, and the linear part, make of profiles."""
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        C, X = take_covariates(self, X), take_genes(self, X)
        X = append_covariates(X, C, vars(self))
        return self._apply(X, self._network(), dtype=dtype)

    def _network(self):
        """Return what makes outputs of genes, and of standardised covariates."""
        n_covariates = len(covariate_places(self))
        pretrained = put_beside((self.standardizer_, self.encoder_), n_covariates)
        model = nn.Sequential(*pretrained, self.head_)
        linear = getattr(self, "linear_", None)  # files of before have none
        if linear is not None:
            model = Vote(model, linear, self._linear_weight)
        return model


def _of_usual_size(weight):
    """Scale weights, of which the mean does not matter, to at most one.

    By a power of two, which changes no digit. Weights that vanish beside the largest
    are zero.
    """
    weight = np.ldexp(weight, -np.frexp(weight.max(initial=0))[1])
    return np.where(weight < _LEAST_WEIGHT, 0, weight)
