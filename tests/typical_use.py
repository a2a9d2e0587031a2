"""Code as users write it: `make lint` checks that editors find nothing wrong in it.

Nothing here is run. What stands below ``wrong`` has to be found wrong: a comment that
ignores an error is an error itself where there is none.
"""

from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

import skgex
from skgex import (
    BYOL,
    SCARF,
    VIME,
    BatchScaler,
    EventStratifiedKFold,
    FineTunedClassifier,
    FineTunedCoxPH,
    FineTunedDiscreteHazard,
    FineTunedRegressor,
    GeneAligner,
    GeneRestorer,
    GexBERT,
    GexImputer,
    LabeledKFold,
    LogCPM,
    QuantileNormalizer,
    TopVarianceGenes,
    UnivariateCoxSelector,
    datasets,
    evaluation,
    plotting,
)
from skgex.datasets import (
    load_breast_nki,
    load_pretrained,
    load_tcga_genomewide,
    load_tcga_pancancer,
    load_tissues_u133,
    make_cohort,
    make_expression,
)
from skgex.io import check_expression, open_memmap, read_expression, to_memmap
from skgex.nn import MLPEncoder, nt_xent_loss


def classes():
    tcga = load_tcga_pancancer(as_frame=True)
    X, y = tcga.data.drop(columns="619564"), tcga.target
    embedder = VIME(hidden_dims=[64], clip=None, batch_size=64, device="cpu")
    model = FineTunedClassifier(embedder, unlabeled=np.nan, batch_size=128)
    model.fit(X, y, groups=tcga.groups)
    print(model.score(X, y), model.classes_, model.history_[:, "train_loss"])
    print(model.predict(X).shape, model.predict_proba(X).sum(axis=1))
    folds = LabeledKFold(StratifiedGroupKFold(5), unlabeled=np.nan)
    print(cross_val_score(model, X, y, cv=folds).mean())
    FineTunedClassifier(freeze=True, random_state=0).fit(X, y).save("model.safetensors")


def values():
    X, y = load_tissues_u133(return_X_y=True, as_frame=True)
    model = FineTunedRegressor(BYOL(projection_dims=[32, 16]), linear_weight=0.5)
    print(model.fit(X, X.iloc[:, 0]).predict(X)[:3], y.value_counts())


def search():
    X, y = load_tcga_genomewide(return_X_y=True)
    pipe = make_pipeline(
        LogCPM(target_sum=None), TopVarianceGenes("all"), SCARF(), LogisticRegression()
    )
    grid = {"scarf__lr": [1e-4, 1e-3], "scarf__corruption_rate": [0.3, 0.6]}
    found = GridSearchCV(pipe, grid, cv=StratifiedGroupKFold(5)).fit(X, y)
    print(found.best_params_, SCARF().set_output(transform="pandas").fit_transform(X))


def holes():
    nki = load_breast_nki(as_frame=True)
    start = FrozenEstimator(load_pretrained("gexbert-tcga"))
    embedder = GexBERT(mask_rate=0.3, prior=None, start=start, start_weight=1.0)
    imputer = GexImputer(embedder, missing_values=-999, random_state=0)
    filled = imputer.set_output(transform="pandas").fit_transform(nki.data)
    expected, std = imputer.embedder_.restore(nki.data, return_std=True)
    print(filled.shape, expected.shape, std.mean(), imputer.score_samples(nki.data))
    print(embedder.fit(nki.data).attention(nki.data).mean(axis=0))
    aligned = make_pipeline(GeneAligner(start), GeneRestorer(start, genes=["TP53"]))
    print(aligned.fit_transform(nki.data))


def survival():
    X, y = load_breast_nki(return_X_y=True)
    known = np.isfinite(y["time"])
    cox = FineTunedCoxPH(SCARF(max_epochs=50), alpha=10.0, prior_weight=0, cv=5)
    cox.fit(X[known], y[known])
    curves = cox.predict_survival_function(X, times=[1826, 3652])
    print(curves, cox.score(X[known], y[known]), cox.predict(X), cox.unique_times_)
    hazard = FineTunedDiscreteHazard(alpha=1.0).fit(X[known], y[known])
    print(hazard.predict_cumulative_hazard_function(X, return_array=True))
    folds = EventStratifiedKFold(5, random_state=0).split(X, y)
    train, test = next(folds)
    selector = UnivariateCoxSelector(k="all").fit(X[train], y[train])
    print(selector.transform(X[test]), selector.pvalues_)
    print(evaluation.concordance_interval(y, cox.predict(X)))
    plotting.RiskGroupsDisplay.from_estimator(cox, X, y, quantiles=[0.5]).plot()


def files(folder: Path):
    table = read_expression(folder / "counts.csv.gz", orient="genes_in_rows")
    print(check_expression(table), table.shape)
    to_memmap(table, folder / "counts.npy")
    big = open_memmap(str(folder / "counts.npy"))
    model = skgex.load(folder / "model.safetensors", device="cpu")
    print(model.predict(big), model.unit_)
    steps = make_pipeline(QuantileNormalizer(), BatchScaler())
    print(steps.fit_transform(make_expression(50, 20)), datasets.make_cohort().data)
    X, factors, loadings = make_expression(return_factors=True)
    print(X - factors @ loadings, make_cohort(n_samples=20).target)


def experiments():
    X, y = load_tissues_u133(return_X_y=True)
    models = {"linear": LogisticRegression(), "skgex": FineTunedClassifier()}
    scores = evaluation.label_efficiency_curve(
        models, X, y, fractions=[0.1, 1], scoring="accuracy"
    )
    print(evaluation.paired_difference(scores, "linear", test_ratio=0.3))
    plotting.LabelEfficiencyDisplay.from_results(scores, interval=None).plot()
    encoder = MLPEncoder(20, [8, 4], normalization=None)
    print(encoder.embedding_dim, nt_xent_loss)


def wrong():
    SCARF(corruption_rat=0.3)  # pyright: ignore[reportCallIssue]
    FineTunedClassifier(SCARF(), unlabelled=-1)  # pyright: ignore[reportCallIssue]
    VIME(batch_size="auto")  # pyright: ignore[reportArgumentType]
    skgex.Scarf()  # pyright: ignore[reportAttributeAccessIssue]
    skgex.datasets.load_gtex()  # pyright: ignore[reportAttributeAccessIssue]
    evaluation.ampute()  # pyright: ignore[reportCallIssue]
    GexImputer().fit()  # pyright: ignore[reportCallIssue]
    FineTunedCoxPH().predict_survival()  # pyright: ignore[reportAttributeAccessIssue]
