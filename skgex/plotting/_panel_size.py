"""Scores by the number of genes in a panel."""

from ._curves import CurvesDisplay


class PanelSizeDisplay(CurvesDisplay):
    """Scores by the number of genes that a panel has.

    Made by :meth:`from_results`. Each line has its name at its end.

    Parameters
    ----------
    summary : DataFrame
        One row for each estimator and size, with the columns `estimator`, `n_genes`,
        `mean`, `low`, `high` and `n`, the number of scores.
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
    skgex.evaluation.panel_size_curve : Makes the table.
    CohortSizeDisplay : By the number of samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex.plotting import PanelSizeDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "estimator": ["panel"] * 4 + ["panel + restored"] * 4,
    ...         "n_genes": [16, 64] * 4,
    ...         "draw": [0, 0, 1, 1] * 2,
    ...         "split": 0,
    ...         "score": [0.71, 0.90, 0.69, 0.91, 0.74, 0.91, 0.72, 0.92],
    ...     }
    ... )
    >>> display = PanelSizeDisplay.from_results(table, score_name="accuracy")
    >>> display.lines_[0].get_ydata().round(3)
    array([0.7  , 0.905])
    """

    _maker = "panel_size_curve"
    _x = "n_genes"
    _scores = ("score",)
    _xlabel = "genes in the panel"
