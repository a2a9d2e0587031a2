"""Tables of expression in known units, for tests of the check."""

import numpy as np
import pandas as pd

from skgex._gene_names import known_symbols

# Plain ones, which no tool changes.
SYMBOLS = [name for name in sorted(known_symbols()) if name.isalnum() and len(name) > 3]


def abundances(n_samples, n_genes, seed=0):
    """Return shares of transcripts by sample: long tails, some tissue structure."""
    rng = np.random.default_rng(seed)
    level = rng.normal(4, 3, n_genes)
    tissue = rng.integers(0, 3, n_samples)
    logs = level + rng.normal(0, 1.0, (3, n_genes))[tissue]
    logs = logs + rng.normal(0, 0.7, (n_samples, n_genes))
    shares = 2.0**logs
    return shares / shares.sum(axis=1, keepdims=True)


def table(values, prefix="patient"):
    """Return a table with names that say nothing odd."""
    names = [f"{prefix}_{i}" for i in range(len(values))]
    step = len(SYMBOLS) // values.shape[1]
    return pd.DataFrame(values, names, SYMBOLS[:: max(1, step)][: values.shape[1]])


def counts(n_samples=40, n_genes=1000, seed=0):
    """Return counts of reads, at depths that differ."""
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.5, 2, n_samples)[:, None] * n_genes * 500
    rates = abundances(n_samples, n_genes, seed) * depth
    return table(rng.poisson(rates).astype(float))


def tpm(n_samples=40, n_genes=1000, seed=0):
    """Return TPM, zero where hardly anything is."""
    shares = abundances(n_samples, n_genes, seed)
    shares[shares < np.quantile(shares, 0.05)] = 0
    shares[0] += 1e-9  # one sample has all genes
    return table(shares / shares.sum(axis=1, keepdims=True) * 1e6)


def log_tpm(n_samples=40, n_genes=1000, seed=0):
    """Return log2(TPM + 1)."""
    return np.log2(tpm(n_samples, n_genes, seed) + 1)


def cut(X, n_genes):
    """Return some genes of a table, so that samples add up to nothing known."""
    return X.iloc[:, :: X.shape[1] // n_genes]


def codes(report, *severities):
    """Return the codes of findings, of some severities."""
    return {
        f.finding for f in report.findings if f.severity in severities or not severities
    }
