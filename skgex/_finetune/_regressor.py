"""Regression on a pretrained encoder."""

import re
from numbers import Real
from typing import Any

import numpy as np
import torch
from sklearn.base import RegressorMixin, _fit_context
from sklearn.callback import with_callbacks
from sklearn.utils.validation import _check_y, check_array

from .._inputs import refuse_unread
from ._base import BaseFineTuned
from ._linear_models import in_own_span, ridge_regression, some_rows
from ._marks import as_labels, labeled_samples
from ._score import LabeledScoreMixin

# Squares of larger targets, summed over samples, overflow in double precision.
_LARGEST = 1e150
# What numpy and pandas say of text and other objects.
_NO_NUMBER = re.compile(r"could not convert|float\(\)")


class FineTunedRegressor(LabeledScoreMixin, RegressorMixin, BaseFineTuned):
    """Predict continuous phenotypes by fine-tuning a pretrained encoder.

    The encoder of `embedder` is pretrained on all samples without their targets, a
    linear layer is put on top, and both are trained on the samples that have a target
    by the mean squared error [1]_. By default the linear layer starts as a ridge
    regression on the embedding [2]_. Each output is standardised during training.

    Parameters
    ----------
    embedder : embedder or FrozenEstimator, default=None
        What pretrains the encoder, such as `VIME()`, fitted on the `X` of `fit`. In
        ``FrozenEstimator(embedder)`` it was fitted before, perhaps on other samples,
        and its weights are the start; it may also be a fine-tuned estimator, whose
        encoder has learnt something else. None means `VIME()`. With ``max_epochs=0``
        it is not pretrained: the from-scratch baseline.
    covariates : str, int, slice, list, callable or None, default=None
        Clinical columns of `X` beside the genes, such as age: by name, by position, by
        a mask, or by a function of `X` such as ``make_column_selector(...)``. The head
        sees them, standardised, beside the embedding, and linear models beside the
        genes; the encoder does not. They may not have NaN: impute them in a
        `ColumnTransformer` before.
    freeze : bool, default=False
        Whether the encoder keeps its pretrained weights, so that only the head
        is trained.
    head_init : {"probe", "random"}, default="probe"
        How the linear layer starts: as a ridge regression on the embedding, or at
        random.
    linear_weight : float, default=0.0
        Weight in [0, 1] of ridge regression on all genes in an average with the
        network, which has the rest. 0 is the network alone: where expression says much
        of a target the average was worse, and hardly better elsewhere.
    encoder_lr : float, default=1e-4
        Peak learning rate of the encoder.
    unlabeled : float or None, default=None
        Target value of samples that have no label. They take part in pretraining and
        not in fine-tuning, and `score` leaves them out. NaN is allowed. With several
        outputs a sample is unlabelled if any of them is. In searches and
        cross-validation split by :class:`LabeledKFold`.
    max_epochs : int, default=80
        Passes over the labelled samples.
    batch_size : int or "auto", default="auto"
        Upper bound on the samples of a batch; batches are of nearly equal size. "auto"
        is a 25th of the labelled samples, but at least 32 and at most 256.
    lr : float, default=1e-4
        Peak learning rate of the head: warmed up over the first tenth of the steps,
        then brought to zero along a cosine.
    weight_decay : float, default=0.01
        Decoupled weight decay.
    corruption_rate : float, default=0.0
        Share of the genes, in [0, 1), that have the values of other labelled samples of
        the batch in each step of fine-tuning, drawn anew each time. It keeps a
        network from learning single samples by heart, where labels are few and
        nothing was pretrained. Not with `freeze`, which trains no encoder.
    validation_fraction : float, default=0.1
        Share of the labelled samples held out for early stopping; of the groups if
        `fit` is given `groups`. Only used with `n_iter_no_change`.
    n_iter_no_change : int or None, default=None
        Stop after this many epochs without a lower validation loss, and restore the
        best weights. If the validation part would have fewer than 20 samples, too few
        to tell a better epoch from a luckier one, none is split off and training
        goes on for `max_epochs`, as with None; the learning rate falls to zero
        by then in any case.
    device : str or torch.device, default="auto"
        Where to compute; "auto" takes CUDA if there is any, else the CPU.
    callbacks : list of skorch callbacks or None, default=None
        Run during fine-tuning. Callbacks of scikit-learn are set by `set_callbacks`
        and also see the pretraining.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last fit, without pretraining.
    verbose : int, default=0
        Whether a line is printed for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the head and the batches, and of an `embedder` that has none of its own.
        None draws it from numpy's global generator; torch's are left alone. The same
        seed and number of threads give the same result: see Threads in
        :doc:`/user_guide/pretraining`.

    Attributes
    ----------
    encoder_ : torch.nn.Module
        The fine-tuned encoder, for standardised genes.
    standardizer_ : torch.nn.Module
        Standardises genes as in pretraining.
    head_ : torch.nn.Module
        The linear layer above the encoder, and the covariates.
    covariates_ : ndarray of shape (n_covariates,)
        Positions of the covariates among the columns of `X`.
    linear_ : torch.nn.Module or None
        The linear model, from genes in the units of `X`. None with a `linear_weight`
        of 0.
    history_ : list of dict
        One row for each epoch of fine-tuning.
    n_iter_ : int
        Number of epochs of fine-tuning.
    n_features_in_ : int
        Number of columns seen in `fit`, genes and covariates.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if `X` had any.

    See Also
    --------
    FineTunedClassifier : The same for classes.
    LabeledKFold : Folds of labelled samples for searches and cross-validation.

    References
    ----------
    .. [1] Dradjat K., Hamidi M., Bartet P., Hanczar B. "Self-supervised representation
       learning on gene expression data", Bioinformatics 41(11), 2025.
       :doi:`10.1093/bioinformatics/btaf533`
    .. [2] Kumar A. et al. "Fine-tuning can distort pretrained features and underperform
       out-of-distribution", ICLR 2022. :arxiv:`2202.10054`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import VIME, FineTunedRegressor
    >>> from skgex.datasets import make_cohort
    >>> cohort = make_cohort(n_samples=200, n_genes=100, random_state=0)
    >>> X, y = cohort.data, cohort.factors[:, 0]
    >>> regressor = FineTunedRegressor(VIME(max_epochs=20), random_state=0).fit(X, y)
    >>> regressor.predict(X[:5]).shape
    (5,)
    """

    _parameter_constraints: dict = {
        **BaseFineTuned._parameter_constraints,
        "unlabeled": [Real, None],
    }

    def __init__(
        self,
        embedder=None,
        *,
        covariates=None,
        freeze=False,
        head_init="probe",
        linear_weight=0.0,
        encoder_lr=1e-4,
        unlabeled=None,
        max_epochs=80,
        batch_size: int | str = "auto",
        lr=1e-4,
        weight_decay=0.01,
        corruption_rate=0.0,
        validation_fraction=0.1,
        n_iter_no_change=None,
        device: Any = "auto",
        callbacks=None,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            embedder,
            covariates=covariates,
            freeze=freeze,
            head_init=head_init,
            linear_weight=linear_weight,
            encoder_lr=encoder_lr,
            unlabeled=unlabeled,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            corruption_rate=corruption_rate,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            device=device,
            callbacks=callbacks,
            warm_start=warm_start,
            verbose=verbose,
            random_state=random_state,
        )

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Pretrain on all samples, then fine-tune on those with a target.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; `unlabeled` marks samples without.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in fine-tuning. Pretraining does not use them.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are kept on one side of internal
            validation splits.

        Returns
        -------
        self : object
            The fitted regressor.
        """
        return self._fit(X, y, sample_weight, groups)

    def predict(self, X):
        """Predict the targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of the targets in `fit`.
        """
        # Regressors of scikit-learn answer in float64; so the digits are computed too.
        output = self._outputs(X, dtype=torch.float64)
        return (output * self._y_scale + self._y_mean).reshape(-1, *self._y_shape)

    def _check_target(self, y):
        if y is None:
            raise ValueError(
                "FineTunedRegressor requires y to be passed, but the target y is None."
            )
        y = as_labels(y)
        refuse_unread(y, "y")
        if getattr(getattr(y, "dtype", None), "kind", "") in ("m", "M"):
            raise ValueError(
                f"y has dates or times, of type {y.dtype}: give numbers, such as days."
            )
        try:
            y = check_array(
                y,
                ensure_2d=False,
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                input_name="y",
            )
        except (TypeError, ValueError) as error:
            if not _NO_NUMBER.search(str(error)):
                raise
            raise ValueError(
                f"y must be numbers: {error}. For classes use FineTunedClassifier."
            ) from None
        labeled = labeled_samples(y, self.unlabeled)
        if labeled.any():
            _check_y(y[labeled], multi_output=True, y_numeric=True, estimator=self)
        return y, labeled

    def _encode_target(self, y, weight):
        columns = y.reshape(len(y), -1)
        largest = columns.flat[np.abs(columns).argmax()]
        if abs(largest) > _LARGEST:
            raise ValueError(
                f"y has {largest:g}, whose square is too large to compute with; look "
                "for a marker of missing values, and name it as `unlabeled`, or take "
                "logarithms of y."
            )
        mean = np.average(columns, axis=0, weights=weight)
        scale = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))
        scale[scale == 0] = 1.0
        target = torch.from_numpy(((columns - mean) / scale).astype(np.float32))
        learnt = {"_y_mean": mean, "_y_scale": scale, "_y_shape": y.shape[1:]}
        return target, weight, columns.shape[1], learnt

    def _probe(self, embedding, target, weight):
        return ridge_regression(embedding, target, weight, np.logspace(0, 4, 9))

    def _fit_linear(self, genes, rows, target, weight, groups):
        alphas = np.logspace(0, 7, 15)
        labeled = some_rows(genes, rows)
        return *in_own_span(ridge_regression, labeled, target, weight, alphas), {}

    def _loss(self, output, target):
        return (output - target).square().mean(dim=1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags
