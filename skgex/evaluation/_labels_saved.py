"""How many labels a method saves."""

import numpy as np
import pandas as pd

from ._checks import check_share
from ._paired import corrected_t, overlap_ratios
from ._tables import check_table, refuse_other_tables

COLUMNS = ["estimator", "split", "fraction", "score"]


def labels_saved(curve, reference, *, fractions=None, confidence_level=0.95):
    """Return the share of the labels that estimators save against one of them.

    The reference has a score with a share of the labels. Another estimator that has
    that score with 40 % fewer labels saves 40 % of them there.

    Parameters
    ----------
    curve : DataFrame
        What :func:`label_efficiency_curve` returns.
    reference : str
        Name of the estimator that others are compared with.
    fractions : sequence of float or None, default=None
        Shares of labels of the reference, among those of `curve`. None takes all but
        the smallest.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).

    Returns
    -------
    table : DataFrame
        A row for each estimator but the reference and each share, with the columns

        - `estimator` and `fraction`, the share of labels of the reference;
        - `score` of the reference there, the mean over splits and draws;
        - `reached_at`, the share with which the estimator reaches it first; NaN if it
          does with none;
        - `saved`, 1 - reached_at / fraction: negative if it needs more labels than the
          reference;
        - `at_least`, whether the estimator has the score with the smallest share
          already, so that it may save more than `saved`;
        - `low` and `high`, an interval of `saved` over splits;
        - `n_splits`, and `n_reached`, the splits in which the score is reached.

    Raises
    ------
    ValueError
        If the reference or a share is not in `curve`.

    See Also
    --------
    label_efficiency_curve : Fits and scores the estimators.
    paired_difference : Differences between the scores.

    Notes
    -----
    Scores are averaged over draws. Between the shares of `curve` the score is
    interpolated linearly in the logarithm of the share; the first share at which it
    is as high as that of the reference counts.

    `saved` is that of curves averaged over splits. Each split has a value of its own as
    well, by its own curves, and the interval is that of the mean of these by the
    corrected resampled t-test, as in :func:`paired_difference`. It is NaN if the score
    is not reached in each split, and a lower one than is true if `at_least` is.

    References
    ----------
    .. [1] Dradjat K., Hamidi M., Bartet P., Hanczar B. "Self-supervised representation
       learning on gene expression data", Bioinformatics 41(11), 2025.
       :doi:`10.1093/bioinformatics/btaf533`

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex.evaluation import labels_saved
    >>> curve = pd.DataFrame(
    ...     {
    ...         "estimator": ["scratch"] * 3 + ["pretrained"] * 3,
    ...         "split": 0,
    ...         "fraction": [0.05, 0.1, 0.2] * 2,
    ...         "score": [0.80, 0.86, 0.90, 0.86, 0.90, 0.92],
    ...         "n_train": 70,
    ...         "n_test": 30,
    ...     }
    ... )
    >>> labels_saved(curve, "scratch")[["estimator", "fraction", "reached_at", "saved"]]
        estimator  fraction  reached_at  saved
    0  pretrained       0.1        0.05    0.5
    1  pretrained       0.2        0.10    0.5
    """
    check_share("confidence_level", confidence_level)
    curve = _check_curve(curve, reference)
    names = list(pd.unique(curve["estimator"]))
    means = curve.groupby(["estimator", "split", "fraction"])["score"].mean()
    shares = np.unique(curve["fraction"])
    fractions = shares[1:] if fractions is None else fractions
    if np.ndim(fractions) != 1:
        raise ValueError(f"fractions={fractions!r} must be a sequence.")
    ratio = overlap_ratios(curve).mean()
    rows = []
    for name in (name for name in names if name != reference):
        for fraction in fractions:
            if fraction not in shares:
                raise ValueError(f"fractions has {fraction}, which curve has not.")
            pairs = [means[name].unstack(), means[reference].unstack()[fraction]]
            both = pairs[0].notna().all(axis=1) & pairs[1].notna()
            curves, scores = (part[both].to_numpy() for part in pairs)
            splits = [
                1 - first_share(shares, *pair) / fraction
                for pair in zip(curves, scores, strict=True)
            ]
            reached = np.nan
            if len(scores):
                reached = first_share(shares, curves.mean(axis=0), scores.mean())
            known = np.array(splits)[~np.isnan(splits)]
            low, high = np.nan, np.nan
            if len(known) == len(splits):
                low, high = corrected_t(known, ratio, confidence_level)[2:4]
            rows.append(
                (
                    *(name, fraction, scores.mean() if len(scores) else np.nan),
                    *(reached, 1 - reached / fraction, reached == shares[0]),
                    *(low, high, len(splits), len(known)),
                )
            )
    columns = ["estimator", "fraction", "score", "reached_at", "saved", "at_least"]
    return pd.DataFrame(
        rows, columns=[*columns, "low", "high", "n_splits", "n_reached"]
    )


def _check_curve(curve, reference):
    """Return a curve with numbers for its shares and scores."""
    refuse_other_tables(curve, "curve")
    for name in COLUMNS:
        if name not in curve:
            raise ValueError(f"curve has no column {name!r}.")
    curve = check_table(curve, "curve", ["fraction", "score"])
    if not curve["fraction"].between(0, 1, inclusive="right").all():
        raise ValueError("curve has a 'fraction' that is not in (0, 1].")
    if reference not in list(pd.unique(curve["estimator"])):
        raise ValueError(f"reference={reference!r} is not among the estimators.")
    return curve


def first_share(shares, scores, wanted):
    """Return the first share at which a curve is as high as a score, or NaN."""
    high = np.flatnonzero(scores >= wanted)
    if not len(high):
        return np.nan
    i = high[0]
    if i == 0:
        return shares[0]
    part = (wanted - scores[i - 1]) / (scores[i] - scores[i - 1])
    return np.exp((1 - part) * np.log(shares[i - 1]) + part * np.log(shares[i]))
