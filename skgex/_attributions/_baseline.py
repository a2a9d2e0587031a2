"""The profile that samples are compared with."""

import numpy as np
import pandas as pd

from .._covariates import covariate_places, gene_columns
from .._inputs import gene_label, match_genes
from ..nn import GeneStandardizer


def find_baseline(estimator, baseline):
    """Return the values of all columns at the baseline.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    baseline : "mean" or array-like of shape (n_columns,)
        See `gene_attributions`.

    Returns
    -------
    values : ndarray of shape (n_columns,)
    """
    n_columns = estimator.n_features_in_
    if isinstance(baseline, str):
        if baseline != "mean":
            raise ValueError(f"baseline={baseline!r} must be 'mean' or a profile.")
        values = np.empty(n_columns)
        values[gene_columns(estimator)] = _means(estimator)
        covariates = covariate_places(estimator)
        if len(covariates):
            values[covariates] = estimator._covariate_center
        return values
    names = getattr(estimator, "feature_names_in_", None)
    if isinstance(baseline, pd.Series) and names is not None:
        place = match_genes(baseline.index, names)
        if (place < 0).any():
            first = names[(place < 0).argmax()]
            raise ValueError(
                f"baseline lacks {(place < 0).sum()} columns of X, the first being "
                f"{str(first)!r}."
            )
        baseline = baseline.iloc[place]
    values = np.asarray(baseline, dtype=float)
    if values.shape != (n_columns,):
        raise ValueError(
            f"baseline has shape {values.shape}, but is one profile, of "
            f"{n_columns} values, such as X.mean(axis=0)."
        )
    if not np.isfinite(values).all():
        bad = gene_label(int((~np.isfinite(values)).argmax()), names)
        raise ValueError(
            f"baseline is not finite for {bad}: give a value for each column. Genes "
            "that were not measured in a sample take no part there in any case."
        )
    return values


def _means(estimator):
    """Return the means of the genes that an estimator knows."""
    linear = getattr(estimator, "linear_", None)
    parts = [estimator.standardizer_, *([] if linear is None else linear.modules())]
    for part in parts:
        if isinstance(part, GeneStandardizer) and _is_learnt(part):
            return part.mean.double().numpy(force=True)
    raise ValueError(
        "baseline='mean' needs the means of the genes in training, which an estimator "
        "with standardize=False has not learnt: give them, baseline=X_train.mean("
        "axis=0)."
    )


def _is_learnt(standardizer):
    return bool(standardizer.mean.any() or (standardizer.scale != 1).any())
