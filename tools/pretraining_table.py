"""The table that the pan-cancer weights are pretrained on: sets of TCGA together."""

from pathlib import Path

import numpy as np
import pandas as pd

from skgex.preprocessing import BatchScaler

# Where sets have a gene of a patient, the first is taken. All are open-access TCGA.
SETS = [
    *("tcga_z13", "tcga_toil4", "tcga_brca_pam50", "tcga_brca_tn", "tcga_skcm2454"),
    *("tcga_z2wide", "tcga_agilent", "tcga_eb", "tcga_rsem_stad", "tcga_tall90"),
]
# In scores of tens of standard deviations: long right tails.
SKEWED = ("tcga_z13", "tcga_z2wide")
FLOOR = {"tcga_toil4": -4.0}
NORMAL = ("normal", "Solid_Tissue_Normal")
CLIP = 10.0
# Genes of fewer patients are left out.
MIN_PATIENTS = 400
MIN_STD = 0.1


def read(data, name, with_survival=False):
    """Return the tumours of a set on a logarithmic scale, and their cohorts.

    With `with_survival` also event and time, NaN where there was no follow-up.
    """
    z = np.load(Path(data) / name / "X.npz")
    meta = pd.read_csv(Path(data) / name / "meta.csv", index_col=0)
    X = z["X"].astype(np.float64)
    if name in SKEWED:
        X = np.sign(X) * np.log1p(np.abs(X))
    X = np.maximum(X, FLOOR.get(name, -np.inf))
    X = pd.DataFrame(X, columns=z["genes"].astype(str))
    keep = np.ones(len(X), bool)
    if "sample_type" in meta:
        keep &= ~meta["sample_type"].isin(NORMAL).to_numpy()
    # One sample of a patient.
    keep &= ~meta["patient"].where(keep).duplicated().to_numpy()
    X, meta = X[keep], meta[keep]
    X.index = meta["patient"].to_numpy()
    cohort = meta["cohort"] if "cohort" in meta else meta["cancer"]
    cohort = cohort.fillna("unknown").astype(str).to_numpy()
    if not with_survival:
        return X, cohort
    survival = np.empty(len(meta), [("event", bool), ("time", float)])
    survival["event"], survival["time"] = meta["event"] == 1, meta["time"]
    return X, cohort, survival


def standardised(X, cohort):
    """Return genes in standard deviations within cohorts."""
    kinds, sizes = np.unique(cohort, return_counts=True)
    # A cohort of one says nothing of its own.
    alone = np.isin(cohort, kinds[sizes < 2])
    cohort = np.where(alone, "others", cohort)
    scaler = BatchScaler()
    Z = scaler.fit_transform(X, batch=cohort)
    scale = np.where(scaler.pooled_scale_ > 0, scaler.pooled_scale_, 1.0)
    Z = (np.asarray(Z) - scaler.pooled_mean_) / scale
    return pd.DataFrame(Z.clip(-CLIP, CLIP), X.index, X.columns)


def pan_cancer_table(data):
    """Return patients by genes; NaN where no set has the gene of the patient."""
    tables = []
    for name in SETS:
        X, cohort = read(data, name)
        tables.append(standardised(X.loc[:, ~X.columns.duplicated()], cohort))
    patients = sorted({patient for Z in tables for patient in Z.index})
    patients_of = _patients_by_gene(tables)
    genes = sorted(
        gene for gene in patients_of if len(patients_of[gene]) >= MIN_PATIENTS
    )
    table = pd.DataFrame(np.nan, patients, genes, np.float32)
    for Z in reversed(tables):
        shared = Z.columns.intersection(genes)
        rows, columns = (
            table.index.get_indexer(Z.index),
            table.columns.get_indexer(shared),
        )
        part, new = table.to_numpy()[np.ix_(rows, columns)], Z[shared].to_numpy()
        part = np.where(np.isnan(new), part, new)
        table.iloc[rows, columns] = part.astype(np.float32)
    # Genes that are silent in nearly all tumours say nothing.
    return table.loc[:, table.std() > MIN_STD].dropna(how="all")


def _patients_by_gene(tables):
    found = {}
    for Z in tables:
        for gene in Z.columns:
            found.setdefault(gene, set()).update(Z.index)
    return found
