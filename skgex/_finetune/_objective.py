"""The objective of fine-tuning."""

from ..nn import Objective


class SupervisedObjective(Objective):
    """An encoder and a head under a weighted supervised loss.

    In training, `corruption` may swap genes before the encoder sees them.
    """

    def __init__(self, encoder, head, loss, corruption=None):
        super().__init__(encoder)
        self.head = head
        self.loss = loss
        self.corruption = corruption

    def forward(self, X, target, weight):
        """Return the mean loss of a batch; weights average one over all samples."""
        if self.training and self.corruption is not None:
            X = self.corruption(X)
        return (self.loss(self.head(self.encoder(X)), target) * weight).mean()
