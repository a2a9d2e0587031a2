"""Differences between estimators over splits, with intervals."""

from numbers import Real

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ._checks import check_share
from ._tables import PLACES, SPLITS, check_table, refuse_other_tables

RATIO = "overlap ratio"


def paired_difference(
    results,
    reference,
    *,
    metric=None,
    by=None,
    test_ratio=None,
    confidence_level=0.95,
):
    """Return by how much estimators differ from one of them, with intervals.

    For tables of this module. Estimators were fitted to the same samples and measured
    on the same ones, so that what splits have in common drops out of a difference. That
    splits overlap, which makes their spread too small, is made up for.

    Parameters
    ----------
    results : DataFrame
        Scores, with the columns `estimator`, `split` or `draw` or both, that of
        `metric`, those of `by`, and `n_train` and `n_test` if `test_ratio` is None.
    reference : str
        Name of the estimator that others are compared with.
    metric : str or None, default=None
        Column that is compared. None takes "score", or "error" if there is none.
    by : list of str or None, default=None
        Columns of the places where estimators are compared, one by one. None takes
        those of "mechanism", "rate", "rows", "n_genes", "fraction", "n_samples",
        "source" and "target" that there are. An empty list takes the mean over all
        places of a split first.
    test_ratio : float or None, default=None
        Samples to test on for each one to train on. None takes the mean of ``n_test /
        n_train``; see Notes.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).

    Returns
    -------
    table : DataFrame
        A row for each place and each estimator but the reference, with the columns of
        `by`, `estimator`, `difference` (estimator minus reference: better above zero
        for scores, below for errors), `std_error`, `low`, `high`, `p_value` (that it is
        zero) and `n_splits`. With one split there is no interval: they are NaN.

    Raises
    ------
    ValueError
        If the reference or a column is not there, or if a place has two values.

    See Also
    --------
    concordance_interval : Interval of one fitted survival model over samples.

    Notes
    -----
    The differences d_k of J splits have the mean d and the variance s^2, with J - 1 in
    the denominator. The corrected resampled t-test [1]_ takes

        std_error^2 = (1 / J + test_ratio) s^2

    instead of s^2 / J, and t with J - 1 degrees of freedom. The term `test_ratio` is
    there because training and test sets of the splits overlap, so that the differences
    are correlated, by test_ratio / (1 + test_ratio) as is assumed. For K folds of a
    cross-validation `test_ratio` is 1 / (K - 1); the formula is used for them as well,
    once or repeated [2]_, and is cautious there.

    - Where there are both `split` and `draw`, as in :func:`label_efficiency_curve` and
      :func:`panel_size_curve`, draws in a split share their test samples: their mean
      is one d_k, and J is the number of splits.
    - Where there is only `draw`, as in :func:`cohort_size_curve`, each is a split.
    - Where the samples of the fit are measured, the `rows` "in the fit" of
      :func:`missingness_curve`, the sets that overlap are the training parts, so that
      n_train / n_test takes the place of `test_ratio`.
    - `n_train` is the whole training part, also where estimators are fitted to some of
      its samples or labels: it is the shares of training part and test that say how
      much splits overlap.

    Splits in which one of the two failed are left out. Nothing is corrected for the
    number of comparisons.

    References
    ----------
    .. [1] Nadeau C., Bengio Y. "Inference for the generalization error", Machine
       Learning 52, 2003. :doi:`10.1023/A:1024068626366`
    .. [2] Bouckaert R. R., Frank E. "Evaluating the replicability of significance tests
       for comparing learning algorithms", PAKDD 2004.
       :doi:`10.1007/978-3-540-24775-3_3`

    Examples
    --------
    >>> from sklearn.impute import KNNImputer, SimpleImputer
    >>> from skgex.datasets import make_expression
    >>> from skgex.evaluation import missingness_curve, paired_difference
    >>> X = make_expression(n_samples=300, n_genes=30, random_state=0)
    >>> models = {"mean": SimpleImputer(), "neighbours": KNNImputer()}
    >>> results = missingness_curve(models, X, rates=[0.1, 0.5])
    >>> table = paired_difference(results, "mean")
    >>> held_out = table[table.rows == "held out"].set_index("rate")
    >>> (held_out.high < 0).to_dict()  # errors are lower
    {0.1: True, 0.5: True}
    """
    check_share("confidence_level", confidence_level)
    refuse_other_tables(results, "results")
    if metric is None:
        metric = "score" if "score" in results else "error"
    if by is None:
        by = [name for name in PLACES if name in results]
    _check_options(metric, by, test_ratio)
    _check_columns(results, ["estimator", metric, *by])
    results = check_table(results, "results", [metric])
    differences = _differences(results, reference, metric, by, test_ratio)
    names = [n for n in pd.unique(results["estimator"]) if n != reference]
    split = next(name for name in SPLITS if name in results)
    rows = []
    groups = differences.groupby(by, sort=False) if by else [((), differences)]
    for place, part in groups:
        for name in names:
            known = part[part[name].notna()]
            means = known.groupby(split)[name].mean().to_numpy()
            found = corrected_t(means, known[RATIO].mean(), confidence_level)
            rows.append((*place, name, *found, len(means)))
    columns = ["estimator", "difference", "std_error", "low", "high", "p_value"]
    return pd.DataFrame(rows, columns=[*by, *columns, "n_splits"])


def _differences(results, reference, metric, by, test_ratio):
    """Return a column for each estimator, with places, splits and ratios."""
    if reference not in set(results["estimator"]):
        raise ValueError(f"reference={reference!r} is not among the estimators.")
    places = [name for name in [*PLACES, *SPLITS] if name in results]
    keys = list(dict.fromkeys([*by, *places]))
    twice = results.duplicated(["estimator", *keys])
    if twice.any():
        name = results["estimator"][twice].iloc[0]
        raise ValueError(
            f"results has two rows of estimator {name!r} with the same "
            f"{', '.join(keys)}."
        )
    ratios = overlap_ratios(results) if test_ratio is None else test_ratio
    ratios = results[keys].assign(**{RATIO: ratios}).groupby(keys)[RATIO].mean()
    wide = results.pivot(index=keys, columns="estimator", values=metric)
    wide = wide.sub(wide[reference], axis=0)
    in_order = results[keys].drop_duplicates()
    return in_order.merge(wide.join(ratios).reset_index(), on=keys)


def overlap_ratios(results):
    """Return for each row how many samples are measured for each other one.

    These are the test samples to the training samples, or the other way round where
    the samples of the fit are measured.
    """
    _check_columns(results, ["n_train", "n_test"])
    results = check_table(results, "results", ["n_train", "n_test"])
    if not (results[["n_train", "n_test"]] > 0).all(axis=None):
        raise ValueError("n_train and n_test must be positive in all rows of results.")
    ratios = results["n_test"] / results["n_train"]
    if "rows" in results:
        ratios = ratios.where(results["rows"] != "in the fit", 1 / ratios)
    return ratios


def _check_options(metric, by, test_ratio):
    """Refuse what names no column, and what is no ratio."""
    if not isinstance(metric, str):
        raise ValueError(f"metric={metric!r} must be the name of a column.")
    named = isinstance(by, list | tuple) and all(isinstance(b, str) for b in by)
    if not named or {"estimator", metric} & {*by} or len({*by}) < len(by):
        raise ValueError(f"by={by!r} must be a list of names of columns of places.")
    if test_ratio is not None and not (
        isinstance(test_ratio, Real) and 0 <= test_ratio < np.inf
    ):
        raise ValueError(f"test_ratio={test_ratio!r} must be a number, zero or more.")


def _check_columns(results, columns):
    absent = [name for name in columns if name not in results]
    if absent:
        remedy = "; give test_ratio" if "n_train" in absent else ""
        raise ValueError(f"results has no column {absent[0]!r}{remedy}.")
    if not any(name in results for name in SPLITS):
        raise ValueError("results needs a column 'split' or 'draw'.")


def corrected_t(differences, test_ratio, confidence_level):
    """Return mean, standard error, interval and p-value of differences of splits."""
    n = len(differences)
    if not n:
        return (np.nan,) * 5
    mean = differences.mean()
    if n == 1:
        return mean, *(np.nan,) * 4
    error = np.sqrt((1 / n + test_ratio) * differences.var(ddof=1))
    half = student.ppf((1 + confidence_level) / 2, n - 1) * error
    if error == 0:
        p_value = float(mean == 0)
    else:
        p_value = 2 * student.sf(abs(mean) / error, n - 1)
    return mean, error, mean - half, mean + half, p_value
