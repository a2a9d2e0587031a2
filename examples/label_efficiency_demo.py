"""
=========================================
What pretraining is worth with few labels
=========================================

Profiles are cheap, labels are not. Here the cancer type of a tumour is predicted from
89 genes when only 2 to 20 % of the training samples have a label. Three encoders are
pretrained by SCARF, VIME and BYOL on all training samples without their labels, then
fine-tuned on the labelled ones. They are compared with

- the same network from scratch, trained on the labelled samples alone,
- logistic regression on standardised genes,
- logistic regression on 64 principal components, which like the encoders are learnt
  from all training samples,
- :class:`~skgex.FineTunedClassifier` as it is by default, in which two linear models
  vote beside the network of VIME; one of them learns from unlabelled samples, too.

This script is also what ``make demo`` runs.
"""

import os
import sys

import numpy as np
from sklearn.callback import ProgressBar
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skgex import BYOL, SCARF, VIME, FineTunedClassifier
from skgex.datasets import load_tcga_pancancer
from skgex.evaluation import label_efficiency_curve
from skgex.plotting import LabelEfficiencyDisplay

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# Threads would wait for each other longer than they work on models this small.
threadpool_limits(1)

# %%
# The data
# --------
#
# Cancer types with fewer than 20 tumours are left out. One gene has the same value in
# all samples; embedders keep such genes and warn about them, so it is dropped first.

tcga = load_tcga_pancancer(as_frame=True)
count = tcga.target.map(tcga.target.value_counts())
keep = (count >= 20).to_numpy()
if QUICK:
    keep = keep & (np.arange(len(keep)) % 3 == 0)

X = VarianceThreshold().set_output(transform="pandas").fit_transform(tcga.data[keep])
y, patient = tcga.target[keep], tcga.groups[keep]
print(f"{X.shape[0]:,} tumours, {X.shape[1]} genes, {y.nunique()} cancer types")

# %%
# The models
# ----------
#
# All networks have the same layers and the same settings in fine-tuning, but that the
# head of the one from scratch starts at random, which suits such an encoder better.
# With ``max_epochs=0`` an embedder is not pretrained. The experiment below fits
# embedders on their own, and each shows a progress bar. To watch a classifier that is
# fitted as a whole, set the callback on the classifier. With ``linear_weight=0`` a
# network predicts alone.

network = {"hidden_dims": (256, 256), "max_epochs": 3 if QUICK else 100}
tuning = {"max_epochs": 5} if QUICK else {}
alone = {"linear_weight": 0, **tuning}

models = {
    Method.__name__: FineTunedClassifier(
        Method(**network).set_callbacks(ProgressBar()), **alone
    )
    for Method in (SCARF, VIME, BYOL)
}
models["from scratch"] = FineTunedClassifier(
    VIME(**{**network, "max_epochs": 0}), head_init="random", **alone
)
models["default"] = FineTunedClassifier(VIME(**network), **tuning)
linear = LogisticRegression(max_iter=1000)
models["LR"] = make_pipeline(StandardScaler(), linear)
models["PCA + LR"] = make_pipeline(StandardScaler(), PCA(64), linear)

# %%
# The experiment
# --------------
#
# :func:`~skgex.evaluation.label_efficiency_curve` holds 30 % of the patients out to
# test on. What needs no label is fitted once on all training samples; what does is
# fitted on the labelled ones, the same for all models. They are drawn more than once
# for each share, with at least one sample of each cancer type, and the accuracies are
# averaged.

table = label_efficiency_curve(
    models,
    X,
    y,
    groups=patient,
    fractions=[0.05, 0.2] if QUICK else [0.02, 0.05, 0.1, 0.2],
    n_splits=1,
    n_draws=1 if QUICK else 3,
)
accuracy = table.pivot_table(
    index="estimator", columns="fraction", values="score", sort=False
)
n_labeled = table.groupby("fraction").n_labeled.first()

columns = [f"{share:.0%} ({n})" for share, n in n_labeled.items()]
print("\nAccuracy on held-out patients, by share (number) of labelled samples\n")
print(accuracy.set_axis(columns, axis=1).rename_axis(None).round(3).to_string())

# %%
# The figure
# ----------
#
# Bands are as wide as the draws of labelled samples differ.

dotted, dashed = {"linestyle": ":"}, {"linestyle": "--"}
display = LabelEfficiencyDisplay.from_results(
    table,
    score_name="accuracy on held-out patients",
    styles={"from scratch": dashed, "LR": dotted, "PCA + LR": dotted},
)
title = f"{y.nunique()} cancer types from {X.shape[1]} genes, TCGA"
display.ax_.set_title(title, loc="left")

if "sphinx_gallery" not in sys.modules:  # which keeps the figures of its examples
    display.figure_.savefig("label_efficiency.png", dpi=150)
    print("\nThe figure is in label_efficiency.png")

# %%
# Pretraining is worth most where labels are fewest, and so is the vote of the default;
# the lead over the simple models shrinks as labels are added. One split is not enough
# to rank models that differ by a point: the benchmarks of the documentation repeat this
# over splits and data sets.
