"""Discrete-time hazards on a pretrained encoder."""

from numbers import Integral
from typing import Any

import numpy as np
import torch
from scipy.special import log_expit
from sklearn.base import _fit_context
from sklearn.callback import with_callbacks
from sklearn.utils._param_validation import Interval

from ._base import BaseFineTunedSurvival
from ._hazard_calibration import HazardCalibrationMixin
from ._strata import find_strata
from ._tasks import HazardTask


class FineTunedDiscreteHazard(HazardCalibrationMixin, BaseFineTunedSurvival):
    """Predict survival by hazards in intervals of time, on a pretrained encoder.

    Time is cut at quantiles of the event times. The hazard of an interval is the
    probability of the event in it for those who live to see it, the logistic function
    of a weighted sum [1]_: of an intercept for each interval, of a linear log risk of
    all genes that the intervals share, fitted as in `FineTunedCoxPH`, and of what a
    head with an output for each interval makes of the embedding. So curves may cross:
    hazards need not be proportional.

    Parameters
    ----------
    embedder : embedder or FrozenEstimator, default=None
        What pretrains the encoder, such as `SCARF()`, fitted on the `X` of `fit`. In
        ``FrozenEstimator(embedder)`` it was fitted before, perhaps on other samples,
        and its weights are the start; it may also be a fitted survival estimator, see
        `prior_weight`. None means `SCARF()`.
    n_intervals : int, default=10
        Number of intervals; fewer where events share their times.
    covariates : str, int, slice, list, callable or None, default=None
        Clinical columns of `X` beside the genes, by name, position, mask or a function
        of `X`: standardised, without a penalty, and not shown to the encoder, see
        `FineTunedCoxPH`.
    alpha : float or "cv", default="cv"
        Penalty of the coefficients of scaled genes, ``alpha / 2 * |coef|^2``. "cv"
        chooses among 12 the one with the best partial likelihood in inner
        cross-validation, or with `prior_weight`, see there.
    l1_ratio : float, default=0.0
        Share of the penalty that is on absolute coefficients instead.
    scaling : {"rank", "standard"}, default="rank"
        How genes enter the linear part, see `FineTunedCoxPH`.
    cv : int, splitter, iterable of splits or None, default=3
        Inner folds that choose `alpha` and the weight of the network; a number means
        folds balanced by event and time, fewer where there are not 3 events for each.
        None adds both parts as they are, and needs a number for `alpha`.
    prior_weight : float or "cv", default="cv"
        How much of an earlier survival model, from `embedder` or `warm_start`, takes
        part: its coefficients and those of its head, if it has as many intervals, times
        this number, are added to what is learnt here. "cv" lets the inner folds choose
        between none (0) and all of it (1), and genes may differ, see `FineTunedCoxPH`.
    freeze : bool, default=False
        Whether the encoder keeps its pretrained weights, so that only the head
        is trained.
    encoder_lr : float, default=1e-4
        Peak learning rate of the encoder.
    max_epochs : int, default=30
        Passes over the samples to train the network; 0 leaves the linear part alone,
        and ``SCARF(max_epochs=0)`` as `embedder` saves the pretraining, too.
    batch_size : int or "auto", default="auto"
        "auto" sees all samples in each step up to 4,096 of them.
    lr : float, default=1e-3
        Peak learning rate of the head: warmed up over the first tenth of the steps,
        then brought to zero along a cosine.
    weight_decay : float, default=0.01
        Decoupled weight decay of the network.
    device : str or torch.device, default="auto"
        Where to compute; "auto" takes CUDA if there is any, else the CPU.
    callbacks : list of skorch callbacks or None, default=None
        Run during fine-tuning, not in the inner folds. Callbacks of scikit-learn are
        set by `set_callbacks` and also see the pretraining.
    warm_start : bool, default=False
        Whether `fit` starts from the encoder of the last fit, without pretraining, and
        adds its coefficients, see `prior_weight`.
    verbose : int, default=0
        Whether a line is printed for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds and the batches, and of an `embedder` that has none of its
        own. None draws it from numpy's global generator; torch's are left alone. The
        same seed and number of threads give the same result: see Threads in
        :doc:`/user_guide/pretraining`.

    Attributes
    ----------
    cuts_ : ndarray of shape (n_intervals,)
        Where each interval ends; the last event of `fit` is in the last of them.
    intercepts_ : ndarray of shape (n_intervals,)
        What each interval adds to the logit of its hazard, beside the bias of `head_`:
        so much that as many events are expected as there were, by risks as of models
        that did not see the samples, see `FineTunedCoxPH`.
    slope_ : float
        What logits are multiplied with, beside the intercepts: 1, unless by
        `recalibrate`.
    covariates_ : ndarray of shape (n_covariates,)
        Positions of the covariates among the columns of `X`.
    coef_covariates_ : DataFrame of shape (n_covariates, 7)
        Their effects on the shared log risk, from the partial likelihood of Cox, with
        standard errors, see `FineTunedCoxPH`.
    coef_ : ndarray of shape (n_genes,)
        Coefficients of the scaled genes in the shared log risk.
    coef_table_ : DataFrame of shape (`n_features_in_`, 8)
        Both, in the order of `X`, with their "kind", "gene" or "covariate". Genes have
        a "hazard_ratio" by standard deviation, shrunk, and no standard error.
    alpha_ : float
        The penalty.
    alphas_ : ndarray of shape (n_alphas,)
        Penalties that were tried, the largest first.
    gains_ : ndarray of shape (n_alphas,) or None
        What each gained in log partial likelihood of samples held out, over none of the
        genes and without an earlier model: with covariates, over these alone.
    prior_weight_ : float
        Weight of the earlier model; 0 without one.
    unique_times_ : ndarray of shape (n_unique_times,)
        Times of follow-up seen in `fit`, ascending.
    event_times_ : ndarray of shape (n_event_times,)
        Those at which an event happened.
    linear_ : torch.nn.Module
        Scales genes and gives the linear part of the log risk.
    encoder_ : torch.nn.Module
        The fine-tuned encoder, for standardised genes.
    standardizer_ : torch.nn.Module
        Standardises genes as in pretraining.
    head_ : torch.nn.Module
        The linear layer above the encoder, with an output for each interval.
    history_ : list of dict
        One row for each epoch of fine-tuning; empty if the network is not used.
    n_iter_ : int
        Number of epochs of fine-tuning.
    n_features_in_ : int
        Number of columns seen in `fit`, genes and covariates.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if `X` had any.

    See Also
    --------
    FineTunedCoxPH : With proportional hazards.

    Notes
    -----
    Within an interval the hazard is taken to be constant, so that curves are defined at
    all times [2]_. After the last cut nothing is known, and they stay where they are.
    Those whose follow-up ends within an interval have no part in the likelihood there;
    to its intercept they count by the share of it that they lived, as in a life table.

    References
    ----------
    .. [1] Gensheimer M.F., Narasimhan B. "A scalable discrete-time survival model for
       neural networks", PeerJ 7:e6257, 2019. :doi:`10.7717/peerj.6257`
    .. [2] Kvamme H., Borgan O. "Continuous and discrete-time survival prediction with
       neural networks", Lifetime Data Anal. 27, 2021. :doi:`10.1007/s10985-021-09532-6`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import SCARF, FineTunedDiscreteHazard
    >>> from skgex.datasets import load_breast_nki
    >>> X, y = load_breast_nki(return_X_y=True)
    >>> followed_up = np.isfinite(y["time"])
    >>> X, y = X[followed_up], y[followed_up]
    >>> model = FineTunedDiscreteHazard(SCARF(max_epochs=5), random_state=0)
    >>> model = model.fit(X[:100], y[:100])
    >>> bool(model.score(X[100:], y[100:]) > 0.6)
    True
    >>> model.predict_survival_function(X[100:], times=[365, 1825]).shape
    (46, 2)
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    cuts_: Any
    intercepts_: Any

    _parameter_constraints: dict = {
        **BaseFineTunedSurvival._parameter_constraints,
        "n_intervals": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        embedder=None,
        *,
        n_intervals=10,
        covariates=None,
        alpha: float | str = "cv",
        l1_ratio=0.0,
        scaling="rank",
        cv: Any = 3,
        prior_weight: float | str = "cv",
        freeze=False,
        encoder_lr=1e-4,
        max_epochs=30,
        batch_size: int | str = "auto",
        lr=1e-3,
        weight_decay=0.01,
        device: Any = "auto",
        callbacks=None,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            embedder,
            covariates=covariates,
            alpha=alpha,
            l1_ratio=l1_ratio,
            scaling=scaling,
            cv=cv,
            prior_weight=prior_weight,
            freeze=freeze,
            encoder_lr=encoder_lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            device=device,
            callbacks=callbacks,
            warm_start=warm_start,
            verbose=verbose,
            random_state=random_state,
        )
        self.n_intervals = n_intervals

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Pretrain, fit the linear part, then fine-tune the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        y : structured array of shape (n_samples,)
            Event (bool) and time of each sample, as made by scikit-survival's `Surv`;
            or a table with these two columns.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the likelihood. Pretraining does not use them.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are kept on one side of internal
            splits.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, None, groups)

    def predict(self, X):
        """Predict the risk.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.

        Returns
        -------
        risk : ndarray of shape (n_samples,)
            Expected number of events, were each sample followed up anew at every cut:
            the sum of the cumulative hazards there. Up means worse.
        """
        risk, added = self._checked_risk(X)
        return self._risk_of(risk[:, None] + added)

    def _risk_of(self, logits):
        # One after the other: a sum goes another way where there are fewer samples.
        return self._hazard_at_cuts(logits).cumsum(axis=1)[:, -1]

    def _hazard_at_cuts(self, logits):
        """Return the cumulative hazard at time 0 and at each cut."""
        # Files of before it was there are of models that were not recalibrated.
        logits = vars(self).get("slope_", 1.0) * logits + self.intercepts_
        hazard = -log_expit(-logits).cumsum(axis=1)
        return np.pad(hazard, ((0, 0), (1, 0)))

    def _cumulative_hazard(self, X, times, strata):
        risk, added = self._checked_risk(X)
        hazard = self._hazard_at_cuts(risk[:, None] + added)
        find_strata(strata, hazard, self._strata)
        cuts = np.append(0.0, self.cuts_)
        place = np.searchsorted(cuts, times, side="left").clip(1, len(self.cuts_))
        length = cuts[place] - cuts[place - 1]
        # Plain targets may have events at time 0, which is then the end of an interval.
        share = (times - cuts[place - 1]) / np.where(length > 0, length, 1)
        share = np.clip(share, 0, 1)
        return hazard[:, place - 1] * (1 - share) + hazard[:, place] * share

    def _curve_knots(self):
        # After the last cut nothing is known, and curves stay where they are.
        return np.append(0.0, self.cuts_), True

    def _make_task(self, data):
        times = data.time[data.event].numpy()
        # More would end at the same times.
        n_intervals = min(self.n_intervals, len(times))
        shares = np.linspace(0, 1, n_intervals + 1)[1:]
        return HazardTask(np.unique(np.quantile(times, shares, method="higher")))

    def _finish(self, learnt, task, risk, data):
        linear, added = risk
        logits = torch.from_numpy(linear[:, None] + added)
        intercepts = task.baseline(logits, data).numpy()
        return {"cuts_": task.cuts, "intercepts_": intercepts, "slope_": 1.0}
