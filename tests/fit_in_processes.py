"""Fits for test_distributed.py, which are also run in several processes.

python -m torch.distributed.run --nproc-per-node 2 fit_in_processes.py FOLDER
"""

import gc
import json
import os
import pickle
import sys
import time
import weakref
from pathlib import Path

import numpy as np
from discovery import TRAINED, class_name, make_target, takes, tiny, with_network
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from torch import distributed

from skgex import SCARF, VIME, FineTunedClassifier, FineTunedCoxPH, GexBERT
from skgex._persistence._encode import Encoder
from skgex.datasets import make_expression

N_SAMPLES = 53  # so that shares are not of one size
X = make_expression(n_samples=N_SAMPLES, n_genes=30, random_state=0).astype(np.float32)
HOLED = X.copy()
HOLED[5, ::2] = HOLED[::6, 3] = np.nan
VALUES = np.round(X[:, 0] - X[:, 0].mean(), 1)  # with ties
CLASSES = (VALUES > 0).astype(int)


class Gradients(Callback):
    """Keep the gradients of the first step, before differences by rounding grow."""

    def on_grad_computed(self, net, named_parameters, **kwargs):
        if not hasattr(self, "first_"):
            self.first_ = {
                name: p.grad.numpy().copy()
                for name, p in named_parameters
                if p.grad is not None
            }


class FailAlone(Callback):
    """Fail in the second epoch in one process, as if its memory was short."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) > 1 and os.environ["RANK"] == "1":
            raise MemoryError("as if memory was short")


def _case(Estimator, X=X, **parameters):
    if takes(Estimator, "head_init"):
        # A probe is fitted as far as its tolerance, and shows what is rounded.
        parameters = {"head_init": "random", **parameters}
    if takes(Estimator, "dropout"):
        parameters = {"dropout": 0.2, **parameters}
    y = make_target(Estimator, CLASSES, VALUES)
    return tiny(Estimator, max_epochs=2, **parameters), X, y


def make_cases():
    """Return estimators with their data, by name."""
    return {
        **{class_name(E): _case(E, **with_network(E)) for E in TRAINED},
        "info_nce": _case(SCARF, HOLED, loss="info_nce", replacement="uniform"),
        "holed": _case(VIME, HOLED, n_iter_no_change=1, validation_fraction=0.4),
        "plain": _case(GexBERT, HOLED, prior=None, pooling="mean"),
        "folds": _case(FineTunedCoxPH, embedder=tiny(SCARF, random_state=None)),
        "few": _case(SCARF, X[:3]),  # of which a process would have one
    }


def bits(estimator):
    """Return all that an estimator holds, as it would be saved."""
    encoder = Encoder(False)
    tree = json.dumps(encoder.encode(estimator, "estimator"), default=repr)
    return tree, encoder.digests()


def fit_all():
    """Fit all cases; return what is to be compared, by name."""
    found = {}
    for name, (estimator, data, y) in make_cases().items():
        gradients = Gradients()
        estimator.set_params(callbacks=[gradients]).fit(data, y)
        found[name] = {
            "gradients": getattr(gradients, "first_", {}),
            "estimator": estimator.set_params(callbacks=None),
            "bits": bits(estimator),
        }
    return found


def search():
    """Return the scores of a search without any seed."""
    embedder = tiny(SCARF, random_state=None)
    tuned = tiny(FineTunedClassifier, embedder=embedder, random_state=None)
    grid = {"embedder__corruption_rate": [0.1, 0.5]}
    found = GridSearchCV(tuned, grid, cv=2).fit(X, CLASSES)
    return found.cv_results_["mean_test_score"].tolist(), bits(found.best_estimator_)


def fail_alone():
    """Go on after a failure of one process, as a search does with `error_score`."""
    began, messages = time.monotonic(), []
    for _ in range(2):
        try:
            tiny(SCARF, callbacks=[FailAlone()]).fit(X)
        except (MemoryError, RuntimeError) as error:
            messages.append(f"{type(error).__name__}: {error}")
    return messages, time.monotonic() - began


def main(folder):
    """Write the results of this process to a file; in the end the second one fails."""
    rank = os.environ["RANK"]
    found = {"fits": fit_all(), "search": search()}
    found["fits"]["SCARF"]["estimator"].save(f"{folder}/{rank}.safetensors")
    tiny(SCARF, verbose=1).fit(X)
    group = weakref.ref(distributed.group.WORLD)
    found["failure"] = fail_alone()
    gc.collect()
    found["is_connected"] = distributed.is_initialized(), group() is not None
    Path(folder, f"{rank}.pkl").write_bytes(pickle.dumps(found))
    raise SystemExit(int(rank))


if __name__ == "__main__":
    main(*sys.argv[1:])
