"""The models of the survival benchmark."""

import numpy as np
import torch
from in_context import WHY_NOT, InContextCox
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sksurv.ensemble import RandomSurvivalForest
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.metrics import concordance_index_censored

from skgex import (
    SCARF,
    EventStratifiedKFold,
    FineTunedCoxPH,
    FineTunedDiscreteHazard,
    GexBERT,
)
from skgex._survival._data import check_data
from skgex._survival._linear import fit_linear_risk

# An encoder that is neither pretrained nor used: the linear part alone is asked for.
NO_ENCODER = SCARF(hidden_dims=(2,), max_epochs=0)


def standardized(*steps):
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -6, "a_max": 6})
    return make_pipeline(StandardScaler(), clip, *steps)


def variances(X, y):
    return X.var(axis=0)


def linear(**parameters):
    return FineTunedCoxPH(NO_ENCODER, max_epochs=0, random_state=0, **parameters)


class RidgeOnComponents(BaseEstimator):
    """Ridge Cox on principal components, with the penalty of inner folds."""

    def __init__(self, n_components):
        self.n_components = n_components

    def fit(self, X, y):
        # Columns that are orthogonal, and all rotated alike, have ridge coefficients of
        # their own scale; FineTunedCoxPH would standardise them.
        data, _ = check_data(self, X, y, None, None)
        folds = list(EventStratifiedKFold(3, random_state=0).split(X, y))
        options = {"alpha": "cv", "l1_ratio": 0.0, "ties": "efron", "folds": folds}
        n_components = min(self.n_components, len(X) - 1)
        self.pca_ = PCA(n_components, random_state=0)
        Z = self.pca_.fit_transform(X).astype(np.float64)
        self.coef_ = fit_linear_risk(Z, data, **options).coef
        return self

    def predict(self, X):
        return self.pca_.transform(X) @ self.coef_


class Coxnet(BaseEstimator):
    """Elastic net of scikit-survival, with the penalty of inner folds."""

    def fit(self, X, y):
        self.model_ = CoxnetSurvivalAnalysis(
            l1_ratio=0.5, n_alphas=30, alpha_min_ratio=0.05
        )
        alphas = clone(self.model_).fit(X, y).alphas_
        score = np.zeros(len(alphas))
        for train, test in EventStratifiedKFold(3, random_state=0).split(X, y):
            model = clone(self.model_).set_params(alphas=alphas).fit(X[train], y[train])
            event, time = y["event"][test], y["time"][test]
            for i, alpha in enumerate(alphas):
                risk = model.predict(X[test], alpha=alpha)
                score[i] += concordance_index_censored(event, time, risk)[0]
        self.alpha_ = alphas[score.argmax()]
        self.model_.set_params(alphas=alphas).fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(X, alpha=self.alpha_)


def cohort_models():
    """Return the models that see the patients of one cohort only."""
    scratch = FineTunedCoxPH(
        SCARF(max_epochs=0),
        # No linear part to speak of, and the network is believed.
        alpha=1e12,
        cv=None,
        encoder_lr=1e-3,
        max_epochs=50,
        random_state=0,
    )
    return {
        "ridge": linear(scaling="standard"),
        "ridge, 200 PCs": standardized(RidgeOnComponents(200)),
        "ridge, 20 PCs": standardized(RidgeOnComponents(20)),
        "Coxnet, 1,000 genes": make_pipeline(
            SelectKBest(variances, k=1000), *standardized(Coxnet())
        ),
        "survival forest": standardized(
            RandomSurvivalForest(200, min_samples_leaf=10, random_state=0)
        ),
        "network from scratch": scratch,
        "linear part": linear(),
        "pretrained on the cohort": FineTunedCoxPH(random_state=0),
        "discrete hazards": FineTunedDiscreteHazard(
            NO_ENCODER, max_epochs=0, random_state=0
        ),
    } | ({} if WHY_NOT else {"GeneICL": InContextCox()})


def tuned(pan, scaling="rank", prior_weight=0.3):
    """Return the model of one cohort that starts from one of other cohorts, or all."""
    return FineTunedCoxPH(
        FrozenEstimator(pan),
        max_epochs=0,
        scaling=scaling,
        prior_weight=prior_weight,
        random_state=0,
    )


def embedded(X, names):
    """Return ridge Cox regression on what was learnt, without follow-up, of X."""
    models = {}
    if "200 PCs of all cohorts" in names:
        components = standardized(PCA(200, random_state=0)).fit(X)
        models["200 PCs of all cohorts"] = make_pipeline(
            FrozenEstimator(components), RidgeOnComponents(200)
        )
    for name, prior in {"": "low_rank", ", no prior": None}.items():
        name = f"GexBERT embedding{name}"
        if name in names:
            embedder = GexBERT(prior=prior, random_state=0).fit(X)
            print(f"{name}: {embedder.n_iter_} epochs", flush=True)
            models[name] = make_pipeline(
                FrozenEstimator(embedder), linear(scaling="standard")
            )
    return models


def set_threads(n):
    torch.set_num_threads(n)
