"""Scores by the share of the training samples that have a label."""

from ._curves import CurvesDisplay


class LabelEfficiencyDisplay(CurvesDisplay):
    """Scores by the share of the training samples that have a label.

    Made by :meth:`from_results`. The share is on a logarithmic axis, since few labels
    are what it is about. Each line has its name at its end.

    Parameters
    ----------
    summary : DataFrame
        One row for each estimator and share, with the columns `estimator`, `fraction`,
        `n_labeled`, `mean`, `low`, `high` and `n`, the number of scores.
    score_name : str, default="score"
        What the y-axis is called.
    interval : {"std", "range", None}, default=None
        What `low` and `high` are, of which the y-axis tells.

    Attributes
    ----------
    ax_ : Axes
        What was drawn in.
    figure_ : Figure or SubFigure
        Its figure.
    lines_ : list of Line2D
        One for each estimator.
    bands_ : list of PolyCollection
        Intervals, of estimators with more than one score.
    labels_ : list of Annotation
        Names of the lines.

    See Also
    --------
    skgex.evaluation.label_efficiency_curve : Makes the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex.plotting import LabelEfficiencyDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "estimator": ["SCARF"] * 4 + ["LR"] * 4,
    ...         "split": [0, 0, 1, 1] * 2,
    ...         "fraction": [0.05, 1.0] * 4,
    ...         "n_labeled": [90, 1800] * 4,
    ...         "score": [0.84, 0.93, 0.82, 0.94, 0.78, 0.93, 0.77, 0.92],
    ...     }
    ... )
    >>> display = LabelEfficiencyDisplay.from_results(table, score_name="accuracy")
    >>> display.lines_[0].get_ydata().round(3)
    array([0.83 , 0.935])
    """

    _maker = "label_efficiency_curve"
    _x = "fraction"
    _others = ("n_labeled",)
    _scores = ("score",)
    _xlabel = "labelled share of the training samples, and their number"

    @classmethod
    def _summarise(cls, results, score, interval):
        summary = super()._summarise(results, score, interval)
        # Groups are of different sizes, so that splits differ a little.
        n_labeled = results.groupby(cls._x)["n_labeled"].mean().round().astype(int)
        numbers = summary[cls._x].map(n_labeled)
        summary.insert(2, "n_labeled", numbers)
        return summary

    def _tick_labels(self, table, values):
        numbers = table.groupby(self._x)["n_labeled"].first()
        return [f"{100 * share:g} %\n{numbers[share]:,}" for share in values]
