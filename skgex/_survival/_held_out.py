"""Risks of the training samples by models that did not see them."""

import numpy as np


def held_out_risk(fitted, folds, genes, known, added):
    """Return the risk of each sample by models of the other inner folds.

    Baselines are learnt beside these. By the fitted model, samples with an early event
    look worse than new ones like them will, so that few hazards seem to be left later
    on, and the baseline, which has to make up for them, would be too grim.

    Parameters
    ----------
    fitted : tuple of ndarray of shape (n_samples,) and (n_samples, n_outputs)
        The linear log risk of the final model, and what its network adds: for samples
        that no fold held out.
    folds : list of (ndarray, ndarray)
        Inner folds; may be empty.
    genes : ndarray of shape (n_samples,) or None
        Linear log risk of genes, by models of the other folds.
    known : ndarray of shape (n_samples,)
        That of covariates, by the final model: a fold may lack a rare category, and
        few coefficients are hardly overfitted.
    added : ndarray of shape (n_samples, n_outputs) or None
        What networks of the other folds add. None if there were none: then the network
        of the model is an earlier one that knows no outcome of these samples.

    Returns
    -------
    risk : tuple of ndarray of shape (n_samples,) and (n_samples, n_outputs)
    """
    if not folds:
        return fitted
    linear, own = (part.copy() for part in fitted)
    tested = np.unique(np.concatenate([test for _, test in folds]))
    linear[tested] = genes[tested] + known[tested]
    if added is not None:
        own[tested] = added[tested]
    return linear, own
