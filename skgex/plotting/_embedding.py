"""An embedding in two dimensions, by class."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_consistent_length

from ._axes import check_matplotlib, make_axes, merged, open_frame
from ._labels import label_points
from ._styles import line_style

# More cannot be told apart, and are likely to be values rather than classes.
_MOST_CLASSES = 40


class EmbeddingDisplay:
    """An embedding in two dimensions, by class.

    Made by :meth:`from_estimator` or :meth:`from_embedding`. Each class has its name at
    the median of its points. Two dimensions show a part of an embedding only; the
    silhouette is that of all dimensions.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        Where the samples are.
    classes : array-like of shape (n_samples,), default=None
        Class of each sample. None draws all alike.
    silhouette : float, default=None
        Written into the title if there is one.
    axis_names : tuple of str, default=("dimension 1", "dimension 2")
        Names of the axes.

    Attributes
    ----------
    ax_ : Axes
        What was drawn in.
    figure_ : Figure or SubFigure
        Its figure.
    scatters_ : list of PathCollection
        One for each class, in their order.
    labels_ : list of Annotation
        Names of the classes.

    See Also
    --------
    sklearn.metrics.silhouette_score : How well classes are apart.

    Examples
    --------
    >>> from skgex import VIME
    >>> from skgex.datasets import load_tissues_u133
    >>> from skgex.plotting import EmbeddingDisplay
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> embedder = VIME(max_epochs=3, random_state=0).fit(X)
    >>> display = EmbeddingDisplay.from_estimator(
    ...     embedder, X, tissue, silhouette=True
    ... )
    >>> display.points.shape
    (189, 2)
    """

    def __init__(
        self,
        points,
        *,
        classes=None,
        silhouette=None,
        axis_names=("dimension 1", "dimension 2"),
    ):
        self.points = points
        self.classes = classes
        self.silhouette = silhouette
        self.axis_names = axis_names

    @classmethod
    def from_estimator(cls, estimator, X, y=None, **embedding_kw):
        """Embed samples and draw them.

        Parameters
        ----------
        estimator : estimator
            A fitted embedder, fine-tuned estimator or pipeline with `transform`.
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.
        y : array-like of shape (n_samples,), default=None
            Class of each sample.
        **embedding_kw
            Keywords of :meth:`from_embedding`, and of :meth:`plot`.

        Returns
        -------
        display : EmbeddingDisplay
            The display, drawn.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        return cls.from_embedding(estimator.transform(X), y, **embedding_kw)

    @classmethod
    def from_embedding(
        cls,
        embedding,
        y=None,
        *,
        projection=None,
        silhouette=False,
        **plot_kw,
    ):
        """Draw samples that are embedded already, or genes themselves.

        Parameters
        ----------
        embedding : array-like of shape (n_samples, n_dimensions)
            What to project.
        y : array-like of shape (n_samples,), default=None
            Class of each sample.
        projection : object or array-like of shape (n_samples, 2), default=None
            What has a method `fit_transform` that returns two columns, such as TSNE or
            UMAP, or the two columns themselves. None takes the first two principal
            components of standardised dimensions.
        silhouette : bool, default=False
            Whether to write the mean silhouette of the classes into the title. It is
            that of all dimensions, standardised, from -1 to 1.
        **plot_kw
            Keywords of :meth:`plot`.

        Returns
        -------
        display : EmbeddingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `y` has more than 40 classes, or there are not two columns to draw.
        """
        check_matplotlib(f"{cls.__name__}.from_embedding")
        embedding = check_array(embedding, input_name="embedding")
        classes = None if y is None else _check_classes(y, embedding)
        names = ("dimension 1", "dimension 2")
        if projection is None:
            if embedding.shape[1] < 2:
                raise ValueError("embedding has one column, but two are drawn.")
            projection = make_pipeline(StandardScaler(), PCA(2))
            names = ("component 1", "component 2")
        if hasattr(projection, "fit_transform"):
            points = np.asarray(projection.fit_transform(embedding))
        else:
            points = np.asarray(projection)
        if points.shape != (len(embedding), 2):
            raise ValueError(
                f"projection has shape {points.shape}, but {(len(embedding), 2)} is "
                "drawn."
            )
        score = None
        if silhouette:
            if classes is None:
                raise ValueError("silhouette=True needs y, the classes.")
            values = StandardScaler().fit_transform(embedding)
            score = float(silhouette_score(values, classes))
        display = cls(points, classes=classes, silhouette=score, axis_names=names)
        return display.plot(**plot_kw)

    def plot(self, ax=None, *, title=None, scatter_kw=None, label_kw=None):
        """Draw the points.

        Parameters
        ----------
        ax : Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        title : str, default=None
            Title, before the silhouette.
        scatter_kw : dict, default=None
            Keywords of the points, for ``Axes.scatter``.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        self : EmbeddingDisplay
            The display.
        """
        ((ax,),) = make_axes(f"{type(self).__name__}.plot", ax, figsize=(5.5, 5))
        groups = {None: np.ones(len(self.points), bool)}
        if self.classes is not None:
            classes = np.asarray(self.classes)
            groups = {name: classes == name for name in pd.unique(classes)}
            groups = {name: groups[name] for name in sorted(groups)}
        # Fewer points can be larger.
        size = float(np.clip(8000 / len(self.points), 5, 25))
        self.scatters_, medians, colors = [], [], []
        for i, (name, here) in enumerate(groups.items()):
            look = line_style(i)
            style = {"color": look["color"], "marker": look["marker"], "s": size}
            style |= {"alpha": 0.6, "linewidth": 0, "label": name}
            scatter = ax.scatter(*self.points[here].T, **merged(style, scatter_kw))
            self.scatters_.append(scatter)
            medians.append(np.median(self.points[here], axis=0))
            colors.append(look["color"])
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        # The scales of a projection say nothing.
        ax.set(xticks=[], yticks=[])
        open_frame(ax)
        parts = [] if title is None else [title]
        if self.silhouette is not None:
            parts.append(f"silhouette {self.silhouette:.2f}")
        ax.set_title(", ".join(parts), loc="left", fontsize="medium")
        self.labels_ = []
        if self.classes is not None:
            names = [str(name) for name in groups]
            self.labels_ = label_points(ax, medians, names, colors, label_kw)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _check_classes(y, embedding):
    classes = np.asarray(y)
    check_consistent_length(embedding, classes)
    absent = pd.isna(classes)
    if absent.any():
        raise ValueError(
            f"y is missing for {absent.sum()} samples: leave them out, or give them a "
            "class of their own."
        )
    n_classes = len(pd.unique(classes))
    if n_classes > _MOST_CLASSES:
        raise ValueError(
            f"y has {n_classes} classes, and {_MOST_CLASSES} can be told apart at the "
            "most: cut values into classes, or leave out small ones."
        )
    return classes
