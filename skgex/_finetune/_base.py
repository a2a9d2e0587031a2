"""What the fine-tuned estimators share: pretrain, put a head on, train both."""

from abc import ABCMeta, abstractmethod
from copy import deepcopy
from functools import partial
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from torch import nn

from .._inputs import check_genes
from .._training import (
    Batches,
    FitTask,
    RowReader,
    apply_by_batches,
    check_all_profiles,
    resolve_device,
    split_validation,
    torch_seed,
    train,
)
from ..nn import Objective
from ..pretext import SCARF
from ..pretext._base import BaseEmbedder

# Fewer samples than this cannot tell a better epoch from a luckier one.
MIN_VALIDATION = 20


class SupervisedObjective(Objective):
    """An encoder and a head under a weighted supervised loss."""

    def __init__(self, encoder, head, loss):
        super().__init__(encoder)
        self.head = head
        self.loss = loss

    def forward(self, X, target, weight):
        """Return the mean loss of a batch; weights average one over all samples."""
        return (self.loss(self.head(self.encoder(X)), target) * weight).mean()


class BaseFineTuned(
    ClassNamePrefixFeaturesOutMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of the fine-tuned estimators; a task adds its targets and its loss."""

    _parameter_constraints: dict = {
        "embedder": [HasMethods(["fit", "transform"]), None],
        "freeze": ["boolean"],
        "head_init": [StrOptions({"probe", "random"})],
        "encoder_lr": [Interval(Real, 0, None, closed="neither")],
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
        freeze,
        head_init,
        encoder_lr,
        unlabeled,
        max_epochs,
        batch_size,
        lr,
        weight_decay,
        validation_fraction,
        n_iter_no_change,
        device,
        callbacks,
        warm_start,
        verbose,
        random_state,
    ):
        self.embedder = embedder
        self.freeze = freeze
        self.head_init = head_init
        self.encoder_lr = encoder_lr
        self.unlabeled = unlabeled
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
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

    def _stratify(self, target):
        """Return the classes to keep in proportion in a validation split, or None."""
        return None

    def _fit(self, X, y, sample_weight, groups):
        resume = self.warm_start and hasattr(self, "head_")
        # Callbacks and the embedder are shown the table, with the names of the genes.
        table, X = X, check_genes(self, X, reset=not resume, ensure_min_samples=2)
        y, labeled = self._check_target(y)
        check_consistent_length(X, y, groups)
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        rows = np.flatnonzero(labeled & (weight > 0))
        if not len(rows):
            raise ValueError(
                f"No sample is labelled: each has the target unlabeled="
                f"{self.unlabeled!r} or a sample_weight of zero."
            )
        target, weight, n_outputs, learnt = self._encode_target(y[rows], weight[rows])
        labels = (torch.from_numpy(rows), target, torch.from_numpy(weight).float())
        device = resolve_device(self.device)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        context = self._init_callback_context(max_subtasks=2)
        context.call_on_fit_task_begin(estimator=self, X=table, y=y)
        pretrained = self._pretrained(table, X, y, groups, seed, context, resume)
        with torch_seed(seed, device):
            if resume:
                head = self._old_head(n_outputs, learnt)
            else:
                head = self._new_head(X, pretrained, labels, n_outputs, device)
            model = (*pretrained, head)
            task = context.subcontext("fine-tune", max_subtasks=self.max_epochs)
            task.call_on_fit_task_begin(estimator=self, X=table, y=y)
            history = self._fine_tune(
                model,
                RowReader(self._inputs(X, *pretrained, device), device),
                labels,
                groups,
                seed,
                FitTask(task, self, table, y, partial(self._fitted, learnt, *model)),
            )
        attributes = self._fitted(learnt, *model)
        for name, value in attributes.items():
            setattr(self, name, value)
        self.history_, self.n_iter_ = history, len(history)
        for ended in (task, context):
            ended.call_on_fit_task_end(
                estimator=self, X=table, y=y, reconstruction_attributes=attributes
            )
        return self

    def _pretrained(self, table, X, y, groups, seed, context, resume):
        """Return copies of a pretrained standardizer and encoder.

        `table` is X with the names of the genes, if it has any.
        """
        task = context.subcontext("pretrain")
        if resume:
            embedder = self
        elif isinstance(self.embedder, FrozenEstimator):
            embedder = self.embedder.estimator
            self._check_frozen(embedder)
        else:
            embedder = SCARF() if self.embedder is None else clone(self.embedder)
            _check_embedder(embedder)
            if embedder.random_state is None:
                embedder.set_params(random_state=seed)
            with task.propagate_callback_context(embedder):
                task.call_on_fit_task_begin(estimator=self, X=table, y=y)
                embedder.fit(table, groups=groups)
                task.call_on_fit_task_end(estimator=self, X=table, y=y)
            return embedder.standardizer_, embedder.encoder_
        check_all_profiles(RowReader(X), getattr(self, "feature_names_in_", None))
        task.call_on_fit_task_begin(estimator=self, X=table, y=y)
        task.call_on_fit_task_end(estimator=self, X=table, y=y)
        # Copies: weights pretrained elsewhere are never modified, nor are our own
        # should this fit be interrupted.
        return deepcopy((embedder.standardizer_, embedder.encoder_))

    def _check_frozen(self, embedder):
        _check_embedder(embedder)
        check_is_fitted(embedder)
        n_genes = embedder.n_features_in_
        if n_genes != self.n_features_in_:
            raise ValueError(
                f"embedder was pretrained on {n_genes} genes, but X has "
                f"{self.n_features_in_}. Bring X to its genes first, for example by "
                "X.reindex(columns=embedder.feature_names_in_): absent genes become "
                "NaN, which means not measured."
            )
        names = getattr(embedder, "feature_names_in_", None)
        own = getattr(self, "feature_names_in_", None)
        if names is not None and own is not None and (names != own).any():
            place = np.flatnonzero(names != own)[0]
            raise ValueError(
                f"embedder was pretrained with gene {str(names[place])!r} in column "
                f"{place}, where X has {str(own[place])!r}. Bring X to its genes first "
                "by X.reindex(columns=embedder.feature_names_in_)."
            )

    def _new_head(self, X, pretrained, labels, n_outputs, device):
        """Return a linear head; a "probe" starts as a linear model on the embedding.

        From a random head the first steps would pull the encoder about to suit noise.
        With few labels there are few steps to make up for that (Kumar et al.,
        "Fine-tuning can distort pretrained features", ICLR 2022).
        """
        head = nn.Linear(pretrained[1].embedding_dim, n_outputs)
        if self.head_init == "random":
            return head
        rows, target, weight = (values.numpy() for values in labels)
        X = X if len(rows) == len(X) else X[rows]
        Z = apply_by_batches(nn.Sequential(*pretrained), X, device).astype(np.float64)
        mean = Z.mean(axis=0)
        # One scale for all dimensions: the regularisation means the same for each
        # embedder, and the relative weight of the dimensions is kept.
        scale = np.sqrt(Z.var(axis=0).mean()) or 1.0
        coef, intercept = self._probe((Z - mean) / scale, target, weight)
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(coef / scale))
            head.bias.copy_(torch.from_numpy(intercept - coef @ mean / scale))
        return head

    def _old_head(self, n_outputs, learnt):
        """Return a copy of the head of the last fit, for `warm_start`."""
        same_classes = np.array_equal(
            learnt.get("classes_", ()), getattr(self, "classes_", ())
        )
        if self.head_.out_features != n_outputs or not same_classes:
            raise ValueError(
                "warm_start=True needs the targets of the last fit, but the classes "
                "or the number of outputs have changed; set warm_start=False."
            )
        return deepcopy(self.head_)

    def _inputs(self, X, standardizer, encoder, device):
        """Return what is trained on: the genes, or under `freeze` their embedding."""
        if not self.freeze:
            return X
        return apply_by_batches(nn.Sequential(standardizer, encoder), X, device)

    def _fine_tune(self, model, reader, labels, groups, seed, task):
        standardizer, encoder, head = model
        rows, target, weight = labels
        fit_rows, valid_rows = self._split(rows, target, groups, seed)
        if self.freeze:
            standardizer = encoder = nn.Identity()
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = min(max(len(fit_rows) // 25, 32), 256)
        make_batches = partial(
            Batches,
            reader,
            batch_size=batch_size,
            prepare=deepcopy(standardizer).to(reader.device),
            # Weights are relative to their mean, so that lr means the same for all.
            targets=[
                _spread(values, rows, len(reader))
                for values in (target, weight / weight.mean())
            ],
        )
        return train(
            SupervisedObjective(encoder, head, self._loss),
            make_batches(fit_rows, shuffle=True),
            valid_batches=None if valid_rows is None else make_batches(valid_rows),
            max_epochs=self.max_epochs,
            lr=self.lr,
            encoder_lr=self.encoder_lr,
            weight_decay=self.weight_decay,
            patience=None if valid_rows is None else self.n_iter_no_change,
            device=reader.device,
            callbacks=[*(self.callbacks or ()), task],
            verbose=self.verbose,
            seed=seed,
        )

    def _split(self, rows, target, groups, seed):
        n_valid = int(self.validation_fraction * len(rows))
        if self.n_iter_no_change is None or n_valid < MIN_VALIDATION:
            return rows, None
        fit, valid = split_validation(
            len(rows),
            self.validation_fraction,
            seed,
            groups=None if groups is None else np.asarray(groups)[rows],
            y=self._stratify(target),
        )
        return rows[fit], rows[valid]

    def _fitted(self, learnt, standardizer, encoder, head):
        """Fitted attributes for a model, as of now."""
        return {
            **learnt,
            "standardizer_": standardizer,
            "encoder_": encoder,
            "head_": head,
            "_n_features_out": encoder.embedding_dim,
        }

    def _apply(self, X, *modules, dtype=torch.float32):
        check_is_fitted(self)
        X = check_genes(self, X, reset=False)
        return apply_by_batches(
            nn.Sequential(self.standardizer_, self.encoder_, *modules),
            X,
            resolve_device(self.device),
            getattr(self, "feature_names_in_", None),
            dtype,
        )

    def transform(self, X):
        """Embed profiles with the fine-tuned encoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles in the units of the training data.

        Returns
        -------
        embedding : ndarray of shape (n_samples, embedding_dim), dtype float32
            The embedding of each sample.
        """
        return self._apply(X)

    def __sklearn_is_fitted__(self):
        # A fit that was interrupted has learnt the genes, but no head.
        return hasattr(self, "head_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _check_embedder(embedder):
    if not isinstance(embedder, BaseEmbedder):
        raise ValueError(
            f"embedder={embedder!r} is not an embedder of this package; give one such "
            "as SCARF(), or FrozenEstimator(embedder) around one that was fitted."
        )


def _spread(values, rows, n_rows):
    """Put the values of some rows where Batches looks for them."""
    spread = values.new_zeros((n_rows, *values.shape[1:]))
    spread[rows] = values
    return spread
