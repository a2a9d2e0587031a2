"""Losses of training and validation by epoch."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._axes import GREY, check_matplotlib, make_axes, merged, open_frame
from ._labels import label_ends
from ._styles import line_style

# Where a fitted estimator keeps the one that was trained.
_INSIDE = ("best_estimator_", "embedder_", "estimator_")


class TrainingCurveDisplay:
    """Losses of training and validation by epoch.

    Made by :meth:`from_estimator`. Under early stopping the epoch whose weights were
    kept is marked. Values are hidden or swapped at random in pretraining, so that the
    two losses need not be alike even without any overfitting: look at where each falls.

    Parameters
    ----------
    train_loss : array-like of shape (n_epochs,)
        Mean loss of each epoch, while its weights were trained.
    valid_loss : array-like of shape (n_epochs,), default=None
        Loss of the validation part after each epoch.
    best_epoch : int, default=None
        The epoch whose weights were kept, counted from one; 0 if those before training
        were. None marks none.

    Attributes
    ----------
    ax_ : Axes
        What was drawn in.
    figure_ : Figure or SubFigure
        Its figure.
    lines_ : list of Line2D
        Training, then validation, if there is one.
    labels_ : list of Annotation
        Their names.
    best_ : Line2D or None
        The mark of the epoch that was kept.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by training samples.

    Examples
    --------
    >>> from skgex import SCARF
    >>> from skgex.datasets import load_tissues_u133
    >>> from skgex.plotting import TrainingCurveDisplay
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> embedder = SCARF(max_epochs=8, n_iter_no_change=4, random_state=0).fit(X)
    >>> display = TrainingCurveDisplay.from_estimator(embedder)
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    """

    def __init__(self, train_loss, *, valid_loss=None, best_epoch=None):
        self.train_loss = train_loss
        self.valid_loss = valid_loss
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(
        cls, estimator, *, ax=None, line_kw=None, best_kw=None, label_kw=None
    ):
        """Draw the losses of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            An embedder, a fine-tuned or a survival estimator, whose own training is
            drawn; an imputer or restorer, whose embedder was trained; or a pipeline or
            search with one of these. Also one that was loaded from a file.
        ax : Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        line_kw : dict, default=None
            Keywords of both lines, for :class:`matplotlib.lines.Line2D`.
        best_kw : dict, default=None
            Keywords of the mark of the epoch that was kept, also for Line2D.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        display : TrainingCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If nothing was trained.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        history = _find_history(estimator)
        if not history:
            raise ValueError(
                f"{type(estimator).__name__} has no epochs to draw: no network was "
                "trained. It may have max_epochs=0, or inner folds left the network "
                "out."
            )
        valid_loss = best_epoch = None
        if "valid_loss" in history[0]:
            valid_loss = np.array([row["valid_loss"] for row in history])
            kept = [row["epoch"] for row in history if row["valid_loss_best"]]
            best_epoch = max(kept, default=0)
        train_loss = np.array([row["train_loss"] for row in history])
        display = cls(train_loss, valid_loss=valid_loss, best_epoch=best_epoch)
        return display.plot(ax, line_kw=line_kw, best_kw=best_kw, label_kw=label_kw)

    def plot(self, ax=None, *, line_kw=None, best_kw=None, label_kw=None):
        """Draw the losses.

        Parameters
        ----------
        ax : Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        line_kw : dict, default=None
            Keywords of both lines, for :class:`matplotlib.lines.Line2D`.
        best_kw : dict, default=None
            Keywords of the mark of the epoch that was kept, also for Line2D.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        self : TrainingCurveDisplay
            The display.
        """
        caller = f"{type(self).__name__}.plot"
        ((ax,),) = make_axes(caller, ax, figsize=(5.5, 3.5))
        losses = {"training": self.train_loss, "validation": self.valid_loss}
        losses = {name: loss for name, loss in losses.items() if loss is not None}
        self.lines_ = []
        for i, (name, loss) in enumerate(losses.items()):
            style = {**line_style(i), "linewidth": 2, "marker": "o", "markersize": 3}
            style["linestyle"] = ("-", "--")[i]
            epochs = np.arange(1, len(loss) + 1)
            self.lines_ += ax.plot(epochs, loss, label=name, **merged(style, line_kw))
        self._mark_best(ax, best_kw)
        ax.set(xlabel="epoch", ylabel="loss")
        # Room above the lines, where the mark is named.
        ax.margins(y=0.12)
        _whole_epochs(ax, len(self.train_loss))
        open_frame(ax)
        self.labels_ = label_ends(ax, self.lines_, list(losses), label_kw)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _mark_best(self, ax, best_kw):
        self.best_ = None
        if self.best_epoch is None:
            return
        style = {"color": GREY, "linestyle": ":", "linewidth": 1.5, "zorder": 1}
        self.best_ = ax.axvline(self.best_epoch, **merged(style, best_kw))
        ax.annotate(
            f"kept: epoch {self.best_epoch}" if self.best_epoch else "kept: the start",
            xy=(self.best_epoch, 1),
            xycoords=ax.get_xaxis_transform(),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            color=GREY,
            fontsize="small",
        )


def _whole_epochs(ax, last):
    """Put ticks at whole epochs, where there are any."""
    locator = ax.xaxis.get_major_locator()
    locator.set_params(integer=True)
    first = min(1, ax.dataLim.x0)
    ticks = locator.tick_values(first, last)
    ax.set_xticks([tick for tick in ticks if first <= tick <= last])
    ax.spines.bottom.set_bounds(first, last)


def _find_history(estimator):
    """Return the rows of the epochs of an estimator, or of the one inside of it."""
    if isinstance(estimator, Pipeline):
        inside = [step for _, step in reversed(estimator.steps)]
    else:
        # An empty history is a history, too.
        if hasattr(estimator, "history_"):
            return estimator.history_
        inside = [getattr(estimator, name, None) for name in _INSIDE]
    histories = [_find_history(e) for e in inside if hasattr(e, "get_params")]
    return next(filter(None, histories), None)
