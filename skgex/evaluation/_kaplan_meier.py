"""The estimate of Kaplan and Meier, and how each sample moves it."""

import numpy as np


class KaplanMeier:
    """Share of samples to which something has not yet happened.

    Parameters
    ----------
    happened : ndarray of bool of shape (n_samples,)
        Whether it was seen to happen.
    time : ndarray of shape (n_samples,)
        When it happened, or until when it did not.
    out : ndarray of bool of shape (n_samples,) or None, default=None
        Who is no longer at risk at the end of the own time.
    """

    def __init__(self, happened, time, out=None):
        self.happened = happened
        self.out = np.zeros(len(time), bool) if out is None else out
        self.times, self.place = np.unique(time, return_inverse=True)
        counts = np.bincount(self.place)
        self.hits = np.bincount(self.place, happened)
        self.at_risk = counts[::-1].cumsum()[::-1] - np.bincount(self.place, self.out)
        self.stay = self.at_risk - self.hits
        kept = np.ones(len(self.times))
        np.divide(self.stay, self.at_risk, out=kept, where=self.hits > 0)
        self.left = kept.cumprod()

    def share(self, t):
        """Return the share left beyond each time."""
        place = np.searchsorted(self.times, t, side="right")
        return np.append(1.0, self.left)[place]

    def influence(self, t, mass):
        """Return by how much each sample moves ``sum(mass * log(share(t)))``.

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
        known = (self.hits > 0) & (self.stay > 0)
        np.divide(1.0, self.stay, out=inverse, where=known)
        share = np.divide(
            self.hits, self.at_risk, out=np.zeros(len(inverse)), where=known
        )
        at_risk = np.append(0.0, (over * share * inverse).cumsum())
        moved = at_risk[np.where(self.out, self.place, self.place + 1)]
        moved[self.happened] -= (over * inverse)[self.place[self.happened]]
        return moved
