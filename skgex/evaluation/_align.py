"""Show an estimator the genes that it knows."""


def align_genes(estimator, X):
    """Return X with the genes that an estimator was fitted to, NaN for those it lacks.

    X is returned as it is where the names of either are not known, or are the same.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or not hasattr(X, "reindex") or list(names) == list(X.columns):
        return X
    if not X.columns.isin(names).any():
        raise ValueError(
            f"X has none of the {len(names)} genes that the estimator was fitted to, "
            f"such as {str(names[0])!r}: bring the names of both to those of one."
        )
    return X.reindex(columns=names)
