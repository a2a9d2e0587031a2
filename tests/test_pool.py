"""How cohort_size_curve draws samples: by patient, by class, small among large."""

import numpy as np
import pytest

from skgex.evaluation._pool import split_pool

GROUPS = np.repeat(np.arange(60), np.tile([1, 2, 3, 4], 15))
SEEDS = pytest.mark.parametrize("seed", range(10))


def split(groups, strata, seed, test_size=0.3):
    return split_pool(groups, strata, test_size, np.random.default_rng(seed))


@SEEDS
def test_each_sample_is_in_the_pool_or_tested_and_patients_are_not_in_both(seed):
    pool, test = split(GROUPS, None, seed)
    assert sorted([*pool, *test]) == list(range(150))
    assert not set(GROUPS[pool]) & set(GROUPS[test])
    assert len(set(GROUPS[test])) == 18  # 30 % of 60


@SEEDS
def test_patients_are_drawn_whole_but_the_last(seed):
    pool, _ = split(GROUPS, None, seed)
    for n in range(1, len(pool)):
        drawn = GROUPS[pool[:n]]
        cut = [g for g in set(drawn) if (drawn == g).sum() < (GROUPS == g).sum()]
        assert len(cut) <= 1
        assert all(g == drawn[-1] for g in cut)


def test_patients_are_drawn_in_random_order():
    pools = [split(GROUPS, None, seed)[0] for seed in range(300)]
    share = np.mean([np.isin(np.arange(150), pool[:30]) for pool in pools], axis=0)
    # Each sample with the same probability, whatever the size of its group.
    for size in range(4):
        assert share[GROUPS % 4 == size].mean() == pytest.approx(0.2, abs=0.04)


@SEEDS
@pytest.mark.parametrize("by_patient", [False, True])
def test_each_size_has_its_share_of_each_class(seed, by_patient):
    strata = np.array(["a", "b", "c"])[np.searchsorted([2, 20], np.arange(60), "right")]
    groups = np.arange(60)
    if by_patient:
        groups, strata = np.repeat(groups, 2), np.repeat(strata, 2)
    pool, test = split(groups, strata, seed)
    for c, n_groups in {"a": 2, "b": 18, "c": 40}.items():
        tested = len(set(groups[test][strata[test] == c]))
        assert tested == max(1, round(0.3 * n_groups))
        for n in range(3, len(pool) + 1):
            share = np.mean(strata[pool] == c)
            count = np.sum(strata[pool[:n]] == c)
            assert count >= 1
            assert abs(count - share * n) <= (6 if by_patient else 3)


@SEEDS
def test_a_patient_counts_for_the_rarest_class(seed):
    groups = np.repeat(np.arange(20), 2)
    strata = np.tile(["tumour", "tumour"], 20)
    strata[:8:2] = "normal"  # of four patients, who have a tumour as well
    pool, test = split(groups, strata, seed)
    assert np.sum(strata[test] == "normal") == 1
    assert len(test) == 2 * (1 + 5)
    assert set(strata[pool[:2]]) == {"normal", "tumour"}


def test_what_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match="groups has too few of them, 1, to train"):
        split(np.zeros(9), None, 0)
    with pytest.raises(ValueError, match=r"no value for sample 2: give each"):
        split(np.array(["a", "b", None, "c"], dtype=object), None, 0)
    # All samples of "b" are of patients who count for a rarer class, and are tested.
    groups = np.array([0, 0, 0, 0, 1, 2, 3, 4, 5])
    strata = np.array(["b", "b", "b", "a", "a", "c", "c", "c", "c"])
    told = []
    for seed in range(10):
        try:
            split(groups, strata, seed)
        except ValueError as error:
            told.append(str(error))
    assert 0 < len(told) < 10
    assert all("Class 'b' has no sample to train on in one" in text for text in told)
