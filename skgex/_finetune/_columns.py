"""The columns of a table that is fitted: genes, and covariates beside them."""

from .._covariates import gene_table, learn_covariates, take_covariates, take_genes
from .._inputs import check_genes
from .._plausible import warn_of_table


def learn_columns(estimator, table, resume):
    """Learn the columns of the training data, and take genes and covariates apart.

    Parameters
    ----------
    estimator : TunedEncoder
        The estimator being fitted.
    table : array-like of shape (n_samples, n_columns)
        What was passed to `fit`.
    resume : bool
        Whether it goes on from its own last fit.

    Returns
    -------
    genes : array-like of shape (n_samples, n_genes)
        What an embedder is fitted on: with names, if there are any.
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        The same as a checked array, or on disk.
    C : ndarray of shape (n_samples, n_covariates)
    """
    learn_covariates(estimator, table, resume)
    checked = check_genes(
        estimator, table, reset=not resume, ensure_min_samples=2, lazy=True
    )
    X, C = take_genes(estimator, checked), take_covariates(estimator, checked)
    warn_of_table(estimator, table, X)
    return gene_table(estimator, table, X), X, C
