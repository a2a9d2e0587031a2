"""What every embedder shares: checking, standardising, training, embedding."""

from abc import ABCMeta, abstractmethod
from copy import deepcopy
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._inputs import check_genes, genes_kept_on_failure, places_of_genes
from .._persistence import SaveMixin
from .._plausible import warn_of_table
from .._training import (
    FitTask,
    FitTasks,
    RowReader,
    agree,
    apply_by_batches,
    check_all_profiles,
    check_callbacks,
    draw_seed,
    fit_together,
    resolve_device,
    split_validation,
    usual_modes,
)
from ..nn._draws import draws_from
from ._carry_over import carry_over, check_unit
from ._pretraining import train_objective
from ._standardizer import fit_standardizer
from ._starts import AS_THE_START, fitted_starts, in_unit_of


class BaseEmbedder(
    ClassNamePrefixFeaturesOutMixin,
    CallbackSupportMixin,
    SaveMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of the embedders; a method adds its encoder and its objective."""

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    standardizer_: Any
    encoder_: Any
    objective_: Any
    history_: Any

    # Whether early stopping may return to the weights before training.
    _keep_start = False

    _parameter_constraints: dict = {
        "standardize": ["boolean"],
        "clip": [Interval(Real, 0, None, closed="neither"), None],
        "max_epochs": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str, torch.device],
        "callbacks": [list, tuple, None],
        "warm_start": ["boolean"],
        "start": [FrozenEstimator, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        standardize,
        clip,
        max_epochs,
        batch_size,
        lr,
        weight_decay,
        validation_fraction,
        n_iter_no_change,
        device,
        callbacks,
        warm_start,
        start,
        verbose,
        random_state,
    ):
        self.standardize = standardize
        self.clip = clip
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.start = start
        self.verbose = verbose
        self.random_state = random_state

    @abstractmethod
    def _make_encoder(self, n_genes):
        """Return a new encoder, a module (n, n_genes) -> (n, embedding_dim)."""

    @abstractmethod
    def _make_objective(self, encoder, standardizer, reader):
        """Return a new Objective around `encoder`.

        `reader` gives access to the training rows, before `standardizer`, for methods
        that learn something of the data beyond its moments.
        """

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    @fit_together()
    def fit(self, X, y=None, groups=None):
        """Pretrain the encoder on unlabelled profiles.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured. A float32 or
            float64 array, or memory map, is read batch by batch and not copied. With
            `warm_start`, a table may have other genes than that of the last fit: those
            that both have keep standardisation and weights. Weights of new genes start
            at zero, and with them the network is what it was before; in GexBERT
            new genes get loadings on the factors that the others make expect, and
            genes that `X` lacks can still be restored.
        y : None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are kept on one side of the
            internal validation split, with `n_iter_no_change`, and of all other
            internal splits.

        Returns
        -------
        self : object
            The fitted embedder.
        """
        device = resolve_device(self.device)
        check_callbacks(self.callbacks)
        seed = draw_seed(self.random_state)
        with usual_modes(), draws_from(seed), genes_kept_on_failure(self):
            reader, model = self._read(X, groups, device)
            # Callbacks are shown the table, which has the names of the genes.
            tasks = FitTasks(self, X, y, max_subtasks=self.max_epochs)
            fitted = partial(self._fitted, *model)
            report = FitTask(tasks.context, **tasks.arguments, fitted=fitted)
            history = train_objective(self, *model, reader, groups, seed, report)
        model, history = agree((model, history))
        for name, value in self._fitted(*model).items():
            setattr(self, name, value)
        self.history_, self.n_iter_ = history, len(history)
        tasks.end({})
        return self

    def _read(self, X, groups, device):
        """Return what reads profiles, and the model that is trained on them."""
        resume = self.warm_start and hasattr(self, "encoder_")
        places = places_of_genes(self, X) if resume else None
        known = getattr(self, "feature_names_in_", None)
        reset = not resume or places is not None
        table = X
        X = check_genes(self, X, reset=reset, ensure_min_samples=2, lazy=True)
        warn_of_table(self, table, X)
        reader = RowReader(X, device)
        if resume:
            return reader, agree(self._last_model(reader, places, known))
        return reader, agree(self._make_model(reader, groups))

    def _make_model(self, reader, groups):
        standardizer = self._make_standardizer(reader)
        starts = fitted_starts(self, self.start)
        for start in starts:
            if in_unit_of(start, standardizer):
                carry_over(start.embedder.standardizer_, standardizer, start.places)
        encoder = self._make_encoder(reader.shape[1])
        objective = self._make_objective(encoder, standardizer, reader)
        for start in starts:
            # Weights of new genes are zero: until they have learnt, the network is
            # what it was.
            before = start.embedder.objective_
            carry_over(
                before, objective, start.places, zero_new=True, remedy=AS_THE_START
            )
        return standardizer, objective

    def _last_model(self, reader, places, known):
        """Return copies: an interrupted fit leaves the estimator as it was."""
        if places is None:
            check_all_profiles(reader, getattr(self, "feature_names_in_", None))
            return deepcopy((self.standardizer_, self.objective_))
        standardizer = self._make_standardizer(reader)
        check_unit(self.standardizer_, standardizer, places)
        carry_over(self.standardizer_, standardizer, places)
        return standardizer, self._with_genes(reader, standardizer, places, known)

    def _with_genes(self, reader, standardizer, places, known):
        """Return a copy of the objective for other genes; `known` had the last fit."""
        encoder = self._make_encoder(reader.shape[1])
        objective = self._make_objective(encoder, standardizer, reader)
        # Weights of zero: until they have learnt, the network is what it was.
        carry_over(self.objective_, objective, places, zero_new=True)
        return objective

    def _fitted(self, standardizer, objective):
        """Fitted attributes for a model, as of now."""
        return {
            "standardizer_": standardizer,
            "encoder_": objective.encoder,
            "objective_": objective,
            "_n_features_out": objective.encoder.embedding_dim,
        }

    def transform(self, X):
        """Embed profiles.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles in the units of the training data; NaN where a gene
            was not measured.

        Returns
        -------
        embedding : ndarray of shape (n_samples, embedding_dim), dtype float32
            The embedding of each sample, which does not depend on the others.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        return apply_by_batches(
            nn.Sequential(self.standardizer_, self.encoder_),
            X,
            resolve_device(self.device),
            getattr(self, "feature_names_in_", None),
        )

    def _make_standardizer(self, reader, known=None, warn=True):
        names = getattr(self, "feature_names_in_", None)
        settings = (self.standardize, self.clip, known, warn)
        return fit_standardizer(reader, names, *settings)

    def _split(self, n_samples, groups, seed):
        if groups is not None:
            check_consistent_length(groups, np.empty(n_samples))
        if self.n_iter_no_change is None:
            return torch.arange(n_samples), None
        train_rows, valid_rows = split_validation(
            n_samples, self.validation_fraction, seed, groups=groups
        )
        if len(valid_rows) < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {n_samples} "
                "samples leaves fewer than 2 to validate on; raise it, or train "
                "without early stopping by n_iter_no_change=None."
            )
        return train_rows, valid_rows

    def __sklearn_is_fitted__(self):
        # A fit that was interrupted has learnt the genes, but no encoder.
        return hasattr(self, "encoder_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
