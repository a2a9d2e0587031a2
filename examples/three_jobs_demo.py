"""
====================
Three jobs, one page
====================

What the package is for, on data that ship with it: few labels, a small cohort with
missing values, and survival of few patients. Each is compared with what one would do
without it. This script is also what ``make demo`` runs; the other examples take each
job further.
"""

import os
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skgex import SCARF, VIME, FineTunedClassifier, FineTunedCoxPH, GexBERT
from skgex.datasets import load_breast_nki, load_pretrained, load_tcga_pancancer
from skgex.evaluation import cohort_size_curve, label_efficiency_curve
from skgex.plotting import CohortSizeDisplay, LabelEfficiencyDisplay

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# Threads would wait for each other longer than they work on models this small.
threadpool_limits(1)


def show(title, table, column, score):
    """Print the mean of each estimator."""
    means = table.groupby(["estimator", column], sort=False)[score].mean().unstack()
    print(f"\n{title}\n\n{means.round(3).rename_axis(None).to_string()}", flush=True)


# %%
# Few labels
# ----------
#
# Cancer types of tumours from 89 genes, when only a share of the training samples has a
# label. Samples without a label take part in pretraining, in principal components, and
# in one of the linear models that vote beside the network.

tcga = load_tcga_pancancer(as_frame=True)
count = tcga.target.map(tcga.target.value_counts())
keep = (count >= 20).to_numpy()
if QUICK:
    keep = keep & (np.arange(len(keep)) % 3 == 0)
X = VarianceThreshold().set_output(transform="pandas").fit_transform(tcga.data[keep])
y, patient = tcga.target[keep], tcga.groups[keep]

epochs = {"max_epochs": 3} if QUICK else {}
linear = LogisticRegression(max_iter=1000)
few_labels = label_efficiency_curve(
    {
        "logistic regression": make_pipeline(StandardScaler(), linear),
        "PCA + logistic regression": make_pipeline(StandardScaler(), PCA(50), linear),
        "network alone": FineTunedClassifier(
            VIME(max_epochs=0), linear_weight=0, **epochs
        ),
        "FineTunedClassifier": FineTunedClassifier(
            VIME(max_epochs=3 if QUICK else 100), **epochs
        ),
    },
    X,
    y,
    groups=patient,
    fractions=[0.05, 0.2] if QUICK else [0.02, 0.05, 0.2],
    n_splits=1,
    n_draws=1 if QUICK else 2,
)
show("Accuracy by share of labelled samples", few_labels, "fraction", "score")

# %%
# A small cohort with missing values
# ----------------------------------
#
# Breast cancers on two-colour arrays, with half of the values of other patients hidden.
# GexBERT starts from weights that were pretrained on thousands of tumours of TCGA, on
# another platform.

nki = load_breast_nki(as_frame=True)
pretrained = load_pretrained("gexbert-tcga")
shared = nki.data.columns.intersection(pretrained.feature_names_in_)
small_cohort = cohort_size_curve(
    {
        "nearest neighbours": KNNImputer(n_neighbors=10),
        "GexBERT": GexBERT(max_epochs=0),
        "start from TCGA": GexBERT(max_epochs=0, start=FrozenEstimator(pretrained)),
    },
    nki.data[shared],
    sizes=[10, 40] if QUICK else [10, 20, 40, 80],
    n_draws=1 if QUICK else 3,
)
show("Error of restored values by patients", small_cohort, "n_samples", "error")

# %%
# Survival of few patients
# ------------------------
#
# Liver cancers, of which few are followed up. A model of all other cancers is the
# start; how much of it counts is chosen by inner folds of the few. Liver is one of the
# cancers that gain by it; the benchmarks have ten.

# Of few patients some genes are constant, which a warning says each time.
warnings.filterwarnings("ignore", message=".* constant in X")
followed_up = np.isfinite(tcga.survival["time"]) & (tcga.survival["time"] > 0)
genes, cancer = tcga.data, tcga.target.to_numpy()
liver, others = followed_up & (cancer == "LIHC"), followed_up & (cancer != "LIHC")
linear_cox = {"max_epochs": 0, "random_state": 0}
cox = FineTunedCoxPH(SCARF(max_epochs=0), **linear_cox)
cox.fit(genes[others], tcga.survival[others], strata=cancer[others])
survival = cohort_size_curve(
    {
        "alone": FineTunedCoxPH(SCARF(max_epochs=0), **linear_cox),
        "start from others": FineTunedCoxPH(FrozenEstimator(cox), **linear_cox),
    },
    genes[liver],
    tcga.survival[liver],
    groups=tcga.groups[liver],
    sizes=[40] if QUICK else [40, 80],
    n_draws=1 if QUICK else 5,
)
show("Concordance by patients", survival, "n_samples", "score")

# %%
# The figure
# ----------

figure, axes = plt.subplots(1, 3, figsize=(15, 4), layout="constrained")
LabelEfficiencyDisplay.from_results(few_labels, score_name="accuracy", ax=axes[0])
axes[0].set_xlabel("share of labels, and number")
CohortSizeDisplay.from_results(small_cohort, ax=axes[1])
CohortSizeDisplay.from_results(survival, score_name="concordance", ax=axes[2])
for ax, title in zip(
    axes, ["cancer types, few labels", "hidden values", "survival, liver"], strict=True
):
    ax.set_title(title, loc="left")

if "sphinx_gallery" not in sys.modules:  # which keeps the figures of its examples
    figure.savefig("three_jobs.png", dpi=150)
    print("\nThe figure is in three_jobs.png")

# %%
# One split, few draws: enough to see what is there to be had, too little to rank models
# that differ by a point. :doc:`/benchmarks/index` repeats each job over splits and data
# sets, and says where a simple model is as good.
