"""
=====================================
Tune a survival model by any metric
=====================================

scikit-survival has scorers for concordance under censoring and for the error of
survival curves. They work in scikit-learn's searches as they are. Here the penalty of a
Cox model is chosen by two of them.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV
from sksurv.metrics import (
    as_concordance_index_ipcw_scorer,
    as_integrated_brier_score_scorer,
)

from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH
from skgex.datasets import load_breast_nki

QUICK = os.environ.get("SKGEX_QUICK") == "1"

X, y = load_breast_nki(return_X_y=True)
followed_up = np.isfinite(y["time"])
X, y = X[followed_up], y[followed_up]

# %%
# The network is left out (``max_epochs=0``): what is tuned is the ridge regression.
# ``cv=None`` spares inner folds that have nothing to choose.

cox = FineTunedCoxPH(
    SCARF(max_epochs=0), cv=None, alpha=500, max_epochs=0, random_state=0
)

# %%
# A scorer wraps the model and is an estimator itself, whose ``score`` is the metric, so
# that parameters of the model begin with ``estimator__``.
#
# Times must lie within the follow-up of each fold. Concordance is cut off at ``tau``,
# since the weights of those at risk grow without bound towards the end; the Brier score
# is integrated over ``times``. It is an error, and its scorer returns it with a minus.

cv = EventStratifiedKFold(n_splits=5, random_state=0)
year = 365.25
spans = [y["time"][test] / year for _, test in cv.split(X, y)]
first, last = max(span.min() for span in spans), min(span.max() for span in spans)
print(f"each fold has times from {first:.1f} to {last:.1f} years")

scorers = {
    "concordance (IPCW)": as_concordance_index_ipcw_scorer(cox, tau=10 * year),
    "integrated Brier score": as_integrated_brier_score_scorer(
        cox, times=np.arange(2, 11) * year
    ),
}
alphas = np.geomspace(10, 100_000, 3 if QUICK else 9)
searches = {}
for name, scorer in scorers.items():
    search = GridSearchCV(
        scorer, {"estimator__alpha": alphas}, cv=cv, error_score="raise"
    )
    searches[name] = search.fit(X, y)
    best = search.best_params_["estimator__alpha"]
    print(f"{name}: {search.best_score_:.3f} with a penalty of {best:.0f}")

# %%
# ``alpha="cv"``, the default, chooses by the partial likelihood in inner folds and
# needs no search. It fits a path of penalties at the cost of a few single fits.

inner = FineTunedCoxPH(SCARF(max_epochs=0), max_epochs=0, random_state=0).fit(X, y)
print(f"inner folds: a penalty of {inner.alpha_:.0f}")

# %%
# What comes out of a search is the scorer, with the model in it:

search = searches["integrated Brier score"]
fitted = search.best_estimator_.estimator_
fitted.predict_survival_function(X[:3], times=[5 * year, 10 * year]).round(2)

# %%

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True, layout="constrained")
for ax, (name, search) in zip(axes, searches.items(), strict=True):
    sign = -1 if "Brier" in name else 1
    scores = sign * np.stack(
        [search.cv_results_[f"split{i}_test_score"] for i in range(cv.n_splits)]
    )
    ax.plot(alphas, scores.T, color="#999999", lw=0.7)
    ax.plot(alphas, scores.mean(axis=0), "o-", color="#0072B2", label="mean of folds")
    ax.axvline(inner.alpha_, color="black", ls=":", label="inner folds")
    ax.plot(
        search.best_params_["estimator__alpha"],
        sign * search.best_score_,
        "o",
        ms=12,
        mfc="none",
        mec="#D55E00",
        label="best",
    )
    ax.set(xscale="log", xlabel="alpha", ylabel=name)
    ax.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False, loc="lower left")

# %%
# Grey lines are folds. Concordance hardly depends on the penalty: whatever it is, the
# mean is within .01 or so of .66, and folds differ by ten times as much. So its best
# value says little. The Brier score does depend on it. It also asks how large risks
# are, not just for their order, and with a weak penalty they are far too large. With
# the strongest, all patients have nearly the same curve. In between there is a gain,
# and the inner folds have found much the same penalty by the likelihood, which asks for
# both.
#
# The best score of a search is optimistic, as it was chosen for being the best. For a
# figure to report put the search into a cross-validation of its own.
