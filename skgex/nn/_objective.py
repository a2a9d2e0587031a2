"""What a pretext method is to the training core."""

from torch import nn

from ._corruption import GeneCorruption


class Objective(nn.Module):
    """An encoder, its heads and a loss in one module.

    The training core knows nothing else of a method: it calls ``objective(X)``, takes
    a gradient step on the result, then calls ``after_step``.

    Parameters
    ----------
    encoder : torch.nn.Module
        Module (n, n_genes) -> (n, embedding_dim) with the attribute `embedding_dim`.

    Notes
    -----
    `X` holds standardised genes, NaN where a gene was not measured.
    """

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, X, *targets):
        """Return the loss of one batch, a scalar tensor."""
        raise NotImplementedError

    def after_step(self, progress):
        """Do what follows a gradient step, such as a moving average.

        Parameters
        ----------
        progress : float
            Share of the planned steps that are done, in (0, 1].
        """

    def targets(self):
        """Return tensors with an entry for each training row, for `forward`."""
        return ()

    def finish(self, batches):
        """Learn what can only be learnt of the trained network.

        Parameters
        ----------
        batches : iterable of tuple
            Some of the training rows, with their targets.
        """

    def suspects(self):
        """Return settings that may be why a loss is not finite.

        Returns
        -------
        suspects : dict of str to (float, str)
            By the name of the parameter its value, and what to do: "lower" or "raise".
        """
        return {}

    def release(self):
        """Free what is only of use during training."""
        for module in self.modules():
            if isinstance(module, GeneCorruption):
                module.clear()
