"""NaN marks a gene that was not measured."""


def may_have_missing(X):
    """Whether `X` has NaN; on a GPU, where asking would wait for it, always True."""
    # One sum answers, since NaN spreads; infinities are refused or clipped before.
    return X.is_cuda or bool(X.sum().isnan())
