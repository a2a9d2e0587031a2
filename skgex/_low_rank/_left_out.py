"""What a sample of the fit tells by loadings that have not seen it."""

import torch


def leave_out(model, Z, mean, times):
    """Return the posterior of samples as if the model had not seen them.

    The loadings of a gene are a regression on the factors of all samples of the fit, so
    that they lean towards each of them, and the more so the more factors there are. The
    factors of a sample of the fit then explain its measured genes too well, and miss
    the others. Without a sample with factors `m` and the error `e_j`, the loadings of a
    measured gene would be ``w_j - V_j m e_j / (1 - m' V_j m)``, as in any regression
    [1]_, for their covariance ``noise_j V_j``. For all genes that is a change of the
    precision of the factors in two directions.

    Parameters
    ----------
    model : FactorAnalysis
        Fitted to these samples, and to others.
    Z : tensor of shape (n, n_genes)
        Profiles; NaN where a gene was not measured.
    mean : tensor of shape (n, rank)
        Posterior means by the model as it is.
    times : callable
        Multiplies vectors by the posterior covariances of the samples.

    Returns
    -------
    mean : tensor of shape (n, rank)
        Posterior means without the samples.
    left, right : tensor of shape (n, rank, 2) and (n, 2, rank)
        Their product is what the covariances by the model as it is exceed those
        without the samples by.
    change : tensor of shape (n, n_genes)
    lean : tensor of shape (n, rank)
        The loadings without a sample are those with it plus ``change_j lean``.

    References
    ----------
    .. [1] Cook R. D., Weisberg S. "Residuals and influence in regression", Chapman and
       Hall, 1982, section 2.2.
    """
    measured = (~Z.isnan()).to(Z.dtype)
    value = (Z - model.mean).nan_to_num_(nan=0.0)
    error = (Z - model.expected(mean)).nan_to_num_(nan=0.0)
    lean = mean @ model.uncertainty
    # At most a half: where a sample stands alone nothing can be told of the others.
    leverage = (lean * mean).sum(1, keepdim=True) * model.uncertainty_scale
    weight = measured * model.uncertainty_scale / (1 - leverage.clamp(max=0.5))
    change = -weight * error
    scaled = change / model.noise
    across = scaled @ model.loadings
    own = (change * scaled).sum(1) + (weight * model.uncertainty_scale).sum(1)
    pull = (scaled * value).sum(1)
    # (A + t a' + a t' + own t t') m = b + pull t, by Woodbury's formula.
    directions = torch.stack([lean, across], 2)
    solved = torch.stack([times(lean), times(across)], 2)
    middle = Z.new_zeros(len(Z), 2, 2)
    # The inverse of [[own, 1], [1, 0]].
    middle[:, 0, 1] = middle[:, 1, 0] = 1
    middle[:, 1, 1] = -own
    system = middle + directions.mT @ solved
    found = mean + pull[:, None] * solved[:, :, 0]
    along = torch.linalg.solve(system, directions.mT @ found[:, :, None])
    found = found - (solved @ along)[:, :, 0]
    return found, solved, torch.linalg.solve(system, solved.mT), change, lean
