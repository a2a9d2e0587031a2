"""GexBERT: restore hidden genes with a transformer over genes."""

from collections.abc import Iterable
from copy import deepcopy
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._low_rank import FittedPriors, prior_for_genes
from .._training import split_validation
from ..nn import GeneDecoder, GeneTransformer
from ._adapted import (
    carry_network,
    check_priors,
    fit_adapted_priors,
    keep_if_better,
    moments_of,
    weights_of_all,
)
from ._base import BaseEmbedder
from ._carry_over import carry_over
from ._fit_again import fit_again
from ._gene_methods import GeneMethods
from ._gexbert_sizes import check_sizes
from ._kept_genes import genes_of_last_fit
from ._restoration import RestorationObjective
from ._starts import fitted_starts, in_unit_of

MIN_VALIDATION = 2
# With a prior, which knows all genes, more panels do not make embeddings better.
MAX_PANELS = 4


class GexBERT(GeneMethods, BaseEmbedder):
    """Embed, complete and read expression profiles with a transformer over genes.

    Values of random genes are hidden, and restored from those that are left [1]_. A
    measured gene is a token, so that any genes may be missing; a decoder is asked for
    any gene, measured or not. By default the transformer only learns what a strong
    linear model leaves: see `prior`.

    Parameters
    ----------
    mask_rate : float or (float, float), default=(0.15, 0.85)
        Share of the genes that is hidden, or a range from which it is drawn for each
        batch.
    n_genes_per_step : int, default=256
        Number of genes of a sample that are shown to the network, or asked for, in a
        step; they are drawn anew each time. Half as many are read at a time later.
    embedding_dim : int, default=64
        Width of the tokens.
    n_layers : int, default=2
        Number of blocks of the encoder.
    n_heads : int, default=4
        Number of attention heads, a divisor of `embedding_dim`.
    n_decoder_layers : int, default=1
        Number of blocks of the decoder.
    dropout : float, default=0.0
        Dropout rate of the transformer.
    value_encoder : {"continuous", "bins"}, default="continuous"
        How values become vectors: by interpolation between learnt vectors, or as
        learnt vectors of bins, as in [1]_.
    n_bins : int, default=32
        Number of these vectors; they lie on quantiles of a normal distribution.
    pooling : {"concat", "summary", "mean"}, default="concat"
        Embedding of a sample: its 8 summary tokens side by side, in ``8 *
        embedding_dim`` dimensions, their mean, or the mean of its genes.
    prior : {"low_rank"} or None, default="low_rank"
        "low_rank" starts from factor analysis with a mixture over the leading
        factors, and a curve for each gene: no gradient descent, but seconds of linear
        algebra, twice as many where values are missing. What they expect
        given all measured genes is told to the tokens, and corrected by the network.
        None is a plain transformer: faster to fit, but it restores worse. If one panel
        has not all genes, its summary tokens start from the sum of the gene embeddings
        weighted by the values.
    standardize : bool, default=True
        Whether genes are standardised by their mean and standard deviation in `fit`.
    clip : float or None, default=10.0
        Bound on the absolute standardised value; nearly constant genes otherwise reach
        hundreds in new samples. Without `standardize` nothing is clipped.
    max_epochs : int, default=8
        Passes over the training samples. With 0 the transformer stays untrained, and
        genes are restored by the prior alone.
    batch_size : int, default=64
        Upper bound on the samples of a batch; batches are of nearly equal size.
    lr : float, default=2e-3
        Peak learning rate of AdamW: warmed up over the first tenth of the steps, then
        brought to zero along a cosine.
    weight_decay : float, default=0.01
        Decoupled weight decay.
    validation_fraction : float, default=0.1
        Share of the samples held out for early stopping; of the groups if `fit` is
        given `groups`. Only used with `n_iter_no_change`.
    n_iter_no_change : int or None, default=8
        Stop after this many epochs without a lower validation loss, and restore the
        best weights, or those before training: what is restored is then no worse on
        the validation samples than by the prior alone. None trains on all samples for
        `max_epochs`.
    device : str or torch.device, default="auto"
        Where to compute; "auto" takes CUDA if there is any, else the CPU.
    callbacks : list of skorch callbacks or None, default=None
        Run during training. Callbacks of scikit-learn are set by `set_callbacks`.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights, and with the standardisation, of the
        last fit. Genes that could be restored and are not in `X` stay restorable, by
        the prior as it was (`restorable_genes_`); what the network corrected of them
        is lost.
    start : FrozenEstimator, list of FrozenEstimator or None, default=None
        ``FrozenEstimator(embedder)`` around a fitted GexBERT: the prior is drawn to
        what that one has learnt, so that `X` may be a cohort of few samples. Genes
        may differ. Those that only `X` has are learnt from it; those that `X` lacks
        are kept and can be restored, each by the start that counts most of those that
        know it, and so are genes that a start kept from its own start. Means and
        standard deviations are those of `X`, drawn to known ones where samples are
        few. Several starts are weighted. The network starts from that of the start
        that counts most, if it is of the same size. None starts afresh.
    start_weight : "auto" or float, default="auto"
        How many samples `start` counts as, all of a list together. "auto" chooses for
        each by what is restored of samples held out within `fit`, between 0, which
        leaves it out, and 1,000.
    verbose : int, default=0
        Whether a line is printed for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the weights, the batches, what is hidden and the validation split. None
        draws it from numpy's global generator; torch's are left alone. The same seed
        and number of threads give the same result: see Threads in
        :doc:`/user_guide/pretraining`.

    Attributes
    ----------
    encoder_ : torch.nn.Module
        The pretrained encoder, for standardised genes.
    standardizer_ : torch.nn.Module
        Standardises genes as in training.
    objective_ : torch.nn.Module
        The encoder with its decoder, which `warm_start` goes on from.
    gene_embeddings_ : ndarray of shape (`n_features_in_`, `embedding_dim`)
        The learnt vector of each gene.
    start_weight_ : ndarray of shape (n_starts,)
        How many samples each start counts as; 0 for one that was left out. Only after
        a fit with `start`.
    history_ : list of dict
        One row for each epoch, with `train_loss` and, under early stopping,
        `valid_loss`. A column is read by ``history_[:, "train_loss"]``.
    n_iter_ : int
        Number of epochs that were run.
    n_features_in_ : int
        Number of genes seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the genes, if `X` had any.

    See Also
    --------
    GexImputer : Fills in missing values, as a drop-in imputer.
    GeneRestorer : Adds genes that a panel lacks, in a pipeline.
    FineTunedClassifier : Trains a classifier on the pretrained encoder.
    SCARF : A faster embedder for samples with all genes.

    Notes
    -----
    The paper leaves open its sizes, the share that is hidden, the loss and the decoder
    [1]_; those here are ours. DEVIATION: bins lie on quantiles of standardised values,
    not of raw ones; the decoder reads summary tokens, not all tokens, which keeps the
    cost linear in the number of genes; the low-rank prior is not in the paper; and
    without it, summary tokens know more than they read, if genes are many, and restored
    values are the sum of what the decoder makes of a query and of factors, read from
    the summary tokens, whose loadings are the gene embedding. These are asked for all
    hidden genes in each step. Both let a plain transformer learn in few epochs.

    Samples with more genes than are read at a time are read in panels, whose summary
    tokens are averaged. With the prior an embedding reads four panels at most: it knows
    what all genes say of the factors. What is restored, and attention, reads all.

    References
    ----------
    .. [1] Jiang S., Hassanpour S. "Transformer-based representation learning for
       robust gene expression modeling and cancer prognosis", Scientific Reports 15,
       37581, 2025. :doi:`10.1038/s41598-025-14949-2`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import GexBERT
    >>> from skgex.datasets import load_tissues_u133
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> embedder = GexBERT(max_epochs=2, random_state=0).fit(X)
    >>> embedder.transform(X).shape
    (189, 512)

    Hide half of the genes of a sample, and restore them:

    >>> panel = X[:1].copy()
    >>> panel[0, ::2] = np.nan
    >>> restored = embedder.restore(panel)
    >>> bool(np.corrcoef(restored[0, ::2], X[0, ::2])[0, 1] > 0.9)
    True
    """

    _keep_start = True

    _parameter_constraints: dict = {
        **BaseEmbedder._parameter_constraints,
        "mask_rate": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "n_genes_per_step": [Interval(Integral, 2, None, closed="left")],
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "n_decoder_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "value_encoder": [StrOptions({"continuous", "bins"})],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "pooling": [StrOptions({"concat", "summary", "mean"})],
        "prior": [StrOptions({"low_rank"}), None],
        "start": [FrozenEstimator, list, tuple, None],
        "start_weight": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        mask_rate: float | Iterable[float] = (0.15, 0.85),
        *,
        n_genes_per_step=256,
        embedding_dim=64,
        n_layers=2,
        n_heads=4,
        n_decoder_layers=1,
        dropout=0.0,
        value_encoder="continuous",
        n_bins=32,
        pooling="concat",
        prior: str | None = "low_rank",
        standardize=True,
        clip: float | None = 10.0,
        max_epochs=8,
        batch_size=64,
        lr=2e-3,
        weight_decay=0.01,
        validation_fraction=0.1,
        n_iter_no_change: int | None = 8,
        device: Any = "auto",
        callbacks=None,
        warm_start=False,
        start=None,
        start_weight: float | str = "auto",
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            standardize=standardize,
            clip=clip,
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            device=device,
            callbacks=callbacks,
            warm_start=warm_start,
            start=start,
            verbose=verbose,
            random_state=random_state,
        )
        self.mask_rate = mask_rate
        self.n_genes_per_step = n_genes_per_step
        self.embedding_dim = embedding_dim
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.n_decoder_layers = n_decoder_layers
        self.dropout = dropout
        self.value_encoder = value_encoder
        self.n_bins = n_bins
        self.pooling = pooling
        self.prior = prior
        self.start_weight = start_weight

    def _make_model(self, reader, groups):
        check_sizes(self, reader.shape[1])
        starts = fitted_starts(self, self.start)
        check_priors(self.prior, starts)
        known = moments_of(starts) if starts else None
        standardizer = self._make_standardizer(reader, known)
        prepare = deepcopy(standardizer).to(reader.device)
        for start in starts:
            in_unit_of(start, standardizer)
        fitted = FittedPriors(None, [], None, [1.0] * len(starts), 0)
        if self.prior is not None:
            names = getattr(self, "feature_names_in_", None)
            fitted = fit_adapted_priors(
                reader, prepare, groups, starts, self.start_weight, names
            )
        prior, fold_priors, fold, weights, _ = fitted
        encoder = self._make_encoder(reader.shape[1], prior)
        objective = self._make_objective(encoder, fold_priors=fold_priors, fold=fold)
        # More genes are constant there than in the table of the user.
        standardize = partial(self._make_standardizer, known=known, warn=False)
        objective.again.extend(fit_again(reader, standardize, fitted, starts))
        if self.start is not None:
            objective.start_weights = weights_of_all(self.start, starts, weights)
        if starts:
            heaviest = starts[int(np.argmax(weights))]
            if carry_network(self, heaviest, objective.cpu()) and prior is not None:
                keep_if_better(objective, reader, prepare)
        return standardizer, objective.cpu()

    @property
    def start_weight_(self):
        """How many samples each start counts as."""
        check_is_fitted(self)
        weights = getattr(self.objective_, "start_weights", None)
        if weights is None:
            raise AttributeError("start_weight_ is there after a fit with a start only")
        return weights

    def _with_genes(self, reader, standardizer, places, known):
        check_sizes(self, reader.shape[1])
        prior = self.encoder_.prior
        if prior is not None:
            prepare = deepcopy(standardizer).to(reader.device)
            prior = prior_for_genes(prior, places, reader, prepare)
            prior.other = genes_of_last_fit(self, known, reader, prepare)
        encoder = self._make_encoder(reader.shape[1], prior)
        objective = self._make_objective(encoder)
        carry_over(self.objective_, objective, places, skip=["encoder.prior."])
        encoder.read_in_order_of(self.encoder_, torch.from_numpy(places))
        return objective

    def _make_encoder(self, n_genes, prior=None):
        return GeneTransformer(
            n_genes,
            self.embedding_dim,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            dropout=self.dropout,
            value_encoder=self.value_encoder,
            n_bins=self.n_bins,
            panel_size=max(1, self.n_genes_per_step // 2),
            pooling=self.pooling,
            prior=prior,
            max_panels=None if prior is None else MAX_PANELS,
        )

    def _make_objective(
        self, encoder, standardizer=None, reader=None, fold_priors=(), fold=None
    ):
        decoder = GeneDecoder(
            encoder, self.n_decoder_layers, self.n_heads, self.dropout
        )
        low, high = np.broadcast_to(self.mask_rate, 2).tolist()
        return RestorationObjective(
            encoder, decoder, (low, high), self.n_genes_per_step, fold_priors, fold
        )

    def _split(self, n_samples, groups, seed):
        fraction = self.validation_fraction
        if self.n_iter_no_change is None or fraction * n_samples >= MIN_VALIDATION:
            return super()._split(n_samples, groups, seed)
        # Each sample has many values to hide, so that few of them will do; where
        # there are hardly any, they must do twice.
        check_consistent_length(groups, np.empty(n_samples))
        rows = torch.arange(n_samples)
        if groups is not None or n_samples < 4 * MIN_VALIDATION:
            return rows, rows
        return split_validation(n_samples, MIN_VALIDATION / n_samples, seed)
