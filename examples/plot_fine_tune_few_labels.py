"""
======================================
Fine-tune a classifier with few labels
======================================

Only one profile in twenty has a label. A :class:`~skgex.FineTunedClassifier` takes all
of them: ``unlabeled`` names the target value that marks those without a label. They
take part in pretraining and in a linear model, not in fine-tuning.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import VIME, FineTunedClassifier
from skgex.datasets import load_tcga_pancancer

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# Folds are made by patient: two samples of one patient resemble each other more than
# those of two patients, and a patient on both sides of a split flatters every model.
# Cancer types with fewer than 20 samples are left out.

tcga = load_tcga_pancancer(as_frame=True)
keep = (tcga.target.map(tcga.target.value_counts()) >= 20).to_numpy()
X = VarianceThreshold().set_output(transform="pandas").fit_transform(tcga.data[keep])
y, patient = tcga.target[keep], tcga.groups[keep]

folds = list(GroupKFold(3, shuffle=True, random_state=0).split(X, y, patient))

# %%
# In each fold the labels of 95 % of the training samples are hidden. Every model sees
# the same labels. Without pretraining (``max_epochs=0``) and with ``linear_weight=0``
# the classifier is an ordinary network, trained on the labelled samples. By default
# linear models vote beside the pretrained network; one of them learns from samples
# without a label, too.

HIDDEN = "unknown"


def hide_labels(y, share, seed):
    """Replace the labels of a share of the samples of each class."""
    rest = y.groupby(y).sample(frac=1 - share, random_state=seed).index
    return y.where(y.index.isin(rest), HIDDEN)


def make_classifier(embedder, **parameters):
    """Return a classifier on the encoder of an embedder."""
    epochs = {"max_epochs": 3} if QUICK else {}
    parameters = {"unlabeled": HIDDEN, "random_state": 0, **epochs, **parameters}
    return FineTunedClassifier(embedder, **parameters)


accuracy = []
for fold, (train, test) in enumerate(folds):
    X_train, y_train = X.iloc[train], hide_labels(y.iloc[train], 0.95, seed=fold)
    X_test, y_test = X.iloc[test], y.iloc[test]
    labeled = (y_train != HIDDEN).to_numpy()

    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    linear.fit(X_train[labeled], y_train[labeled])

    untrained, embedder = VIME(max_epochs=0), VIME(max_epochs=2 if QUICK else 40)
    scratch = make_classifier(untrained, linear_weight=0).fit(X_train, y_train)
    tuned = make_classifier(embedder, linear_weight=0).fit(X_train, y_train)
    default = make_classifier(embedder).fit(X_train, y_train)

    accuracy.append(
        {
            "logistic regression": linear.score(X_test, y_test),
            "network from scratch": scratch.score(X_test, y_test),
            "pretrained, fine-tuned": tuned.score(X_test, y_test),
            "with linear models": default.score(X_test, y_test),
        }
    )

accuracy = pd.DataFrame(accuracy).rename_axis("fold")
print(f"{labeled.sum()} of {len(labeled):,} training samples are labelled\n")
print(accuracy.round(3).to_string())

# %%
# Folds differ, so models are compared within folds: each line is one of them.

figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for fold, row in accuracy.iterrows():
    ax.plot(row.to_numpy(), "o-", color="#0072B2", alpha=0.4 + 0.2 * fold)
    ax.annotate(
        f"fold {fold}",
        (3, row.iloc[-1]),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color="#0072B2",
    )
ax.set_xticks(np.arange(4), accuracy.columns.str.replace(" ", "\n"))
ax.set_xlim(-0.3, 3.5)
ax.set_ylabel("accuracy on held-out patients")
ax.spines[["top", "right"]].set_visible(False)

# %%
# What to make of it:
#
# - The network from scratch has the same layers as the pretrained one and the same
#   fine-tuning; the difference between the two is what pretraining is worth.
# - The vote of the network with linear models is the default of
#   :class:`~skgex.FineTunedClassifier`, as it is right more often.
# - Logistic regression is hard to beat on expression profiles, and takes no time: try
#   it first. The more labels there are, the smaller the lead of the pretrained network,
#   as :ref:`sphx_glr_auto_examples_label_efficiency_demo.py` shows.
# - Three folds and one draw of labels don't tell apart models that differ by a point.
#
# The classifier predicts probabilities, and embeds: ``transform`` returns what the
# fine-tuned encoder makes of a profile.

probability = pd.DataFrame(
    tuned.predict_proba(X_test[:3]), X_test.index[:3], tuned.classes_
)
probability.idxmax(axis=1).to_frame("predicted").assign(
    probability=probability.max(axis=1).round(3), true=y_test[:3]
)
