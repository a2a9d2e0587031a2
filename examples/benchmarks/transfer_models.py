"""The models of the transfer benchmark; `transfer.py` says what they are."""

from copy import deepcopy

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from transfer_data import scaled, standardized

from skgex import BYOL, SCARF, VIME, FineTunedClassifier

METHODS = {"SCARF": SCARF, "VIME": VIME, "BYOL": BYOL}
TARGET_ONLY = ["LR", "LR, C=.01", "RBF SVM"]
TARGET_ONLY += ["scratch", "scratch, random head", "target"]
TRANSFERRED = ["source", "source, target", "source labels", "source classes"]
TRANSFERRED += ["source classes, scratch"]
SIMPLE_TRANSFER = ["LR of source classes", "genes + LR of source classes"]
ALL_GENES = ["LR, all genes", "LR, C=.01, all genes", "source, target, all genes"]
# With the labels of the source: only where they are of the same tissue.
TAUGHT = ["source labels", "source classes", "source classes, scratch"]
MODELS = TARGET_ONLY + TRANSFERRED + SIMPLE_TRANSFER + ALL_GENES
# On other scales than z-scores.
FEW = ["LR", "LR, C=.01", "scratch", "source", "source labels", "source classes"]
FEW += ["LR of source classes"]


def linear(C=1.0, **settings):
    return LogisticRegression(C=C, max_iter=2000, **settings)


def simple_models(source, target, y_source, train):
    """Return the simple models, each with the table that it reads."""
    teacher = linear(0.01, class_weight="balanced")
    teacher.fit(standardized(source, source), y_source)
    said = teacher.decision_function(standardized(target, source))
    said = class_table(said, target, train)
    genes = standardized(target, target.iloc[train])
    head = linear(0.1, class_weight="balanced")
    return {
        "LR": (linear(), genes),
        "LR, C=.01": (linear(0.01, class_weight="balanced"), genes),
        "RBF SVM": (SVC(C=10), genes),
        "LR of source classes": (head, said),
        "genes + LR of source classes": (head, pd.concat([genes, said], axis=1)),
    }


def class_table(values, target, train):
    """Standardise what a model of the source says of the target."""
    table = pd.DataFrame(values, target.index).add_prefix("class ")
    return standardized(table, table.iloc[train])


def networks(source, target, y_source, train, arguments, seed, names):
    """Return the networks on the shared genes, pretrained, with the table they read."""
    new = METHODS[arguments.method](random_state=seed)
    if arguments.quick:
        new.set_params(max_epochs=2)
    starts, known = {}, target.iloc[train]
    starts["scratch"] = clone(new).set_params(max_epochs=0).fit(known)
    if "target" in names:
        starts["target"] = clone(new).fit(known)
    starts["source"] = clone(new).fit(source)
    if "source, target" in names:
        starts["source, target"] = go_on(starts["source"], known)
    if "source labels" in names:
        starts["source labels"] = tuned(starts["source"], seed).fit(source, y_source)
    models = {name: (tuned(start, seed), target) for name, start in starts.items()}
    random_head = tuned(starts["scratch"], seed).set_params(head_init="random")
    models["scratch, random head"] = random_head, target
    if "source classes" in names:
        for name, start in {"": "source", ", scratch": "scratch"}.items():
            said = class_logits(starts[start], source, target, y_source, seed)
            head = linear(0.1, class_weight="balanced")
            table = class_table(said, target, train)
            models[f"source classes{name}"] = head, table
    return models


def class_logits(start, source, target, y_source, seed):
    """Return what a head for the classes of the source makes of the target."""
    # The head stays as it starts, a logistic regression on the embedding: trained any
    # further, it is surer of subtypes than it should be on another platform.
    settings = {"freeze": True, "max_epochs": 1, "lr": 1e-6}
    taught = tuned(start, seed).set_params(class_weight="balanced", **settings)
    taught.fit(source, y_source)
    values = np.log(taught.predict_proba(target) + 1e-12)
    return values - values.mean(axis=1, keepdims=True)


def go_on(pretrained, X):
    """Go on pretraining, also with other genes."""
    return deepcopy(pretrained).set_params(warm_start=True).fit(X)


def tuned(start, seed):
    return FineTunedClassifier(
        FrozenEstimator(start), linear_weight=0, random_state=seed
    )


def all_genes(source, target, train, arguments, seed, names):
    """Return the models that read all genes of the target."""
    target, source = scaled(target, target, train, "z")[1], scaled_alone(source)
    genes = standardized(target, target.iloc[train])
    models = {
        "LR, all genes": (linear(), genes),
        "LR, C=.01, all genes": (linear(0.01, class_weight="balanced"), genes),
    }
    if ALL_GENES[-1] in names:
        new = METHODS[arguments.method](random_state=seed)
        if arguments.quick:
            new.set_params(max_epochs=2)
        start = go_on(new.fit(source), target.iloc[train])
        models[ALL_GENES[-1]] = tuned(start, seed), target
    return models


def scaled_alone(X):
    return scaled(X, X, np.arange(len(X)), "z")[0]
