"""Who is still followed up: the distribution of censoring, and what it hangs on."""

import numpy as np


class CensoringDistribution:
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
        self.event, self.name = event, name
        self.times, self.place = np.unique(time, return_inverse=True)
        counts = np.bincount(self.place)
        deaths = np.bincount(self.place, event)
        self.censored = counts - deaths
        self.at_risk = counts[::-1].cumsum()[::-1] - deaths
        self.stay = self.at_risk - self.censored
        kept = np.ones(len(self.times))
        np.divide(self.stay, self.at_risk, out=kept, where=self.censored > 0)
        self.followed = kept.cumprod()

    def probability(self, t):
        """Return the probability of being followed up beyond each time.

        Raises
        ------
        ValueError
            If it is zero, or not known.
        """
        place = np.searchsorted(self.times, t, side="right")
        share = np.append(1.0, self.followed)[place]
        known = np.max(t, initial=-np.inf) <= self.times[-1] or self.event.all()
        if not known or (share <= 0).any():
            last = self.times[np.append(self.followed, 0.0)[:-1] > 0].max(initial=0)
            raise ValueError(
                f"Nobody in {self.name} is followed up that long, which weights of "
                f"samples need: give times up to {last:g}."
            )
        return share

    def influence(self, t, mass):
        """Return by how much each sample moves ``sum(mass * log(probability(t)))``.

        Parameters
        ----------
        t, mass : ndarray of shape (n_terms,)
            The times, and what is multiplied with the logarithm there.

        Returns
        -------
        influence : ndarray of shape (n_samples,)
            The derivative by the weight of each sample, all of which are 1.
        """
        # Of the terms, the mass at each time or later: those the time takes part in.
        order = np.argsort(t, kind="stable")
        later = np.append(mass[order][::-1].cumsum()[::-1], 0.0)
        over = later[np.searchsorted(t[order], self.times, side="left")]
        # log(1 - c / n) rises with n by c / (n (n - c)), and falls with c by 1 / (n-c).
        inverse = np.zeros(len(self.times))
        known = (self.censored > 0) & (self.stay > 0)
        np.divide(1.0, self.stay, out=inverse, where=known)
        share = np.divide(
            self.censored, self.at_risk, out=np.zeros(len(inverse)), where=known
        )
        at_risk = np.append(0.0, (over * share * inverse).cumsum())
        # At risk of being censored when others are: not at the time of one's event.
        out = at_risk[np.where(self.event, self.place, self.place + 1)]
        out[~self.event] -= (over * inverse)[self.place[~self.event]]
        return out
