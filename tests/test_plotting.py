"""Displays of embeddings, of attention and of restored values."""

import inspect
from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from discovery import class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from numpydoc.docscrape import FunctionDoc
from sklearn.decomposition import PCA
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.manifold import MDS
from sklearn.metrics import r2_score, silhouette_score
from sklearn.preprocessing import StandardScaler

import skgex.plotting
from skgex import SCARF, FineTunedClassifier, GexBERT
from skgex.plotting import AttentionDisplay, EmbeddingDisplay, RestorationDisplay

DISPLAYS = [getattr(skgex.plotting, name) for name in skgex.plotting.__all__]
RNG = np.random.default_rng(0)
Y = np.array(["brain", "liver", "lung"])[np.arange(60) % 3]
X = pd.DataFrame(
    (RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 15)) + RNG.normal(size=(60, 15))),
    columns=[f"GENE{i}" for i in range(15)],
)

# ----------------------------------------------------------------------------
# embeddings


def drawn(scatter):
    return np.asarray(scatter.get_offsets())


def test_points_are_two_components_of_the_standardised_embedding():
    scarf = tiny(SCARF).fit(X)
    display = EmbeddingDisplay.from_estimator(scarf, X, Y, silhouette=True)
    Z = StandardScaler().fit_transform(scarf.transform(X))
    expected = PCA(2).fit_transform(Z)
    assert_allclose(display.points, expected, atol=1e-5)
    for name, scatter, label in zip(
        np.unique(Y), display.scatters_, display.labels_, strict=True
    ):
        assert_allclose(drawn(scatter), display.points[name == Y])
        assert label.get_text() == name
        assert_allclose(label.xy, np.median(display.points[name == Y], axis=0))
    assert_allclose(display.silhouette, silhouette_score(Z, Y), rtol=1e-5)
    title = display.ax_.get_title(loc="left")
    assert title == f"silhouette {display.silhouette:.2f}"
    assert display.ax_.get_xlabel() == "component 1"


def test_a_projection_is_an_object_or_its_output():
    given = RNG.normal(size=(60, 2))
    display = EmbeddingDisplay.from_embedding(X, Y, projection=given, title="genes")
    assert_array_equal(display.points, given)
    assert display.ax_.get_title(loc="left") == "genes"
    mds = MDS(n_init=1, init="random", max_iter=5, random_state=0)
    display = EmbeddingDisplay.from_embedding(X, projection=mds)
    assert_allclose(display.points, mds.fit_transform(X))
    assert len(display.scatters_) == 1
    assert not display.labels_
    assert display.ax_.get_xlabel() == "dimension 1"


def test_fine_tuned_estimators_embed():
    tuned = tiny(FineTunedClassifier).fit(X, Y)
    display = EmbeddingDisplay.from_estimator(tuned, X, Y, scatter_kw={"s": 4})
    assert display.points.shape == (60, 2)
    assert {scatter.get_sizes()[0] for scatter in display.scatters_} == {4}


def test_names_of_classes_at_one_place_do_not_overlap():
    y = np.repeat([f"class {i}" for i in range(12)], 5)
    display = EmbeddingDisplay.from_embedding(X, y, projection=np.zeros((60, 2)))
    display.figure_.canvas.draw()
    boxes = [matplotlib.text.Text.get_window_extent(label) for label in display.labels_]
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.arange(60)}, "y has 60 classes, and 40 can be told apart"),
        ({"y": np.r_[np.nan, np.ones(59)]}, "y is missing for 1 samples"),
        ({"silhouette": True}, "silhouette=True needs y"),
        ({"projection": PCA(3)}, r"projection has shape \(60, 3\), but \(60, 2\)"),
        ({"embedding": X[["GENE0"]]}, "embedding has one column"),
    ],
    ids=["values", "missing", "silhouette", "three", "one"],
)
def test_wrong_embeddings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_embedding(**{"embedding": X, **change})


# ----------------------------------------------------------------------------
# attention


def relative_by_hand(attention, y):
    means = np.stack([np.nanmean(attention[y == c], axis=0) for c in np.unique(y)])
    return means / np.nanmean(means, axis=0)


def make_attention():
    attention = RNG.gamma(5, 0.2, size=(60, 15))
    attention[Y == "liver", 3] *= 4
    attention[5, 7] = np.nan
    return pd.DataFrame(attention, columns=X.columns)


def test_heat_maps_are_relative_attention_of_true_and_of_permuted_classes():
    attention = make_attention()
    display = AttentionDisplay.from_attention(
        attention, Y, n_permutations=4, random_state=3, n_genes=6
    )
    rng = np.random.default_rng(3)
    orders = [Y, *(rng.permutation(Y) for _ in range(4))]
    tables = [relative_by_hand(attention.to_numpy(), order) for order in orders]
    assert_allclose(display.relative, tables[0])
    assert_allclose(display.permuted, tables[1])
    distances = [np.abs(table - 1).mean() for table in tables]
    assert_allclose(display.distance, distances[0])
    assert_allclose(display.permuted_distances, distances[1:])
    for image, ax, table in zip(
        display.images_, display.ax_[:, 0], tables, strict=False
    ):
        shown = np.argsort(-table.std(axis=0, ddof=1), kind="stable")[:6]
        assert_allclose(image.get_array(), np.log2(table[:, shown]))
        genes = [tick.get_text() for tick in ax.get_xticklabels()]
        assert genes == X.columns[shown].tolist()
        classes = [tick.get_text() for tick in ax.get_yticklabels()]
        assert classes == ["brain", "liver", "lung"]
    assert display.ax_[0, 0].get_xticklabels()[0].get_text() == "GENE3"
    title = display.ax_[1, 0].get_title(loc="left")
    assert f"at most {max(distances[1:]):.3f} in 4 permutations" in title


@pytest.mark.parametrize("prior", [None, "low_rank"])
def test_an_embedder_is_asked_for_attention(prior):
    embedder = tiny(GexBERT, prior=prior).fit(X)
    display = AttentionDisplay.from_estimator(embedder, X, Y, n_permutations=2)
    expected = relative_by_hand(embedder.attention(X), Y)
    assert_allclose(display.relative, expected, rtol=1e-5)
    assert display.relative.columns.tolist() == X.columns.tolist()
    # Names that the embedder knows, where the table has none.
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        display = AttentionDisplay.from_estimator(embedder, X.to_numpy(), Y)
    assert display.relative.columns.tolist() == X.columns.tolist()


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="y has one class"):
        AttentionDisplay.from_attention(make_attention(), np.zeros(60))
    with pytest.raises(ValueError, match=r"n_permutations=\[0\] must be positive"):
        AttentionDisplay.from_attention(make_attention(), Y, n_permutations=0)
    with pytest.raises(ValueError, match="y should be a 1d array"):
        AttentionDisplay.from_attention(make_attention(), np.c_[Y, Y])
    with pytest.raises(ValueError, match="attention has negative values: give shares"):
        AttentionDisplay.from_attention(-make_attention(), Y)


# ----------------------------------------------------------------------------
# restored values


def test_values_are_standardised_and_r2_is_by_gene():
    restored = X + RNG.normal(size=X.shape)
    hidden = RNG.random(X.shape) < 0.5
    hidden[:, 2] = np.arange(60) < 4  # too few
    measured = X.copy()
    measured.iloc[0, 0] = np.nan
    hidden[0, 0] = True
    display = RestorationDisplay.from_predictions(measured, restored, hidden=hidden)
    used = hidden & measured.notna().to_numpy()
    Z, Z_restored = (
        (part - measured.mean()) / measured.std(ddof=0) for part in (measured, restored)
    )
    assert_allclose(display.measured, Z.to_numpy()[used])
    assert_allclose(display.restored, Z_restored.to_numpy()[used])
    for i, gene in enumerate(X):
        rows = used[:, i]
        if gene == "GENE2":
            assert np.isnan(display.r2[gene])
        else:
            expected = r2_score(measured[gene][rows], restored[gene][rows])
            assert_allclose(display.r2[gene], expected)
    assert_allclose(drawn(display.values_), np.c_[display.restored, display.measured])
    heights = [bar.get_height() for bar in display.histogram_]
    assert sum(heights) == 14
    below = (display.r2 < -1).sum()
    text = f" ({below} below -1)" if below else ""
    assert display.ax_[0, 1].get_xlabel() == f"$R^2$ of a gene{text}"


def test_hidden_values_are_restored_by_embedders_and_imputers():
    embedder = tiny(GexBERT, max_epochs=0).fit(X)
    rate = 0.3
    display = RestorationDisplay.from_estimator(embedder, X, rate=rate, random_state=5)
    share = len(display.measured) / X.size
    assert abs(share - rate) < 4 * np.sqrt(rate * (1 - rate) / X.size)
    knn = KNNImputer().fit(X)
    same = RestorationDisplay.from_estimator(knn, X, rate=rate, random_state=5)
    # Other values were restored in the same places.
    assert_array_equal(same.measured, display.measured)
    mean = RestorationDisplay.from_estimator(SimpleImputer().fit(X), X, rate=rate)
    assert_allclose(mean.restored, 0, atol=1e-9)
    assert mean.r2.max() <= 0


def test_measured_values_are_not_shown_to_the_estimator():
    seen = []

    class Spy(SimpleImputer):
        def transform(self, X):
            seen.append(X)
            return super().transform(X)

    holes = X.copy()
    holes.iloc[0, :14] = np.nan  # one value is left, and stays
    display = RestorationDisplay.from_estimator(Spy().fit(X), holes, rate=0.9)
    (shown,) = seen
    assert list(shown.columns) == list(X.columns)
    hidden = shown.isna() & holes.notna()
    assert hidden.to_numpy().sum() == len(display.measured)
    assert (shown.notna().sum(axis=1) >= 1).all()
    assert not hidden.iloc[0].any()
    kept = shown.where(shown.notna(), holes)
    pd.testing.assert_frame_equal(kept, holes)


def test_a_million_values_are_counted_in_hexagons():
    rng = np.random.default_rng(0)
    measured = rng.normal(size=1_000_000)
    restored = 0.7 * measured + 0.3 * rng.normal(size=len(measured))
    display = RestorationDisplay(measured, restored, pd.Series([0.5, 0.6]))
    assert display.plot(limit=4) is display
    inside = (np.abs(measured) <= 4) & (np.abs(restored) <= 4)
    assert display.values_.get_array().sum() == inside.sum()
    assert display.ax_[0, 0].get_xlim() == (-4, 4)
    display.plot()
    assert display.values_.get_array().sum() > 0.998 * len(measured)
    assert display.colorbar_ is not None


def test_hexagons_or_points():
    display = RestorationDisplay(X.to_numpy().ravel(), X.to_numpy().ravel(), X.mean())
    for kind, kw in (("hexbin", {"gridsize": 9}), ("scatter", {"s": 1})):
        display.plot(kind=kind, value_kw=kw, hist_kw={"bins": 4})
        assert (display.colorbar_ is None) == (kind == "scatter")
        assert len(display.histogram_) == 4
    with pytest.raises(ValueError, match="kind='lines' must be"):
        display.plot(kind="lines")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"restored": X.iloc[:, :3]}, r"\(60, 3\) values were restored of \(60, 15\)"),
        ({"hidden": np.zeros(X.shape, bool)}, "No hidden value can be compared"),
        ({"X": X * 0 + 1}, "No hidden value can be compared"),
    ],
    ids=["shape", "nothing", "constant"],
)
def test_wrong_values_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        RestorationDisplay.from_predictions(**{"X": X, "restored": X, **change})


def test_wrong_rates_are_refused():
    with pytest.raises(ValueError, match="rate=1 must lie in"):
        RestorationDisplay.from_estimator(SimpleImputer().fit(X), X, rate=1)


# ----------------------------------------------------------------------------
# all of them


def make_all(**places):
    """Draw the three Displays of this file, each in a place if one is given."""
    y = {"y": Y, **({"ax": places["embedding"]} if places else {})}
    yield EmbeddingDisplay.from_embedding(X, **y)
    place = {"ax": places["attention"]} if places else {}
    yield AttentionDisplay.from_attention(make_attention(), Y, **place)
    place = {"ax": places["values"]} if places else {}
    yield RestorationDisplay.from_predictions(X, X + 1, **place)


def test_settings_of_matplotlib_are_left_alone():
    before = dict(matplotlib.rcParams)
    for display in make_all():
        display.figure_.canvas.draw()
    assert dict(matplotlib.rcParams) == before


def test_given_places_are_drawn_in_without_pyplot():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 5), layout="constrained")
    left, middle, right = figure.subfigures(1, 3)
    axes = middle.subplots(2, 1)
    places = {"embedding": left.subplots(), "attention": axes, "values": right}
    displays = list(make_all(**places))
    assert [display.figure_ for display in displays] == [left, middle, right]
    assert_array_equal(displays[1].ax_[:, 0], axes)
    figure.canvas.draw()
    assert not plt.get_fignums()


@pytest.mark.parametrize("Display", DISPLAYS, ids=class_name)
def test_displays_follow_the_convention(Display):
    makers = [name for name in dir(Display) if name.startswith("from_")]
    assert {"from_estimator", "from_results"} & set(makers)
    for name in [*makers, "plot"]:
        method = getattr(Display, name)
        found = FunctionDoc(method, doc=inspect.getdoc(method))
        described = {p.name.lstrip("*"): p.type for p in found["Parameters"]}
        parameters = inspect.signature(method).parameters
        given = [p for p in parameters if p != "self"]
        assert list(described) == given
        assert found["Returns"]
        for key in given:
            default = parameters[key].default
            if default is not inspect.Parameter.empty and not isinstance(
                default, tuple
            ):
                assert described[key].endswith(f"default={default!r}".replace("'", '"'))
    own = list(inspect.signature(Display).parameters)
    source = inspect.getsource(Display.__init__)
    for name in own:
        assert f"self.{name} = {name}" in source
