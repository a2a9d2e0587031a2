"""Observed survival of groups of predicted risk."""

import warnings

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from .._follow_up import check_survival
from ._at_risk import write_at_risk
from ._axes import check_matplotlib, make_axes, merged, open_frame
from ._kaplan_meier import kaplan_meier, log_rank_test
from ._labels import label_ends
from ._styles import DASHES, ordered_colors
from ._thresholds import find_thresholds, group_names


class RiskGroupsDisplay:
    """Observed survival of groups of predicted risk, by Kaplan-Meier curves.

    Made by :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_groups`.
    Bands are 95 % intervals of each curve, by Greenwood's variance on the scale of
    ``log(-log(S))``. The p-value is that of the log-rank test between all groups. How
    many samples are still followed up is written below the axis.

    Thresholds between groups are learnt from risks of the training samples, or given.
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
    ...     SCARF(max_epochs=0), alpha=500, cv=None, max_epochs=0, random_state=0
    ... )
    >>> cox = cox.fit(X[train], y[train])
    >>> display = RiskGroupsDisplay.from_estimator(
    ...     cox,
    ...     X[test],
    ...     y[test],
    ...     train_risk=cox.predict(X[train]),
    ...     quantiles=[0.5],
    ...     time_scale=365.25,
    ...     time_name="years",
    ... )
    >>> list(display.curves)
    ['low risk', 'high risk']
    """

    def __init__(self, curves, *, p_value=None, thresholds=None):
        self.curves = curves
        self.p_value = p_value
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
        quantiles=(1 / 3, 2 / 3),
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
            `train_risk`.
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
            If a group has no sample.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        thresholds = find_thresholds(thresholds, train_risk, quantiles)
        return cls.from_predictions(
            y, estimator.predict(X), thresholds=thresholds, names=names, **plot_kw
        )

    @classmethod
    def from_predictions(
        cls,
        y,
        risk,
        *,
        thresholds=None,
        train_risk=None,
        quantiles=(1 / 3, 2 / 3),
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
            If a group has no sample.
        """
        check_matplotlib(f"{cls.__name__}.from_predictions")
        thresholds = find_thresholds(thresholds, train_risk, quantiles)
        risk = np.asarray(risk, dtype=float)
        if np.isnan(risk).any():
            raise ValueError(f"risk has {np.isnan(risk).sum()} NaN.")
        names = group_names(len(thresholds) + 1) if names is None else list(names)
        if len(names) != len(thresholds) + 1:
            raise ValueError(
                f"names has {len(names)}, but {len(thresholds)} thresholds make "
                f"{len(thresholds) + 1} groups."
            )
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
            If a group has no sample.
        """
        check_matplotlib(f"{cls.__name__}.from_groups")
        group = np.asarray(group)
        names = sorted(set(group.tolist())) if names is None else list(names)
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
            warnings.warn(
                f"No sample is in the group(s) {empty}, which are left out.",
                UserWarning,
                stacklevel=3,
            )
        names = [name for name in names if name not in empty]
        curves = {}
        for name in names:
            here = group == name
            curve = kaplan_meier(event[here], time[here])
            curves[str(name)] = pd.DataFrame(curve._asdict())
        number = (group[:, None] == np.array(names, dtype=object)).argmax(axis=1)
        _, p_value = log_rank_test(event, time, number)
        display = cls(
            curves,
            p_value=p_value if len(names) > 1 else None,
            thresholds=thresholds,
        )
        return display.plot(**plot_kw)

    def plot(
        self,
        ax=None,
        *,
        time_scale=1.0,
        time_name="time",
        max_time=None,
        at_risk=True,
        line_kw=None,
        fill_kw=None,
        label_kw=None,
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure. Numbers at risk take their room from
            the axes, unless the figure has a layout of its own that makes room.
        time_scale : float, default=1.0
            Times are divided by it: 365.25 for days drawn as years.
        time_name : str, default="time"
            What the x-axis is called, such as "years".
        max_time : float, default=None
            Where the x-axis ends, in its own unit. None ends it at the last follow-up.
        at_risk : bool, default=True
            Whether numbers at risk are written below the axis.
        line_kw : dict, default=None
            Keywords of all lines, for :class:`matplotlib.lines.Line2D`.
        fill_kw : dict, default=None
            Keywords of all bands, for ``Axes.fill_between``.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        self : RiskGroupsDisplay
            The display.
        """
        ((ax,),) = make_axes(f"{type(self).__name__}.plot", ax, figsize=(6.5, 4.5))
        last = max(curve["time"].iloc[-1] for curve in self.curves.values())
        end = last / time_scale if max_time is None else max_time
        colors = ordered_colors(len(self.curves))
        self.lines_, self.bands_, labels = [], [], []
        for i, (name, curve) in enumerate(self.curves.items()):
            n, n_events = curve["n_at_risk"].iloc[0], curve["n_events"].sum()
            labels.append(f"{name} ({n_events} of {n})")
            steps = _until(curve.assign(time=curve["time"] / time_scale), end)
            style = {"color": colors[i], "linewidth": 2, "linestyle": DASHES[i % 4]}
            style = {**style, "drawstyle": "steps-post", "label": name}
            self.lines_ += ax.plot(
                steps["time"], steps["survival"], **merged(style, line_kw)
            )
            fill = {"color": self.lines_[-1].get_color(), "alpha": 0.15, "linewidth": 0}
            band = ax.fill_between(
                steps["time"],
                steps["low"],
                steps["high"],
                step="post",
                **merged(fill, fill_kw),
            )
            self.bands_.append(band)
        ax.set(xlim=(0, end), ylim=(0, 1.03), xlabel=time_name)
        ax.set_ylabel("share without event")
        ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= end]
        ax.set_xticks(ticks)
        ax.spines.bottom.set_bounds(0, end)
        open_frame(ax)
        if self.p_value is not None:
            text = _p_value_text(self.p_value)
            ax.set_title(text, loc="left", fontsize="medium")
        self.labels_ = label_ends(ax, self.lines_, labels, label_kw)
        self.at_risk_ = self._count(ticks, time_scale)
        if at_risk:
            write_at_risk(ax, self.at_risk_, colors)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _count(self, ticks, time_scale):
        """Return how many of each group are still followed up at the ticks."""
        counts = {}
        for name, curve in self.curves.items():
            numbers = np.append(curve["n_at_risk"], 0)
            # Of the first time that is not earlier.
            places = np.searchsorted(curve["time"] / time_scale, ticks)
            counts[name] = numbers[places]
        return pd.DataFrame.from_dict(counts, orient="index", columns=ticks)


def _until(curve, end):
    """Return the steps of a curve up to a time, to which the last one lasts."""
    steps = curve[curve["time"] <= end]
    if curve["time"].iloc[-1] > end:
        steps = pd.concat([steps, steps.iloc[-1:].assign(time=end)])
    return steps


def _p_value_text(p):
    return f"log-rank p = {p:.2g}" if p >= 1e-4 else "log-rank p < 0.0001"
