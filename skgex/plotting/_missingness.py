"""Errors of imputers by the share of the values that is missing."""

from ._curves import CurvesDisplay
from ._summary import summarise


class MissingnessDisplay(CurvesDisplay):
    """Errors of imputers by the share of the values that is missing.

    Made by :meth:`from_results`. There is a panel for each mechanism by which values
    are lost, since what is best for one need not be so for another. If the table tells
    rows of the fit from new ones, each kind has panels of its own, one above the other.
    Names stand at the ends of the lines in the last panel.

    Parameters
    ----------
    summary : DataFrame
        One row for each estimator, mechanism, rate and kind of rows, with the columns
        `estimator`, `mechanism`, `rate`, `rows` if the table has it, `mean`, `low`,
        `high` and `n`, the number of scores.
    score_name : str, default="score"
        What the y-axis is called.
    interval : {"std", "range", None}, default=None
        What `low` and `high` are, of which the y-axis tells.

    Attributes
    ----------
    ax_ : Axes, or ndarray of Axes of shape (n_kinds_of_rows, n_mechanisms)
        What was drawn in; one Axes if there is one panel.
    figure_ : Figure or SubFigure
        Their figure.
    lines_ : list of Line2D
        One for each estimator in each panel.
    bands_ : list of PolyCollection
        Intervals, of estimators with more than one score.
    labels_ : list of Annotation
        Names of the lines.

    See Also
    --------
    skgex.evaluation.missingness_curve : Makes the table.
    RestorationDisplay : Hidden values of one imputer.

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex.plotting import MissingnessDisplay
    >>> table = pd.DataFrame(
    ...     {
    ...         "estimator": ["KNNImputer"] * 4 + ["GexImputer"] * 4,
    ...         "mechanism": ["mcar", "mcar", "mnar", "mnar"] * 2,
    ...         "rate": [0.1, 0.5] * 4,
    ...         "split": 0,
    ...         "rows": "held out",
    ...         "error": [0.70, 0.78, 0.90, 0.95, 0.62, 0.68, 0.85, 0.90],
    ...     }
    ... )
    >>> display = MissingnessDisplay.from_results(table)
    >>> [ax.get_title(loc="left") for ax in display.ax_[0]]
    ['MCAR', 'MNAR']
    """

    _maker = "missingness_curve"
    _x = "rate"
    _others = ("mechanism",)
    _scores = ("error", "score")
    _xlabel = "values missing (%)"
    _log = False

    @classmethod
    def _summarise(cls, results, score, interval):
        rows = ["rows"] if "rows" in results.columns else []
        keys = ["estimator", "mechanism", *rows, cls._x]
        return summarise(results, keys, score, interval)

    def _panels(self):
        table = self.summary
        mechanisms = list(dict.fromkeys(table["mechanism"]))
        if "rows" not in table.columns:
            return [[(_title(m), table[table["mechanism"] == m]) for m in mechanisms]]
        kinds = list(dict.fromkeys(table["rows"]))
        return [
            [
                (
                    _title(m) if len(kinds) == 1 else f"{_title(m)}, {kind}",
                    table[(table["mechanism"] == m) & (table["rows"] == kind)],
                )
                for m in mechanisms
            ]
            for kind in kinds
        ]

    def _tick_labels(self, table, values):
        return [f"{100 * rate:g}" for rate in values]


def _title(mechanism):
    """Return the name of a mechanism, abbreviations in capitals."""
    return mechanism.upper() if mechanism in ("mcar", "mar", "mnar") else mechanism
