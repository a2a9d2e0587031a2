"""Groups of risk, whose thresholds are learnt in training."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._warn import warn_caller

# So many quantiles are kept, thirds, quarters, fifths and tenths among them.
N_KEPT = 121


class RiskGroupsMixin:
    """Thresholds of risk, and the group of each patient.

    An estimator adds ``_risk_of(logits)``, the risks that go with what its linear part
    and its network say; in `_train_risk` quantiles of what they say of the training
    samples, or None, and in `_train_held_out` whether models of other folds said it.
    """

    def risk_thresholds(self, quantiles=(1 / 3, 2 / 3)):
        """Return thresholds between groups of risk, learnt in training.

        They are quantiles of the risks of the training samples, each predicted by the
        model of the inner folds that did not see it. Risks of the fitted model itself
        are further apart than those of new patients will be, so that thresholds among
        them would leave too many patients in the middle.

        Parameters
        ----------
        quantiles : float or array-like of shape (n_groups - 1,), default=(1/3, 2/3)
            Shares of the training samples below each threshold, ascending.

        Returns
        -------
        thresholds : ndarray of shape (n_groups - 1,)
            Highest risk of each group but the last, on the scale of `predict`.

        Raises
        ------
        ValueError
            If the model was fitted with strata, between which risks don't compare.

        Warns
        -----
        UserWarning
            If there were no inner folds, as with ``cv=None``: then thresholds are among
            risks of the fitted model, which was fitted to the outcome of these samples.
        """
        check_is_fitted(self)
        shares = np.atleast_1d(np.asarray(quantiles, dtype=float))
        inside = shares.ndim == 1 and ((shares > 0) & (shares < 1)).all()
        if not inside or (np.diff(shares) <= 0).any():
            raise ValueError(f"quantiles={quantiles!r} must ascend, within (0, 1).")
        logits = vars(self).get("_train_risk")
        if logits is None:
            raise ValueError(
                "Risks of the training samples are not known, or not comparable: the "
                "model was fitted with strata, or comes from a file of an earlier "
                "version. Give a time and risks at this time instead."
            )
        if not self._train_held_out:
            warn_caller(
                "There were no inner folds, so that these thresholds are among risks "
                "of samples whose outcome the model was fitted to, and groups of other "
                "patients will be of unequal size. Set cv, or give a time and risks."
            )
        return np.quantile(self._risk_of(logits), shares)

    def predict_risk_group(
        self, X, quantiles=(1 / 3, 2 / 3), *, time=None, risks=None, strata=None
    ):
        """Predict the group of risk that each patient belongs to.

        Thresholds are those of training: the group of a patient depends neither on the
        other patients of `X` nor on what comes of them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles.
        quantiles : float or array-like of shape (n_groups - 1,), default=(1/3, 2/3)
            Shares of the training samples below each threshold, see `risk_thresholds`.
        time : float, default=None
            Make groups by the predicted probability of the event by this time instead.
        risks : float or array-like of shape (n_groups - 1,), default=None
            Highest probability of each group but the last, ascending, such as 0.1 and
            0.3; needed with `time`.
        strata : array-like of shape (n_samples,), default=None
            Stratum of each sample, with `time` and a model that was fitted with strata.

        Returns
        -------
        group : ndarray of shape (n_samples,), dtype int
            From 0, the lowest risk, to ``n_groups - 1``.

        Raises
        ------
        ValueError
            If there is only one of `time` and `risks`, or as by `risk_thresholds`.

        Warns
        -----
        UserWarning
            As by `risk_thresholds`.
        """
        check_is_fitted(self)
        if (time is None) != (risks is None):
            raise ValueError(
                "Give both time and risks, the highest probabilities of the event by "
                "then of each group but the last, or neither."
            )
        if time is None:
            thresholds = self.risk_thresholds(quantiles)
            return np.searchsorted(thresholds, self.predict(X))
        if not isinstance(time, Real):
            raise ValueError(f"time={time!r} must be a number.")
        thresholds = np.atleast_1d(np.asarray(risks, dtype=float))
        inside = thresholds.ndim == 1 and ((thresholds > 0) & (thresholds < 1)).all()
        if not inside or (np.diff(thresholds) <= 0).any():
            raise ValueError(f"risks={risks!r} must be probabilities that ascend.")
        survival = self.predict_survival_function(X, times=[time], strata=strata)
        return np.searchsorted(thresholds, 1 - survival[:, 0])


def training_risks(fitted, folds, held_out, known, added, stratum):
    """Return what a model says of its training samples, as if it had not seen them.

    Parameters
    ----------
    fitted : tuple of ndarray of shape (n_samples,) and (n_samples, n_outputs)
        The linear log risk of the final model, and what its network adds.
    folds : list of (ndarray, ndarray)
        Inner folds; may be empty.
    held_out, known : ndarray of shape (n_samples,) or None
        Linear log risk of genes and of covariates, by models of the other folds.
    added : ndarray of shape (n_samples, n_outputs) or None
        What networks of the other folds add. None if there were none: then the network
        of the model is an earlier one that knows no outcome of these samples.
    stratum : ndarray of shape (n_samples,)
        Between strata risks don't compare.

    Returns
    -------
    learnt : dict
        Attributes of `RiskGroupsMixin`. Of the risks quantiles are kept, so that a
        model does not grow with its samples.
    """
    linear, own = fitted
    if stratum.any():
        return {"_train_risk": None, "_train_held_out": False}
    if folds:
        tested = np.unique(np.concatenate([test for _, test in folds]))
        linear, own = held_out + known, own if added is None else added
        linear, own = linear[tested], own[tested]
    logits = linear[:, None] + own
    logits = logits[np.argsort(logits.mean(axis=1), kind="stable")]
    place = np.linspace(0, len(logits) - 1, N_KEPT)
    low = place.astype(int)
    high, share = np.ceil(place).astype(int), (place - low)[:, None]
    kept = (1 - share) * logits[low] + share * logits[high]
    return {"_train_risk": kept, "_train_held_out": bool(folds)}
