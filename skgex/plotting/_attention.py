"""Attention of genes by class, beside what chance makes of it."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d

from ..evaluation._checks import check_counts
from ..evaluation._profiles import as_target
from ._axes import check_matplotlib, check_positive, make_axes, merged


class AttentionDisplay:
    """Attention of genes by class, beside the same with permuted classes.

    Made by :meth:`from_estimator` or :meth:`from_attention`. A cell is the mean
    attention to a gene in a class, relative to the mean over all classes. Each panel
    shows the genes that differ most between the classes in it, so that both are chosen
    in the same way: what is seen in the lower panel is chance. The distance in the
    titles is the mean of ``abs(relative - 1)`` over all genes and classes.

    Attention says what the network looks at, not what matters: see
    :meth:`skgex.GexBERT.attention`. With the low-rank prior, GexBERT's default, most is
    known before any gene is read, so that attention differs less between classes than
    with ``prior=None``.

    Parameters
    ----------
    relative : DataFrame of shape (n_classes, n_genes)
        Attention by class, relative to all classes.
    permuted : DataFrame of shape (n_classes, n_genes)
        The same after a permutation of the classes among the samples.
    permuted_distances : ndarray of shape (n_permutations,), default=None
        Mean distance from one after each of some permutations.

    Attributes
    ----------
    distance : float
        Mean distance of `relative` from one.
    ax_ : ndarray of Axes of shape (2, 1)
        What was drawn in: true classes, then permuted ones.
    figure_ : Figure or SubFigure
        Their figure.
    images_ : list of AxesImage
        The two heat maps, of log2 of the relative attention.
    colorbar_ : Colorbar
        Their scale.

    See Also
    --------
    skgex.GexBERT.attention : Where it comes from.

    Examples
    --------
    >>> from skgex import GexBERT
    >>> from skgex.datasets import load_tissues_u133
    >>> from skgex.plotting import AttentionDisplay
    >>> tissues = load_tissues_u133(as_frame=True)
    >>> X = tissues.data.iloc[:, :60]
    >>> embedder = GexBERT(prior=None, n_layers=1, max_epochs=2, random_state=0)
    >>> display = AttentionDisplay.from_estimator(
    ...     embedder.fit(X), X, tissues.target, n_genes=10, random_state=0
    ... )
    >>> display.relative.shape
    (7, 60)
    >>> bool(display.distance > display.permuted_distances.max())
    True
    """

    def __init__(self, relative, permuted, *, permuted_distances=None):
        self.relative = relative
        self.permuted = permuted
        self.permuted_distances = permuted_distances

    @property
    def distance(self):
        """Mean distance of relative attention from one."""
        return _distance(self.relative.to_numpy())

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        rollout=False,
        n_permutations=20,
        random_state: Any = 0,
        **plot_kw,
    ):
        """Draw the attention of an embedder to the genes of some samples.

        Parameters
        ----------
        estimator : GexBERT
            A fitted embedder with the method `attention`.
        X : array-like of shape (n_samples, n_genes)
            Expression profiles, best of samples that it was not fitted to.
        y : array-like of shape (n_samples,)
            Class of each sample. Means of few samples differ by chance: leave out small
            classes.
        rollout : bool, default=False
            Whether attention is followed through all layers.
        n_permutations : int, default=20
            How often classes are permuted. The first is drawn, all are in the title.
        random_state : int or Generator, default=0
            Seed of the permutations.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : AttentionDisplay
            The display, drawn.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        attention = estimator.attention(X, rollout=rollout)
        names = getattr(X, "columns", None)
        if names is None:
            names = getattr(estimator, "feature_names_in_", None)
        return cls.from_attention(
            pd.DataFrame(attention, columns=names),
            y,
            n_permutations=n_permutations,
            random_state=random_state,
            **plot_kw,
        )

    @classmethod
    def from_attention(
        cls, attention, y, *, n_permutations=20, random_state: Any = 0, **plot_kw
    ):
        """Draw given attention.

        Parameters
        ----------
        attention : array-like of shape (n_samples, n_genes)
            Attention of each sample; NaN where a gene was not measured. The columns of
            a table are names of genes.
        y : array-like of shape (n_samples,)
            Class of each sample.
        n_permutations : int, default=20
            How often classes are permuted. The first is drawn, all are in the title.
        random_state : int or Generator, default=0
            Seed of the permutations.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : AttentionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are less than two classes.
        """
        check_matplotlib(f"{cls.__name__}.from_attention")
        columns = getattr(attention, "columns", None)
        values = np.asarray(np.ma.filled(attention, np.nan), dtype=float)
        if values.ndim != 2:
            raise ValueError(f"attention has shape {values.shape}: give a table.")
        classes = column_or_1d(as_target(y, len(values)))
        if (values < 0).any():
            raise ValueError(
                "attention has negative values: give shares, as `attention` of an "
                "estimator returns them."
            )
        if len(pd.unique(classes)) < 2:
            raise ValueError("y has one class, but attention is compared between them.")
        check_counts(n_permutations=[n_permutations])
        table = pd.DataFrame(values, columns=columns)
        rng = np.random.default_rng(random_state)
        relative, permuted, distances = _relative(table, classes), None, []
        for _ in range(n_permutations):
            found = _relative(table, rng.permutation(classes))
            permuted = found if permuted is None else permuted
            distances.append(_distance(found.to_numpy()))
        display = cls(relative, permuted, permuted_distances=np.array(distances))
        return display.plot(**plot_kw)

    def plot(self, ax=None, *, n_genes=25, limit=1.5, image_kw=None):
        """Draw the two heat maps.

        Parameters
        ----------
        ax : Axes, array of two Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        n_genes : int, default=25
            Number of genes in each heat map: those whose relative attention differs
            most between classes.
        limit : float, default=1.5
            Where the colours end, in powers of two.
        image_kw : dict, default=None
            Keywords of both heat maps, for ``Axes.imshow``.

        Returns
        -------
        self : AttentionDisplay
            The display.
        """
        check_counts(n_genes=[n_genes])
        check_positive(limit=limit)
        panels = {"true classes": self.relative, "permuted classes": self.permuted}
        axes = make_axes(
            f"{type(self).__name__}.plot",
            ax,
            (2, 1),
            figsize=(8, 2.5 + 0.3 * max(6, len(self.relative))),
        )
        self.images_ = []
        for ax, (name, table) in zip(axes[:, 0], panels.items(), strict=True):
            shown = table.std().nlargest(n_genes).index
            with np.errstate(divide="ignore"):
                values = np.log2(table[shown])
            style = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, "aspect": "auto"}
            style["interpolation"] = "nearest"
            self.images_.append(ax.imshow(values, **merged(style, image_kw)))
            ax.set_xticks(range(len(shown)), shown, rotation=90, fontsize="small")
            ax.set_yticks(range(len(table)), table.index, fontsize="small")
            title = f"{name}, distance {_distance(table.to_numpy()):.3f}"
            if name != "true classes" and self.permuted_distances is not None:
                n, highest = len(self.permuted_distances), max(self.permuted_distances)
                title += f" (at most {highest:.3f} in {n} permutations)"
            ax.set_title(title, loc="left", fontsize="medium")
        self.ax_, self.figure_ = axes, axes[0, 0].figure
        self.colorbar_ = self.figure_.colorbar(
            self.images_[0],
            ax=axes.ravel().tolist(),
            label="attention relative to all classes (log2)",
            extend="both",
            extendfrac=0.03,
            aspect=40,
            shrink=0.7,
        )
        return self


def _relative(table, classes):
    """Return the mean of each class, relative to the mean over classes."""
    means = table.groupby(classes).mean()
    return means / means.mean()


def _distance(relative):
    return float(np.nanmean(np.abs(relative - 1)))
