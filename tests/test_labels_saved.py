"""labels_saved on curves whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import t

from skgex.evaluation import labels_saved

SHARES = [0.02, 0.05, 0.1, 0.3, 1.0]


def line(share, gain=1.0):
    """A score that rises with the logarithm of the labels, of `gain` times as many."""
    return 0.5 + 0.1 * np.log(gain * np.asarray(share))


def curve(gains, shares=SHARES, draws=1):
    """Return curves of "scratch", and of "ours", worth so many labels in each split."""
    rng = np.random.default_rng(0)
    rows = []
    for split, gain in enumerate(gains):
        for share in shares:
            noise = rng.normal(size=draws) * 0.01
            for draw, part in enumerate(noise - noise.mean()):
                about = {"split": split, "draw": draw, "fraction": share}
                score = line(share) + part
                rows.append({"estimator": "scratch", **about, "score": score})
                score = line(share, gain) + part
                rows.append({"estimator": "ours", **about, "score": score})
    return pd.DataFrame(rows).assign(n_train=70, n_test=30)


@pytest.mark.parametrize("draws", [1, 3])
@pytest.mark.parametrize("gain", [1.25, 2.0, 0.8])
def test_a_method_that_is_worth_so_many_labels(gain, draws):
    table = labels_saved(curve([gain] * 3, draws=draws), "scratch")
    assert table["estimator"].unique().tolist() == ["ours"]
    assert table["fraction"].tolist() == SHARES[1:]
    reached = table["fraction"] <= max(SHARES) * gain
    assert_allclose(table["saved"][reached], 1 - 1 / gain, atol=1e-9)
    assert_allclose(table["reached_at"], (table["fraction"] / gain).where(reached))
    assert_allclose(table["score"], line(table["fraction"]))
    assert_allclose(table["low"][reached], 1 - 1 / gain, atol=1e-9)
    assert not table["at_least"].any()
    assert table["n_reached"].tolist() == (3 * reached).tolist()


def test_the_interval_is_over_splits():
    gains = np.array([1.5, 2.0, 2.5, 1.8])
    table = labels_saved(curve(gains), "scratch", fractions=[0.3], confidence_level=0.9)
    saved = 1 - 1 / gains
    error = np.sqrt((1 / 4 + 30 / 70) * np.var(saved, ddof=1))
    limits = saved.mean() + t.ppf([0.05, 0.95], 3) * error
    assert_allclose(table.loc[0, ["low", "high"]].astype(float), limits)
    # That of mean curves has the geometric mean of the gains.
    assert_allclose(table["saved"], 1 - np.prod(gains) ** -0.25)


def test_ends_of_the_curve():
    table = labels_saved(curve([4.0, 4.0]), "scratch").set_index("fraction")
    assert table["at_least"].tolist() == [True, False, False, False]
    assert table["saved"][0.05] == pytest.approx(1 - 0.02 / 0.05)
    table = labels_saved(curve([0.5, 1.5]), "scratch").set_index("fraction")
    assert table["n_reached"].tolist() == [2, 2, 2, 1]
    last = table.loc[1.0]
    assert last[["low", "high", "reached_at", "saved"]].isna().all()
    assert not last["at_least"]


def test_the_first_of_several_crossings_counts():
    table = curve([1.0], shares=[0.1, 0.2, 0.4, 0.8])
    ours = table["estimator"] == "ours"
    table.loc[ours, "score"] = [0.0, 0.5, 0.1, 0.9]
    table.loc[~ours, "score"] = 0.25
    found = labels_saved(table, "scratch", fractions=[0.4])
    assert_allclose(found["reached_at"], 0.1 * np.sqrt(2))


def test_splits_in_which_one_failed_are_left_out():
    table = curve([2.0, 4.0])
    failed = (table["estimator"] == "ours") & (table["split"] == 1)
    table.loc[failed & (table["fraction"] == 0.1), "score"] = np.nan
    found = labels_saved(table, "scratch", fractions=[0.3])
    assert_allclose(found["saved"], 0.5)
    assert found["n_splits"].tolist() == [1]
    table.loc[table["estimator"] == "ours", "score"] = np.nan
    found = labels_saved(table, "scratch", fractions=[0.3])
    assert found["saved"].isna().all()
    assert found["n_splits"].tolist() == [0]


def test_bad_curves_are_named():
    table = curve([2.0])
    with pytest.raises(ValueError, match="reference='lr' is not among the estimators"):
        labels_saved(table, "lr")
    with pytest.raises(ValueError, match=r"fractions has 0.2, which curve has not"):
        labels_saved(table, "scratch", fractions=[0.2])
    with pytest.raises(ValueError, match="curve has no column 'fraction'"):
        labels_saved(table.drop(columns="fraction"), "scratch")
    with pytest.raises(ValueError, match="confidence_level=2 must lie"):
        labels_saved(table, "scratch", confidence_level=2)
