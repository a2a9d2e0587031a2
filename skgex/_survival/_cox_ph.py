"""Cox's proportional hazards on a pretrained encoder."""

from typing import Any

import numpy as np
from sklearn.base import _fit_context
from sklearn.callback import with_callbacks
from sklearn.utils._param_validation import StrOptions

from ._base import BaseFineTunedSurvival
from ._baseline import stratified_baseline
from ._curves import step_function
from ._new_cohort import NewCohortMixin
from ._strata import find_strata
from ._tasks import CoxTask

# Its exponential is a number.
_LARGEST_RISK = 700.0


class FineTunedCoxPH(NewCohortMixin, BaseFineTunedSurvival):
    """Predict survival by Cox regression on all genes and on a pretrained encoder.

    The log risk of a profile is the sum of two parts. The first is linear in all genes,
    fitted by penalised partial likelihood [1]_ and exact however many genes there are.
    The second is what a linear head makes of the embedding of `embedder`, pretrained on
    all samples without their follow-up, then fine-tuned by the same likelihood [2]_.
    Inner cross-validation chooses the penalty of the first, and the weight of the
    second: zero, unless it improves the likelihood of samples held out.

    Parameters
    ----------
    embedder : embedder or FrozenEstimator, default=None
        What pretrains the encoder, such as `SCARF()`, fitted on the `X` of `fit`. In
        ``FrozenEstimator(embedder)`` it was fitted before, perhaps on other samples,
        and its weights are the start. It may also be a fitted survival estimator, say
        of other cancer types, in a `FrozenEstimator`: then its coefficients take part,
        see `prior_weight`. None means `SCARF()`.
    covariates : str, int, slice, list, callable or None, default=None
        Clinical columns of `X` beside the genes, such as age and stage as numbers: by
        name, by position, by a mask, or by a function of `X` such as
        ``make_column_selector(pattern="^clinical_")``. They are standardised, never
        ranked, have coefficients without a penalty, and are not shown to the encoder.
        They may not have NaN: impute them in a `ColumnTransformer` before.
    alpha : float or "cv", default="cv"
        Penalty of the coefficients of scaled genes, ``alpha / 2 * |coef|^2``, as in
        scikit-survival's `CoxPHSurvivalAnalysis`. "cv" chooses among 12 the one with
        the best partial likelihood in inner cross-validation, beside an earlier model
        if `prior_weight` is a number; with "cv" for both, see there.
    l1_ratio : float, default=0.0
        Share of the penalty that is on absolute coefficients instead: 0 is ridge, 1
        the lasso, anything between the elastic net.
    scaling : {"rank", "standard"}, default="rank"
        How genes enter the linear part. "rank" replaces each value by the normal
        quantile of its rank among the training samples and then, with at least 200
        genes, standardises each sample: insensitive to tails, units and the quality of
        a sample. "standard" takes the units of `X`. Both then standardise each gene,
        and clip at 6 standard deviations.
    ties : {"efron", "breslow"}, default="efron"
        What is done about tied events.
    cv : int, splitter, iterable of splits or None, default=3
        Inner folds that choose `alpha` and the weight of the network; a number means
        folds balanced by event and time, fewer where there are not 3 events for each.
        None adds both parts as they are, and needs a number for `alpha`.
    prior_weight : float or "cv", default="cv"
        How much of an earlier survival model, from `embedder` or `warm_start`, takes
        part: its coefficients and those of its head, times this number, are added to
        what is learnt here. "cv" lets the inner folds choose between none (0) and all
        of it (1). Each weight and each `alpha` counts by the likelihood of samples held
        out, and the mean is taken, since few events can't tell the best; without folds
        it is all. Genes are matched by name: those that `X` lacks are left out, with a
        warning, and new ones have no coefficient to start from. `scaling` must be that
        of the earlier model, which must not have seen these samples.
    freeze : bool, default=False
        Whether the encoder keeps its pretrained weights, so that only the head
        is trained.
    encoder_lr : float, default=1e-4
        Peak learning rate of the encoder.
    max_epochs : int, default=30
        Passes over the samples to train the network; 0 leaves the linear part alone,
        and ``SCARF(max_epochs=0)`` as `embedder` saves the pretraining, too.
    batch_size : int or "auto", default="auto"
        "auto" sees all samples in each step up to 4,096 of them, so that risk sets are
        whole. In batches they are estimated: the samples of a batch stand for all.
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
    covariates_ : ndarray of shape (n_covariates,)
        Positions of the covariates among the columns of `X`.
    coef_covariates_ : DataFrame of shape (n_covariates, 7)
        "coef", the change of the log risk by unit of a covariate, its
        "standard_error", "hazard_ratio" with a Wald interval of 95 % from "lower" to
        "upper", "z" and "pvalue". See Notes for what they are conditional on.
    coef_ : ndarray of shape (n_genes,)
        Coefficients of the scaled genes: change of the log risk by standard deviation.
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
    slope_ : float
        What log risks are multiplied with: 1, unless by `recalibrate`.
    unique_times_ : ndarray of shape (n_unique_times,)
        Times of follow-up seen in `fit`, ascending.
    event_times_ : ndarray of shape (n_event_times,)
        Those at which an event happened.
    cum_baseline_hazard_ : StepFunction, or dict of them by stratum
        Cumulative hazard of a profile whose log risk is zero, by Breslow's estimate.
        See Notes for the risks it is estimated beside.
    linear_ : torch.nn.Module
        Scales genes and gives the linear part of the log risk.
    encoder_ : torch.nn.Module
        The fine-tuned encoder, for standardised genes.
    standardizer_ : torch.nn.Module
        Standardises genes as in pretraining.
    head_ : torch.nn.Module
        The linear layer above the encoder. If the network is not used, its
        weights are zero, or those of an earlier model times `prior_weight_`.
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
    FineTunedDiscreteHazard : Without proportional hazards.
    UnivariateCoxSelector : Select prognostic genes.

    Notes
    -----
    With ``max_epochs=0``, ``scaling="standard"``, ``cv=None`` and a number for `alpha`
    this is ridge regression: the coefficients and the baseline hazard of
    ``CoxPHSurvivalAnalysis(alpha, ties="efron")`` on standardised genes, in the time of
    a singular value decomposition.

    With inner folds the baseline hazard is estimated beside risks of the training
    samples that models of the other folds predicted. By the fitted model, those with
    early events look worse than new patients like them will; who is left then seems to
    be at low risk, and a baseline that makes up for it is too high later on.

    Covariates take part in each Newton step, with a penalty of zero. Their standard
    errors are from the inverse information of the penalised likelihood, from which
    genes are profiled out, as R's ``coxph`` has them beside ``ridge()``. They count in
    that genes, within their penalty, may say the same; not that `alpha` was chosen by
    the same samples, nor, with `l1_ratio`, which genes were. Beside an earlier
    model covariates are fitted with its log risk, times `prior_weight_`, as an offset.
    What a network adds comes on top, and is not in them. If `alpha` is so
    large that genes count for nothing, say 1e12, this is Cox regression on the
    covariates. Whether hazards are proportional is tested on Schoenfeld residuals of
    the risk [3]_, by `check_proportional_hazards`.

    References
    ----------
    .. [1] Cox D.R. "Regression models and life-tables", JRSS B 34(2), 1972.
    .. [2] Katzman J.L. et al. "DeepSurv: personalized treatment recommender system
       using a Cox proportional hazards deep neural network", BMC Med. Res. Methodol.
       18:24, 2018. :doi:`10.1186/s12874-018-0482-1`
    .. [3] Grambsch P.M., Therneau T.M. "Proportional hazards tests and diagnostics
       based on weighted residuals", Biometrika 81(3), 1994.
       :doi:`10.1093/biomet/81.3.515`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import SCARF, FineTunedCoxPH
    >>> from skgex.datasets import load_breast_nki
    >>> X, y = load_breast_nki(return_X_y=True)
    >>> followed_up = np.isfinite(y["time"])
    >>> X, y = X[followed_up], y[followed_up]
    >>> cox = FineTunedCoxPH(SCARF(max_epochs=5), random_state=0).fit(X[:100], y[:100])
    >>> bool(cox.score(X[100:], y[100:]) > 0.6)
    True
    >>> survival = cox.predict_survival_function(X[100:], times=[365, 1825])
    >>> survival.shape
    (46, 2)
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    slope_: float

    _parameter_constraints: dict = {
        **BaseFineTunedSurvival._parameter_constraints,
        "ties": [StrOptions({"efron", "breslow"})],
    }

    def __init__(
        self,
        embedder=None,
        *,
        covariates=None,
        alpha: float | str = "cv",
        l1_ratio=0.0,
        scaling="rank",
        ties="efron",
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
        self.ties = ties

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, strata=None, groups=None):
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
        strata : array-like of shape (n_samples,), default=None
            Such as the cancer type: samples are compared within strata only, each of
            which has a baseline hazard of its own, and scales genes by itself.
            `predict` scales them as all samples together would, so that its risks are
            to be compared within strata, too.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are kept on one side of internal
            splits.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, strata, groups)

    def predict(self, X):
        """Predict the log risk.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.

        Returns
        -------
        risk : ndarray of shape (n_samples,)
            Logarithm of the hazard ratio to an average profile: up means worse.
        """
        risk, added = self._checked_risk(X)
        return self._risk_of(risk[:, None] + added)

    @property
    def cum_baseline_hazard_(self):
        """Cumulative hazard of a profile whose log risk is zero."""
        functions = [step_function(self.unique_times_, h) for h in self._baseline]
        if self._strata is None:
            return functions[0]
        return dict(zip(self._strata.tolist(), functions, strict=True))

    def _cumulative_hazard(self, X, times, strata):
        # No higher, so that a hazard of zero times the risk is zero.
        risk = np.exp(np.minimum(self.predict(X), _LARGEST_RISK))
        stratum = find_strata(strata, risk, self._strata)
        place = np.searchsorted(self.unique_times_, times, side="right")
        baseline = np.pad(self._baseline, ((0, 0), (1, 0)))[:, place]
        with np.errstate(over="ignore"):  # nobody survives
            hazard = baseline[stratum] * risk[:, None]
        return np.minimum(hazard, np.finfo(float).max)

    def _risk_of(self, logits):
        # Files of before it was there are of models that were not recalibrated.
        return vars(self).get("slope_", 1.0) * logits[:, 0]

    def _curve_knots(self):
        return self.unique_times_, False

    def _make_task(self, data):
        return CoxTask(self.ties)

    def _finish(self, learnt, task, risk, data):
        linear, added = risk
        names, times = learnt["_strata"], learnt["unique_times_"]
        baseline = stratified_baseline(linear + added[:, 0], data, names, times)
        return {"_baseline": baseline, "slope_": 1.0}
