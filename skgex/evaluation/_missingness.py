"""How well imputers restore what is missing, over mechanisms and rates."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from ._ampute import ampute
from ._cells import fit_timed, with_seed
from ._checks import check_estimators, check_run, check_share
from ._folds import as_groups, make_folds
from ._hidden_values import (
    HiddenValues,
    scores,
    warn_of_left_out_genes,
)
from ._jobs import Cell, Failure, Job, error_message, run_jobs, warn_of_failures
from ._mechanisms import MECHANISMS
from ._profiles import check_profiles

PLACES = ["in the fit", "held out"]


def missingness_curve(
    imputers,
    X,
    *,
    rates: Iterable[float] = (0.1, 0.25, 0.5),
    mechanisms: Iterable[str] = ("mcar",),
    cv: Any = 5,
    groups=None,
    random_state=0,
    n_jobs=None,
    cache_dir=None,
    verbose=0,
):
    """Compare imputers on values that were hidden from a table.

    Values of all samples are hidden by :func:`ampute`. In each split imputers are
    fitted to the training part with its holes, and fill in the holes of both parts: of
    the samples that they were fitted to, and of others. All imputers see the same
    samples and the same holes.

    Parameters
    ----------
    imputers : dict of str to estimator
        Imputers by name, whose `transform` returns `X` filled in, in the units of `X`,
        or embedders with a method `restore`. A ``FrozenEstimator`` is used as it is,
        for the genes that it knows.
    X : array-like of shape (n_samples, n_genes)
        Expression profiles; NaN where a gene was not measured.
    rates : sequence of float, default=(0.1, 0.25, 0.5)
        Shares of the measured values that are hidden, in (0, 1).
    mechanisms : sequence of str, default=("mcar",)
        Which values are hidden; see :func:`ampute`.
    cv : int or splitter, default=5
        Number of shuffled folds, or a splitter of scikit-learn.
    groups : array-like of shape (n_samples,), default=None
        Patients or donors; all samples of a group are either in training or in test.
        Also given to imputers whose `fit` takes `groups`. None takes each sample for a
        group of its own.
    random_state : int, default=0
        Seed of the folds and of what is hidden. What is hidden in split i has the seed
        ``random_state + i`` with all mechanisms and rates, and so have estimators
        with a `random_state` of None, so that each result can be had alone.
    n_jobs : int, default=None
        Number of results that are worked on at a time.
    cache_dir : path-like or None, default=None
        Folder in which the result of each imputer, mechanism, rate and split is kept,
        in a file of its own. When the function is called again, as after an
        interruption, what is there is not computed again. None keeps nothing.
    verbose : int, default=0
        Whether to print a line for each result.

    Returns
    -------
    table : DataFrame
        Two rows for each imputer, mechanism, rate and split, with the columns

        - `estimator`, `mechanism`, `rate`, and `split`, counted from zero;
        - `rows`, "in the fit" for training samples and "held out" for others;
        - `error`, the root mean squared error of the hidden values in standard
          deviations of their gene, of which less is better;
        - `r`, the median over genes of the correlation across samples between hidden
          and restored values;
        - `bias`, the mean of restored minus hidden values, in standard deviations;
        - `coverage`, the share of hidden values within an interval of 90 %, which is
          that of `restore` with `return_std`, of :class:`~skgex.GexBERT` and in
          :class:`~skgex.GexImputer`; NaN where an imputer has none;
        - `fit_seconds`; `n_train` and `n_test`, the samples of either part; and
          `error_message` of an imputer that failed, else "".

    Raises
    ------
    ValueError
        If a parameter is outside its range, or a splitter parts a group.

    Warns
    -----
    FitFailedWarning
        If an imputer fails; its scores are NaN then.
    UserWarning
        If an imputer does not restore all genes.

    See Also
    --------
    ampute : Hides values.
    cohort_size_curve : Compares imputers over numbers of samples.
    paired_difference : Differences between imputers, with intervals.

    Notes
    -----
    Means and standard deviations of genes are those over all samples of `X` before
    values are hidden, so that all errors have the same unit; standardised values are
    clipped at 10 to either side. Genes without variance are not scored. The genes that
    are scored in a split are those that all imputers restore there. A correlation takes
    five hidden values, and is zero if the same value is restored for all.

    An imputer with censored values (``GexImputer(censored=...)``) has no interval that
    is symmetric, so that its coverage is NaN.

    Examples
    --------
    >>> from sklearn.impute import KNNImputer, SimpleImputer
    >>> from skgex import GexBERT, GexImputer
    >>> from skgex.datasets import load_tcga_pancancer
    >>> from skgex.evaluation import missingness_curve
    >>> tcga = load_tcga_pancancer(as_frame=True)
    >>> X = tcga.data.loc[:, tcga.data.min() > 0].iloc[::25, :30]
    >>> table = missingness_curve(
    ...     {
    ...         "mean": SimpleImputer(),
    ...         "neighbours": KNNImputer(),
    ...         "factors": GexImputer(GexBERT(max_epochs=0)),
    ...     },
    ...     X,
    ...     rates=[0.5],
    ...     mechanisms=["block"],
    ...     cv=2,
    ...     groups=tcga.groups[::25],
    ... )
    >>> new = table[table.rows == "held out"]
    >>> new.groupby("estimator").error.mean().sort_values().index.to_list()
    ['factors', 'neighbours', 'mean']
    """
    X = check_profiles(X)
    check_run(random_state, n_jobs, cache_dir)
    check_estimators(imputers, "imputers")
    _check_parameters(imputers, rates, mechanisms)
    groups = as_groups(groups, len(X))
    folds = make_folds(cv, X, None, groups, None, random_state)
    kinds, jobs = list(product(mechanisms, dict.fromkeys(map(float, rates)))), []
    for name, imputer in imputers.items():
        for (mechanism, rate), split in product(kinds, range(len(folds))):
            seed, (train, test) = random_state + split, folds[split]
            cell = Cell(
                (name, mechanism, rate, split),
                f"{mechanism}, rate {rate:g}, split {split}",
                ("missingness", mechanism, rate, seed, train, test),
                _measure,
                (X, groups, train, test, rate, mechanism, seed),
                (
                    "fit_seconds",
                    *(f"{p} {n}" for p in PLACES for n in HiddenValues.names),
                ),
            )
            jobs.append(Job(with_seed(clone(imputer), seed), [cell]))
    cells = run_jobs(
        jobs, (X, groups), n_jobs=n_jobs, cache_dir=cache_dir, verbose=verbose
    )
    warn_of_failures(jobs, cells)
    by_place = {
        (key, place): cell if isinstance(cell, Failure) else _part(cell, place)
        for key, cell in cells.items()
        for place in PLACES
    }
    warn_of_left_out_genes({(key[0], place): m for (key, place), m in by_place.items()})
    return _as_table(cells, by_place, folds)


def _measure(estimator, X, groups, train, test, rate, mechanism, seed):
    holed = ampute(X, rate, mechanism, random_state=seed)
    hidden = np.isnan(np.asarray(holed)) & ~np.isnan(np.asarray(X))
    fitted, seconds = fit_timed(clone(estimator), holed, None, groups, train)
    measured = {"fit_seconds": seconds}
    for place, rows in zip(PLACES, (train, test), strict=True):
        part = HiddenValues(X, rows, hidden[rows]).measure(fitted)
        measured |= {f"{place} {name}": values for name, values in part.items()}
    return measured


def _part(cell, place):
    """Return what was measured in one of the places."""
    start = f"{place} "
    return {
        name.removeprefix(start): values
        for name, values in cell.items()
        if name.startswith(start)
    }


def _as_table(cells, by_place, folds):
    found = {}
    for place in PLACES:
        for about in {key[1:] for key in cells}:
            keys = [key for key in cells if key[1:] == about]
            rows = scores([by_place[key, place] for key in keys])
            found.update(zip([(key, place) for key in keys], rows, strict=True))
    rows = [
        (
            *key,
            place,
            *found[key, place],
            np.nan if isinstance(cell, Failure) else float(cell["fit_seconds"]),
            *map(len, folds[key[-1]]),
            error_message(cell),
        )
        for key, cell in cells.items()
        for place in PLACES
    ]
    columns = ["estimator", "mechanism", "rate", "split", "rows"]
    columns += ["error", "r", "bias", "coverage", "fit_seconds"]
    columns += ["n_train", "n_test", "error_message"]
    return pd.DataFrame(rows, columns=columns)


def _check_parameters(imputers, rates, mechanisms):
    for name, values in {"rates": rates, "mechanisms": mechanisms}.items():
        if isinstance(values, str) or np.ndim(values) != 1 or not len(values):
            raise ValueError(f"{name}={values!r} must be a sequence.")
    for rate in rates:
        check_share("rate", rate)
    for mechanism in mechanisms:
        if not isinstance(mechanism, str) or mechanism not in MECHANISMS:
            raise ValueError(
                f"mechanisms has {mechanism!r}, which is not one of {list(MECHANISMS)}."
            )
    for name, imputer in imputers.items():
        if not hasattr(imputer, "restore") and not hasattr(imputer, "transform"):
            raise ValueError(
                f"Estimator {name!r} has neither `restore` nor `transform` to fill in "
                "hidden values with."
            )
