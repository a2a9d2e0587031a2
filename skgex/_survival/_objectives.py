"""The objectives of survival."""

import torch

from ..nn import CoxLikelihood, Objective, discrete_hazard_loss
from ..nn._shares import gathered, own, part_of_row_mean


class CoxObjective(Objective):
    """Cox's partial likelihood of what the head makes of the embedding.

    Over all samples it is exact. A batch is taken for a random one: the samples that
    others would have in their risk sets are estimated from those of the batch.
    """

    def __init__(self, encoder, head, n_samples, ties):
        super().__init__(encoder)
        self.head = head
        self.n_samples = n_samples
        self.ties = ties

    def forward(self, X, event, time, stratum, weight):
        """Return the negative log partial likelihood for each sample of the batch."""
        # Risk sets are those of the batch, whichever process has their rows.
        risk = gathered(self.head(self.encoder(own(X)))[:, 0].double())
        likelihood = CoxLikelihood(
            event,
            time,
            strata=stratum,
            weight=weight,
            ties=self.ties,
            population=self.n_samples if len(X) < self.n_samples else None,
        )
        # Not for each event: a batch without any must not divide by zero, and one with
        # a single event must not count as much as others.
        return (likelihood(risk) / len(X)).float()


class DiscreteHazardObjective(Objective):
    """The likelihood of discrete hazards."""

    def __init__(self, encoder, head):
        super().__init__(encoder)
        self.head = head

    def forward(self, X, interval, event, weight):
        """Return the mean negative log likelihood."""
        logits = self.head(self.encoder(own(X))).double()
        loss = discrete_hazard_loss(logits, own(interval), own(event))
        return part_of_row_mean(torch.mean(loss * own(weight)).float())
