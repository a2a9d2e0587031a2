"""Data, splits and scales of the transfer benchmark."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from _data import read_set
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgex import QuantileNormalizer

SCALES = ["none", "z", "quantile", "quantile + z"]


class Cohort(NamedTuple):
    """Expression with the names of the genes; the labels, None where there is none."""

    X: pd.DataFrame
    y: np.ndarray
    groups: np.ndarray


def read(data, name):
    """Return the expression of a set as a table, and what is known of the samples."""
    X, genes, meta = read_set(data, name)
    return pd.DataFrame(X, meta.index, genes), meta


def gtex(data):
    X, meta = read(data, "gtex_toil1000")
    count = meta["tissue"].map(meta["tissue"].value_counts())
    keep = ((count >= 20) & (meta["tissue"] != "<not provided>")).to_numpy()
    X, meta = X[keep].clip(lower=-4), meta[keep]
    return Cohort(X, meta["tissue"].to_numpy(object), meta["donor"].to_numpy())


def toil4(data):
    X, meta = read(data, "tcga_toil4")
    return Cohort(
        X.clip(lower=-4), meta["cohort"].to_numpy(object), meta["patient"].to_numpy()
    )


def pam50(data):
    X, meta = read(data, "tcga_brca_pam50")
    return Cohort(X, meta["pam50"].to_numpy(object), meta["patient"].to_numpy())


def receptor(data, name):
    X, meta = read(data, name)
    status = meta["er"].map({1: "positive", 0: "negative"}).astype(object)
    status = status.where(meta["er"].notna(), None)
    return Cohort(X, status.to_numpy(), np.arange(len(X)))


def expo(data):
    return receptor(data, "breast_expo353")


def nki(data):
    return receptor(data, "breast_nki150")


TASKS = {
    "gtex-toil4": (gtex, toil4),
    "toil4-gtex": (toil4, gtex),
    "pam50-expo": (pam50, expo),
    "pam50-nki": (pam50, nki),
}


def read_task(data, task, quick=False):
    """Return the source and the target."""
    pair = [load_cohort(data) for load_cohort in TASKS[task]]
    return [_some(cohort, 300) for cohort in pair] if quick else pair


def _some(cohort, n_rows):
    rows = np.random.default_rng(0).permutation(len(cohort.X))[:n_rows]
    return Cohort(cohort.X.iloc[rows], cohort.y[rows], cohort.groups[rows])


def split(target, seed):
    """Return training and test rows; rows without a label are for training."""
    labelled = np.array([value is not None for value in target.y])
    rows = np.flatnonzero(labelled)
    splitter = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
    _, test = next(splitter.split(rows, groups=target.groups[rows]))
    test = rows[test]
    train = ~np.isin(target.groups, target.groups[test])
    return np.flatnonzero(train), test


def draw_labelled(y, rows, fraction, rng):
    """Draw a share of each class, at least one of each; nested over shares."""
    rows = rows[[value is not None for value in y[rows]]]
    parts = []
    for label in np.unique(y[rows]):
        of_class = rng.permutation(rows[y[rows] == label])
        parts.append(of_class[: max(1, round(fraction * len(of_class)))])
    return np.sort(np.concatenate(parts))


def scaled(source, target, train, scale):
    """Bring tables of the same genes to a common scale.

    Nothing is learnt of the test rows of the target.
    """
    if "quantile" in scale:
        normalizer = QuantileNormalizer().set_output(transform="pandas").fit(source)
        source, target = normalizer.transform(source), normalizer.transform(target)
    if "z" in scale:
        source = standardizer().fit(source).transform(source)
        target = standardizer().fit(target.iloc[train]).transform(target)
    return source, target


def standardizer():
    """z-scores, clipped as in the embedders: simple models gain from it, too."""
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -10, "a_max": 10})
    return make_pipeline(StandardScaler(), clip).set_output(transform="pandas")


def standardized(X, known):
    """Standardise for simple models, to which a value not measured is the mean."""
    return standardizer().fit(known).transform(X).fillna(0)
