"""
================================
Train in one cohort, use another
================================

A classifier of cancer types is trained in a large cohort, and saved in one file. Where
the file is used, there is another table: it has 16,261 genes rather than 90, in
another order, and lacks seven of those that the classifier knows. Its values are of
another release of the data, adjusted for batches.
"""

import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgex
from skgex import VIME, FineTunedClassifier, GeneAligner
from skgex.datasets import load_tcga_genomewide, load_tcga_pancancer

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# Train and save
# --------------
#
# Most patients of the second cohort are in the first one as well: they are left out of
# it, or the test would be of no worth.

first, second = load_tcga_pancancer(as_frame=True), load_tcga_genomewide(as_frame=True)
others = ~np.isin(first.groups, second.groups)
X = VarianceThreshold().set_output(transform="pandas").fit_transform(first.data[others])
y = first.target[others]

epochs = {"max_epochs": 2} if QUICK else {}
classifier = FineTunedClassifier(
    VIME(max_epochs=2 if QUICK else 50, random_state=0), random_state=0, **epochs
)
classifier.fit(X, y)

# %%
# The file holds weights, names of genes, parameters, and a note on the unit. Unlike a
# pickle it holds no code, so that a file of anyone can be loaded.

folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "cancer-types.safetensors")
classifier.save(path, unit=first.unit)
print(f"{os.path.getsize(path) / 1e6:.1f} MB")

# %%
# Load and predict
# ----------------
#
# :class:`~skgex.GeneAligner` brings a table to the genes of a model. What was not
# measured is NaN, which the network reads as the mean of the gene in training.

model = skgex.load(path)
print("trained on", model.unit_, "| here is", second.unit)

aligner = GeneAligner(model).set_output(transform="pandas").fit(second.data)
table = aligner.transform(second.data)
print(f"{aligner.coverage_:.0%} of {table.shape[1]} genes were measured")

known = second.target.isin(model.classes_).to_numpy()
print(f"accuracy: {model.score(table[known], second.target[known]):.3f}")

# %%
# Beside simpler models
# ---------------------
#
# Of the same genes and training samples: logistic regression, and the network without
# pretraining.

linear = make_pipeline(
    StandardScaler(),
    SimpleImputer(keep_empty_features=True),
    LogisticRegression(max_iter=100 if QUICK else 2000),
)
scratch = FineTunedClassifier(VIME(max_epochs=0), random_state=0, **epochs)
models = {
    "pretrained network": model,
    "network from scratch": scratch.fit(X, y),
    "logistic regression": linear.fit(X, y),
}
right = pd.DataFrame(
    {
        name: m.predict(table[known]) == second.target[known]
        for name, m in models.items()
    }
)
accuracy = right.mean()
error = right.sem()  # of 123 samples
accuracy.round(3)

# %%

figure, ax = plt.subplots(figsize=(6, 2.2), layout="constrained")
ax.barh(accuracy.index, accuracy, xerr=error, color=["#0072B2", "#56B4E9", "#CC79A7"])
ax.invert_yaxis()
ax.set_xlabel("accuracy in the second cohort (standard error over samples)")
ax.spines[["top", "right"]].set_visible(False)

# %%
# All of them stand the change of cohort. So few samples don't tell which does best: the
# bars show one standard error.
#
# Going on with the second cohort
# -------------------------------
#
# Without labels an embedder can go on learning in the second cohort, with genes that
# the first one lacked. Shared genes keep their weights, those of new ones start at
# zero.

variable = skgex.TopVarianceGenes(500).set_output(transform="pandas")
genes = variable.fit(second.data).get_feature_names_out()
genes = np.union1d(genes, np.intersect1d(X.columns, second.data.columns))

embedder = VIME(max_epochs=2, random_state=0).fit(X)
embedder.set_params(warm_start=True).fit(second.data[genes])
print(f"from {X.shape[1]} genes to {embedder.n_features_in_}")

folder.cleanup()

# %%
# Whether that pays depends on how much the cohorts have in common: compare with
# pretraining in the second cohort alone.
