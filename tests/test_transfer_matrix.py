"""transfer_matrix against a plain loop."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skgex.datasets import make_cohort
from skgex.evaluation import transfer_matrix


@pytest.fixture(scope="module")
def cohorts():
    """Three cohorts that have other genes, in another order."""
    genes = np.array([f"g{i}" for i in range(8)])
    orders = {"a": genes, "b": genes[[6, 3, 1, 0, 2]], "c": genes[2:]}
    cohorts = {}
    for seed, (name, own) in enumerate(orders.items()):
        found = make_cohort(n_samples=60, n_genes=8, n_classes=2, random_state=seed)
        X = pd.DataFrame(found.data.astype(float), columns=genes)[own]
        cohorts[name] = (X, np.array(["x", "y"])[found.target], found.groups)
    return cohorts


def test_scores_equal_those_of_a_plain_loop(cohorts):
    model = LogisticRegression()
    bunch = Bunch(**dict(zip(("data", "target", "groups"), cohorts["b"], strict=True)))
    given = {**cohorts, "b": bunch}
    table = transfer_matrix({"lr": model}, given, cv=3, random_state=2)
    assert list(table)[:6] == [
        *("estimator", "source", "target", "split", "score", "n_genes")
    ]
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=2)
    expected, about = [], []
    for source, (X, y, groups) in cohorts.items():
        for target, (Z, z, patients) in cohorts.items():
            shared = [gene for gene in X if gene in Z]
            for train, test in splitter.split(Z, z, patients):
                if source == target:
                    fitted = model.fit(Z.iloc[train], z[train])
                else:
                    fitted = model.fit(X[shared], y)
                expected.append(fitted.score(Z[shared].iloc[test], z[test]))
                n_train = len(train) if source == target else len(groups)
                about.append((source, target, len(shared), n_train, len(test)))
    assert_allclose(table["score"], expected)
    columns = ["source", "target", "n_genes", "n_train", "n_test"]
    assert list(table[columns].itertuples(index=False, name=None)) == about
    assert table["split"].tolist() == [0, 1, 2] * 9


def test_arrays_are_matched_by_position(cohorts):
    (X, y, _), (Z, z, _) = cohorts["a"], cohorts["a"]
    arrays = {"one": (X.to_numpy(), y), "other": (Z.to_numpy()[::-1], z[::-1])}
    model = LogisticRegression()
    table = transfer_matrix({"lr": model}, arrays, cv=2)
    folds = StratifiedKFold(2, shuffle=True, random_state=0).split(X, z[::-1])
    fitted = LogisticRegression().fit(X, y)
    expected = [fitted.score(Z[::-1].iloc[test], z[::-1][test]) for _, test in folds]
    there = (table["source"] == "one") & (table["target"] == "other")
    assert_allclose(table["score"][there], expected)
    mixed = {"one": (X, y), "other": arrays["other"]}
    again = transfer_matrix({"lr": model}, mixed, cv=2)
    assert_allclose(again["score"], table["score"])
    unnamed = cohorts["b"][0].to_numpy(), y
    with pytest.raises(ValueError, match="have 8 and 5 genes; give tables with names"):
        transfer_matrix({"lr": model}, {"a": cohorts["a"], "b": unnamed})


class Picky(LogisticRegression):
    def fit(self, X, y):
        if X.shape[1] == 5:
            raise RuntimeError("five")
        return super().fit(X, y)


def test_results_are_kept_and_failures_told(cohorts, tmp_path):
    models = {"lr": LogisticRegression(), "picky": Picky()}
    with pytest.warns(
        FitFailedWarning, match="'picky' failed in .* to .*, split"
    ) as caught:
        one = transfer_matrix(models, cohorts, cv=2, cache_dir=tmp_path)
    assert str(caught[0].message).startswith("Estimator 'picky' failed in a to b, spli")
    failed = (one["estimator"] == "picky") & (one["n_genes"] == 5)
    assert (one["score"].isna() == failed).all()
    assert ((one["error_message"] == "RuntimeError: five") == failed).all()
    assert failed.any()
    del models["picky"]
    n_files = len(list(tmp_path.iterdir()))
    two = transfer_matrix(models, cohorts, cv=2, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == n_files
    pd.testing.assert_frame_equal(one[one["estimator"] == "lr"], two)


def test_one_fit_serves_all_targets_with_the_same_genes(cohorts):
    class Counting(LogisticRegression):
        rows = []

        def fit(self, X, y):
            self.rows.append(X.shape)
            return super().fit(X, y)

    X, y, _ = cohorts["a"]
    given = {"a": (X, y), "b": (X[::-1], y), "c": (X[X.columns[:3]], y), "d": (X, y)}
    # A splitter that has never seen some of the samples.
    cv = ShuffleSplit(2, train_size=0.4, test_size=0.3, random_state=0)
    table = transfer_matrix({"lr": Counting()}, given, cv=cv)
    of_a = Counting.rows[:4]
    assert of_a == [(24, 8), (24, 8), (60, 8), (60, 3)]
    assert len(Counting.rows) == 15
    one, two = (table[table["source"] == name] for name in "ad")
    pairs = list(zip(one["target"], two["target"], strict=True))
    assert pairs == [(name, name) for name in "abcd" for _ in range(2)]
    other = np.repeat([False, True, True, False], 2)
    assert_allclose(one["score"][other], two["score"][other])


def test_what_is_frozen_is_shown_its_genes(cohorts):
    X, y, _ = cohorts["a"]
    model = make_pipeline(SimpleImputer(keep_empty_features=True), LogisticRegression())
    model.fit(X, y)
    table = transfer_matrix({"frozen": FrozenEstimator(model)}, cohorts, cv=2)
    splitter = StratifiedGroupKFold(2, shuffle=True, random_state=0)
    for target, (Z, z, patients) in cohorts.items():
        known = Z[[gene for gene in Z if gene in X]].reindex(columns=X.columns)
        expected = [
            model.score(known.iloc[test], z[test])
            for _, test in splitter.split(Z, z, patients)
        ]
        rows = (table["source"] == "a") & (table["target"] == target)
        assert_allclose(table["score"][rows], expected)


def test_bad_cohorts_are_named(cohorts):
    X, y, groups = cohorts["a"]
    models = {"lr": LogisticRegression()}
    with pytest.raises(ValueError, match=r"'a' must be \(X, y\), \(X, y, groups\)"):
        transfer_matrix(models, {"a": X})
    with pytest.raises(ValueError, match="y of cohort 'a' has 59 values for 60"):
        transfer_matrix(models, {"a": (X, y[1:])})
    with pytest.raises(ValueError, match="groups has 59 values for 60 samples"):
        transfer_matrix(models, {"a": (X, y, groups[1:])})
    other = X.add_prefix("other")
    with pytest.raises(ValueError, match="'a' and 'b' have no gene in common, such as"):
        transfer_matrix(models, {"a": (X, y), "b": (other, y)})
