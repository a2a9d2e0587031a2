"""Classification on a pretrained encoder."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.callback import with_callbacks
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y

from .._inputs import refuse_unread, warn_of_column
from .._training import quiet
from ._base import BaseFineTuned
from ._class_mixture import fit_class_mixture
from ._linear_models import (
    MANY_CLASSES,
    in_own_span,
    logistic_regression,
    some_rows,
)
from ._marks import (
    as_labels,
    labeled_samples,
    refuse_cut_mark,
    refuse_mixed,
    without_objects,
)
from ._sample_span import principal_axes
from ._score import LabeledScoreMixin

# Principal components in which classes are a mixture.
N_COMPONENTS = 100


class FineTunedClassifier(LabeledScoreMixin, ClassifierMixin, BaseFineTuned):
    """Classify expression profiles by fine-tuning a pretrained encoder.

    The encoder of `embedder` is pretrained on all samples without their labels, a
    linear layer is put on top, and both are trained on the labelled samples [1]_. By
    default the linear layer starts as a logistic regression on the embedding [2]_, and
    a linear model of all genes votes beside the network, which suits small cohorts.

    Parameters
    ----------
    embedder : embedder or FrozenEstimator, default=None
        What pretrains the encoder, such as `VIME()`, fitted on the `X` of `fit`. In
        ``FrozenEstimator(embedder)`` it was fitted before, perhaps on other samples,
        and its weights are the start; it may also be a fine-tuned estimator, whose
        encoder has learnt something else. None means `VIME()`. With ``max_epochs=0``
        it is not pretrained: the from-scratch baseline.
    covariates : str, int, slice, list, callable or None, default=None
        Clinical columns of `X` beside the genes, such as age: by name, by position, by
        a mask, or by a function of `X` such as ``make_column_selector(...)``. The head
        sees them, standardised, beside the embedding, and linear models beside the
        genes; the encoder does not. They may not have NaN: impute them in a
        `ColumnTransformer` before.
    freeze : bool, default=False
        Whether the encoder keeps its pretrained weights, so that only the head
        is trained.
    head_init : {"probe", "random"}, default="probe"
        How the linear layer starts: as a logistic regression on the embedding, or at
        random.
    linear_weight : float, default=0.67
        Weight in [0, 1] of a linear model of all genes in a vote with the network,
        which has the rest: log odds of the two are averaged. The linear model is half
        logistic regression on the labelled samples, half linear discriminant analysis
        that learns from all samples; see Notes. 0 is the network alone, as in the
        paper. With 1 the network does not vote, but is trained for `transform`; without
        need of that, ``max_epochs=0`` spares the time.
    encoder_lr : float, default=1e-3
        Peak learning rate of the encoder.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as in scikit-learn.
    unlabeled : label or None, default=None
        Target value of samples that have no label. They take part in pretraining and
        in the linear model, not in fine-tuning, and `score` leaves them out. NaN stands
        for all that is missing: NaN, None and pandas.NA. Set ``unlabeled=-1`` for
        scikit-learn's semi-supervised convention; it is never implied. In searches and
        cross-validation split by :class:`LabeledKFold`.
    max_epochs : int, default=80
        Passes over the labelled samples.
    batch_size : int or "auto", default="auto"
        Upper bound on the samples of a batch; batches are of nearly equal size. "auto"
        is a 25th of the labelled samples, but at least 32 and at most 256.
    lr : float, default=1e-3
        Peak learning rate of the head: warmed up over the first tenth of the steps,
        then brought to zero along a cosine.
    weight_decay : float, default=0.01
        Decoupled weight decay.
    corruption_rate : float, default=0.0
        Share of the genes, in [0, 1), that have the values of other labelled samples of
        the batch in each step of fine-tuning, drawn anew each time. It keeps a
        network from learning single samples by heart, where labels are few and
        nothing was pretrained. Not with `freeze`, which trains no encoder.
    validation_fraction : float, default=0.1
        Share of the labelled samples held out for early stopping; of the groups if
        `fit` is given `groups`. Only used with `n_iter_no_change`.
    n_iter_no_change : int or None, default=None
        Stop after this many epochs without a lower validation loss, and restore the
        best weights. If the validation part would have fewer than 20 samples, too few
        to tell a better epoch from a luckier one, none is split off and training
        goes on for `max_epochs`, as with None; the learning rate falls to zero
        by then in any case.
    device : str or torch.device, default="auto"
        Where to compute; "auto" takes CUDA if there is any, else the CPU.
    callbacks : list of skorch callbacks or None, default=None
        Run during fine-tuning. Callbacks of scikit-learn are set by `set_callbacks`
        and also see the pretraining.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last fit, without pretraining.
    verbose : int, default=0
        Whether a line is printed for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the head and the batches, and of an `embedder` that has none of its own.
        None draws it from numpy's global generator; torch's are left alone. The same
        seed and number of threads give the same result: see Threads in
        :doc:`/user_guide/pretraining`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    encoder_ : torch.nn.Module
        The fine-tuned encoder, for standardised genes.
    standardizer_ : torch.nn.Module
        Standardises genes as in pretraining.
    head_ : torch.nn.Module
        The linear layer above the encoder, and the covariates.
    covariates_ : ndarray of shape (n_covariates,)
        Positions of the covariates among the columns of `X`.
    linear_ : torch.nn.Module or None
        The linear model, from genes in the units of `X`. None with a `linear_weight`
        of 0.
    n_mixture_steps_ : int
        Number of steps of expectation maximisation that linear discriminant analysis
        was given; with none, the linear model is logistic regression.
    history_ : list of dict
        One row for each epoch of fine-tuning.
    n_iter_ : int
        Number of epochs of fine-tuning.
    n_features_in_ : int
        Number of columns seen in `fit`, genes and covariates.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if `X` had any.

    See Also
    --------
    FineTunedRegressor : The same for continuous targets.
    LabeledKFold : Folds of labelled samples for searches and cross-validation.

    Notes
    -----
    The mean of the log odds of three models predicts: of the network, of logistic
    regression on all genes, standardised, and of a Gaussian mixture with one component
    for each class and a common covariance in 100 principal components. The mixture is
    fitted to all samples by expectation maximisation: those without a label belong to
    each class by its probability [3]_ [4]_. So it is worth most where labels are few,
    and classes are clusters. Where they are not, it drifts away from them; its number
    of steps, up to 16, is the one that makes the fewest errors in labelled samples that
    were held out. With all labels it is linear discriminant analysis.

    The linear model reads at most 134 million values of `X`, random samples where there
    are more, the labelled ones first, and holds them in memory.

    References
    ----------
    .. [1] Dradjat K., Hamidi M., Bartet P., Hanczar B. "Self-supervised representation
       learning on gene expression data", Bioinformatics 41(11), 2025.
       :doi:`10.1093/bioinformatics/btaf533`
    .. [2] Kumar A. et al. "Fine-tuning can distort pretrained features and underperform
       out-of-distribution", ICLR 2022. :arxiv:`2202.10054`
    .. [3] McLachlan G. J. "Iterative reclassification procedure for constructing an
       asymptotically optimal rule of allocation in discriminant analysis", JASA
       70(350), 1975. :doi:`10.1080/01621459.1975.10479874`
    .. [4] Nigam K., McCallum A. K., Thrun S., Mitchell T. "Text classification from
       labeled and unlabeled documents using EM", Machine Learning 39, 2000.
       :doi:`10.1023/A:1007692713085`

    Examples
    --------
    >>> from skgex import SCARF, FineTunedClassifier
    >>> from skgex.datasets import load_tissues_u133
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> y = tissue.copy()
    >>> y[::2] = "?"  # half of the samples have no label
    >>> classifier = FineTunedClassifier(
    ...     SCARF(max_epochs=5), unlabeled="?", max_epochs=10, random_state=0
    ... )
    >>> bool(classifier.fit(X, y).score(X[::2], tissue[::2]) > 0.9)
    True
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    classes_: Any
    n_mixture_steps_: Any

    _parameter_constraints: dict = {
        **BaseFineTuned._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "unlabeled": "no_validation",
    }

    def __init__(
        self,
        embedder=None,
        *,
        covariates=None,
        freeze=False,
        head_init="probe",
        linear_weight=0.67,
        encoder_lr=1e-3,
        class_weight=None,
        unlabeled=None,
        max_epochs=80,
        batch_size: int | str = "auto",
        lr=1e-3,
        weight_decay=0.01,
        corruption_rate=0.0,
        validation_fraction=0.1,
        n_iter_no_change=None,
        device: Any = "auto",
        callbacks=None,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            embedder,
            covariates=covariates,
            freeze=freeze,
            head_init=head_init,
            linear_weight=linear_weight,
            encoder_lr=encoder_lr,
            unlabeled=unlabeled,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            corruption_rate=corruption_rate,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            device=device,
            callbacks=callbacks,
            warm_start=warm_start,
            verbose=verbose,
            random_state=random_state,
        )
        self.class_weight = class_weight

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Pretrain on all samples, then fine-tune on the labelled ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        y : array-like of shape (n_samples,)
            Targets; `unlabeled` marks samples without.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in fine-tuning. Pretraining does not use them.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are kept on one side of internal
            validation splits.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        return self._fit(X, y, sample_weight, groups)

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_classes), dtype float32
            In the order of `classes_`.
        """
        return softmax(self._outputs(X), axis=1)

    def predict(self, X):
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable classes.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def _check_target(self, y):
        if y is None:
            raise ValueError(
                "FineTunedClassifier requires y to be passed, but the target y is None."
            )
        y = as_labels(y)
        refuse_unread(y, "y")
        column, y = y, column_or_1d(y)
        warn_of_column(column)
        refuse_cut_mark(y, self.unlabeled)
        labeled = labeled_samples(y, self.unlabeled)
        if labeled.any():
            known = without_objects(y[labeled])
            refuse_mixed(known)
            _check_y(known, estimator=self)
            # Few labels of many classes are what this estimator is for.
            with quiet(message=MANY_CLASSES):
                check_classification_targets(known)
        return y, labeled

    def _encode_target(self, y, weight):
        encoder, y = LabelEncoder(), without_objects(y)
        target = encoder.fit_transform(y)
        if len(encoder.classes_) < 2:
            raise ValueError(
                f"y holds a single class, {encoder.classes_.tolist()[0]!r}, among the "
                "labelled samples of positive weight; a classifier needs at least two "
                "classes."
            )
        self._check_class_weight()
        weight = weight * compute_sample_weight(self.class_weight, y)
        if not weight.any():
            raise ValueError(
                f"class_weight={self.class_weight!r} leaves no sample a weight above "
                "zero."
            )
        learnt = {"classes_": encoder.classes_}
        return torch.from_numpy(target), weight, len(encoder.classes_), learnt

    def _check_class_weight(self):
        if not isinstance(self.class_weight, dict):
            return
        for name, weight in self.class_weight.items():
            if not 0 <= weight < np.inf:
                raise ValueError(
                    f"class_weight has {weight!r} for class {name!r}; weights must be "
                    "zero or positive, and finite."
                )

    def _loss(self, output, target):
        return F.cross_entropy(output, target, reduction="none")

    def _probe(self, embedding, target, weight):
        return logistic_regression(embedding, target, weight, C=0.1)

    def _fit_linear(self, genes, rows, target, weight, groups):
        labels = (target, weight)
        labeled = some_rows(genes, rows)
        coef, intercept = in_own_span(logistic_regression, labeled, *labels, 1.0)
        axes = principal_axes(genes, N_COMPONENTS)
        # A product in double precision would copy all genes.
        scores = (genes @ axes.astype(np.float32)).astype(np.float64)
        found = fit_class_mixture(scores, rows, *labels, len(coef), groups)
        if found.n_steps:
            # Logits of the two are averaged.
            coef = (coef + found.coef @ axes.T) / 2
            intercept = (intercept + found.intercept) / 2
        return coef, intercept, {"n_mixture_steps_": found.n_steps}

    def _stratify(self, target, n_valid):
        # Each class needs a sample on both sides; else the split is a random one.
        counts = target.bincount()
        possible = counts.min() > 1 and n_valid >= len(counts)
        return target.numpy() if possible else None
