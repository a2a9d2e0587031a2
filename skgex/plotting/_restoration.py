"""Hidden values as they were restored, against what was measured."""

from typing import Any

import numpy as np
import pandas as pd

from ..evaluation._checks import check_share
from ..evaluation._profiles import check_profiles
from ._axes import GREY, check_matplotlib, make_axes, merged, open_frame
from ._styles import COLORS

# Values of a gene that make an R2.
_MIN_VALUES = 5
# More points than these hide one another.
_MOST_POINTS = 3000


class RestorationDisplay:
    """Hidden values as they were restored, against what was measured.

    Made by :meth:`from_estimator` or :meth:`from_predictions`. Values are in standard
    deviations from the mean of their gene: without that, genes that are high and genes
    that are low would make a narrow cloud of any guess. Best guesses spread less than
    what was measured. Beside it is the distribution over genes of R2, the share of the
    variance of a gene's hidden values that was restored; it is negative if the mean
    of those values would have been the better guess.

    Parameters
    ----------
    measured : ndarray of shape (n_values,)
        Hidden values, in standard deviations from the mean of their gene.
    restored : ndarray of shape (n_values,)
        What they were restored as, in the same unit.
    r2 : Series of shape (n_genes,)
        By gene; NaN for genes with less than five hidden values, or without variance.

    Attributes
    ----------
    ax_ : ndarray of Axes of shape (1, 2)
        What was drawn in: values, and R2 by gene.
    figure_ : Figure or SubFigure
        Their figure.
    values_ : PolyCollection or PathCollection
        Hexagons, coloured by the number of values in them, or points if there are no
        more than 3,000.
    histogram_ : BarContainer
        Numbers of genes by R2.
    colorbar_ : Colorbar or None
        Scale of the hexagons.

    See Also
    --------
    MissingnessDisplay : Errors of several imputers, by what is missing.

    Examples
    --------
    >>> from skgex import GexBERT
    >>> from skgex.datasets import load_tissues_u133
    >>> from skgex.plotting import RestorationDisplay
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> embedder = GexBERT(max_epochs=0, random_state=0).fit(X[::2])
    >>> display = RestorationDisplay.from_estimator(embedder, X[1::2], rate=0.2)
    >>> bool(display.r2.median() > 0.5)
    True
    """

    def __init__(self, measured, restored, r2):
        self.measured = measured
        self.restored = restored
        self.r2 = r2

    @classmethod
    def from_estimator(
        cls, estimator, X, *, rate=0.2, random_state: Any = 0, **plot_kw
    ):
        """Hide measured values at random, have them restored, and draw both.

        Parameters
        ----------
        estimator : estimator
            A fitted embedder with `restore`, or an imputer whose `transform` returns
            the genes of `X`, in the units of `X`.
        X : array-like of shape (n_samples, n_genes)
            Expression profiles, best of samples that it was not fitted to; NaN where a
            gene was not measured.
        rate : float, default=0.2
            Share of the measured values that is hidden, in (0, 1).
        random_state : int or Generator, default=0
            Seed of what is hidden.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : RestorationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator returns other genes than those of `X`.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        check_share("rate", rate)
        values = _check(X)
        rng = np.random.default_rng(random_state)
        hidden = _hide(values, rate, rng)
        shown = np.where(hidden, np.nan, values)
        if hasattr(X, "columns"):
            shown = pd.DataFrame(shown, getattr(X, "index", None), list(X.columns))
        restore = getattr(estimator, "restore", None) or estimator.transform
        restored = np.asarray(restore(shown), dtype=float)
        return cls.from_predictions(X, restored, hidden=hidden, **plot_kw)

    @classmethod
    def from_predictions(cls, X, restored, *, hidden=None, **plot_kw):
        """Draw values that were hidden and restored elsewhere.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            What was measured. Means and standard deviations of genes are of all its
            values.
        restored : array-like of shape (n_samples, n_genes)
            The same samples and genes, restored.
        hidden : array-like of bool of shape (n_samples, n_genes), default=None
            Which values were hidden. None takes all, as of genes that a panel lacks.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : RestorationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If shapes differ, or nothing was hidden.
        """
        check_matplotlib(f"{cls.__name__}.from_predictions")
        values, shape = _check(X), np.shape(restored)
        if shape != values.shape:
            raise ValueError(
                f"{shape} values were restored of {values.shape} in X: samples "
                "and genes must be the same. Leave out genes that cannot be restored, "
                "such as those without any value."
            )
        filled = np.asarray(_like(restored, X, "restored"), dtype=float)
        used = ~np.isnan(values) & np.isfinite(filled)
        if hidden is not None:
            used &= _check_hidden(_like(hidden, X, "hidden"), used.shape)
        mean, std = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        # Genes without variance have no unit.
        used &= std > 1e-6 * np.nanmax(np.abs(values), axis=0)
        if not used.any():
            raise ValueError(
                "No hidden value can be compared: hide measured values of genes that "
                "vary."
            )
        names = getattr(X, "columns", np.arange(values.shape[1]))
        r2 = pd.Series(_r2_by_gene(values, filled, used), names, name="r2")
        std = np.where(std > 0, std, 1)
        measured, guess = (((part - mean) / std)[used] for part in (values, filled))
        return cls(measured, guess, r2).plot(**plot_kw)

    def plot(self, ax=None, *, kind="auto", limit=None, value_kw=None, hist_kw=None):
        """Draw the values, and R2 by gene.

        Parameters
        ----------
        ax : Axes, array of two Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        kind : {"auto", "hexbin", "scatter"}, default="auto"
            Whether values are counted in hexagons or drawn as points. "auto" counts
            more than 3,000.
        limit : float, default=None
            Where the axes of the values end on both sides, in standard deviations. None
            leaves out one value in a thousand at the most.
        value_kw : dict, default=None
            Keywords of the values, for ``Axes.hexbin`` or ``Axes.scatter``.
        hist_kw : dict, default=None
            Keywords of the bars, for ``Axes.hist``.

        Returns
        -------
        self : RestorationDisplay
            The display.
        """
        if kind not in ("auto", "hexbin", "scatter"):
            raise ValueError(f'kind={kind!r} must be "auto", "hexbin" or "scatter".')
        axes = make_axes(f"{type(self).__name__}.plot", ax, (1, 2), figsize=(8.5, 3.8))
        left, right = axes[0]
        if kind == "auto":
            kind = "hexbin" if len(self.measured) > _MOST_POINTS else "scatter"
        self._draw_values(left, kind, limit, value_kw)
        self._draw_r2(right, hist_kw)
        self.ax_, self.figure_ = axes, left.figure
        return self

    def _draw_values(self, ax, kind, limit, value_kw):
        if limit is None:
            largest = np.maximum(np.abs(self.measured), np.abs(self.restored))
            limit = float(np.ceil(np.quantile(largest, 0.999)))
        self.colorbar_ = None
        if kind == "scatter":
            style = {"s": 8, "alpha": 0.4, "color": COLORS[0], "linewidth": 0}
            self.values_ = ax.scatter(
                self.restored, self.measured, **merged(style, value_kw)
            )
        else:
            style = {
                "gridsize": 50,
                "bins": "log",
                "mincnt": 1,
                "cmap": "viridis",
                "linewidth": 0.2,
                "extent": (-limit, limit, -limit, limit),
            }
            inside = np.maximum(np.abs(self.measured), np.abs(self.restored)) <= limit
            self.values_ = ax.hexbin(
                self.restored[inside], self.measured[inside], **merged(style, value_kw)
            )
            self.colorbar_ = ax.figure.colorbar(self.values_, ax=ax, label="values")
        ax.axline((0, 0), slope=1, color=GREY, linewidth=1)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        ax.set(xlabel="restored (standard deviations)", ylabel="measured")
        ticks = [t for t in ax.get_yticks() if -limit <= t <= limit]
        ax.set(xticks=ticks, yticks=ticks)
        open_frame(ax)

    def _draw_r2(self, ax, hist_kw):
        known = self.r2.dropna()
        # A few genes far below zero would leave no room for the others.
        low = 0.0 if known.empty else max(-1.0, np.floor(10 * known.min()) / 10)
        low = min(low, 0.0)
        edges = np.linspace(low, 1, round(20 * (1 - low)) + 1)
        style = {"color": COLORS[0], "bins": edges}
        *_, self.histogram_ = ax.hist(known.clip(lower=low), **merged(style, hist_kw))
        n_below = int((known < -1).sum())
        below = f" ({n_below} below -1)" if n_below else ""
        ax.set(xlabel=f"$R^2$ of a gene{below}", ylabel="genes", xlim=(low, 1))
        ax.yaxis.get_major_locator().set_params(integer=True)
        open_frame(ax)
        if known.empty:
            return
        median = known.median()
        ax.axvline(median, color=GREY, linestyle="--", linewidth=1.5)
        ax.annotate(
            f"median {median:.2f}",
            xy=(median, 1),
            xycoords=ax.get_xaxis_transform(),
            xytext=(-4 if median > (1 + low) / 2 else 4, 2),
            textcoords="offset points",
            ha="right" if median > (1 + low) / 2 else "left",
            va="bottom",
        )


def _check(X):
    return np.asarray(check_profiles(X), dtype=float)


def _check_hidden(hidden, shape):
    hidden = np.asarray(hidden)
    if hidden.shape != shape or not np.isin(hidden, (0, 1)).all():
        raise ValueError(f"hidden must be True or False, of shape {shape}.")
    return hidden == 1


def _hide(values, rate, rng):
    """Choose measured values at random; each sample keeps one at the least."""
    measured = ~np.isnan(values)
    drawn = np.where(measured, rng.random(values.shape), np.inf)
    hidden = drawn < rate
    last = drawn.copy()
    last[~measured] = -1
    emptied = hidden.sum(axis=1) == measured.sum(axis=1)
    hidden[emptied, last[emptied].argmax(axis=1)] = False
    return hidden


def _r2_by_gene(values, restored, used):
    """Return the share of the variance of the used values that was restored."""
    count = used.sum(axis=0)
    mean = np.where(used, values, 0).sum(axis=0) / np.maximum(count, 1)
    total = (np.where(used, values - mean, 0) ** 2).sum(axis=0)
    error = (np.where(used, values - restored, 0) ** 2).sum(axis=0)
    enough = (count >= _MIN_VALUES) & (total > 0)
    return np.where(enough, 1 - error / np.where(enough, total, 1), np.nan)


def _like(values, X, name):
    """Return values without a mask, with the samples and genes of X in their order."""
    if np.ma.isMaskedArray(values):
        values = values.astype(float).filled(np.nan)
    for axis in ("index", "columns"):
        own, other = (getattr(table, axis, None) for table in (values, X))
        if not (isinstance(own, pd.Index) and isinstance(other, pd.Index)):
            continue
        if not own.equals(other):
            if not own.is_unique or len(own) != len(other) or not own.isin(other).all():
                raise ValueError(f"{name} has another {axis} than X: give the same.")
            values = values.reindex(**{axis: other})
    return values
