"""
=====================================
Search hyper-parameters in a pipeline
=====================================

Estimators of skgex take part in scikit-learn's searches like any other: nested
parameters, folds by patient, progress bars and scores by epoch.
"""

import os

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import SCARF, FineTunedClassifier, LabeledKFold
from skgex.datasets import load_breast_nki

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# The task is the estrogen receptor status of 150 breast cancers, 112 positive and 38
# negative, from 862 genes. A few values are missing, as they are in real data;
# embedders take them as they come.

breast = load_breast_nki(as_frame=True)
X, y = breast.data, breast.metadata["er"]
n_missing = X.isna().to_numpy().sum()
print(f"{X.shape[0]} samples, {X.shape[1]} genes, {n_missing} missing values")

# %%
# An embedder in a pipeline
# -------------------------
#
# The embedder is pretrained within each fold, on its training part. Its parameters go
# by the name of the step. ``StratifiedGroupKFold`` keeps patients together and classes
# in proportion. The progress bar belongs to scikit-learn and is handed down by the
# search.

pipe = make_pipeline(
    SCARF(max_epochs=3 if QUICK else 20, batch_size=64, random_state=0),
    StandardScaler(),
    LogisticRegression(max_iter=1000),
)
search = GridSearchCV(
    pipe,
    {
        "scarf__corruption_rate": [0.3, 0.6],
        "logisticregression__C": [0.01, 1],
    },
    cv=StratifiedGroupKFold(2 if QUICK else 5, shuffle=True, random_state=0),
    scoring="balanced_accuracy",
)
search.set_callbacks(ProgressBar(max_propagation_depth=0))
search.fit(X, y, groups=breast.groups)

results = pd.DataFrame(search.cv_results_)
columns = [c for c in results if c.startswith("param_")]
results = results.sort_values("rank_test_score")
results[[*columns, "mean_test_score", "std_test_score"]].head().round(3)

# %%
# The standard deviation over the folds is larger than the differences between most
# settings: on 150 samples a search finds out what is bad, not what is best.

# %%
# Parameters inside a fine-tuned classifier
# -----------------------------------------
#
# Those of the embedder are reached by ``embedder__``.

classifier = FineTunedClassifier(
    SCARF(max_epochs=3 if QUICK else 20, batch_size=64),
    max_epochs=3 if QUICK else 20,
    random_state=0,
)
search = GridSearchCV(
    classifier,
    {"embedder__corruption_rate": [0.3, 0.6], "freeze": [False, True]},
    cv=StratifiedGroupKFold(2 if QUICK else 5, shuffle=True, random_state=0),
    scoring="balanced_accuracy",
)
search.fit(X, y, groups=breast.groups)
results = pd.DataFrame(search.cv_results_)
columns = [c for c in results if c.startswith("param_")]
results[[*columns, "mean_test_score", "std_test_score"]].round(3)

# %%
# Where labels are missing
# ------------------------
#
# Suppose that the receptor was measured in every other tumour. ``unlabeled`` names what
# marks the others, here a missing value. ``LabeledKFold`` makes folds of the labelled
# samples, and adds the others to each training part; in a test fold they would count as
# errors, as no prediction is "missing".

partly = y.astype("Int64")
partly[1::2] = None
search = GridSearchCV(
    classifier.set_params(unlabeled=float("nan")),
    {"freeze": [False, True]},
    cv=LabeledKFold(2 if QUICK else 5),
    scoring="balanced_accuracy",
)
search.fit(X, partly, groups=breast.groups)
hidden = partly.isna()
found = balanced_accuracy_score(y[hidden], search.predict(X[hidden]))
print(f"{search.best_score_:.3f} in cross-validation, {found:.3f} on the others")

# %%
# Scores by epoch
# ---------------
#
# A ``ScoringMonitor`` scores the classifier after each epoch of fine-tuning, on the
# data it is trained with.

monitor = ScoringMonitor(scoring="neg_log_loss")
classifier.set_params(unlabeled=None).set_callbacks(monitor).fit(X, y)
log = monitor.get_logs().data_as_pandas
log = log[log.task_name == "epoch"]

figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(log.task_id + 1, -log.neg_log_loss, color="#0072B2")
ax.set(xlabel="epoch of fine-tuning", ylabel="training log loss", yscale="log")
ax.spines[["top", "right"]].set_visible(False)

# %%
# The network soon knows its 150 samples by heart. That it fits them says nothing about
# new patients; the scores of cross-validation above do.
