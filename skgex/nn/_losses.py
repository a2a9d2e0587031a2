"""The losses of the pretext methods, as functions of tensors."""

import math

import torch
import torch.nn.functional as F

from ._missing import may_have_missing
from ._shares import gathered, own_rows, part_of_row_mean, share


def nt_xent_loss(z_1, z_2, temperature=1.0):
    r"""Normalised temperature-scaled cross-entropy over two views [1]_.

    With cosine similarity :math:`s_{ij}` between the 2n rows of both views stacked,

    .. math:: -\frac{1}{2n} \sum_i \log
        \frac{\exp(s_{i\,i'} / \tau)}{\sum_{k \ne i} \exp(s_{ik} / \tau)}

    where :math:`i'` is the other view of sample i.

    Parameters
    ----------
    z_1, z_2 : tensor of shape (n, d)
        Projections of the two views; row i of both belongs to the same sample.
    temperature : float, default=1.0
        The temperature :math:`\tau`.

    Returns
    -------
    loss : tensor of shape ()
        Mean over the 2n anchors.

    References
    ----------
    .. [1] Chen T. et al. "A simple framework for contrastive learning of visual
       representations", ICML 2020, equation 1. :arxiv:`2002.05709`

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import nt_xent_loss
    >>> z = torch.eye(4)  # positives at similarity 1, six negatives at 0
    >>> nt_xent_loss(z, z)
    tensor(1.1654)
    """
    # One product of normalised rows; broadcasting would hold a (2n, 2n, d) tensor.
    z = F.normalize(torch.cat([z_1, z_2]).float(), dim=1)  # (2n, d)
    others, place = _all_views(z)  # (2n, d) and (2n,) too if one process trains
    similarity = z @ others.T / float(temperature)  # (2n, 2n)
    similarity.scatter_(1, place[:, None], -torch.inf)
    return part_of_row_mean(F.cross_entropy(similarity, place.roll(len(z_1))))


def _all_views(z):
    """Return the views of all processes, and where those of this one are among them."""
    mine = share()
    if mine is None:
        return z, torch.arange(len(z), device=z.device)
    # Gathered at once: both views of a sample side by side.
    others = torch.cat(gathered(torch.cat(z.chunk(2), 1)).chunk(2, 1))
    place = torch.arange(len(others), device=z.device).view(2, -1)
    return others, place[:, mine.rows].flatten()


def info_nce_loss(z, z_view, temperature=1.0):
    r"""One-directional contrastive loss of the SCARF paper [1]_.

    .. math:: -\frac{1}{n} \sum_i \log
        \frac{\exp(s_{ii} / \tau)}{\frac{1}{n} \sum_k \exp(s_{ik} / \tau)}

    with cosine similarity :math:`s_{ik}` between the projection of the clean sample i
    and that of the view of sample k.

    Parameters
    ----------
    z, z_view : tensor of shape (n, d)
        Projections of the clean samples and of their views.
    temperature : float, default=1.0
        The temperature :math:`\tau`.

    Returns
    -------
    loss : tensor of shape ()
        Mean over the n anchors; negative when the views are told apart, since the
        sum in the denominator is divided by n.

    References
    ----------
    .. [1] Bahri D. et al. "SCARF: self-supervised contrastive learning using random
       feature corruption", ICLR 2022, section 3. :arxiv:`2106.15147`

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import info_nce_loss
    >>> info_nce_loss(torch.eye(4), torch.eye(4))
    tensor(-0.6426)
    """
    z, z_view = F.normalize(z.float(), dim=1), F.normalize(z_view.float(), dim=1)
    others = gathered(z_view)
    similarity = z @ others.T / temperature  # (n, n)
    log_mean = similarity.logsumexp(1) - math.log(len(others))
    own = similarity[:, own_rows()].diagonal()
    return part_of_row_mean((log_mean - own).mean())


def vime_loss(mask_logits, restored, X, mask, alpha=2.0):
    """Mask estimation plus feature restoration of the VIME paper [1]_.

    Binary cross-entropy of the mask, plus `alpha` times the mean squared error of
    the restored genes.

    Parameters
    ----------
    mask_logits, restored : tensor of shape (n, n_genes)
        Outputs of the two heads.
    X : tensor of shape (n, n_genes)
        The clean genes. Those not measured (NaN) take no part in either term.
    mask : bool tensor of shape (n, n_genes)
        Where the view differs from `X`.
    alpha : float, default=2.0
        Weight of the restoration.

    Returns
    -------
    loss : tensor of shape ()

    References
    ----------
    .. [1] Yoon J. et al. "VIME: extending the success of self- and semi-supervised
       learning to tabular domain", NeurIPS 2020, equations 4-6.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import vime_loss
    >>> X = torch.zeros(2, 3)
    >>> vime_loss(torch.zeros(2, 3), X + 1, X, X > 0, alpha=2.0)  # log 2 + 2 * 1
    tensor(2.6931)
    """
    # In the precision of X: heads may answer in bfloat16, which cannot count to 1,000.
    target = mask.to(X.dtype)
    if not may_have_missing(X):
        mask_error = F.binary_cross_entropy_with_logits(mask_logits, target)
        return mask_error + float(alpha) * F.mse_loss(restored, X)
    measured = (~X.isnan()).to(X.dtype)
    count = measured.sum().clamp_(min=1)
    mask_error = F.binary_cross_entropy_with_logits(
        mask_logits, target, weight=measured, reduction="sum"
    )
    # NaN times zero is NaN, also in the gradient: replaced, not multiplied away.
    error = (restored - X.nan_to_num(nan=0.0)) * measured
    return (mask_error + float(alpha) * error.square().sum()) / count


def byol_loss(prediction, target):
    """Squared distance of normalised vectors, 2 - 2 cos, of the BYOL paper [1]_.

    Parameters
    ----------
    prediction : tensor of shape (n, d)
        Output of the online predictor for one view.
    target : tensor of shape (n, d)
        Projection of the other view by the target network; no gradient flows into it.

    Returns
    -------
    loss : tensor of shape ()
        Mean over the samples, in [0, 4].

    References
    ----------
    .. [1] Grill J.-B. et al. "Bootstrap your own latent: a new approach to
       self-supervised learning", NeurIPS 2020, equation 2. :arxiv:`2006.07733`

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import byol_loss
    >>> byol_loss(torch.eye(2), torch.tensor([[2.0, 0.0], [3.0, 0.0]]))
    tensor(1.)
    """
    cosine = F.cosine_similarity(prediction.float(), target.detach().float(), dim=1)
    return part_of_row_mean((2 - 2 * cosine).mean())
