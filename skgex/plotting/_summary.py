"""Mean and spread of the scores of a table of results."""

import pandas as pd

from .._warn import warn_caller
from ..evaluation._tables import check_table, refuse_other_tables

# What the band around a line is, in words.
INTERVALS = {"std": "± standard deviation", "range": "and range", None: ""}


def check_results(results, columns, maker):
    """Refuse a table that lacks columns."""
    if not isinstance(results, pd.DataFrame):
        raise TypeError(
            f"results must be the DataFrame that {maker} returns, not "
            f"{type(results).__name__}."
        )
    refuse_other_tables(results, "results")
    absent = [name for name in columns if name not in results.columns]
    if absent:
        raise ValueError(
            f"results lacks the column(s) {', '.join(map(repr, absent))} of the table "
            f"that {maker} returns."
        )
    if not len(results):
        raise ValueError("results has no rows: there is nothing to draw.")
    check_table(results, "results", [])


def find_score(results, score, candidates):
    """Return the name of the column to draw."""
    known = [name for name in candidates if name in results.columns]
    if score is None and known:
        return known[0]
    if not isinstance(score, str) or score not in results.columns:
        raise ValueError(
            f"score={score!r} must be a column of results, such as "
            f"{', '.join(map(repr, known or candidates))}."
        )
    return score


def select_estimators(results, estimators):
    """Return the rows of some estimators, in the order given."""
    known = list(dict.fromkeys(results["estimator"]))
    wanted = known if estimators is None else list(dict.fromkeys(estimators))
    absent = [name for name in wanted if name not in known]
    if absent or not wanted:
        raise ValueError(
            f"estimators={estimators!r} must be among those of results: {known}."
        )
    return pd.concat([results[results["estimator"] == name] for name in wanted])


def summarise(results, keys, score, interval):
    """Return mean and interval of a score over all splits and draws.

    Parameters
    ----------
    results : DataFrame
        One row for each score.
    keys : list of str
        Columns that make a point: the estimator first, what is on the x-axis last.
    score : str
        Column of the score. NaN, of an estimator that failed, is left out.
    interval : {"std", "range", None}
        One sample standard deviation to both sides, or from the lowest to the highest.

    Returns
    -------
    summary : DataFrame
        The keys, and `mean`, `low`, `high` and `n`, the number of scores. Estimators in
        their order, each by what is on the x-axis.
    """
    if interval not in INTERVALS:
        raise ValueError(f'interval={interval!r} must be "std", "range" or None.')
    failed = results[results[score].isna()]
    if len(failed):
        warn_caller(
            f"{len(failed)} of {len(results)} values of {score!r} are NaN, the first "
            f"of {failed['estimator'].iloc[0]!r}: means are over the others."
        )
    results = check_table(results, "results", [score, keys[-1]])
    order = {name: i for i, name in enumerate(dict.fromkeys(results["estimator"]))}
    table = results.groupby(keys, sort=False)[score]
    table = table.agg(["mean", "std", "min", "max", "count"]).reset_index()
    table["rank"] = table["estimator"].map(order)
    table = table.sort_values(["rank", keys[-1]], kind="stable", ignore_index=True)
    # A single score has no spread.
    spread = table["std"].fillna(0)
    low, high = table["mean"] - spread, table["mean"] + spread
    if interval == "range":
        low, high = table["min"], table["max"]
    if interval is None:
        low = high = table["mean"]
    return table[keys].assign(mean=table["mean"], low=low, high=high, n=table["count"])
