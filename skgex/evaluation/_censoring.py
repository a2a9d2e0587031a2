"""Who is still followed up: the distribution of censoring, and what it hangs on."""

import numpy as np

from ._kaplan_meier import KaplanMeier


class CensoringDistribution(KaplanMeier):
    """Kaplan-Meier estimate of the time of censoring.

    Events at the time of a censoring come before it, so that these samples are not at
    risk of being censored then.

    Parameters
    ----------
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen.
    time : ndarray of shape (n_samples,)
        Time of the event or of censoring.
    name : str
        Of the target, for messages.
    """

    def __init__(self, event, time, name):
        super().__init__(~event, time, out=event)
        self.name = name

    def probability(self, t):
        """Return the probability of being followed up beyond each time.

        Raises
        ------
        ValueError
            If it is zero, or not known.
        """
        share = self.share(t)
        known = np.max(t, initial=-np.inf) <= self.times[-1] or self.out.all()
        if not known or (share <= 0).any():
            last = self.times[np.append(self.left, 0.0)[:-1] > 0].max(initial=0)
            raise ValueError(
                f"Nobody in {self.name} is followed up that long, which weights of "
                f"samples need: give times up to {last:g}."
            )
        return share
