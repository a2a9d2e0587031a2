"""A checked survival target, with weights and strata."""

from typing import NamedTuple

import numpy as np
import torch

from .._follow_up import check_survival, is_plain
from .._inputs import check_weights
from ..nn import CoxLikelihood
from ._strata import check_labels

# Sums and squares of weights are within single precision.
_LARGEST_WEIGHT = 1e15


class SurvivalData(NamedTuple):
    """Who had the event and when, in which stratum, and how much each sample counts."""

    event: torch.Tensor  # (n,), bool
    time: torch.Tensor  # (n,), float64
    stratum: torch.Tensor  # (n,), int64
    weight: torch.Tensor  # (n,), float64

    def take(self, rows):
        """Return the data of some samples."""
        return SurvivalData(*(values[rows] for values in self))

    def likelihood(self, ties):
        """Return Cox's partial likelihood of all samples."""
        strata = self.stratum if self.stratum.any() else None
        return CoxLikelihood(
            self.event, self.time, strata=strata, weight=self.weight, ties=ties
        )


def check_data(estimator, X, y, sample_weight, strata):
    """Check the target of an estimator; return the data and the names of the strata."""
    # Follow-up of zero is a mistake, but in targets of scikit-learn's checks.
    event, time = check_survival(y, estimator, allow_zero=is_plain(y))
    weight = check_weights(sample_weight, X, np.float64)
    if weight.max() > _LARGEST_WEIGHT:
        # Nor can they be scaled: their size counts against the penalty.
        raise ValueError(
            f"sample_weight is up to {weight.max():g}, too much to compute with: "
            "divide the weights by their mean."
        )
    names, stratum = None, np.zeros(len(X), dtype=int)
    if strata is not None:
        names, stratum = np.unique(check_labels(strata, X), return_inverse=True)
    if len(event) != len(X):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: X has "
            f"{len(X)}, y has {len(event)}."
        )
    # Copies, as columns of a table cannot be written to, which tensors must be.
    columns = (event, time, stratum, weight)
    data = SurvivalData(*(torch.from_numpy(values.copy()) for values in columns))
    if not data.likelihood("breslow").n_events:
        raise ValueError(
            "sample_weight is zero for each sample that had the event; "
            f"{type(estimator).__name__} needs an event of positive weight."
        )
    _check_comparable(data)
    return data, names


def _check_comparable(data):
    """Refuse data in which nobody was still at risk when somebody had the event."""
    weighted = data.weight > 0
    for stratum in data.stratum.unique():
        here = (data.stratum == stratum) & weighted
        events = data.time[here & data.event]
        if len(events) and events.min() < data.time[here].max():
            return
        if len(events) > 1 or (len(events) and here.sum() > 1):
            # All at the same time: their order says nothing, but they are compared.
            if (data.time[here] == events.min()).sum() > 1:
                return
    raise ValueError(
        "No two samples of y can be compared: when an event happened, nobody else of "
        "its stratum was still under observation. Look for swapped events and times, "
        "or use coarser strata."
    )
