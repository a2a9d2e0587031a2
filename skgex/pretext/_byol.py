"""BYOL: predict the projection of one view from another, without negatives."""

import math
from collections.abc import Iterable
from copy import deepcopy
from numbers import Real
from typing import Any

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from .._memory import check_network
from ..nn import GeneCorruption, Objective, byol_loss, projection_head
from ._mlp import BaseMLPEmbedder, check_widths


class BYOLObjective(Objective):
    """Predict what a slowly moving copy of the network makes of another view."""

    def __init__(self, encoder, corruption, projection_dims, decay, decay_schedule):
        super().__init__(encoder)
        hidden, d = projection_dims
        self.projector = projection_head(encoder.embedding_dim, hidden, d)
        self.predictor = projection_head(d, hidden, d)
        self.target = deepcopy(nn.Sequential(encoder, self.projector))
        self.target.requires_grad_(False)
        self.corruption = corruption
        self.decay = decay
        self.decay_schedule = decay_schedule

    def forward(self, X):
        """Return the symmetric loss of two corrupted views."""
        # DEVIATION: images are cropped and recoloured; a view of an expression profile
        # has a share of its genes swapped with other samples.
        views = [self.corruption(X)[0] for _ in range(2)]
        predictions = [self.predictor(self.projector(self.encoder(v))) for v in views]
        with torch.no_grad():
            targets = [self.target(v) for v in views]
        return byol_loss(predictions[0], targets[1]) + byol_loss(
            predictions[1], targets[0]
        )

    @torch.no_grad()
    def after_step(self, progress):
        """Move the target towards the online network."""
        decay = self.decay
        if self.decay_schedule == "cosine":  # from `decay` at the start to 1
            decay = 1 - (1 - decay) * (math.cos(math.pi * progress) + 1) / 2
        online = nn.Sequential(self.encoder, self.projector).state_dict()
        # Buffers too: normalisation statistics must belong to the averaged weights.
        for name, value in self.target.state_dict().items():
            if value.is_floating_point():
                value.lerp_(online[name], 1 - decay)
            else:
                value.copy_(online[name])


class BYOL(BaseMLPEmbedder):
    """Embed expression profiles with an encoder pretrained by BYOL.

    Two corrupted views of each sample are drawn. From one of them the network predicts
    the projection that a slowly moving average of itself makes of the other [1]_. There
    are no negative samples, so batches may be small. On bulk RNA-seq it was studied
    in [2]_.

    Parameters
    ----------
    corruption_rate : float, default=0.3
        Probability with which a gene is swapped with another sample.
    decay : float, default=0.99
        Decay of the moving average, of weights and of buffers.
    decay_schedule : {"constant", "cosine"}, default="constant"
        With "cosine" the decay rises from `decay` to 1 over the training.
    projection_dims : tuple of two int, default=(512, 256)
        Width of the hidden layer, and of the output, of projector and predictor.
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
    SCARF : Contrasts a sample with the others of its batch.
    VIME : Restores the corrupted genes.
    FineTunedClassifier : Trains a classifier on the pretrained encoder.

    Notes
    -----
    Settings of the papers, in AdamW's terms (the first trains by LARS):

    - [1]_: ``BYOL(decay=0.996, decay_schedule="cosine", projection_dims=(4096, 256),
      lr=1e-3, weight_decay=1.5e-6, batch_size=4096, max_epochs=1000)``
    - [2]_: ``BYOL(0.3, 0.9, projection_dims=(4096, 256), hidden_dims=(256,) * 4,
      dropout=0.2, lr=1e-4, weight_decay=0, batch_size=32, max_epochs=50)``

    A loss near zero is no success by itself: it is also what a constant embedding has.

    References
    ----------
    .. [1] Grill J.-B. et al. "Bootstrap your own latent: a new approach to
       self-supervised learning", NeurIPS 2020. :arxiv:`2006.07733`
    .. [2] Dradjat K., Hamidi M., Bartet P., Hanczar B. "Self-supervised representation
       learning on gene expression data", Bioinformatics 41(11), 2025.
       :doi:`10.1093/bioinformatics/btaf533`

    Examples
    --------
    >>> from skgex import BYOL
    >>> from skgex.datasets import load_tissues_u133
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> BYOL(max_epochs=5, random_state=0).fit_transform(X).shape
    (189, 256)
    """

    _parameter_constraints: dict = {
        **BaseMLPEmbedder._parameter_constraints,
        "corruption_rate": [Interval(Real, 0, 1, closed="both")],
        "decay": [Interval(Real, 0, 1, closed="both")],
        "decay_schedule": [StrOptions({"constant", "cosine"})],
        "projection_dims": ["array-like"],
    }

    def __init__(
        self,
        corruption_rate=0.3,
        decay=0.99,
        *,
        decay_schedule="constant",
        projection_dims: Iterable[int] = (512, 256),
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
        self.decay = decay
        self.decay_schedule = decay_schedule
        self.projection_dims = projection_dims

    def _make_objective(self, encoder, standardizer, reader):
        check_widths("projection_dims", self.projection_dims, "two layers", n_layers=2)
        hidden, d = (int(width) for width in self.projection_dims)
        check_network(
            f"projection_dims=({hidden}, {d})",
            "projection_dims",
            hidden * (encoder.embedding_dim + 3 * d),
            n_layers=2,
        )
        return BYOLObjective(
            encoder,
            GeneCorruption(self.corruption_rate),
            self.projection_dims,
            self.decay,
            self.decay_schedule,
        )
