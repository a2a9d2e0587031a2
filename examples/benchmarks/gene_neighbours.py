"""Do gene embeddings know complexes? The nearest genes, by several measures.

    python gene_neighbours.py --data DIR [--sets ...] [--seeds 0 1 2]

DIR holds `tcga_toil4`, `tcga_skcm2454` and `tcga_eb`, each with `X.npz` (X, samples,
genes). What belongs together is known from names: subunits of a complex, such as PSM*
of the proteasome, and families that are expressed together, such as collagens. For each
gene of such a set: how many of its nearest genes (10, or as many as the set has others)
are of the same set. Recall is the mean over the genes of a set, then over sets;
"chance" is that of genes drawn at random.

Nearest by the cosine of

- `gene_embeddings_` of GexBERT, fitted to all samples; with `max_epochs=0`, as they
  start: the leading loadings of the factor model and some noise; and of the plain
  transformer (`prior=None`), which starts from noise;
- "in context": the mean over 20 samples of what `embed_genes` makes of each gene;
- all loadings of the factor model; of principal components, 64 of them;
- the genes themselves, centred: Pearson's correlation.

Prints recall with its standard deviation over seeds, recall by set, and the paired
difference to the correlation with its standard error over sets.
"""

import argparse
import re
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import read_set
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skgex import GexBERT

SETS = ["tcga_toil4", "tcga_skcm2454", "tcga_eb"]
COMPLEXES = {
    "proteasome": r"PSM[A-G]\d+",
    "ribosome": r"RP[LS]\d+[AXYL]?\d*|RPLP\d|RPSA",
    "mitochondrial ribosome": r"MRP[LS]\d+[A-C]?",
    "complex I": r"NDUF[ABCSV]\d+[A-C]?",
    "cytochrome c oxidase": r"COX[4-8][A-C]?\d?",
    "ATP synthase": r"ATP5\w+",
    "RNA polymerase II": r"POLR2[A-L]",
    "MCM helicase": r"MCM[2-7]",
    "replication factor C": r"RFC[1-5]",
    "chaperonin": r"CCT\d[AB]?|TCP1",
    "eIF3": r"EIF3[A-M]",
    "snRNP": r"SNRP[A-GN]\d?|LSM\d",
    "MHC class I": r"HLA-[ABCEFG]|B2M",
    "MHC class II": r"HLA-D[MOPQR][AB]\d?|CD74",
    "T cell receptor": r"CD3[DEG]|CD247",
    "fibrinogen": r"FG[ABG]",
    "centromere": r"CENP[A-Z]",
}
FAMILIES = {
    "histones": r"HIST\d\w+",
    "collagens": r"COL\d+A\d",
    "keratins": r"KRT\d+[A-C]?",
    "immunoglobulins": r"IG[HKL][ADEGMVJCKL]\w*",
    "protocadherins": r"PCDH[ABG]\w+",
    "cancer-testis antigens": r"MAGE[ABC]\d+\w?|GAGE\w+",
    "metallothioneins": r"MT1[A-Z]|MT2A",
    "granzymes": r"GZM[ABHKM]",
    "interferon-induced": r"IFIT\d\w?|OAS[123L]|ISG15|MX[12]",
}
GROUPS = COMPLEXES | FAMILIES
N_NEAREST = 10


def load(data, name):
    """Return standardised genes that vary, and their names."""
    X, genes, _ = read_set(data, name)
    X = np.maximum(X, -4) if name == "tcga_toil4" else X
    varies = X.std(axis=0) > 1e-6
    Z = StandardScaler().fit_transform(X[:, varies])
    return np.clip(Z, -10, 10).astype(np.float32), genes[varies].astype(str)


def known_sets(genes):
    """Return the places of the genes of each set of which three are there."""
    places = {
        name: np.flatnonzero(
            [re.fullmatch(pattern, gene) is not None for gene in genes]
        )
        for name, pattern in GROUPS.items()
    }
    return {name: place for name, place in places.items() if len(place) >= 3}


def vectors(Z, seed, epochs):
    """Yield each measure with a vector for each gene."""
    yield "correlation", Z.T
    n = min(64, *Z.shape)
    components = PCA(n, random_state=seed).fit(Z)
    loadings = components.components_.T * np.sqrt(components.explained_variance_)
    yield "PCA loadings", loadings
    embedder = GexBERT(max_epochs=0, random_state=seed).fit(Z)
    yield "factor loadings", embedder.encoder_.prior.model.loadings.numpy()
    yield "gene_embeddings_, at the start", embedder.gene_embeddings_
    few = Z[np.random.default_rng(seed).permutation(len(Z))[:20]]
    for name, prior in {"": "low_rank", ", prior=None": None}.items():
        embedder = GexBERT(prior=prior, random_state=seed, **epochs).fit(Z)
        print(f"  prior={prior}: {embedder.n_iter_} epochs", flush=True)
        yield f"gene_embeddings_{name}", embedder.gene_embeddings_
        yield f"in context{name}", embedder.embed_genes(few).mean(axis=0)


def recalls(vector, sets, centred):
    """Return the mean recall of each set."""
    V = vector - vector.mean(axis=0) if centred else vector
    V = V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-12)
    found = {}
    for name, place in sets.items():
        near = V[place] @ V.T
        near[np.arange(len(place)), place] = -np.inf
        k = min(N_NEAREST, len(place) - 1)
        nearest = np.argpartition(-near, k, axis=1)[:, :k]
        found[name] = np.isin(nearest, place).mean()
    return found


def run(data, name, seed, epochs):
    Z, genes = load(data, name)
    sets = known_sets(genes)
    for group, place in sets.items():
        about = {"set": name, "seed": seed, "group": group, "genes": len(place)}
        yield about | {"measure": "chance", "recall": (len(place) - 1) / len(genes)}
    for measure, vector in vectors(Z, seed, epochs):
        centred = "gene_emb" in measure or "context" in measure
        for group, recall in recalls(vector, sets, centred).items():
            about = {"set": name, "seed": seed, "group": group}
            yield about | {"measure": measure, "recall": recall}


def report(table):
    for name, part in table.groupby("set", sort=False):
        wide = part.pivot_table(
            index=["group", "seed"], columns="measure", values="recall", sort=False
        )
        by_seed = wide.groupby("seed").mean()
        by_group = wide.groupby("group", sort=False).mean()
        lead = by_group.sub(by_group["correlation"], axis=0)
        summary = pd.DataFrame({"recall": by_seed.mean(), "sd": by_seed.std()})
        summary["- correlation"], summary["se"] = lead.mean(), lead.sem()
        print(f"\n{name}, {len(by_group)} sets\n{summary.round(3).to_string()}")
        print(by_group.T.round(2).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=SETS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--quick", action="store_true", help="one epoch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", message=".*more genes than samples")
    rows = []
    for name in arguments.sets:
        for seed in arguments.seeds:
            start = time.perf_counter()
            epochs = {"max_epochs": 1} if arguments.quick else {}
            rows += run(arguments.data, name, seed, epochs)
            took = time.perf_counter() - start
            print(f"{name}, seed {seed}: {took:.0f} s", flush=True)
            if arguments.save:
                pd.DataFrame(rows).to_csv(arguments.save, index=False)
    report(pd.DataFrame(rows))
