"""What each survival estimator is trained by: its objective and its likelihood."""

import numpy as np
import torch

from ..nn import discrete_hazard_loss
from ._objectives import CoxObjective, DiscreteHazardObjective

# Logits of hazards beyond this are certain, one way or the other.
_LARGEST_LOGIT, _N_HALVINGS = 40.0, 60


class CoxTask:
    """Proportional hazards: one log risk."""

    def __init__(self, ties):
        self.ties = ties

    def biases(self, data):
        """Return the first biases of the head."""
        return torch.zeros(1, dtype=torch.float32)

    def columns(self, data):
        """Return what the objective needs of each sample beside the genes."""
        return data

    def objective(self, encoder, head, n_samples):
        """Return the objective, for a training set of so many samples."""
        return CoxObjective(encoder, head, n_samples, self.ties)

    def loss(self, risk, output, data):
        """Return the negative log likelihood of linear risks and what a head adds."""
        return float(data.likelihood(self.ties)(risk + output[:, 0]))


class HazardTask:
    """Hazards in intervals: a logit for each.

    Parameters
    ----------
    cuts : ndarray of shape (n_intervals,)
        Where the intervals end.
    """

    def __init__(self, cuts):
        self.cuts = cuts

    def intervals(self, data):
        """Return the interval of each event, or the first not survived in full."""
        time, event = data.time.numpy(), data.event.numpy()
        of_event = np.searchsorted(self.cuts, time, side="left")
        # Censored at a cut, a sample has survived the interval that ends there.
        of_censored = np.searchsorted(self.cuts, time, side="right")
        return torch.from_numpy(np.where(event, of_event, of_censored))

    def biases(self, data):
        """Return the logits of the hazards that all samples share."""
        nothing = torch.zeros(len(data.time), len(self.cuts), dtype=torch.float64)
        return self.intercepts(nothing, data).float()

    def columns(self, data):
        """Return what the objective needs of each sample beside the genes."""
        return [self.intervals(data), data.event, data.weight / data.weight.mean()]

    def objective(self, encoder, head, n_samples):
        """Return the objective, for a training set of so many samples."""
        return DiscreteHazardObjective(encoder, head)

    def loss(self, risk, output, data):
        """Return the negative log likelihood of linear risks and what a head adds.

        At its lowest over the intercepts, as Cox's likelihood is over the baseline.
        """
        logits = risk[:, None] + output
        logits = logits + self.intercepts(logits, data)
        loss = discrete_hazard_loss(logits, self.intervals(data), data.event)
        return float((loss * data.weight).sum())

    def at_risk(self, data):
        """Return who had the event in each interval, and who could have had it.

        Returns
        -------
        happened, at_risk : tensor of shape (n_samples, n_intervals)
            The weight of the sample, or zero.
        """
        interval, place = self.intervals(data)[:, None], torch.arange(len(self.cuts))
        here = (place == interval) & data.event[:, None]
        weight = data.weight[:, None]
        return here * weight, ((place < interval) | here) * weight

    def lived(self, data):
        """Return which share of each interval those who were lost in it lived.

        Returns
        -------
        lived : tensor of shape (n_samples, n_intervals)
            The weight of the sample times this share, zero for all others.
        """
        starts = np.append(0.0, self.cuts)[:-1]
        time = data.time.numpy()[:, None]
        share = (time - starts) / np.where(self.cuts > starts, self.cuts - starts, 1)
        lost = self.intervals(data)[:, None] == torch.arange(len(self.cuts))
        lost &= ~data.event[:, None]
        return lost * torch.from_numpy(share) * data.weight[:, None]

    def baseline(self, logits, data):
        """Return intercepts for curves, to which those count who were lost, too.

        As in a life table, by the share of the interval that they lived. Those who were
        lost had no event before: left out, they would make survival too grim.
        """
        return self.intercepts(logits, data, self.lived(data))

    def intercepts(self, logits, data, lived=0.0):
        """Return what each interval must add for as many events as there were.

        Parameters
        ----------
        logits : tensor of shape (n_samples, n_intervals)
            Logits of the hazards, but for the intercepts.
        data : SurvivalData
            The follow-up.
        lived : tensor of shape (n_samples, n_intervals) or float, default=0.0
            What else counts as at risk.

        Returns
        -------
        intercepts : tensor of shape (n_intervals,)
            By bisection, as expected events rise with the intercept.
        """
        happened, at_risk = self.at_risk(data)
        at_risk = at_risk + lived
        events = happened.sum(0)
        low = torch.full((len(self.cuts),), -_LARGEST_LOGIT, dtype=torch.float64)
        high = -low
        for _ in range(_N_HALVINGS):
            middle = (low + high) / 2
            expected = (at_risk * torch.sigmoid(logits + middle)).sum(0)
            low = torch.where(expected < events, middle, low)
            high = torch.where(expected < events, high, middle)
        return (low + high) / 2
