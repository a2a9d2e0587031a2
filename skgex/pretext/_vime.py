"""VIME: estimate which values were corrupted, and restore them."""

from collections.abc import Iterable
from numbers import Real
from types import MappingProxyType
from typing import Any

from sklearn.utils._param_validation import Interval

from ..nn import GeneCorruption, Objective, vime_loss
from ..nn._layers import linear
from ..nn._missing import may_have_missing
from ..nn._shares import own, part_of_mean, part_of_row_mean, share
from ._mlp import BaseMLPEmbedder

LARGE_ALPHA = 1e3
HEADS = ("mask_head", "feature_head")


class VIMEObjective(Objective):
    """Say from the embedding of a corrupted view what was changed, and from what."""

    gene_axes = MappingProxyType(
        {f"{head}.{name}": 0 for head in HEADS for name in ("weight", "bias")}
    )

    def __init__(self, encoder, n_genes, mask_rate, alpha):
        super().__init__(encoder)
        self.corruption = GeneCorruption(mask_rate)
        self.mask_head = linear(encoder.embedding_dim, n_genes)
        # DEVIATION: the paper restores through a sigmoid, for inputs in [0, 1]; ours
        # are z-scores, which a sigmoid cannot reach.
        self.feature_head = linear(encoder.embedding_dim, n_genes)
        self.alpha = alpha

    def suspects(self):
        """Return the weight of the restoration, if it is large."""
        return {"alpha": (self.alpha, "lower")} if self.alpha > LARGE_ALPHA else {}

    def forward(self, X):
        """Return the loss of mask estimation and restoration."""
        # DEVIATION: the released code corrupts once before training, and a network
        # can learn that by heart; here each batch is corrupted anew.
        view, _ = self.corruption(X)
        batch, X = X, own(X)
        z = self.encoder(view)
        # A value swapped with its equal, such as zero with zero, was not changed.
        loss = vime_loss(
            self.mask_head(z), self.feature_head(z), X, view != X, self.alpha
        )
        return _part_of(batch, X, loss)


def _part_of(batch, X, loss):
    """Return what the loss of some rows is to that of the batch."""
    if share() is None or not may_have_missing(batch):
        return part_of_row_mean(loss)
    count, total = ((~values.isnan()).sum() for values in (X, batch))
    return part_of_mean(loss, count, total)


class VIME(BaseMLPEmbedder):
    """Embed expression profiles with an encoder pretrained by VIME.

    Values of random genes are swapped with those of other samples. From the embedding
    of the corrupted sample, one linear head says which genes were changed and another
    restores their values [1]_. On bulk RNA-seq it was studied in [2]_.

    Parameters
    ----------
    mask_rate : float, default=0.3
        Probability with which a gene is swapped.
    alpha : float, default=2.0
        Weight of the restoration beside the mask estimation.
    hidden_dims : tuple of int, default=(256, 256)
        Width of each layer of the encoder. The last one is the dimension of the
        embedding.
    dropout : float, default=0.2
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
    lr : float, default=1e-3
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
    SCARF : Recognises a sample from its corrupted view.
    BYOL : Predicts the embedding of another view.
    FineTunedClassifier : Trains a classifier on the pretrained encoder.

    Notes
    -----
    Settings of the papers:

    - [1]_: ``VIME(0.3, 2.0, hidden_dims=(n_genes,), dropout=0, normalization=None,
      batch_size=128, weight_decay=0, max_epochs=10)``
    - [2]_: ``VIME(0.3, 2.0, hidden_dims=(256,) * 4, dropout=0.2, batch_size=32,
      weight_decay=0, max_epochs=500)``

    References
    ----------
    .. [1] Yoon J., Zhang Y., Jordon J., van der Schaar M. "VIME: extending the success
       of self- and semi-supervised learning to tabular domain", NeurIPS 2020.
    .. [2] Dradjat K., Hamidi M., Bartet P., Hanczar B. "Self-supervised representation
       learning on gene expression data", Bioinformatics 41(11), 2025.
       :doi:`10.1093/bioinformatics/btaf533`

    Examples
    --------
    >>> from skgex import VIME
    >>> from skgex.datasets import load_tissues_u133
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> VIME(max_epochs=5, random_state=0).fit_transform(X).shape
    (189, 256)
    """

    _parameter_constraints: dict = {
        **BaseMLPEmbedder._parameter_constraints,
        "mask_rate": [Interval(Real, 0, 1, closed="both")],
        "alpha": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        mask_rate=0.3,
        alpha=2.0,
        *,
        hidden_dims: Iterable[int] = (256, 256),
        dropout=0.2,
        normalization: str | None = "batch",
        standardize=True,
        clip: float | None = 10.0,
        max_epochs=200,
        batch_size=256,
        lr=1e-3,
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
        self.mask_rate = mask_rate
        self.alpha = alpha

    def _make_objective(self, encoder, standardizer, reader):
        return VIMEObjective(encoder, reader.shape[1], self.mask_rate, self.alpha)
