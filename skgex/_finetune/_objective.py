"""The objective of fine-tuning."""

from ..nn import Objective
from ..nn._shares import own, part_of_row_mean


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
        is_corrupted = self.training and self.corruption is not None
        # What is swapped comes from the whole batch.
        X = self.corruption(X) if is_corrupted else own(X)
        target, weight = own(target), own(weight)
        loss = (self.loss(self.head(self.encoder(X)), target) * weight).mean()
        return part_of_row_mean(loss)
