"""
==============================
Fill the holes of a microarray
==============================

Some spots of a microarray can't be read. :class:`~skgex.GexImputer` fills them in from
the genes that were measured in the same sample. How well it does is seen by hiding
values that are known.
"""

import os
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer, SimpleImputer

from skgex import GexBERT, GexImputer
from skgex.datasets import load_breast_nki

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# What is missing
# ---------------
#
# 150 breast cancers were measured at 862 genes, as log ratios to a reference. 341
# values are missing, three in a thousand.

X = load_breast_nki(as_frame=True).data
if QUICK:
    X = X.iloc[:, ::8]
missing = X.isna()
print(f"{missing.to_numpy().sum()} of {X.size:,} values are missing")
print(f"in {missing.any(axis=0).sum()} of {X.shape[1]} genes")
print(f"in {missing.any(axis=1).sum()} of {len(X)} samples")

# %%

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for ax, axis, what in zip(axes, [1, 0], ["sample", "gene"], strict=True):
    count = missing.sum(axis=axis).sort_values(ascending=False)
    count = count[count > 0]
    ax.bar(range(len(count)), count, width=1.0, color="#0072B2")
    ax.annotate(
        count.index[0], (0, count.iloc[0]), xytext=(8, -8), textcoords="offset points"
    )
    ax.set(xlabel=f"{what}s with missing values", ylabel="missing values")
    ax.spines[["top", "right"]].set_visible(False)

# %%
# They are not spread evenly: a few arrays have lost most of them, and one gene has far
# more than any other. What is missing by a fault of the array says nothing about its
# value, and can be guessed from the other genes. Where a value is missing because it
# was low, every guess below is too high: see :doc:`/user_guide/imputation`.
#
# Hide what is known
# ------------------
#
# A tenth of the measured values is hidden as well, at random. Errors on them are in
# standard deviations of the gene, so that all genes count alike.

rng = np.random.default_rng(0)
hidden = X.notna().to_numpy() & (rng.random(X.shape) < 0.1)
X_holes = X.mask(hidden)
spread = X.std().to_numpy()

epochs = {"max_epochs": 1} if QUICK else {}
imputers = {
    "gene mean": SimpleImputer(),
    "KNNImputer": KNNImputer(n_neighbors=10),
    "GexImputer, prior alone": GexImputer(GexBERT(max_epochs=0), random_state=0),
    "GexImputer": GexImputer(GexBERT(**epochs), random_state=0),
}
filled, rows = {}, {}
for name, imputer in imputers.items():
    start = time.perf_counter()
    imputer.set_output(transform="pandas")
    filled[name] = imputer.fit_transform(X_holes)
    error = ((filled[name] - X) / spread).to_numpy()[hidden]
    rows[name] = {
        "RMSE": np.sqrt(np.mean(error**2)),
        "seconds": time.perf_counter() - start,
    }
pd.DataFrame(rows).T.round({"RMSE": 3, "seconds": 1})

# %%
# The nearest samples say more than the mean of the gene, and what all genes have in
# common says more than these. Much of a value is its own even so. With 150 samples the
# low-rank prior by itself (``max_epochs=0``) does as well as with the network on top,
# which is trained on what the prior misses, and stopped where there is nothing to gain.
#
# How sure it is
# --------------
#
# ``restore`` of the fitted embedder returns a standard deviation for each value: an
# interval of 1.645 of it to both sides is meant to hold nine in ten.

imputer = imputers["GexImputer"]
restored, std = imputer.embedder_.restore(X_holes, return_std=True)
true, guess = X.to_numpy()[hidden], restored.to_numpy()[hidden]
bound = 1.645 * std.to_numpy()[hidden]
inside = np.abs(true - guess) <= bound
print(f"{inside.mean():.1%} of the hidden values lie in their interval")

# %%

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
axes[0].scatter(guess, true, s=3, alpha=0.2, color="#0072B2", linewidths=0)
axes[0].axline((0, 0), slope=1, color="black", lw=0.8)
axes[0].set(xlabel="imputed", ylabel="true", title="all hidden values")

some = rng.choice(len(true), size=min(60, len(true)), replace=False)
some = some[np.argsort(guess[some])]
place = np.arange(len(some))
axes[1].vlines(
    place,
    (guess - bound)[some],
    (guess + bound)[some],
    color="#0072B2",
    alpha=0.4,
    lw=3,
)
axes[1].plot(place, guess[some], "_", color="#0072B2", label="imputed, 90 % interval")
colors = np.where(inside[some], "black", "#D55E00")
axes[1].scatter(place, true[some], s=12, color=colors, zorder=3, label="true")
axes[1].set(xlabel="60 of them, by imputed value", xticks=[], title="with intervals")
axes[1].legend(frameon=False, loc="upper left")
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)

# %%
# On the left, imputed values spread less than true ones, as any best guess does; the
# rows at 2 and -2 are where the array was cut off. On the right, intervals are as wide
# as the gene makes them, and true values outside of theirs are orange. The samples are
# those that the imputer was fitted to, and nine in ten lie inside all the same: each is
# restored as if the model had not seen it. Where the spread matters, as in tests and
# regressions, impute several times: see :doc:`/user_guide/imputation`.
#
# Now the real holes are filled. Measured values are returned as they are.

complete = imputer.fit_transform(X)
same = X.isna() | (complete == X)
print(f"{complete.isna().to_numpy().sum()} values are missing")
print(f"measured values unchanged: {same.to_numpy().all()}")
