"""
========================================
Which genes are read in each cancer type
========================================

The summary tokens of :class:`~skgex.GexBERT` gather what they need from the genes by
attention. ``attention`` returns how much of it each gene gets. This is a look at the
network, and no explanation of the biology: a control with permuted cancer types, and
the caveats below, belong to it.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GroupShuffleSplit

from skgex import GexBERT
from skgex.datasets import load_tcga_pancancer
from skgex.plotting import AttentionDisplay

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# A plain transformer (``prior=None``) with one layer is pretrained on 70 % of the
# patients. With the low-rank prior most would be known before any gene is read, and
# with more layers the last one would read genes that have read each other.

tcga = load_tcga_pancancer(as_frame=True)
X = VarianceThreshold().set_output(transform="pandas").fit_transform(tcga.data)
splitter = GroupShuffleSplit(1, test_size=0.3, random_state=0)
train, test = next(splitter.split(X, groups=tcga.groups))
if QUICK:
    train = train[::5]

embedder = GexBERT(
    prior=None,
    n_layers=1,
    batch_size=32,
    max_epochs=2 if QUICK else 20,
    random_state=0,
)
embedder.fit(X.iloc[train], groups=tcga.groups[train])
print(f"validation loss: {embedder.history_[-1]['valid_loss']:.2f}")

# %%
# The loss is the squared error of hidden values, in units of the variance of the genes:
# one is what their means reach.
#
# Attention by cancer type
# ------------------------
#
# A value of one is what an average gene of the sample gets. Some genes get more in all
# samples; what differs between cancer types is the mean of a type, relative to the mean
# of all types. Types with fewer than 40 test patients are left out.

cancer = tcga.target.iloc[test]
keep = (cancer.map(cancer.value_counts()) >= 40).to_numpy()
X_shown, cancer = X.iloc[test][keep], cancer[keep]

# %%
# In the control the cancer types are permuted among the patients. Whatever is seen
# there is chance. Each panel shows the 25 genes that vary most in it, so that both are
# chosen in the same way.

display = AttentionDisplay.from_estimator(
    embedder, X_shown, cancer, n_permutations=10 if QUICK else 100
)

# %%
# How much of it is chance, in numbers: the mean distance from one, over all genes, with
# the true types and with the permutations.

by_chance = display.permuted_distances
print(f"cancer types:          {display.distance:.3f}")
print(f"permuted cancer types: {by_chance.mean():.3f}, at most {by_chance.max():.3f}")

# %%
# What draws attention
# --------------------
#
# The same table for expression: by how many standard deviations a gene is higher or
# lower in a cancer type than in all.

Z = (X_shown - X.iloc[train].mean()) / X.iloc[train].std()
level = Z.groupby(cancer).mean()
level = level - level.mean()
table = display.relative

figure, ax = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
ax.scatter(level, table, s=6, alpha=0.5, color="#0072B2", linewidths=0)
ax.axhline(1, color="black", lw=0.8)
for i, (kind, gene) in enumerate(table.stack().nlargest(4).index):
    x, y = level.loc[kind, gene], table.loc[kind, gene]
    ax.annotate(
        f"{gene} in {kind}",
        (x, y),
        xytext=(5 if x < 0 else -5, 0),
        textcoords="offset points",
        ha="left" if x < 0 else "right",
        va="bottom" if i % 2 else "top",
        fontsize=8,
    )
ax.set(
    xlabel="expression in the cancer type (standard deviations)",
    ylabel="relative attention",
)
ax.spines[["top", "right"]].set_visible(False)
size = np.corrcoef(level.abs().to_numpy().ravel(), table.to_numpy().ravel())[0, 1]
print(f"correlation of attention with the distance of the expression: {size:.2f}")

# %%
# The heat map of the true types has a few strong cells in each row, that of the
# permuted ones has hardly any, and over all genes the true types differ three times as
# much as permuted ones. So the network does read other genes in other cancer types.
#
# The last figure says what these are: genes that are unusually high in a type, such as
# CYP8B1 in liver cancer (LIHC), or unusually low, such as IRF6, a gene of epithelia, in
# sarcoma (SARC). The table of mean expression shows the same without a network, and is
# what to look at first.
#
# What it doesn't say:
#
# - that these genes matter for the cancer type, or for anything but guessing other
#   genes;
# - that the others don't: genes that carry the same share attention in any way, and
#   another seed shares it in another;
# - that what is read is used. To find out what a prediction depends on, change the
#   input and look at the prediction;
# - anything about a single sample: these are means over 40 patients or more.
