"""The score test of all genes at once, against loops over genes and event times."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal
from sksurv.compare import compare_survival
from sksurv.linear_model.coxph import CoxPHOptimizer
from survival_oracles import slow_cox_fit, slow_cox_information

from skgex._follow_up import as_surv
from skgex._survival import _gene_chunks
from skgex._survival._adjusted_test import adjusted_score_test
from skgex._survival._score_test import cox_score_test

TIES = pytest.mark.parametrize("ties", ["efron", "breslow"])
N, GENES = 60, 7


def make_cohort(seed=0, n=N, n_times=12):
    """Expression, events, tied times, strata and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, GENES))
    time = rng.integers(1, n_times + 1, n) / 2
    event = rng.random(n) < 0.5
    return X, event, time, rng.integers(0, 3, n), rng.uniform(0.2, 3, n)


X, EVENT, TIME, STRATA, WEIGHT = make_cohort()
UNTIED = np.random.default_rng(1).permutation(N) + 1.0


def slow_z(x, event, time, strata=None, weight=None, ties="efron"):
    """Score over root of information of one gene, written from the formulas."""
    keep = ~np.isnan(x)
    strata = np.zeros(len(x)) if strata is None else strata
    weight = np.ones(len(x)) if weight is None else weight
    x, event, time, strata, w = (a[keep] for a in (x, event, time, strata, weight))
    score = information = 0.0
    for s in np.unique(strata):
        for t in np.unique(time[event & (strata == s)]):
            at_risk = (strata == s) & (time >= t)
            dying = at_risk & event & (time == t)
            d = dying.sum()
            score += (w * x)[dying].sum()
            for term in range(d):
                share = term / d if ties == "efron" else 0
                left = w * (at_risk - share * dying)
                mean = (left * x).sum() / left.sum()
                variance = (left * (x - mean) ** 2).sum() / left.sum()
                score -= w[dying].mean() * mean
                information += w[dying].mean() * variance
    return score / np.sqrt(information) if information > 1e-20 else 0.0


def slow(X, *args, **kwargs):
    return np.array([slow_z(x, *args, **kwargs) for x in X.T])


def with_holes(X, rate=0.3):
    holes = np.random.default_rng(2).random(X.shape) < rate
    holes[:, 0] = False
    return np.where(holes, np.nan, X)


# Oracles


@TIES
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("stratified", [False, True], ids=["one", "strata"])
@pytest.mark.parametrize("times", [TIME, UNTIED], ids=["tied", "untied"])
def test_equals_the_loop(times, stratified, weighted, holes, ties):
    data = with_holes(X) if holes else X
    strata = STRATA if stratified else None
    weight = WEIGHT if weighted else None
    z = cox_score_test(
        data, EVENT, times, strata=strata, sample_weight=weight, ties=ties
    )
    assert_allclose(z, slow(data, EVENT, times, strata, weight, ties), rtol=1e-10)


@TIES
def test_equals_finite_differences_of_the_likelihood_of_scikit_survival(ties):
    h = 1e-3
    expected = []
    for x in X.T:
        cox = CoxPHOptimizer(x[:, None], EVENT, TIME, alpha=np.zeros(1), ties=ties)
        below, here, above = (
            -N * cox.nlog_likelihood(np.array([beta])) for beta in (-h, 0.0, h)
        )
        slope, bend = (above - below) / (2 * h), (above - 2 * here + below) / h**2
        expected.append(slope / np.sqrt(-bend))
    assert_allclose(cox_score_test(X, EVENT, TIME, ties=ties), expected, rtol=1e-4)


def test_is_the_log_rank_test_of_two_groups_without_ties():
    groups = (X > 0).astype(float)
    y = as_surv(EVENT, UNTIED)
    expected = [compare_survival(y, group)[0] for group in groups.T]
    assert_allclose(cox_score_test(groups, EVENT, UNTIED) ** 2, expected, rtol=1e-10)


def test_four_samples_by_hand():
    # Risk sets {0, 1, 2, 3}, {1, 2, 3} and {2, 3}, of which 0, 1 and 2 die.
    x = np.array([[3.0], [1.0], [2.0], [0.0]])
    score = (3 - 1.5) + (1 - 1) + (2 - 1)
    information = 1.25 + 2 / 3 + 1
    z = cox_score_test(x, np.array([1, 1, 1, 0], bool), np.array([1.0, 2, 3, 4]))
    assert_allclose(z, score / np.sqrt(information))


def test_whole_weights_are_repetitions_with_the_ties_of_breslow():
    times = np.random.default_rng(3).integers(0, 4, N)
    repeated = (np.repeat(a, times, axis=0) for a in (X, EVENT, TIME))
    assert_allclose(
        cox_score_test(X, EVENT, TIME, sample_weight=times * 1.0, ties="breslow"),
        cox_score_test(*repeated, ties="breslow"),
        rtol=1e-10,
    )


# Samples


@TIES
def test_samples_without_weight_are_absent(ties):
    kept = np.arange(N) % 3 > 0
    expected = cox_score_test(X[kept], EVENT[kept], TIME[kept], ties=ties)
    z = cox_score_test(X, EVENT, TIME, sample_weight=kept * 1.0, ties=ties)
    assert_allclose(z, expected, rtol=1e-10)


@TIES
@pytest.mark.parametrize("order", ["C", "F"])
def test_genes_with_and_without_holes_in_one_chunk(ties, order):
    data = np.array(with_holes(X), order=order)
    data[:, 3] = np.nan
    z = cox_score_test(data, EVENT, TIME, ties=ties)
    alone = [cox_score_test(data[:, [g]], EVENT, TIME, ties=ties)[0] for g in range(7)]
    assert_allclose(z, alone, rtol=1e-12)
    assert z[3] == 0


def test_gene_measured_in_one_stratum_only():
    data = np.where((STRATA == 1)[:, None], X, np.nan)
    here = STRATA == 1
    assert_allclose(
        cox_score_test(data, EVENT, TIME, strata=STRATA),
        cox_score_test(X[here], EVENT[here], TIME[here]),
        rtol=1e-10,
    )


def test_censored_before_the_first_event_says_nothing():
    event = EVENT & (TIME > 2)
    changed = np.where((TIME < TIME[event].min())[:, None], 100.0, X)
    assert_allclose(
        cox_score_test(changed, event, TIME), cox_score_test(X, event, TIME), rtol=1e-10
    )


def test_no_event():
    assert_array_equal(cox_score_test(X, np.zeros(N, bool), TIME), np.zeros(GENES))


@pytest.mark.parametrize("holes", [False, True])
def test_one_event_time_for_all(holes):
    data = with_holes(X) if holes else X
    event, time = np.ones(N, bool), np.ones(N)
    assert_allclose(cox_score_test(data, event, time), 0, atol=1e-8)


# Genes


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1 / 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_gene(value, dtype):
    data = X.astype(dtype)
    data[:, 2] = value
    data[:, 4] = np.array([value, 0.7, 13.1], dtype)[STRATA]
    data[:30, 5] = np.nan
    data[30:, 5] = value
    z = cox_score_test(
        data, EVENT, TIME, strata=STRATA, sample_weight=WEIGHT, ties="efron"
    )
    assert_array_equal(z == 0, [g in (2, 4, 5) for g in range(GENES)])


def test_genes_far_from_zero_keep_their_digits():
    z = cox_score_test(X, EVENT, TIME)
    assert_allclose(cox_score_test(X + 1e6, EVENT, TIME), z, rtol=1e-7)
    far = X + 1e6 * STRATA[:, None]
    expected = cox_score_test(X, EVENT, TIME, strata=STRATA)
    assert_allclose(cox_score_test(far, EVENT, TIME, strata=STRATA), expected, 1e-7)


def test_single_precision_is_added_up_in_double():
    data = X.astype(np.float32)
    expected = cox_score_test(data.astype(float), EVENT, TIME)
    assert_array_equal(cox_score_test(data, EVENT, TIME), expected)


def test_chunks_of_genes(monkeypatch):
    wide = np.tile(with_holes(X), 9)
    expected = cox_score_test(wide, EVENT, TIME)
    monkeypatch.setattr(_gene_chunks, "_CHUNK_VALUES", 1)  # 16 genes then
    assert_array_equal(cox_score_test(wide, EVENT, TIME), expected)
    assert_array_equal(wide, np.tile(with_holes(X), 9))


def test_higher_expression_with_higher_risk_is_positive():
    rng = np.random.default_rng(0)
    risk = rng.normal(size=500)
    time = rng.exponential(np.exp(-risk))
    z = cox_score_test(np.c_[risk, -risk], np.ones(500, bool), time)
    assert z[0] > 5
    assert_allclose(z[1], -z[0])


@TIES
def test_standard_normal_without_an_effect(ties):
    data = np.random.default_rng(0).normal(size=(200, 2000))
    _, event, time, strata, _ = make_cohort(n=200, n_times=40)
    z = cox_score_test(data, event, time, strata=strata, ties=ties)
    assert abs(z.mean()) < 4 / np.sqrt(2000)
    # Breslow's variance is too large where many die at once, as it should be.
    assert abs(z.std() - 1) < (0.05 if ties == "efron" else 0.1)


# Properties

seeds = st.integers(0, 2**31)
ties_strategy = st.sampled_from(["efron", "breslow"])


@given(seeds, ties_strategy)
def test_property_order_of_samples(seed, ties):
    X, *rest = make_cohort(seed)
    order = np.random.default_rng(seed).permutation(N)
    z = _test(with_holes(X), *rest, ties)
    shuffled = _test(with_holes(X)[order], *(a[order] for a in rest), ties)
    assert_allclose(shuffled, z, rtol=1e-9, atol=1e-12)


@given(seeds, st.permutations(["LUAD", "BRCA", "THCA"]), ties_strategy)
def test_property_labels_of_strata(seed, names, ties):
    X, event, time, strata, weight = make_cohort(seed)
    z = _test(X, event, time, strata, weight, ties)
    for labels in (np.array(names)[strata], np.array(names, object)[strata]):
        named = _test(X, event, time, labels, weight, ties)
        assert_allclose(named, z, rtol=1e-9, atol=1e-12)


@given(seeds, ties_strategy)
def test_property_only_the_order_of_times_counts(seed, ties):
    X, event, time, strata, weight = make_cohort(seed)
    z = _test(X, event, time, strata, weight, ties)
    later = _test(X, event, np.exp(time) - 9, strata, weight, ties)
    assert_array_equal(later, z)


@given(seeds, st.floats(1e-20, 1e20), st.floats(-1e3, 1e3), ties_strategy)
def test_property_units_of_genes(seed, scale, shift, ties):
    X, *rest = make_cohort(seed)
    z = _test(X, *rest, ties)
    assert_allclose(_test(scale * (X + shift), *rest, ties), z, 1e-8, 1e-10)
    assert_allclose(_test(-scale * X, *rest, ties), -z, 1e-8, 1e-10)


@given(seeds, ties_strategy)
def test_property_later_times_of_a_stratum_of_its_own_do_not_matter(seed, ties):
    X, event, time, strata, weight = make_cohort(seed)
    moved = time + 100 * strata
    z = _test(X, event, time, strata, weight, ties)
    later = _test(X, event, moved, strata, weight, ties)
    assert_allclose(later, z, rtol=1e-9, atol=1e-12)


def _test(X, event, time, strata, weight, ties):
    return cox_score_test(
        X, event, time, strata=strata, sample_weight=weight, ties=ties
    )


# Strata


def test_strata_that_do_not_fit():
    with pytest.raises(ValueError, match="strata has 59 labels for 60 samples"):
        cox_score_test(X, EVENT, TIME, strata=STRATA[1:])
    with pytest.raises(ValueError, match=r"strata must be labels, .*shape \(60, 2\)"):
        cox_score_test(X, EVENT, TIME, strata=np.c_[STRATA, STRATA])


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_stratum(missing):
    labels = np.array(["a", "b", "c"], object)[STRATA]
    labels[[4, 9]] = missing
    with pytest.raises(ValueError, match=r"no label for 2 of 60.*first is sample 4"):
        cox_score_test(X, EVENT, TIME, strata=labels)


# Given covariates


def slow_adjusted_z(x, C, event, time, strata, weight, ties):
    """Test one gene beside covariates, by the score of a model of all of them."""
    here = ~np.isnan(x)
    both = np.c_[C, x][here]
    data = (event[here], time[here], strata[here], weight[here])
    beta, _ = slow_cox_fit(both[:, :-1], *data, ties)
    score, information = slow_cox_information(both, np.r_[beta, 0.0], *data, ties)
    shared = information[-1, :-1]
    left = information[-1, -1] - shared @ np.linalg.solve(information[:-1, :-1], shared)
    return score[-1] / np.sqrt(left)


@TIES
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
def test_given_covariates_equals_the_loop(holes, ties):
    data = with_holes(X) if holes else X
    rng = np.random.default_rng(4)
    C = np.c_[60 + 10 * rng.normal(size=N), rng.integers(0, 2, N)]
    C[:, 0] += 5 * X[:, 1]
    options = {"stratum": STRATA, "weight": WEIGHT, "ties": ties}
    z = adjusted_score_test(data, C, EVENT, TIME, **options)
    rest = (C, EVENT, TIME, STRATA, WEIGHT, ties)
    expected = [slow_adjusted_z(x, *rest) for x in data.T]
    assert_allclose(z, expected, rtol=1e-6)


def test_genes_that_follow_from_covariates_have_no_score(monkeypatch):
    C = np.c_[X[:, 0], X[:, 1]]
    genes = np.c_[X, 100 + X[:, 0] - 3 * X[:, 1], np.full(N, 7.0)]
    nothing = np.zeros(N, dtype=int)
    options = {"stratum": nothing, "weight": np.ones(N), "ties": "efron"}
    z = adjusted_score_test(genes, C, EVENT, TIME, **options)
    assert_array_equal(z[[0, 1, -2, -1]], 0)
    assert z[2:-2].all()
    # In parts it is the same.
    monkeypatch.setattr(_gene_chunks, "_CHUNK_VALUES", 1)
    many = np.tile(genes, 5)
    found = adjusted_score_test(many, C, EVENT, TIME, **options)
    assert_allclose(found, np.tile(z, 5), atol=1e-12)
