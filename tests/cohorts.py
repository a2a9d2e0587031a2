"""Factor models of a pretraining table, and of a cohort that differs a little."""

import numpy as np
import pandas as pd
import torch
from discovery import tiny

from skgex import GexBERT
from skgex._low_rank import FactorAnalysis, LowRankPrior, Pretrained
from skgex._low_rank._blocks import Blocks
from skgex._training import RowReader
from skgex.nn import GeneStandardizer


def make_truth(n_genes=60, rank=4, own_rank=0, own_share=0.25, noise=0.3, seed=0):
    """Return loadings and noise of genes of unit variance.

    A cohort has the factors of the pretraining table with the same seed, and some of
    its own, which take a share of what genes have in common.
    """
    rng = np.random.default_rng(seed)
    loadings = normalised(rng.normal(size=(n_genes, rank)))
    own = normalised(rng.normal(size=(n_genes, own_rank)))
    share = own_share if own_rank else 0
    parts = [np.sqrt(1 - share) * loadings, np.sqrt(share) * own]
    return np.sqrt(1 - noise) * np.hstack(parts), np.full(n_genes, noise)


def normalised(loadings):
    return loadings / np.linalg.norm(loadings, axis=1, keepdims=True).clip(min=1e-9)


def draw(n, truth, seed=1):
    loadings, noise = truth
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, loadings.shape[1])) @ loadings.T
    return (X + rng.normal(size=X.shape) * np.sqrt(noise)).astype(np.float32)


def model_of(loadings, noise):
    return FactorAnalysis(*(torch.tensor(part).float() for part in (loadings, noise)))


def known(truth, genes=None):
    """Return what a start knows that has learnt the truth, of some genes or all."""
    loadings, noise = (part.copy() for part in truth)
    has = np.ones(len(noise), bool) if genes is None else genes
    loadings[~has], noise[~has] = 0, 1
    return Pretrained(model_of(loadings, noise), torch.from_numpy(has))


def blocks_of(X):
    return Blocks(RowReader(X), torch.arange(len(X)), torch.clone)


def hidden_error(model, X, share=0.5):
    """Return the error where values are hidden, the same for each model."""
    prior = model if isinstance(model, LowRankPrior) else LowRankPrior(model)
    Z, rng = torch.from_numpy(X), np.random.default_rng(9)
    hidden = torch.from_numpy(rng.random((20, X.shape[1])) < share)
    hidden = hidden[np.arange(len(X)) % 20]
    found = prior(Z.masked_fill(hidden, torch.nan)).values
    return float((found - Z)[hidden].square().mean().sqrt())


def names_of(n_genes):
    return np.array([f"G{i}" for i in range(n_genes)], dtype=object)


def gexbert_of(truth, mean=None, scale=None):
    """Return a GexBERT that has learnt exactly this factor model, in these units."""
    n_genes = len(truth[1])
    names = names_of(n_genes)
    table = pd.DataFrame(draw(20, truth), columns=names)
    gexbert = tiny(GexBERT, max_epochs=0).fit(table)
    gexbert.encoder_.prior = LowRankPrior(model_of(*truth))
    gexbert.standardizer_ = GeneStandardizer(
        np.zeros(n_genes) if mean is None else mean,
        np.ones(n_genes) if scale is None else scale,
        gexbert.clip,
    )
    return gexbert
