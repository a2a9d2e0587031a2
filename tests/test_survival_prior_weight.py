"""How much of an earlier survival model is believed."""

import pickle

import numpy as np
import pytest
from discovery import SURVIVAL, class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from survival_cohorts import (
    as_data,
    as_surv,
    named_cohort,
    planted_cohort,
    tuned,
    without_network,
)
from survival_oracles import slow_cox_loss

import skgex
from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH
from skgex._survival._linear import fit_linear_risk

BOTH = pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
GENES = [f"G{i}" for i in range(8)]
WEIGHTS = np.arange(11) / 10


X, Y = named_cohort(90, 0)
OTHER_X, OTHER_Y = named_cohort(300, 1)


@pytest.fixture(scope="module")
def before():
    return without_network(alpha=20.0).fit(OTHER_X, OTHER_Y)  # not to be fitted again


# The choice


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_choice_is_that_of_a_loop_over_weights_penalties_and_folds(l1_ratio, ties):
    genes, y = planted_cohort(45, 8, n_times=20)
    prior = np.array([0.4, 0.2, 0.0, -0.3, 0.0, 0.0, 0.1, 0.0])
    added = np.random.default_rng(0).normal(size=45) / 5
    splitter = EventStratifiedKFold(3, random_state=0)
    folds = list(splitter.split(genes, y))
    options = {"l1_ratio": l1_ratio, "ties": ties}
    found = fit_linear_risk(
        genes,
        as_data(y),
        alpha="cv",
        folds=folds,
        prior=prior,
        prior_weight="cv",
        added=added,
        **options,
    )
    G = genes - genes.mean(axis=0)
    gains = np.zeros((11, 12))
    for train, test in folds:
        event, time = y["event"][test], y["time"][test]
        nothing = slow_cox_loss(np.zeros(len(test)), event, time, ties=ties)
        for a, alpha in enumerate(found.alphas):
            # Genes are centred by all samples, in the folds as well.
            mean = G[train].mean(axis=0)
            coef = fit_linear_risk(
                G[train] - mean, as_data(y[train]), alpha=alpha, folds=[], **options
            ).coef
            for w, weight in enumerate(WEIGHTS):
                risk = G[test] @ (coef + weight * prior) + weight * added[test]
                loss = slow_cox_loss(risk, event, time, ties=ties)
                gains[w, a] += nothing - loss
    # Before the folds speak, all of it is exp(2) times as likely as none.
    share = np.exp(gains / 2 + 2 * WEIGHTS[:, None])
    share /= share.sum()
    weight = sum(share[w].sum() * WEIGHTS[w] for w in range(11))
    place = round(sum(share[:, a].sum() * a for a in range(12)))
    # In folds, solutions are rough.
    assert_allclose(found.gains, gains[0], atol=3e-3)
    assert found.prior_weight == pytest.approx(weight, abs=1e-3)
    assert found.alpha == found.alphas[place]
    own = fit_linear_risk(genes, as_data(y), alpha=found.alpha, folds=[], **options)
    assert_allclose(found.coef, own.coef + found.prior_weight * prior, atol=1e-4)


def test_a_given_weight_has_the_penalty_that_suits_beside_it():
    genes, y = planted_cohort(45, 8, n_times=20)
    prior = np.array([0.9, 0.8, -0.9, 0.0, 0.0, 0.0, 0.1, 0.0])
    splits = EventStratifiedKFold(3, random_state=0).split(genes, y)
    folds, options = list(splits), {"l1_ratio": 0.0, "ties": "efron"}
    given = {"alpha": "cv", "folds": folds, "prior": prior, **options}
    found = fit_linear_risk(genes, as_data(y), prior_weight=0.8, **given)
    G, gains = genes - genes.mean(axis=0), np.zeros((2, 12))
    for train, test in folds:
        event, time = y["event"][test], y["time"][test]
        for a, alpha in enumerate(found.alphas):
            coef = fit_linear_risk(
                G[train], as_data(y[train]), alpha=alpha, folds=[], **options
            ).coef
            for w, weight in enumerate([0.0, 0.8]):
                risk = G[test] @ (coef + weight * prior)
                gains[w, a] -= slow_cox_loss(risk, event, time)
    assert found.alpha == found.alphas[gains[1].argmax()]
    # A heavier one than without: less is left to learn.
    alone = fit_linear_risk(genes, as_data(y), prior_weight=0.0, **given)
    assert found.alpha > alone.alpha == found.alphas[gains[0].argmax()]
    assert_allclose(found.gains, alone.gains)


@BOTH
def test_a_chosen_weight_is_a_number_that_could_have_been_given(Estimator, before):
    model = tuned(before, Estimator).fit(X, Y)
    assert 0 < model.prior_weight_ < 1
    assert model.alpha_ in model.alphas_
    assert model.gains_.shape == model.alphas_.shape == (12,)
    given = {"prior_weight": model.prior_weight_, "alpha": model.alpha_}
    other = tuned(before, Estimator, **given).fit(X, Y)
    assert_allclose(model.coef_, other.coef_, atol=1e-6)
    assert other.prior_weight_ == model.prior_weight_
    own = without_network(Estimator, alpha=model.alpha_).fit(X, Y)
    assert_allclose(model.coef_, own.coef_ + model.prior_weight_ * before.coef_, 1e-4)
    assert own.prior_weight_ == 0.0


def test_folds_tell_what_helps_from_what_does_not():
    earlier = planted_cohort(300, 60, seed=1)
    few = planted_cohort(50, 60)
    helpful = without_network(alpha=100.0).fit(*earlier)
    harmful = without_network(alpha=100.0).fit(*earlier)
    harmful.coef_ = -helpful.coef_
    assert tuned(helpful).fit(*few).prior_weight_ > 0.7
    assert tuned(harmful).fit(*few).prior_weight_ < 0.15
    # With next to no coefficient there is nothing to tell: some two thirds.
    silent = without_network(alpha=1e9).fit(*earlier)
    lean = np.average(WEIGHTS, weights=np.exp(2 * WEIGHTS))
    assert tuned(silent).fit(*few).prior_weight_ == pytest.approx(lean, abs=1e-3)
    assert 0.65 < lean < 0.7


def test_few_patients_gain(before):
    test, y = named_cohort(500, 7)
    own = without_network(alpha="cv", cv=3).fit(X[:25], Y[:25]).score(test, y)
    assert tuned(before).fit(X[:25], Y[:25]).score(test, y) > own + 0.01


def test_a_weight_of_zero_is_no_start(before):
    model = tuned(before, prior_weight=0.0).fit(X, Y)
    alone = without_network(alpha="cv", cv=3).fit(X, Y)
    for name in ("coef_", "alpha_", "gains_"):
        assert_array_equal(getattr(model, name), getattr(alone, name))
    assert_array_equal(model.predict(X), alone.predict(X))


@BOTH
@pytest.mark.parametrize("alpha", ["cv", 5.0])
def test_too_few_events_take_all_of_the_earlier_model(Estimator, alpha, before):
    event = np.zeros(90, bool)
    event[np.argsort(Y["time"])[:8:2]] = True
    with pytest.warns(UserWarning, match=r"4 event.* all of the earlier model, and no"):
        model = tuned(before, Estimator, alpha=alpha).fit(X, as_surv(event, Y["time"]))
    assert model.prior_weight_ == 1.0
    # And without folds nobody is asked.
    assert tuned(before, Estimator, alpha=5.0, cv=None).fit(X, Y).prior_weight_ == 1.0
    # With numbers for both there is nothing to choose.
    given = tuned(before, Estimator, alpha=5.0, prior_weight=0.3)
    assert given.fit(X, as_surv(event, Y["time"])).prior_weight_ == 0.3


def test_strata_and_weights_take_part(before):
    strata = np.where(np.arange(90) % 2, "a", "b")
    weight = np.where(np.arange(90) % 5 == 0, 0.0, 1.0)
    model = tuned(before).fit(X, Y, sample_weight=weight, strata=strata)
    kept = weight > 0
    fewer = tuned(before).fit(X[kept], Y[kept], strata=strata[kept])
    assert model.prior_weight_ == fewer.prior_weight_
    assert model.prior_weight_ != tuned(before).fit(X[kept], Y[kept]).prior_weight_


# The network


@pytest.mark.parametrize("prior_weight", ["cv", 0.4])
def test_the_network_has_the_weight_of_the_coefficients(prior_weight):
    options = {"alpha": 5.0, "cv": None}
    network = tiny(FineTunedCoxPH, **options).fit(OTHER_X, OTHER_Y)
    model = tuned(network, scaling="rank", prior_weight=prior_weight).fit(X, Y)
    assert model.prior_weight_ > 0
    expected = model.prior_weight_ * network.head_.weight.detach()
    assert_allclose(model.head_.weight.detach(), expected, rtol=1e-6)


@BOTH
def test_the_network_is_heard_when_the_weight_is_chosen(Estimator):
    options = {"alpha": 1e9, "cv": None}
    network = tiny(Estimator, **options).fit(OTHER_X, OTHER_Y)
    assert abs(network.coef_).max() < 1e-3
    # Linear parts, the earlier one and our own, say nothing: .69 would be taken.
    model = tuned(network, Estimator, scaling="rank", alpha=1e9).fit(X, Y)
    assert model.prior_weight_ > 0.75


# Machinery


@BOTH
@pytest.mark.parametrize("prior_weight", ["auto", -0.1, None])
def test_weights_that_are_none(Estimator, prior_weight):
    message = "'prior_weight' parameter of .* must be a float .* or a str among {'cv'}"
    with pytest.raises(ValueError, match=message):
        without_network(Estimator, prior_weight=prior_weight).fit(X, Y)


@BOTH
def test_going_on_chooses_too(Estimator):
    model = without_network(Estimator, alpha="cv", cv=3, warm_start=True).fit(X, Y)
    first = model.coef_
    assert model.prior_weight_ == 0.0
    model.fit(X, Y)
    own = without_network(Estimator, alpha=model.alpha_).fit(X, Y).coef_
    assert 0 < model.prior_weight_ <= 1
    assert_allclose(model.coef_, own + model.prior_weight_ * first, atol=1e-6)


def test_search_copies_and_files(before, tmp_path):
    model = tuned(before)
    search = GridSearchCV(
        model,
        {"prior_weight": [0.0, 0.5, "cv"]},
        cv=EventStratifiedKFold(3, random_state=0),
        error_score="raise",
    ).fit(X, Y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    model = clone(model).fit(X, Y)
    model.save(tmp_path / "model.safetensors")
    for copy in (
        pickle.loads(pickle.dumps(model)),
        skgex.load(tmp_path / "model.safetensors"),
        clone(model).fit(X, Y),
    ):
        assert copy.prior_weight == "cv"
        assert copy.prior_weight_ == model.prior_weight_
        assert_array_equal(copy.predict(X), model.predict(X))


def test_without_an_earlier_model_there_is_nothing_to_weigh():
    embedder = FrozenEstimator(SCARF(hidden_dims=(8,), max_epochs=1).fit(X))
    model = without_network(alpha="cv", cv=3).set_params(embedder=embedder).fit(X, Y)
    assert model.prior_weight_ == 0.0
    assert model.alpha_ == model.alphas_[model.gains_.argmax()]
