"""Genes that an output is due to: shares add up, and are those of slow loops."""

import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from discovery import EMBEDDERS, FINE_TUNED, SURVIVAL, class_name, make_target, tiny
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logit
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skgex import (
    SCARF,
    FineTunedClassifier,
    FineTunedCoxPH,
    FineTunedRegressor,
    GexBERT,
    GexImputer,
    gene_attributions,
    load,
)
from skgex._attributions import _path
from skgex.datasets import make_expression

GENES = [f"G{i}" for i in range(12)]
X = pd.DataFrame(make_expression(n_samples=80, n_genes=12, random_state=0), None, GENES)
SCORE = X.sum(axis=1).to_numpy() + 3 * X["G0"].to_numpy()
CLASSES = np.array(["a", "b", "c"])[np.digitize(SCORE, np.quantile(SCORE, [0.3, 0.6]))]
HOLES = X[:6].mask(np.random.default_rng(0).random((6, 12)) < 0.3)
MODELS = [*EMBEDDERS, *FINE_TUNED, *SURVIVAL]
# Their networks take part, and so do their linear parts.
MIXED = {"linear_weight": 0.5}


def fitted(Estimator, table=X, **parameters):
    if Estimator in FINE_TUNED:
        parameters = MIXED | parameters
    if Estimator in SURVIVAL:
        parameters = {"cv": None, "alpha": 2.0} | parameters
    y = make_target(Estimator, CLASSES, SCORE)
    return tiny(Estimator, **parameters).fit(table, y)


def output(estimator, X, dimension=1):
    """Return what is attributed, by public methods."""
    if is_classifier(estimator):
        return estimator.predict_proba(X)[:, 1]
    if hasattr(estimator, "predict"):
        return estimator.predict(X)
    return estimator.transform(X)[:, dimension]


def asked(estimator):
    """Return the target that names what `output` returns."""
    if is_classifier(estimator):
        return "b"
    return None if hasattr(estimator, "predict") else 1


def add_up(estimator, X, baseline, **options):
    """Hold the sums of attributions against differences of outputs."""
    target = "b" if is_classifier(estimator) else None
    found = gene_attributions(estimator, X, baseline=baseline, target=target, **options)
    # A gene that was not measured is missing from the baseline, too.
    origin = X.copy()
    origin[:] = np.broadcast_to(baseline, X.shape)
    origin = origin.mask(X.isna())
    if hasattr(estimator, "predict"):
        expected = output(estimator, X) - output(estimator, origin)
    else:
        ends = estimator.transform(X), estimator.transform(origin)
        expected = np.square(np.subtract(*ends)).sum(axis=1)
    scale = np.abs(found).sum(axis=1)
    assert_allclose(found.sum(axis=1) / scale, expected / scale, atol=5e-3)
    assert np.abs(expected).max() > 1e-3
    assert (found[X.isna()].fillna(0) == 0).all(axis=None)
    return found


@pytest.mark.parametrize("Estimator", MODELS, ids=class_name)
def test_attributions_add_up(Estimator):
    estimator = fitted(Estimator)
    n_steps = 40 if Estimator is GexBERT else 300  # of ReLUs the slope jumps
    add_up(estimator, HOLES, X.iloc[20].to_numpy(), n_steps=n_steps)


@pytest.mark.parametrize("Estimator", [*FINE_TUNED, *SURVIVAL], ids=class_name)
def test_covariates_have_attributions_too(Estimator):
    table = X.copy()
    table.insert(3, "age", np.random.default_rng(1).normal(60, 10, 80))
    options = {"scaling": "standard"} if Estimator in SURVIVAL else {}
    estimator = fitted(Estimator, table, covariates=["age"], **options)
    found = add_up(estimator, table[:5], table.mean().to_numpy(), n_steps=200)
    assert found["age"].abs().min() > 0
    # As many steps as above: how well 64 do depends on what was learnt.
    mean = gene_attributions(estimator, table[:5], target=asked(estimator), n_steps=200)
    assert_allclose(mean["age"], found["age"], atol=1e-3 * np.abs(found).max(axis=None))


def test_survival_with_many_genes_and_holes():
    wide = pd.DataFrame(make_expression(n_samples=60, n_genes=210, random_state=1))
    wide.columns = [f"G{i}" for i in range(210)]
    y = make_target(FineTunedCoxPH, None, wide["G1"].to_numpy())
    cox = tiny(FineTunedCoxPH, alpha=1.0, cv=None).fit(wide, y)
    holes = wide[:4].mask(np.random.default_rng(0).random((4, 210)) < 0.3)
    add_up(cox, holes, wide.mean().to_numpy())


def test_of_a_linear_classifier_log_odds_are_shared_out_exactly():
    y = CLASSES != "a"
    model = tiny(FineTunedClassifier, linear_weight=1).fit(X, y)
    scaler, fill, layer = model.linear_
    coef = (layer.weight[1] - layer.weight[0]).detach().numpy()
    with torch.no_grad():
        z = fill(scaler(torch.tensor(HOLES.to_numpy(np.float32)))).numpy()
    found = gene_attributions(model, HOLES, target=True, log_odds=True, n_steps=1)
    assert_allclose(found, coef * z, rtol=1e-3, atol=1e-5)
    origin = X.mean().to_frame().T
    change = logit(model.predict_proba(X[:6])[:, 1].astype(float))
    change -= logit(model.predict_proba(origin)[0, 1].astype(float))
    found = gene_attributions(model, X[:6], target=True, log_odds=True)
    assert_allclose(found.sum(axis=1), change, rtol=1e-3, atol=1e-4)


def test_of_a_linear_regressor_values_are_shared_out_in_their_units():
    y = np.c_[100 + 10 * SCORE, X["G1"]]
    model = tiny(FineTunedRegressor, linear_weight=1).fit(X, y)
    coef = np.linalg.lstsq(X - X.mean(), model.predict(X)[:, 0] - y[:, 0].mean())[0]
    found = gene_attributions(model, X[:6], target=0, n_steps=1)
    assert_allclose(found, coef * (X - X.mean())[:6], rtol=1e-2, atol=1e-2)


def test_the_distance_of_a_linear_embedding_is_a_quadratic_form():
    embedder = tiny(SCARF).fit(X)
    encoder = nn.Sequential(nn.Linear(12, 8))
    encoder.embedding_dim = 8
    embedder.encoder_ = encoder
    W = encoder[0].weight.detach().numpy()
    Z = ((X - X.mean()) / X.std(ddof=0))[:6].to_numpy()
    found = gene_attributions(embedder, X[:6])
    assert_allclose(found, Z * (Z @ W.T @ W), rtol=1e-3, atol=1e-4)
    found = gene_attributions(embedder, X[:6], target="scarf3", n_steps=1)
    assert_allclose(found, Z * W[3], rtol=1e-3, atol=1e-4)
    assert_array_equal(gene_attributions(embedder, X[:6], target=-5, n_steps=1), found)


@pytest.mark.parametrize("Estimator", [FineTunedClassifier, GexBERT], ids=class_name)
def test_shares_are_those_of_a_slow_loop(Estimator):
    """Differences of outputs, gene by gene, on the way from the baseline."""
    estimator = fitted(Estimator)
    sample, origin = X.iloc[0].to_numpy(float), X.mean().to_numpy(float)
    n_points, step, genes = 50, 0.02, [0, 3, 7]
    way = np.linspace(0, 1, 2 * n_points + 1)[1::2, None]
    points = origin + way * (sample - origin)
    slow = []
    for gene in genes:
        up, down = points.copy(), points.copy()
        up[:, gene] += step
        down[:, gene] -= step
        ends = (
            output(estimator, pd.DataFrame(end, None, GENES)).astype(float)
            for end in (up, down)
        )
        slope = np.subtract(*ends).mean() / (2 * step)
        slow.append(slope * (sample[gene] - origin[gene]))
    found = gene_attributions(estimator, X[:1], target=asked(estimator))
    assert_allclose(found.iloc[0, genes], slow, atol=0.02 * np.abs(slow).max())


def test_gradient_times_difference():
    model = tiny(FineTunedRegressor, linear_weight=1).fit(X, SCORE)
    exact = gene_attributions(model, X[:6], n_steps=1)
    found = gene_attributions(model, X[:6], method="gradient")
    assert_allclose(found, exact, rtol=1e-4, atol=1e-5)
    curved = fitted(FineTunedClassifier)
    found = gene_attributions(curved, X[:6], method="gradient", target="b")
    total = gene_attributions(curved, X[:6], target="b")
    assert not np.allclose(found, total, rtol=0.1)


def test_tables_come_back_as_tables():
    model = fitted(FineTunedClassifier)
    table = X[3:6].set_axis(["p", "q", "r"])
    found = gene_attributions(model, table)
    assert isinstance(found, pd.DataFrame)
    assert found.index.tolist() == ["p", "q", "r"]
    assert found.columns.tolist() == GENES
    other = gene_attributions(model, pl.DataFrame(table))
    assert isinstance(other, pl.DataFrame)
    assert other.columns == GENES
    assert_array_equal(other.to_numpy(), found.to_numpy())
    plain = tiny(SCARF).fit(X.to_numpy())
    assert isinstance(gene_attributions(plain, X.to_numpy()[:2], target=0), np.ndarray)


def test_a_class_can_be_asked_of_each_sample():
    model = fitted(FineTunedClassifier)
    predicted = model.predict(X[:6])
    found = gene_attributions(model, X[:6])
    assert_array_equal(found, gene_attributions(model, X[:6], target=predicted))
    for label in np.unique(predicted):
        rows = predicted == label
        expected = gene_attributions(model, X[:6], target=label)
        assert_allclose(found[rows], expected[rows], atol=1e-6)


def test_baselines():
    model = fitted(FineTunedClassifier)
    mean = gene_attributions(model, X[:6], target="b")
    given = X.mean()
    for baseline in (given, given[::-1], given.to_numpy(), given.tolist()):
        found = gene_attributions(model, X[:6], baseline=baseline, target="b")
        assert_allclose(found, mean, atol=1e-5)
    plain = tiny(SCARF, standardize=False).fit(X)
    with pytest.raises(ValueError, match=r"standardize=False.*X_train.mean"):
        gene_attributions(plain, X, target=0)
    # The linear part knows means.
    tuned = tiny(
        FineTunedClassifier, embedder=FrozenEstimator(plain), linear_weight=0.5
    )
    tuned.fit(X, CLASSES)
    found = gene_attributions(tuned, X[:2], target="b")
    expected = gene_attributions(tuned, X[:2], baseline=given, target="b")
    assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("median", "must be 'mean' or a profile"),
        ([1, 2], "one profile, of 12 values"),
        (X.mean().drop("G3"), "lacks 1 columns of X, the first being 'G3'"),
        (X.mean().where(X.columns != "G3"), "not finite for 'G3'"),
    ],
)
def test_bad_baselines(baseline, message):
    with pytest.raises(ValueError, match=message):
        gene_attributions(tiny(SCARF).fit(X), X, baseline=baseline)


def refuse(estimator, message, X=X, error=ValueError, **options):
    with pytest.raises(error, match=message):
        gene_attributions(estimator, X, **options)


def test_bad_targets():
    classifier, embedder = fitted(FineTunedClassifier), tiny(SCARF).fit(X)
    cox = fitted(FineTunedCoxPH)
    both = tiny(FineTunedRegressor).fit(X, np.c_[SCORE, SCORE])
    refuse(classifier, "'d', which is no class; the classes are 'a', 'b'", target="d")
    refuse(classifier, "one for each of the 80 samples", target=["a", "b"])
    refuse(embedder, "none of the 8 dimensions", target="vime3")
    refuse(embedder, "none of the 8 dimensions", target=8)
    refuse(embedder, "none of the 8 dimensions", target=True)
    refuse(embedder, "for classifiers only", log_odds=True)
    refuse(both, "2 outputs: say which", target=None)
    refuse(both, "none of the 2 outputs", target=1.5)
    refuse(cox, "have one output", target=0)


def test_other_estimators_are_refused():
    classifier = tiny(FineTunedClassifier)
    pipeline = make_pipeline(StandardScaler(), classifier)
    refuse(pipeline, r"give the last step.*pipeline\[-1\]")
    refuse(GridSearchCV(classifier, {}), "give best_estimator_")
    refuse(GexImputer(), "of type GexImputer, and only embedders")
    refuse(classifier, "not fitted", error=NotFittedError)
    bins = tiny(GexBERT, value_encoder="bins").fit(X)
    refuse(bins, "value_encoder='continuous'")
    refuse(tiny(SCARF).fit(X), "GeneAligner", X[GENES[::-1]])
    refuse(
        tiny(SCARF).fit(X),
        "infinity: sample 1, gene 'G2'",
        X.replace(X.iat[1, 2], np.inf),
    )


def test_frozen_estimators_are_looked_into():
    embedder = tiny(SCARF).fit(X)
    found = gene_attributions(FrozenEstimator(embedder), X[:2], target=0)
    assert_array_equal(found, gene_attributions(embedder, X[:2], target=0))


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient"])
def test_few_profiles_at_a_time_make_no_difference(method, monkeypatch):
    model = fitted(FineTunedClassifier)
    options = {"method": method, "target": "b", "n_steps": 60}
    expected = gene_attributions(model, X[:7], **options)
    seen = []
    hook = nn.modules.module.register_module_forward_hook(
        lambda module, inputs, output: seen.append(len(inputs[0]))
    )
    monkeypatch.setattr(_path, "MAX_BYTES", 6 * 4 * 16 * 12)
    with hook:
        found = gene_attributions(model, X[:7], **options)
    assert max(seen) <= 6
    assert_allclose(found, expected, atol=1e-6)


def test_of_many_genes_few_profiles_are_held():
    explained = nn.Sequential()
    assert 8 <= _path.points_at_once(explained, 20_000) <= 200
    # GexBERT has a token for each gene in each layer.
    encoder = tiny(GexBERT, embedding_dim=64, prior=None).fit(X).encoder_
    assert _path.points_at_once(nn.Sequential(encoder), 20_000) == 1


def test_sums_that_are_off_are_told():
    model = fitted(FineTunedClassifier, linear_weight=0, max_epochs=60, lr=0.1)
    with pytest.warns(UserWarning, match=r"don't add up.*Raise n_steps=1"):
        gene_attributions(model, X, target="b", n_steps=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gene_attributions(model, X, target="b", n_steps=300)


def test_neither_the_estimator_nor_the_caller_is_changed(global_generators):
    model = fitted(FineTunedClassifier)
    before = model.predict_proba(X)
    trainable = [part.requires_grad for part in model.encoder_.parameters()]
    expected = gene_attributions(model, X[:2], target="b")
    with torch.inference_mode():
        found = gene_attributions(model, X[:2], target="b")
        assert torch.is_inference_mode_enabled()
    assert_array_equal(found, expected)
    assert_array_equal(model.predict_proba(X), before)
    assert [part.requires_grad for part in model.encoder_.parameters()] == trainable


def test_loaded_models_have_the_same(tmp_path):
    model = fitted(FineTunedCoxPH)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert_array_equal(
        gene_attributions(loaded, HOLES), gene_attributions(model, HOLES)
    )


def test_without_captum_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ImportError, match=r'pip install "skgex\[explain\]"'):
        gene_attributions(tiny(SCARF), X)
