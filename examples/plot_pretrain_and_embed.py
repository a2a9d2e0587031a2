"""
=====================================
Pretrain an encoder and embed with it
=====================================

An embedder is a transformer in scikit-learn's sense: ``fit`` pretrains an encoder on
profiles without labels, ``transform`` returns the embedding. Here :class:`~skgex.VIME`
learns from 70 % of the patients of the TCGA set. The others are embedded, and two
principal components of their embeddings are drawn beside two of their genes.
"""

import os

import matplotlib.pyplot as plt
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import VIME
from skgex.datasets import load_tcga_pancancer
from skgex.plotting import EmbeddingDisplay, TrainingCurveDisplay

QUICK = os.environ.get("SKGEX_QUICK") == "1"

# %%
# Splits are made by patient. The gene without any variance is dropped: an embedder
# would keep it, and warn.

tcga = load_tcga_pancancer(as_frame=True)
X = VarianceThreshold().set_output(transform="pandas").fit_transform(tcga.data)
splitter = GroupShuffleSplit(1, test_size=0.3, random_state=0)
train, test = next(splitter.split(X, groups=tcga.groups))

# %%
# Pretraining sees no cancer type. ``set_output`` is scikit-learn's: the embedding
# becomes a table whose rows keep their names.

embedder = VIME(max_epochs=2 if QUICK else 30, random_state=0)
embedder.set_output(transform="pandas").fit(X.iloc[train])
embedding = embedder.transform(X.iloc[test])
embedding.iloc[:3, :5]

# %%
# ``history_`` has one row for each epoch. The loss falls fast, then slowly.

TrainingCurveDisplay.from_estimator(embedder)

# %%
# Eight of the 23 cancer types are drawn. Neither panel knows them; the colours were
# added afterwards. The silhouette says how well they are apart, from -1 to 1, in all
# dimensions.

shown = ["BRCA", "COAD", "KIRP", "LIHC", "LUAD", "PRAD", "TGCT", "THCA"]
cancer = tcga.target.iloc[test]
keep = cancer.isin(shown).to_numpy()
cancer = cancer[keep]

panels = {"PCA of the genes": X.iloc[test], "PCA of the embedding": embedding}
figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for ax, (title, values) in zip(axes, panels.items(), strict=True):
    EmbeddingDisplay.from_embedding(
        values[keep], cancer, silhouette=True, ax=ax, title=title
    )

# %%
# In the embedding the types are further apart, though it was learnt without them. That
# is no promise about prediction: with a label for every sample, logistic regression on
# the genes themselves does as well or better.

linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
y_train, y_test = tcga.target.iloc[train], tcga.target.iloc[test]
for name, Z_train, Z_test in [
    ("genes", X.iloc[train], X.iloc[test]),
    ("embedding", embedder.transform(X.iloc[train]), embedding),
]:
    accuracy = linear.fit(Z_train, y_train).score(Z_test, y_test)
    print(f"logistic regression on the {name}: accuracy {accuracy:.3f}")

# %%
# Where labels are few, and where the encoder is trained with them, pretraining pays
# off: see :ref:`sphx_glr_auto_examples_plot_fine_tune_few_labels.py`.
