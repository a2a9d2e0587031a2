"""
==============================
Which genes drive a prediction
==============================

:func:`~skgex.gene_attributions` shares out a prediction among the genes. Here it is
tried where the answer is known: genes of the X and the Y chromosome for sex, and genes
that are known to be active in one tissue. Beside it are a ranking by mean expression,
the attention of a network, and a control with permuted labels.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from skgex import (
    VIME,
    FineTunedClassifier,
    GexBERT,
    TopVarianceGenes,
    gene_attributions,
)
from skgex.datasets import load_tcga_genomewide, load_tissues_u133

QUICK = os.environ.get("SKGEX_QUICK") == "1"
EPOCHS = 2 if QUICK else 20


def fit(X, y):
    """Return a classifier with a pretrained network and linear models."""
    classifier = FineTunedClassifier(
        VIME(max_epochs=EPOCHS), max_epochs=EPOCHS, random_state=0
    )
    return classifier.fit(X, y)


# %%
# Sex
# ---
#
# 123 tumours of 23 types, and the 2,000 genes that vary most in the training part.
# Most of what varies is the tissue. Of genes of the Y chromosome the table has PRKY and
# NLGN4Y, but not RPS4Y1; XIST and its antisense TSIX are active on the second
# X chromosome of women.

tcga = load_tcga_genomewide(as_frame=True)
sex = tcga.metadata["gender"]
X_train, X_test, sex_train, sex_test = train_test_split(
    tcga.data, sex, test_size=1 / 3, stratify=sex, random_state=0
)
select = TopVarianceGenes(2000).set_output(transform="pandas")
X_train = select.fit_transform(X_train)
X_test = select.transform(X_test)

classifier = fit(X_train, sex_train)
accuracy = classifier.score(X_test, sex_test)
print(f"accuracy for other patients: {accuracy:.2f}")

# %%
# What raises or lowers the probability of "Female" in patients that the model has not
# seen, relative to the average profile. In each patient the numbers add up to the
# difference of the two probabilities. The mean size over patients makes a ranking.

by_patient = gene_attributions(classifier, X_test, target="Female")
size = by_patient.abs().mean()

# %%
# The control: the same with the labels of the training patients permuted. What is as
# large there means nothing.

rng = np.random.default_rng(0)
control = fit(X_train, rng.permutation(sex_train))
chance = gene_attributions(control, X_test, target="Female").abs().mean()

top = size.nlargest(12)[::-1]
on_xy = ["XIST", "TSIX", "PRKY", "NLGN4Y"]
figure, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
colors = ["#D55E00" if gene in on_xy else "#7F7F7F" for gene in top.index]
ax.barh(top.index, top, color=colors)
ax.axvline(chance.max(), color="black", linestyle="--", linewidth=1)
ax.annotate(
    "largest with\npermuted labels",
    (chance.max(), 0),
    xytext=(4, 0),
    textcoords="offset points",
    fontsize=9,
)
ax.set(
    xlabel="mean change of the probability of “Female”",
    title="Orange: X inactivation, Y chromosome",
)
ax.spines[["top", "right"]].set_visible(False)

# %%
# In one patient: what speaks for the prediction, and what against it.

patient = by_patient.index[(sex_test == "Female").argmax()]
print(f"{patient}, who is {sex_test[patient]}:")
print(by_patient.loc[patient, [*on_xy]].round(3).to_string())

# %%
# Tissues
# -------
#
# Arrays of seven tissues with 500 genes, a random choice. Among them are these that are
# known to be active in one of the tissues above all.

MARKERS = {
    "HAMP": "liver",
    "OTC": "liver",
    "CFHR4": "liver",
    "TFR2": "liver",
    "REN": "kidney",
    "SLC17A1": "kidney",
    "GPA33": "colon",
    "HOXA10": "endometrium",
    "GNG13": "cerebellum",
}
X, tissue = load_tissues_u133(return_X_y=True, as_frame=True)
train, test = train_test_split(
    np.arange(len(X)), test_size=1 / 3, stratify=tissue, random_state=0
)
X_train, X_test = X.iloc[train], X.iloc[test]
tissue_train, tissue_test = tissue.iloc[train], tissue.iloc[test]

# %%
# Four rankings of the genes for each tissue: by attribution, in samples of the tissue
# that the model has not seen; by the mean expression of these samples; by the attention
# of a plain transformer, relative to all tissues; and by attribution with permuted
# labels, the median of several permutations.


def by_attribution(classifier):
    """Return mean attributions of each tissue in its samples, largest first."""
    return pd.DataFrame(
        {
            name: gene_attributions(
                classifier, X_test[tissue_test == name], target=name
            ).mean()
            for name in tissue.unique()
        }
    )


network = GexBERT(
    prior=None, n_layers=1, batch_size=32, max_epochs=EPOCHS, random_state=0
).fit(X_train)
attention = pd.DataFrame(network.attention(X_test), X_test.index, X_test.columns)
attention = attention.groupby(tissue_test).mean().T

tables = {
    "attribution": by_attribution(fit(X_train, tissue_train)),
    "mean expression": X_test.groupby(tissue_test).mean().T,
    "attention": attention.div(attention.mean(axis=1), axis=0),
}
permuted = [
    by_attribution(fit(X_train, rng.permutation(tissue_train)))
    for _ in range(1 if QUICK else 5)
]


def ranks_of_markers(table):
    """Return the rank of each marker in its tissue; 1 is the first."""
    ranks = table.rank(ascending=False)
    return [ranks.loc[gene, kind] for gene, kind in MARKERS.items()]


ranks = pd.DataFrame(
    {name: ranks_of_markers(table) for name, table in tables.items()},
    index=[f"{gene}, {kind}" for gene, kind in MARKERS.items()],
)
ranks["attribution,\npermuted labels"] = np.median(
    [ranks_of_markers(table) for table in permuted], axis=0
)
ranks = ranks.astype(int)
print(ranks.rename(columns=lambda name: name.replace("\n", " ")).to_string())

# %%
# The rank of each marker among the 500 genes: 1 is the first. By chance half of the
# markers would be beyond rank 250.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
styles = {"o": "#0072B2", "s": "#E69F00", "^": "#CC79A7", "x": "#7F7F7F"}
for (name, column), (marker, color) in zip(ranks.items(), styles.items(), strict=True):
    ax.plot(column, ranks.index, marker, color=color, label=name)
ax.set(xscale="log", xlabel="rank among 500 genes", xlim=(0.9, 600))
ax.invert_yaxis()
ax.grid(axis="y", color="#DDDDDD")
ax.set_axisbelow(True)
ax.spines[["top", "right"]].set_visible(False)
figure.legend(loc="outside right upper", frameon=False)

# %%
# The four genes of the sex chromosomes lead, above all that permuted labels bring
# about, though the model was told of 82 patients only. Of the markers of tissues all
# but two are among the first ten by attribution. Mean expression, without a model,
# finds fewer of them, as it ranks genes first that are high everywhere. Attention says
# which genes the network reads to guess the others, and finds none.
#
# What attributions don't say:
#
# - that the genes that come first are causes, or would do as a test: of genes that go
#   together the model may use any, and another seed another;
# - that the others don't matter. HOXA10 is not used, as there is enough else that tells
#   the endometrium from other tissues;
# - anything, where a model is no better than chance. So look at its accuracy first, and
#   permute the labels.
