"""Whether survival is as predicted."""

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length

from .._follow_up import check_survival
from .._warn import warn_caller
from ..evaluation._survival_checks import as_numbers
from ._axes import GREY, check_matplotlib, check_positive, make_axes, merged, open_frame
from ._kaplan_meier import kaplan_meier, survival_at
from ._labels import label_ends
from ._styles import line_style


class SurvivalCalibrationDisplay:
    """Observed survival at a time, by predicted survival.

    Made by :meth:`from_estimator` or :meth:`from_predictions`. At each time samples are
    put in groups of about the same size, by the survival predicted for them. The
    Kaplan-Meier estimate of a group, with its 95 % interval, stands over the mean of
    what was predicted. On the diagonal both are the same; below it survival was
    predicted too high. Concordance does not tell: it knows the order of risks only.

    Parameters
    ----------
    table : DataFrame
        One row for each time and group, with the columns `time`, `group`, `n`,
        `predicted`, `observed`, `low` and `high`.

    Attributes
    ----------
    ax_ : Axes
        What was drawn in.
    figure_ : Figure or SubFigure
        Its figure.
    lines_ : list of Line2D
        One for each time.
    errors_ : list of LineCollection
        Intervals, of each time.
    labels_ : list of Annotation
        Names of the lines: their times.

    See Also
    --------
    RiskGroupsDisplay : Survival of the groups over all times.
    sklearn.calibration.CalibrationDisplay : The same of classifiers.

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH
    >>> from skgex.datasets import load_breast_nki
    >>> from skgex.plotting import SurvivalCalibrationDisplay
    >>> X, y = load_breast_nki(return_X_y=True)
    >>> followed_up = np.isfinite(y["time"])
    >>> X, y = X[followed_up], y[followed_up]
    >>> folds = EventStratifiedKFold(n_splits=2, random_state=0)
    >>> train, test = next(folds.split(X, y))
    >>> cox = FineTunedCoxPH(
    ...     SCARF(max_epochs=0), alpha=500, cv=None, max_epochs=0, random_state=0
    ... )
    >>> cox = cox.fit(X[train], y[train])
    >>> year = 365.25
    >>> display = SurvivalCalibrationDisplay.from_estimator(
    ...     cox,
    ...     X[test],
    ...     y[test],
    ...     times=[3 * year, 6 * year],
    ...     time_scale=year,
    ...     time_name="years",
    ... )
    >>> [label.get_text() for label in display.labels_]
    ['3 years', '6 years']
    """

    def __init__(self, table):
        self.table = table

    @classmethod
    def from_estimator(cls, estimator, X, y, times, *, n_bins=3, **plot_kw):
        """Draw the survival that an estimator predicts for new samples.

        Parameters
        ----------
        estimator : estimator
            With the method `predict_survival_function` of scikit-survival's API.
        X : array-like of shape (n_samples, n_genes)
            Profiles that it was not fitted to.
        y : structured array or table of shape (n_samples,)
            Event and time of each.
        times : float or array-like of shape (n_times,)
            Times to look at, in the unit of `y`.
        n_bins : int, default=3
            Number of groups. Intervals of small groups are wide.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : SurvivalCalibrationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a time is beyond the follow-up in training.

        Warns
        -----
        UserWarning
            If nobody of a group was followed up until a time.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        times = np.atleast_1d(np.asarray(times, dtype=float))
        functions = estimator.predict_survival_function(X)
        survival = np.stack([function(times) for function in functions])
        return cls.from_predictions(y, survival, times, n_bins=n_bins, **plot_kw)

    @classmethod
    def from_predictions(cls, y, survival, times, *, n_bins=3, **plot_kw):
        """Draw given survival.

        Parameters
        ----------
        y : structured array or table of shape (n_samples,)
            Event and time of each sample.
        survival : array-like of shape (n_samples,) or (n_samples, n_times)
            Predicted probability of survival beyond each time.
        times : float or array-like of shape (n_times,)
            The times, in the unit of `y`.
        n_bins : int, default=3
            Number of groups. Intervals of small groups are wide.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : SurvivalCalibrationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If values are no probabilities, or not of the shape of samples and times.

        Warns
        -----
        UserWarning
            If nobody of a group was followed up until a time.
        """
        check_matplotlib(f"{cls.__name__}.from_predictions")
        event, time = check_survival(y, cls.__name__, allow_zero=True)
        times = np.atleast_1d(as_numbers(times, "times"))
        if times.ndim != 1 or not len(times) or not np.isfinite(times).all():
            raise ValueError(f"times={times.tolist()} must be numbers, one at least.")
        survival = as_numbers(survival, "survival")
        survival = survival[:, None] if survival.ndim == 1 else survival
        check_consistent_length(time, survival)
        if survival.shape[1:] != times.shape:
            raise ValueError(
                f"survival has shape {survival.shape}, but there are {len(times)} "
                "times: give one column for each."
            )
        if not ((survival >= 0) & (survival <= 1)).all():
            raise ValueError("survival must be probabilities, between 0 and 1.")
        if not isinstance(n_bins, int | np.integer) or n_bins < 1:
            raise ValueError(f"n_bins={n_bins!r} must be a positive whole number.")
        rows = [
            row
            for t, predicted in zip(times, survival.T, strict=True)
            for row in _by_group(event, time, t, predicted, n_bins)
        ]
        table = pd.DataFrame(rows)
        gone = table[table["observed"].isna()]
        if len(gone):
            warn_caller(
                f"Nobody was followed up until {gone['time'].iloc[0]:g} in "
                f"{len(gone)} of {len(table)} groups, which are not drawn: give "
                "earlier times."
            )
        return cls(table).plot(**plot_kw)

    def plot(
        self,
        ax=None,
        *,
        time_scale=1.0,
        time_name="",
        line_kw=None,
        error_kw=None,
        label_kw=None,
    ):
        """Draw the groups.

        Parameters
        ----------
        ax : Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        time_scale : float, default=1.0
            Times are divided by it in the names of the lines: 365.25 for years.
        time_name : str, default=""
            Unit of times, such as "years".
        line_kw : dict, default=None
            Keywords of all lines, for :class:`matplotlib.lines.Line2D`.
        error_kw : dict, default=None
            Keywords of all intervals, for ``Axes.vlines``.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        self : SurvivalCalibrationDisplay
            The display.
        """
        check_positive(time_scale=time_scale)
        ((ax,),) = make_axes(f"{type(self).__name__}.plot", ax, figsize=(5.5, 4.5))
        known = self.table.dropna()
        ax.axline((1, 1), slope=1, color=GREY, linewidth=1, linestyle=":")
        self.lines_, self.errors_, names = [], [], []
        for i, (time, part) in enumerate(known.groupby("time")):
            name = f"{time / time_scale:.3g} {time_name}".strip()
            style = {**line_style(i), "linewidth": 1.5, "label": name}
            self.lines_ += ax.plot(
                part["predicted"], part["observed"], **merged(style, line_kw)
            )
            error = {"color": self.lines_[-1].get_color(), "linewidth": 1.5}
            error["alpha"] = 0.6
            self.errors_.append(
                ax.vlines(
                    part["predicted"],
                    part["low"],
                    part["high"],
                    **merged(error, error_kw),
                )
            )
            names.append(name)
        lowest = min(known["low"].min(), known["predicted"].min(), 0.95)
        low = max(0, np.floor(10 * lowest) / 10)
        ax.set(xlim=(low, 1.02), ylim=(low, 1.02))
        ticks = ax.get_yticks()
        ax.set_xticks([tick for tick in ticks if low <= tick <= 1.001])
        ax.spines.bottom.set_bounds(low, 1)
        ax.set(
            xlabel="predicted survival, mean of the group", ylabel="observed survival"
        )
        open_frame(ax)
        self.labels_ = label_ends(ax, self.lines_, names, label_kw)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _by_group(event, time, t, predicted, n_bins):
    """Yield a row for each group of predicted survival, lowest first."""
    edges = np.quantile(predicted, np.arange(1, n_bins) / n_bins)
    # Samples with the same prediction are in the same group.
    group = np.searchsorted(edges, predicted)
    for g in np.unique(group):
        here = group == g
        observed, low, high = survival_at(kaplan_meier(event[here], time[here]), t)
        yield {
            "time": t,
            "group": int(g),
            "n": int(here.sum()),
            "predicted": predicted[here].mean(),
            "observed": observed,
            "low": low,
            "high": high,
        }
