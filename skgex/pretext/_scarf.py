"""SCARF: contrastive learning by random feature corruption."""

from collections.abc import Iterable
from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from .._training import gene_ranges
from ..nn import (
    GeneCorruption,
    Objective,
    info_nce_loss,
    nt_xent_loss,
    projection_head,
)
from ..nn._shares import own
from ._mlp import BaseMLPEmbedder

LOW_TEMPERATURE = 1e-3
LOSSES = {"nt_xent": nt_xent_loss, "info_nce": info_nce_loss}


class SCARFObjective(Objective):
    """Recognise a sample from its corrupted view among the other samples."""

    def __init__(self, encoder, corruption, temperature, loss):
        super().__init__(encoder)
        d = encoder.embedding_dim
        self.head = projection_head(d, d, d)
        self.corruption = corruption
        self.temperature = temperature
        self.loss = loss

    def suspects(self):
        """Return the temperature, if it is close to zero."""
        low = self.temperature < LOW_TEMPERATURE
        return {"temperature": (self.temperature, "raise")} if low else {}

    def forward(self, X):
        """Return the contrastive loss of a clean batch and its corrupted view."""
        # DEVIATION: the paper draws replacements from the whole training set. Ours
        # come from the other samples of the batch: the same marginals, nothing stored.
        view, _ = self.corruption(X)
        z, z_view = (self.head(self.encoder(x)) for x in (own(X), view))
        return LOSSES[self.loss](z, z_view, self.temperature)


class SCARF(BaseMLPEmbedder):
    """Embed expression profiles with an encoder pretrained by SCARF.

    A random share of the genes of a sample is replaced by values that the same genes
    take in other samples. The encoder learns to recognise each sample from its
    corrupted view among all samples of the batch [1]_. On bulk RNA-seq it was
    studied in [2]_.

    Parameters
    ----------
    corruption_rate : float, default=0.6
        Share of the genes that is replaced; exactly ``floor(rate * n_genes)`` genes
        of each sample are selected.
    temperature : float, default=0.3
        Temperature of the contrastive loss.
    replacement : {"marginal", "uniform"}, default="marginal"
        Where replacements are drawn from: the values of the gene in other samples, or
        uniformly between its smallest and its largest value.
    loss : {"nt_xent", "info_nce"}, default="nt_xent"
        `"nt_xent"` has every view of every sample as an anchor and as a negative;
        `"info_nce"` only clean anchors and corrupted negatives, as in [1]_.
    hidden_dims : tuple of int, default=(256, 256)
        Width of each layer of the encoder. The last one is the dimension of the
        embedding.
    dropout : float, default=0.0
        Dropout rate of the encoder.
    normalization : {"batch", "layer"} or None, default="batch"
        Normalisation in the encoder.
    standardize : bool, default=True
        Whether genes are standardised by their mean and standard deviation in `fit`.
    clip : float or None, default=10.0
        Bound on the absolute standardised value; nearly constant genes otherwise reach
        hundreds in new samples. Without `standardize` nothing is clipped.
    max_epochs : int, default=200
        Passes over the training samples. With 0 the encoder stays untrained and only
        standardises: the from-scratch baseline.
    batch_size : int, default=256
        Upper bound on the samples of a batch; batches are of nearly equal size.
    lr : float, default=3e-3
        Peak learning rate of AdamW: warmed up over the first tenth of the steps, then
        brought to zero along a cosine.
    weight_decay : float, default=0.01
        Decoupled weight decay.
    validation_fraction : float, default=0.1
        Share of the samples held out for early stopping; of the groups if `fit` is
        given `groups`. Only used with `n_iter_no_change`.
    n_iter_no_change : int or None, default=None
        Stop after this many epochs without a lower validation loss, and restore the
        best weights. None trains on all samples for `max_epochs`.
    device : str or torch.device, default="auto"
        Where to compute; "auto" takes CUDA if there is any, else the CPU.
    callbacks : list of skorch callbacks or None, default=None
        Run during training. Callbacks of scikit-learn are set by `set_callbacks`.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights, and with the standardisation, of the
        last fit.
    start : FrozenEstimator or None, default=None
        ``FrozenEstimator(embedder)`` around a fitted embedder of this class, with the
        same parameters: pretraining starts from its weights. Genes may differ; weights
        of new genes start at zero. Standardisation of shared genes is that of the
        start, or that of `X` if it seems to be in another unit, with a warning. None
        starts afresh.
    verbose : int, default=0
        Whether a line is printed for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of the weights, the batches, the corruption and the validation split. None
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
        The encoder with the heads of the method, which `warm_start` goes on from.
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
    VIME : Restores the corrupted genes instead.
    BYOL : Needs no negative samples.
    FineTunedClassifier : Trains a classifier on the pretrained encoder.

    Notes
    -----
    Settings of the papers:

    - [1]_: ``SCARF(0.6, 1.0, loss="info_nce", hidden_dims=(256,) * 4, batch_size=128,
      lr=1e-3, weight_decay=0, max_epochs=1000, n_iter_no_change=3)``
    - [2]_: ``SCARF(0.3, 1.0, replacement="uniform", hidden_dims=(256,) * 4,
      dropout=0.2, lr=1e-4, weight_decay=0, max_epochs=1000)``

    References
    ----------
    .. [1] Bahri D., Jiang H., Tay Y., Metzler D. "SCARF: self-supervised contrastive
       learning using random feature corruption", ICLR 2022. :arxiv:`2106.15147`
    .. [2] Dradjat K., Hamidi M., Bartet P., Hanczar B. "Self-supervised representation
       learning on gene expression data", Bioinformatics 41(11), 2025.
       :doi:`10.1093/bioinformatics/btaf533`

    Examples
    --------
    >>> from skgex import SCARF
    >>> from skgex.datasets import load_tissues_u133
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> SCARF(max_epochs=5, random_state=0).fit_transform(X).shape
    (189, 256)
    """

    _parameter_constraints: dict = {
        **BaseMLPEmbedder._parameter_constraints,
        "corruption_rate": [Interval(Real, 0, 1, closed="both")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "replacement": [StrOptions({"marginal", "uniform"})],
        "loss": [StrOptions(set(LOSSES))],
    }

    def __init__(
        self,
        corruption_rate=0.6,
        temperature=0.3,
        *,
        replacement="marginal",
        loss="nt_xent",
        hidden_dims: Iterable[int] = (256, 256),
        dropout=0.0,
        normalization: str | None = "batch",
        standardize=True,
        clip: float | None = 10.0,
        max_epochs=200,
        batch_size=256,
        lr=3e-3,
        weight_decay=0.01,
        validation_fraction=0.1,
        n_iter_no_change=None,
        device: Any = "auto",
        callbacks=None,
        warm_start=False,
        start=None,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            hidden_dims=hidden_dims,
            dropout=dropout,
            normalization=normalization,
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
        self.corruption_rate = corruption_rate
        self.temperature = temperature
        self.replacement = replacement
        self.loss = loss

    def _make_objective(self, encoder, standardizer, reader):
        ranges = {}
        if self.replacement == "uniform":
            low, high = (standardizer(x).float() for x in gene_ranges(reader))
            ranges = {"low": low, "high": high}
        corruption = GeneCorruption(
            self.corruption_rate, self.replacement, exact=True, **ranges
        )
        return SCARFObjective(encoder, corruption, self.temperature, self.loss)
