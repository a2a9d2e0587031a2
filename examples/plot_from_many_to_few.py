"""
================
From many to few
================

Forty tumours are too few to learn how genes go together. Here 40 breast cancers on
two-colour arrays from Amsterdam start from weights that were pretrained on thousands of
tumours of TCGA: another platform, another unit, none of these patients.
"""

import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer

from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH, GexBERT
from skgex.datasets import load_breast_nki, load_pretrained
from skgex.evaluation import cohort_size_curve
from skgex.plotting import CohortSizeDisplay

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# Some genes of the arrays are among those of the weights.

nki = load_breast_nki(as_frame=True)
X = nki.data
pretrained = load_pretrained("gexbert-tcga")
shared = X.columns.intersection(pretrained.feature_names_in_)
print(f"{X.shape[1]} genes on the arrays, {len(shared)} of them pretrained")

# %%
# Hidden values
# -------------
#
# Half of the values of other patients are hidden, and restored by what was fitted to
# 10, 20, 40 or 80 patients. Of the start only how genes vary together is used: each
# gene is in standard deviations of the cohort.

start = FrozenEstimator(pretrained)
sizes = [10, 40] if QUICK else [10, 20, 40, 80]
table = cohort_size_curve(
    {
        "10 nearest neighbours": KNNImputer(n_neighbors=10),
        "GexBERT": GexBERT(max_epochs=0),
        "GexBERT, start from TCGA": GexBERT(max_epochs=0, start=start),
    },
    X[shared],
    sizes=sizes,
    n_draws=1 if QUICK else 5,
)
table.groupby(["estimator", "n_samples"]).error.mean().unstack().round(3)

# %%
# A panel becomes a profile
# -------------------------
#
# Of 40 patients only 30 genes were measured. The adapted model restores the genes that
# it knows from its start, of other patients whose values are known, so that it can be
# seen how well: by the correlation across patients.

train, test = X[:40], X[40:]
rng = np.random.default_rng(0)
panel = rng.choice(shared, size=30, replace=False)
absent = shared.difference(panel)
embedder = GexBERT(max_epochs=0, start=start, random_state=0).fit(train[panel])
restored = embedder.restore(test[panel], genes=absent)
correlation = restored.corrwith(test[absent]).sort_values()
correlation.describe().round(2)

# %%
# Distant metastasis
# ------------------
#
# Survival models start from others too. "cox-tcga" has coefficients for overall
# survival of ten cancers. How much of it counts is chosen by inner folds of the 40
# patients; the others are ranked. The concordance is the mean over draws of these 40.

followed_up = np.isfinite(nki.survival["time"])
Y, y = X[followed_up], nki.survival[followed_up]
cox = load_pretrained("cox-tcga")
models = {
    "40 patients alone": FineTunedCoxPH(
        SCARF(max_epochs=0), max_epochs=0, random_state=0
    ),
    "start from TCGA": FineTunedCoxPH(
        FrozenEstimator(cox), max_epochs=0, random_state=0
    ),
}
# Most genes of the model are not on the arrays, which a warning says.
warnings.filterwarnings("ignore", "X lacks 1451 of the 1526 genes", UserWarning)
rows = []
for draw in range(1 if QUICK else 5):
    folds = EventStratifiedKFold(n_splits=3, random_state=draw)
    _, some = next(folds.split(Y, y))
    some = np.random.default_rng(draw).permutation(some)[:40]
    others = np.setdiff1d(np.arange(len(Y)), some)
    for name, model in models.items():
        model.fit(Y.iloc[some], y[some])
        score = model.score(Y.iloc[others], y[others])
        rows.append({"model": name, "draw": draw, "concordance": score})
survival = pd.DataFrame(rows).groupby("model").concordance.agg(["mean", "std"])
survival.round(3)

# %%

figure, axes = plt.subplots(
    1, 2, figsize=(9.5, 4), width_ratios=[1.6, 1], layout="constrained"
)
CohortSizeDisplay.from_results(table, ax=axes[0])
axes[1].hist(correlation, bins=25, color="#0072B2")
axes[1].axvline(0, color="black", lw=0.8)
axes[1].set(xlabel="correlation of a restored gene across patients", ylabel="genes")
axes[1].spines[["top", "right"]].set_visible(False)

# %%
# With 10 to 80 patients the start lowers the error, most where patients are few. Of a
# panel of 30 genes the correlation of a restored gene is modest in the median: a panel
# tells only of the programmes that its genes belong to.
#
# The survival model gains nothing here. Only 75 of its 1,526 genes are on these arrays,
# it was fitted to overall survival, and the folds of 40 patients with 15 metastases
# do not say more. Where all genes are there, see the benchmarks, it is worth two to
# three points of concordance.
