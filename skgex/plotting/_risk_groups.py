"""Observed survival of groups of predicted risk."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from .._follow_up import check_survival
from .._warn import warn_caller
from ..evaluation._profiles import as_target
from ..evaluation._survival_checks import as_numbers
from ._axes import check_matplotlib
from ._group_curves import GroupCurves
from ._hazard_ratios import hazard_ratios
from ._kaplan_meier import kaplan_meier, log_rank_test
from ._thresholds import (
    find_thresholds,
    group_names,
    warn_of_outcome,
    warn_of_own_risks,
)


class RiskGroupsDisplay(GroupCurves):
    """Observed survival of groups of predicted risk, by Kaplan-Meier curves.

    Made by :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_groups`.
    Bands are 95 % intervals of each curve, by Greenwood's variance on the scale of
    ``log(-log(S))``. The p-value is that of the log-rank test between all groups; the
    hazard ratio that of Cox regression on the groups, of the last to the first. How
    many samples are still followed up is written below the axis.

    Thresholds between groups are those that the estimator has learnt in training
    (`risk_thresholds`), quantiles of given risks of the training samples, or given.
    They are never quantiles of the risks that are tested: a patient's group must not
    depend on the other patients, or the model cannot be used for a single one, and
    thresholds that were moved to where these curves come apart best make any two groups
    differ.

    Parameters
    ----------
    curves : dict of str to DataFrame
        By name of the group, lowest risk first, the columns `time`, `survival`, `low`,
        `high`, `n_at_risk` and `n_events`, from time zero on.
    p_value : float, default=None
        Of the log-rank test between the groups. None writes none.
    hazard_ratios : DataFrame of shape (n_groups, 3), default=None
        By name of the group, its "hazard_ratio" to the first one, with an interval of
        95 % from "low" to "high"; NaN where there is no estimate. None writes none.
    thresholds : ndarray of shape (n_groups - 1,), default=None
        Highest risk of each group but the last.

    Attributes
    ----------
    ax_ : Axes
        What was drawn in.
    figure_ : Figure or SubFigure
        Its figure.
    lines_ : list of Line2D
        One for each group.
    bands_ : list of PolyCollection
        Their intervals.
    labels_ : list of Annotation
        Their names, with the number of events and of samples.
    at_risk_ : DataFrame
        Numbers at risk, one row for each group, one column for each time.

    See Also
    --------
    SurvivalCalibrationDisplay : Whether predicted survival is met.
    sksurv.compare.compare_survival : The same test.

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH
    >>> from skgex.datasets import load_breast_nki
    >>> from skgex.plotting import RiskGroupsDisplay
    >>> X, y = load_breast_nki(return_X_y=True)
    >>> followed_up = np.isfinite(y["time"])
    >>> X, y = X[followed_up], y[followed_up]
    >>> folds = EventStratifiedKFold(n_splits=2, random_state=0)
    >>> train, test = next(folds.split(X, y))
    >>> cox = FineTunedCoxPH(
    ...     SCARF(max_epochs=0), alpha=500, max_epochs=0, random_state=0
    ... )
    >>> cox = cox.fit(X[train], y[train])
    >>> display = RiskGroupsDisplay.from_estimator(
    ...     cox,
    ...     X[test],
    ...     y[test],
    ...     quantiles=[0.5],
    ...     time_scale=365.25,
    ...     time_name="years",
    ... )
    >>> list(display.curves)
    ['low risk', 'high risk']
    """

    def __init__(self, curves, *, p_value=None, hazard_ratios=None, thresholds=None):
        self.curves = curves
        self.p_value = p_value
        self.hazard_ratios = hazard_ratios
        self.thresholds = thresholds

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        thresholds=None,
        train_risk=None,
        quantiles: Iterable[float] = (1 / 3, 2 / 3),
        names=None,
        **plot_kw,
    ):
        """Draw groups of the risks that an estimator predicts for new samples.

        Parameters
        ----------
        estimator : estimator
            Its `predict` returns risks: the higher, the earlier the event.
        X : array-like of shape (n_samples, n_genes)
            Profiles that it was not fitted to.
        y : structured array or table of shape (n_samples,)
            Event and time of each.
        thresholds : array-like of shape (n_groups - 1,), default=None
            Highest risk of each group but the last, ascending. Give this or
            `train_risk`, or neither if the estimator has learnt thresholds in
            training, as survival estimators of this package do.
        train_risk : array-like of shape (n_training_samples,), default=None
            Risks of the training samples, of whose quantiles the thresholds are. Best
            are risks of models that did not see the sample, by
            :func:`sklearn.model_selection.cross_val_predict`: those of the fitted model
            itself are further apart than risks of new samples, whose middle group is
            then the largest.
        quantiles : array-like of shape (n_groups - 1,), default=(1/3, 2/3)
            Shares of the training samples below each threshold.
        names : list of str, default=None
            Names of the groups, lowest risk first.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : RiskGroupsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are neither thresholds nor training risks, or both.

        Warns
        -----
        UserWarning
            If a group has no sample, or if groups were cut by the outcome.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        thresholds = find_thresholds(thresholds, train_risk, quantiles, estimator)
        risk = estimator.predict(X)
        warn_of_own_risks(risk, train_risk)
        return cls._from_risk(y, risk, thresholds, names, plot_kw)

    @classmethod
    def from_predictions(
        cls,
        y,
        risk,
        *,
        thresholds=None,
        train_risk=None,
        quantiles: Iterable[float] = (1 / 3, 2 / 3),
        names=None,
        **plot_kw,
    ):
        """Draw groups of given risks.

        Parameters
        ----------
        y : structured array or table of shape (n_samples,)
            Event and time of each sample.
        risk : array-like of shape (n_samples,)
            Predicted risks: the higher, the earlier the event.
        thresholds : array-like of shape (n_groups - 1,), default=None
            Highest risk of each group but the last, ascending. Give this or
            `train_risk`.
        train_risk : array-like of shape (n_training_samples,), default=None
            Risks of the training samples, of whose quantiles the thresholds are.
        quantiles : array-like of shape (n_groups - 1,), default=(1/3, 2/3)
            Shares of the training samples below each threshold.
        names : list of str, default=None
            Names of the groups, lowest risk first.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : RiskGroupsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are neither thresholds nor training risks, or both.

        Warns
        -----
        UserWarning
            If a group has no sample, or if groups were cut by the outcome.
        """
        check_matplotlib(f"{cls.__name__}.from_predictions")
        thresholds = find_thresholds(thresholds, train_risk, quantiles)
        risk = as_numbers(risk, "risk")
        warn_of_own_risks(risk, train_risk)
        return cls._from_risk(y, risk, thresholds, names, plot_kw)

    @classmethod
    def _from_risk(cls, y, risk, thresholds, names, plot_kw):
        if risk.ndim != 1:
            raise ValueError(
                f"risk must be one of each sample, not of shape {risk.shape}."
            )
        if np.isnan(risk).any():
            raise ValueError(f"risk has {np.isnan(risk).sum()} NaN.")
        names = group_names(len(thresholds) + 1) if names is None else list(names)
        if len(names) != len(thresholds) + 1:
            raise ValueError(
                f"names has {len(names)}, but {len(thresholds)} thresholds make "
                f"{len(thresholds) + 1} groups."
            )
        _check_names(names)
        group = np.array(names, dtype=object)[np.searchsorted(thresholds, risk)]
        return cls._from_groups(y, group, names, thresholds, plot_kw)

    @classmethod
    def from_groups(cls, y, group, *, names=None, **plot_kw):
        """Draw groups that were made elsewhere, such as stages or folds' own groups.

        Parameters
        ----------
        y : structured array or table of shape (n_samples,)
            Event and time of each sample.
        group : array-like of shape (n_samples,)
            The group of each sample.
        names : list, default=None
            The groups in their order, lowest risk first. None sorts them.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : RiskGroupsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a group is not among the names.

        Warns
        -----
        UserWarning
            If a group has no sample, or if groups were cut by the outcome.
        """
        check_matplotlib(f"{cls.__name__}.from_groups")
        group = as_target(group, len(y), "group")
        names = sorted(set(group.tolist())) if names is None else list(names)
        _check_names(names)
        unknown = set(group.tolist()) - set(names)
        if unknown:
            raise ValueError(f"group has {unknown.pop()!r}, which is not in {names}.")
        return cls._from_groups(y, group, names, None, plot_kw)

    @classmethod
    def _from_groups(cls, y, group, names, thresholds, plot_kw):
        event, time = check_survival(y, cls.__name__, allow_zero=True)
        check_consistent_length(time, group)
        empty = [name for name in names if not (group == name).any()]
        if empty:
            warn_caller(f"No sample is in the group(s) {empty}, which are left out.")
        names = [name for name in names if name not in empty]
        curves = {}
        for name in names:
            here = group == name
            curve = kaplan_meier(event[here], time[here])
            curves[str(name)] = pd.DataFrame(curve._asdict())
        number = (group[:, None] == np.array(names, dtype=object)).argmax(axis=1)
        warn_of_outcome(event, time, number, names)
        several = len(names) > 1
        display = cls(
            curves,
            p_value=log_rank_test(event, time, number)[1] if several else None,
            hazard_ratios=hazard_ratios(event, time, number, [*curves]),
            thresholds=thresholds,
        )
        return display.plot(**plot_kw)


def _check_names(names):
    """Refuse names by which groups cannot be told apart in the drawing."""
    texts = [None if pd.isna(name) else str(name) for name in names]
    if None in texts or len(set(texts)) < len(texts):
        raise ValueError(f"names={names} must be of one group each, and none missing.")
