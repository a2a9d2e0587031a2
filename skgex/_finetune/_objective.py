"""The objective of fine-tuning."""

from ..nn import Objective
from ..nn._shares import own, part_of_row_mean


class SupervisedObjective(Objective):
    """An encoder and a head under a weighted supervised loss."""

    def __init__(self, encoder, head, loss):
        super().__init__(encoder)
        self.head = head
        self.loss = loss

    def forward(self, X, target, weight):
        """Return the mean loss of a batch; weights average one over all samples."""
        X, target, weight = own(X), own(target), own(weight)
        loss = (self.loss(self.head(self.encoder(X)), target) * weight).mean()
        return part_of_row_mean(loss)
