"""
============================
Genes that were not measured
============================

An encoder is pretrained on some genes. Another cohort has most of them, in another
order, and some of its own. NaN means that a gene was not measured: bring the table to
the genes of the encoder with ``reindex``, and what is absent becomes NaN.
"""

import os

import numpy as np
import pandas as pd
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import VIME, FineTunedClassifier
from skgex.datasets import load_tcga_pancancer
from skgex.plotting import MissingnessDisplay

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# A pretrained encoder and another cohort
# ---------------------------------------
#
# The TCGA set, in which each sample is of another patient, is cut in three: a large
# cohort without labels, a small one with labels, and one to test on.

tcga = load_tcga_pancancer(as_frame=True)
keep = (tcga.target.map(tcga.target.value_counts()) >= 20).to_numpy()
X = VarianceThreshold().set_output(transform="pandas").fit_transform(tcga.data[keep])
y = tcga.target[keep]

X_large, X_rest, _, y_rest = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
X_small, X_test, y_small, y_test = train_test_split(
    X_rest, y_rest, test_size=0.75, stratify=y_rest, random_state=0
)

embedder = VIME(max_epochs=2 if QUICK else 40, random_state=0).fit(X_large)

# %%
# The small cohort was measured on a panel that lacks a quarter of the genes, has
# another order, and a gene that the encoder doesn't know.

rng = np.random.default_rng(0)
panel = rng.choice(X.columns, size=int(0.75 * X.shape[1]), replace=False)
cohort = X_small[panel].assign(NEW_GENE=1.0)

try:
    embedder.transform(cohort)
except ValueError as error:
    print(error)

# %%
# So it is brought to the genes of the encoder. Genes it doesn't know are dropped,
# absent ones are NaN. ``FrozenEstimator`` makes the fine-tuned classifier start from
# the weights as they are, instead of pretraining again.

aligned = cohort.reindex(columns=embedder.feature_names_in_)
print(f"{aligned.isna().all().sum()} of {aligned.shape[1]} genes were not measured")

epochs = {"max_epochs": 3} if QUICK else {}
classifier = FineTunedClassifier(FrozenEstimator(embedder), random_state=0, **epochs)
classifier.fit(aligned, y_small)

linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
linear.fit(X_small[panel], y_small)

genes = embedder.feature_names_in_
panel_test = X_test[panel].reindex(columns=genes)
print(f"fine-tuned:          {classifier.score(panel_test, y_test):.3f}")
print(f"logistic regression: {linear.score(X_test[panel], y_test):.3f}")

# %%
# Genes missing at prediction only
# --------------------------------
#
# Now both models learn from all genes, and genes are taken away from the test set.
# To the network a missing gene is one at its training mean, as it is to the logistic
# regression through ``SimpleImputer``: neither guesses it from the others.

classifier.fit(X_small, y_small)
linear = make_pipeline(
    StandardScaler(), SimpleImputer(), LogisticRegression(max_iter=1000)
)
linear.fit(X_small, y_small)

models = {"fine-tuned": classifier, "logistic regression": linear}
rows = []
for share in [0, 0.1, 0.2, 0.3, 0.4, 0.5]:
    for draw in range(2 if QUICK else 10):
        rng = np.random.default_rng(draw)
        absent = rng.choice(genes, size=round(share * len(genes)), replace=False)
        X_holes = X_test.drop(columns=absent).reindex(columns=genes)
        for name, model in models.items():
            score = model.score(X_holes, y_test)
            rows.append({"estimator": name, "rate": share, "score": score})
accuracy = pd.DataFrame(rows).assign(mechanism="genes missing in the test set")
accuracy.groupby(["rate", "estimator"]).score.agg(["mean", "std"]).unstack().round(3)

# %%

display = MissingnessDisplay.from_results(accuracy, score_name="accuracy")
display.ax_.set_xlabel("genes missing (%)")

# %%
# Predictions degrade without an error, so check how many genes a new table has in
# common with the model before trusting them. Where it is known beforehand which genes
# will be missing, fine-tune without them, as in the first part.
