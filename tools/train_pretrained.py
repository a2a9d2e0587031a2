"""Train the weights that ship with the package.

Usage: python tools/train_pretrained.py [--data DIR] [--output DIR] [--threads 2]

scarf-tcga90 and gexbert-tcga90 are trained on the pan-cancer set that ships with the
package, without labels, with default settings. With the folder of all sets, also
gexbert-tcga, the low-rank prior on all sets of TCGA together, and cox-tcga, Cox
regression on the ranks of genes with a baseline for each of ten cohorts. The same
versions of the packages and the same machine give the same weights.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from pretraining_table import pan_cancer_table, read

from skgex import SCARF, FineTunedCoxPH, GexBERT
from skgex._low_rank import LowRankPrior
from skgex.datasets import load_tcga_pancancer

OUTPUT = Path(__file__).parents[1] / "skgex" / "datasets" / "data"
EMBEDDERS = {"scarf-tcga90": SCARF, "gexbert-tcga90": GexBERT}
# What 3 MB hold. How good they are: examples/benchmarks/few_rows.py --shipped.
N_FACTORS = 112
UNIT = "standard deviations within the cohort, of expression on a logarithmic scale"


def small_embedders():
    """Yield embedders of the set that ships with the package."""
    cohort = load_tcga_pancancer(as_frame=True)
    for name, Embedder in EMBEDDERS.items():
        embedder = Embedder(random_state=0)
        embedder.fit(cohort.data, groups=cohort.metadata["patient"])
        yield name, embedder, {"unit": "log2(normalised RSEM + 1)"}


def pan_cancer_prior(data):
    """Return a GexBERT of all sets: the prior alone, with its leading factors."""
    table = pan_cancer_table(data)
    # The network stays untrained, so that it is made as small as can be.
    embedder = GexBERT(max_epochs=0, embedding_dim=8, n_layers=1, random_state=0)
    embedder.fit(table)
    fitted = embedder.encoder_.prior
    prior = LowRankPrior(fitted.model.leading(N_FACTORS), fitted.mixture, fitted.curves)
    prior.scores = fitted.scores
    prior.register_buffer("count", fitted.count)
    # Which patients these were is of no use to others.
    prior.register_buffer("seen", fitted.seen[:0])
    torch.manual_seed(0)
    encoder = embedder._make_encoder(table.shape[1], prior)
    objective = embedder._make_objective(encoder)
    objective.calibration.copy_(embedder.objective_.calibration)
    objective.gene_error.copy_(embedder.objective_.gene_error)
    for name, value in embedder._fitted(embedder.standardizer_, objective).items():
        setattr(embedder, name, value)
    return embedder.set_params(random_state=None)


def pan_cancer_survival(data):
    """Return Cox regression on the ranks of genes, with cohorts as strata."""
    X, cohort, survival = read(data, "tcga_z13", with_survival=True)
    known = np.isfinite(survival["time"])
    # The network is not trained, and made as small as can be.
    encoder = SCARF(max_epochs=0, hidden_dims=(2,))
    model = FineTunedCoxPH(encoder, max_epochs=0, random_state=0)
    return model.fit(X[known], survival[known], strata=cohort[known])


def save(path, estimator, **options):
    """Save an estimator that anyone may load with settings of their own."""
    estimator.set_params(random_state=None).save(path, **options)
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    def path(name):
        return arguments.output / f"{name}.safetensors"

    if arguments.data is not None:
        prior = pan_cancer_prior(arguments.data)
        save(path("gexbert-tcga"), prior, unit=UNIT, half_precision=True)
        cox = pan_cancer_survival(arguments.data)
        unit = "any: genes are ranked"
        save(path("cox-tcga"), cox, unit=unit, half_precision=True)
    for name, embedder, options in small_embedders():
        save(path(name), embedder, **options)
