"""The shipped data are what their documentation says, the synthetic ones as asked."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cross_decomposition import CCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.utils._param_validation import InvalidParameterError

from skgex import datasets
from skgex.datasets import (
    load_breast_nki,
    load_tcga_genomewide,
    load_tcga_pancancer,
    load_tissues_u133,
    make_cohort,
    make_expression,
)

# loader: (samples, genes), (classes, groups), (smallest value, largest value)
FACTS = {
    load_tcga_pancancer: ((5044, 90), (23, 5044), (-0.83, 19.1)),
    load_tcga_genomewide: ((123, 16261), (23, 123), (-5.87, 21.6)),
    load_breast_nki: ((150, 862), (2, 150), (-2, 2)),
    load_tissues_u133: ((189, 500), (7, 185), (4.22, 14.13)),
}
TARGET_COLUMNS = {
    load_tcga_pancancer: ["cancer"],
    load_tcga_genomewide: ["cancer"],
    load_breast_nki: ["event", "time"],
    load_tissues_u133: ["tissue"],
}


@pytest.fixture(params=FACTS, ids=lambda loader: loader.__name__)
def loader(request):
    return request.param


def test_every_loader_is_tested():
    public = {name for name in datasets.__all__ if name.startswith("load_")}
    assert public - {"load_pretrained"} == {loader.__name__ for loader in FACTS}


def test_shapes_and_types(loader):
    shape, (n_targets, n_groups), _ = FACTS[loader]
    dataset = loader()
    assert dataset.data.shape == shape
    assert dataset.data.dtype == np.float32
    assert dataset.frame is None
    assert (
        len(dataset.target) == len(dataset.groups) == len(dataset.metadata) == shape[0]
    )
    assert len(dataset.target_names) == n_targets
    assert len(np.unique(dataset.groups)) == n_groups
    for names, size in zip(
        (dataset.sample_names, dataset.feature_names), shape, strict=True
    ):
        assert names.dtype.kind == "U"
        assert len(set(names)) == size


def test_values_are_in_their_unit(loader):
    _, _, limits = FACTS[loader]
    dataset = loader()
    X = dataset.data
    assert_allclose([np.nanmin(X), np.nanmax(X)], limits, atol=5e-3)
    n_missing = 341 if loader is load_breast_nki else 0
    assert np.isnan(X).sum() == n_missing
    assert "log" in dataset.unit


@pytest.mark.parametrize(
    ("loader", "n_followed_up", "n_events"),
    [
        (load_tcga_pancancer, 4983, 1246),
        (load_tcga_genomewide, 121, 28),
        (load_breast_nki, 146, 53),
    ],
)
def test_survival(loader, n_followed_up, n_events):
    survival = loader().survival
    assert survival.dtype == [("event", bool), ("time", float)]
    followed_up = np.isfinite(survival["time"])
    assert followed_up.sum() == n_followed_up
    assert survival["event"].sum() == n_events
    assert not survival["event"][~followed_up].any()
    assert survival["time"][followed_up].min() > 0
    assert survival["time"][followed_up].max() > 3650  # days


def test_frames_hold_what_the_arrays_hold(loader):
    arrays, frames = loader(), loader(as_frame=True)
    assert_array_equal(frames.data, arrays.data)
    assert set(frames.data.dtypes) == {np.dtype("float32")}
    assert list(frames.data.columns) == list(arrays.feature_names)
    assert (
        list(frames.frame.columns[-len(TARGET_COLUMNS[loader]) :])
        == (TARGET_COLUMNS[loader])
    )
    assert frames.frame.shape[1] == arrays.data.shape[1] + len(TARGET_COLUMNS[loader])
    for table in (frames.data, frames.target, frames.frame, frames.metadata):
        assert list(table.index) == list(arrays.sample_names)
    for column in TARGET_COLUMNS[loader]:
        expected = arrays.target[column] if arrays.target.dtype.names else arrays.target
        assert_array_equal(frames.frame[column], expected)


def test_return_X_y(loader):
    dataset = loader()
    X, y = loader(return_X_y=True)
    assert_array_equal(X, dataset.data)
    assert y.dtype == dataset.target.dtype
    for column in y.dtype.names or [...]:
        assert_array_equal(y[column], dataset.target[column])


def test_return_X_y_as_frames(loader):
    dataset = loader(as_frame=True)
    X, y = loader(return_X_y=True, as_frame=True)
    assert X.equals(dataset.data)
    assert y.equals(dataset.target)


def test_description_names_source_terms_and_citation(loader):
    description = loader().DESCR
    for heading in ("Source", "Terms", "Citation", "Traps"):
        assert f"**{heading}**" in description
    assert re.search(r"CC0|Artistic-2\.0", description)


def test_documented_shapes_are_right(loader):
    dataset = loader(as_frame=True)
    shapes = dict(
        re.findall(r"^ +(\w+) : .* of shape (\(.+?\))", inspect.getdoc(loader), re.M)
    )
    for name in ("data", "frame", "metadata"):
        assert shapes[name] == str(dataset[name].shape)


@pytest.mark.parametrize(
    "loader", [load_tcga_pancancer, load_tcga_genomewide, load_tissues_u133]
)
def test_target_counts_of_the_description(loader):
    dataset = loader()
    section = dataset.DESCR.split("**Target**")[1].split("**Metadata**")[0].lower()
    stated = {name: int(n) for name, n in re.findall(r"([a-z]+) (\d+)[,.]", section)}
    names, counts = np.unique(np.char.lower(dataset.target), return_counts=True)
    assert stated == dict(zip(names, counts, strict=True))


def test_loaders_give_fresh_arrays(loader):
    loader().data[:] = 0
    assert np.nanmax(loader().data) > 0


def test_loaders_refuse_wrong_parameters(loader):
    with pytest.raises(InvalidParameterError, match="as_frame"):
        loader(as_frame="pandas")
    with pytest.raises(TypeError):
        loader(True)


def test_tcga_names():
    tcga = load_tcga_pancancer()
    constant = np.ptp(tcga.data, axis=0) == 0
    assert tcga.feature_names[constant].tolist() == ["619564"]
    assert sum(name.isdigit() for name in tcga.feature_names) == 6
    wide = load_tcga_genomewide()
    assert len(np.intersect1d(tcga.groups, wide.groups)) == 90
    ids = dict(zip(wide.feature_names, wide.entrez_ids, strict=True))
    assert (ids["TP53"], ids["A1BG"]) == (7157, 1)


def test_duplicate_tissues_share_a_group():
    tissues = load_tissues_u133()
    table = pd.DataFrame(tissues.data)
    same_profile = table.groupby(list(table), sort=False).ngroup()
    _, same_group = np.unique(tissues.groups, return_inverse=True)
    pairs = set(zip(same_profile, same_group, strict=True))
    assert len(pairs) == same_profile.nunique() == len(np.unique(same_group)) == 185


def test_breast_endpoint_carries_signal():
    nki = load_breast_nki()
    poor = nki.metadata["vantveer2002_70_genes"].eq("Poor").to_numpy()
    assert nki.target["event"][poor].mean() > 2 * nki.target["event"][~poor].mean()


def test_synthetic_expression_has_the_rank_of_its_factors():
    X, factors, loadings = make_expression(
        60, 80, n_factors=4, noise=0, return_factors=True, random_state=0
    )
    centred = X - X.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)
    assert values[3] > 1 > 1e3 * values[4]
    assert_allclose(centred, (factors - factors.mean(axis=0)) @ loadings, atol=1e-4)


def test_factors_are_found_again_under_noise():
    X, factors, _ = make_expression(
        400, 100, n_factors=3, noise=0.5, return_factors=True, random_state=0
    )
    left, values, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    assert values[2] > 2 * values[3]
    found, true = CCA(3).fit_transform(left[:, :3], factors)
    for i in range(3):
        assert np.corrcoef(found[:, i], true[:, i])[0, 1] > 0.95


@pytest.mark.parametrize("noise", [0, 0.3, 1])
def test_noise_is_a_share_of_the_variance(noise):
    X, factors, loadings = make_expression(
        4000, 50, noise=noise, return_factors=True, random_state=0
    )
    residual = X - factors @ loadings
    share = (residual.var(axis=0) / X.var(axis=0)).mean()
    assert share == pytest.approx(noise, abs=0.03)


def test_expression_looks_like_log2_values():
    X = make_expression(500, 300, random_state=0)
    assert X.dtype == np.float32
    means, sds = X.mean(axis=0), X.std(axis=0)
    assert 3.5 < means.min() < 5
    assert 11 < means.max() < 12.5
    assert 0.4 < sds.min() < sds.max() < 1.8
    assert (X < 0).mean() < 1e-3


@settings(max_examples=25, deadline=None)
@given(
    n_samples=st.integers(1, 40),
    n_genes=st.integers(1, 40),
    n_factors=st.integers(1, 8),
    missing_rate=st.floats(0, 0.9),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size(n_samples, n_genes, n_factors, missing_rate, seed):
    sizes = {"n_samples": n_samples, "n_genes": n_genes, "n_factors": n_factors}
    X, factors, loadings = make_expression(
        **sizes, missing_rate=missing_rate, return_factors=True, random_state=seed
    )
    assert X.shape == (n_samples, n_genes)
    assert (factors @ loadings).shape == X.shape
    assert not np.isinf(X).any()
    cohort = make_cohort(
        **sizes, n_classes=1, missing_rate=missing_rate, random_state=seed
    )
    assert cohort.data.shape == X.shape
    assert (cohort.survival["time"] > 0).all()


def test_missing_values_come_at_their_rate_and_at_random():
    X, complete = (
        make_expression(400, 100, missing_rate=rate, random_state=0)
        for rate in (0.2, 0)
    )
    missing = np.isnan(X)
    # 40,000 draws: three standard errors are 0.006.
    assert missing.mean() == pytest.approx(0.2, abs=0.006)
    assert_array_equal(X[~missing], complete[~missing])
    assert abs(np.corrcoef(missing.ravel(), complete.ravel())[0, 1]) < 0.02


def test_blocks_make_no_seam(monkeypatch):
    from skgex.datasets import _expression

    expected = make_expression(50, 21, missing_rate=0.1, random_state=0)
    monkeypatch.setattr(_expression, "_BLOCK_SIZE", 100)
    X = make_expression(50, 21, missing_rate=0.1, random_state=0)
    # The products of BLAS may differ in the last digit, the draws may not.
    assert_allclose(X, expected, rtol=1e-5)


@pytest.mark.parametrize("make", [make_expression, lambda **k: make_cohort(**k).data])
def test_seeds(make):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert_array_equal(make(random_state=0), make(random_state=0))
    assert_array_equal(
        make(random_state=0), make(random_state=np.random.RandomState(0))
    )
    assert not np.array_equal(make(random_state=0), make(random_state=1))
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n_samples", 0),
        ("n_genes", 2.5),
        ("noise", -0.1),
        ("missing_rate", 1.0),
        ("random_state", "seed"),
    ],
)
@pytest.mark.parametrize("make", [make_expression, make_cohort])
def test_generators_refuse_wrong_parameters(make, parameter, value):
    with pytest.raises(InvalidParameterError, match=parameter):
        make(**{parameter: value})


def test_cohort_has_what_it_says():
    cohort = make_cohort(500, 60, n_classes=4, random_state=0)
    assert_array_equal(np.unique(cohort.target), range(4))
    for values in (cohort.survival, cohort.groups, cohort.batch, cohort.log_hazard):
        assert len(values) == 500
    assert len(set(cohort.sample_names)) == 500
    assert len(set(cohort.feature_names)) == 60
    assert (cohort.survival["time"] > 0).all()
    assert_allclose(cohort.log_hazard, np.log(2) * cohort.factors[:, 0], rtol=1e-6)


def test_samples_of_a_patient_share_all_but_noise():
    cohort = make_cohort(300, 50, replicate_rate=0.5, random_state=0)
    patients, counts = np.unique(cohort.groups, return_counts=True)
    assert len(patients) == 200
    assert set(counts) == {1, 2}
    for patient in patients[counts == 2]:
        first, second = np.flatnonzero(cohort.groups == patient)
        assert cohort.survival[first] == cohort.survival[second]
        assert cohort.target[first] == cohort.target[second]
        assert_array_equal(cohort.factors[first], cohort.factors[second])
        assert not np.array_equal(cohort.data[first], cohort.data[second])


@pytest.mark.parametrize(("class_sep", "limits"), [(0, (0.2, 0.47)), (2, (0.85, 1))])
def test_classes_differ_as_asked(class_sep, limits):
    cohort = make_cohort(300, 50, class_sep=class_sep, random_state=0)
    model = LogisticRegression(C=0.01, max_iter=2000)
    accuracy = cross_val_score(
        model, cohort.data, cohort.target, groups=cohort.groups, cv=GroupKFold(3)
    ).mean()
    assert limits[0] <= accuracy <= limits[1]


def concordance(survival, risk):
    """Harrell's C by its definition, pair by pair."""
    concordant = comparable = 0
    for event, time, r in zip(survival["event"], survival["time"], risk, strict=True):
        if event:
            later = survival["time"] > time
            comparable += later.sum()
            concordant += (risk[later] < r).sum()
    return concordant / comparable


@pytest.mark.parametrize(
    ("hazard_ratio", "limits"),
    [(4, (0.65, 0.9)), (1, (0.4, 0.6)), (1 / 4, (0.1, 0.35))],
)
def test_the_first_factor_drives_the_hazard(hazard_ratio, limits):
    cohort = make_cohort(
        300, 5, hazard_ratio=hazard_ratio, replicate_rate=0, random_state=0
    )
    assert limits[0] < concordance(cohort.survival, cohort.factors[:, 0]) < limits[1]


@pytest.mark.parametrize("censoring_rate", [0, 0.4, 0.9])
def test_censoring_rate(censoring_rate):
    cohort = make_cohort(
        200, 5, censoring_rate=censoring_rate, replicate_rate=0, random_state=0
    )
    assert 1 - cohort.survival["event"].mean() == pytest.approx(
        censoring_rate, abs=0.01
    )


def test_batches_shift_genes():
    cohort = make_cohort(400, 100, n_batches=2, batch_effect=3, random_state=0)
    assert_array_equal(np.unique(cohort.batch), [0, 1])
    shift = np.subtract(*(cohort.data[cohort.batch == b].mean(axis=0) for b in (0, 1)))
    # The difference of two shifts has a standard deviation of 3 * sqrt(2).
    assert shift.std() == pytest.approx(3 * np.sqrt(2), rel=0.2)


def test_more_classes_than_patients():
    with pytest.raises(ValueError, match="n_classes=9 is more than the 5 patients"):
        make_cohort(5, 10, n_classes=9, replicate_rate=0)
