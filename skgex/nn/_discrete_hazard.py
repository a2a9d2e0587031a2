"""The likelihood of discrete-time hazards."""

import torch
import torch.nn.functional as F


def discrete_hazard_loss(logits, interval, event):
    """Return the negative log likelihood of each sample under discrete hazards.

    The hazard of an interval is the probability of the event in it, given survival of
    all earlier ones: the logistic function of a logit. A sample with the event in
    interval k contributes the hazard of k and the survival of those before; a sample
    censored in k contributes the latter.

    Parameters
    ----------
    logits : tensor of shape (n, n_intervals)
        Logit of each hazard.
    interval : integer tensor of shape (n,)
        Interval of the event, or the first that was not survived under observation; it
        may be `n_intervals` for samples that were observed throughout.
    event : tensor of shape (n,)
        1 where the event was seen, else 0.

    Returns
    -------
    loss : tensor of shape (n,)

    References
    ----------
    Gensheimer M.F., Narasimhan B. "A scalable discrete-time survival model for neural
    networks", PeerJ 7:e6257, 2019. :doi:`10.7717/peerj.6257`

    Examples
    --------
    Hazards of one half: three halves to survive two intervals and die in the third.

    >>> import torch
    >>> from skgex.nn import discrete_hazard_loss
    >>> loss = discrete_hazard_loss(
    ...     torch.zeros(2, 4), torch.tensor([2, 2]), torch.tensor([1.0, 0.0])
    ... )
    >>> (-loss).exp()
    tensor([0.1250, 0.2500])
    """
    place = torch.arange(logits.shape[1], device=logits.device)
    survived = place < interval[:, None]
    here = (place == interval[:, None]) & (event[:, None] > 0)
    # -log(1 - hazard) = softplus(logit), -log(hazard) = softplus(-logit)
    loss = F.softplus(logits) * survived + F.softplus(-logits) * here
    return loss.sum(dim=1)
