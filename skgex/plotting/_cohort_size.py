"""Errors or scores by the number of samples fitted to."""

from ._curves import CurvesDisplay


class CohortSizeDisplay(CurvesDisplay):
    """Errors or scores by the number of samples that estimators are fitted to.

    Made by :meth:`from_results`. An estimator that was frozen is a level line: its
    samples are not those of the cohort. Each line has its name at its end.

    Parameters
    ----------
    summary : DataFrame
        One row for each estimator and size, with the columns `estimator`, `n_samples`,
        `mean`, `low`, `high` and `n`, the number of draws.
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
        Intervals, of estimators with more than one draw.
    labels_ : list of Annotation
        Names of the lines.

    See Also
    --------
    skgex.evaluation.cohort_size_curve : Makes the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex.plotting import CohortSizeDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "estimator": ["own rows"] * 4 + ["adapted"] * 4,
    ...         "draw": [0, 0, 1, 1] * 2,
    ...         "n_samples": [10, 40] * 4,
    ...         "error": [1.02, 0.90, 1.04, 0.91, 0.85, 0.81, 0.87, 0.83],
    ...         "r": [0.1, 0.4, 0.1, 0.4, 0.5, 0.6, 0.5, 0.6],
    ...     }
    ... )
    >>> display = CohortSizeDisplay.from_results(table)
    >>> display.lines_[1].get_ydata().round(3)
    array([0.86, 0.82])
    >>> display = CohortSizeDisplay.from_results(table, score="r", interval="range")
    """

    _maker = "cohort_size_curve"
    _x = "n_samples"
    _xlabel = "samples that it is fitted to"
