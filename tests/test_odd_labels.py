"""Labels, weights and marks of unusual types are used rightly, or refused by name."""

import numpy as np
import pandas as pd
import pytest
from discovery import FINE_TUNED, SURVIVAL, class_name, make_target, tiny
from numpy.testing import assert_array_equal

from skgex import FineTunedClassifier, FineTunedRegressor

X = np.random.default_rng(0).standard_normal((40, 10)).astype(np.float32)
WORDS = np.array(["a", "b"])[np.arange(40) % 2]
HIDDEN = np.arange(40) < 7


def classify(y, **parameters):
    return tiny(FineTunedClassifier, **parameters).fit(X, y)


@pytest.mark.parametrize("labels", [WORDS, np.arange(40) % 2], ids=["text", "numbers"])
def test_masked_labels_are_missing(labels):
    masked = np.ma.masked_array(labels, HIDDEN)
    with pytest.raises(ValueError, match=r"y is None for 7 samples.*unlabeled=np.nan"):
        classify(masked)
    objects = labels.astype(object)
    objects[HIDDEN] = None
    found, expected = (classify(y, unlabeled=np.nan) for y in (masked, objects))
    assert_array_equal(found.classes_, np.unique(labels))
    assert_array_equal(found.predict_proba(X), expected.predict_proba(X))
    assert found.score(X, masked) == expected.score(X, objects)


def test_missing_labels_are_not_scored():
    y = np.full(40, None)
    with pytest.raises(ValueError, match="y is None for 40 samples"):
        classify(WORDS).score(X, y)


def test_masked_values_are_missing():
    masked = np.ma.masked_array(X[:, 0], HIDDEN)
    with pytest.raises(ValueError, match=r"NaN for 7 samples.*unlabeled=np\.nan"):
        tiny(FineTunedRegressor).fit(X, masked)
    found, expected = (
        tiny(FineTunedRegressor, unlabeled=np.nan).fit(X, y).predict(X)
        for y in (masked, np.where(HIDDEN, np.nan, X[:, 0]))
    )
    assert_array_equal(found, expected)


def test_strings_of_any_length():
    y = WORDS.astype(np.dtypes.StringDType())
    classifier = classify(y)
    assert_array_equal(classifier.predict_proba(X), classify(WORDS).predict_proba(X))
    assert classifier.score(X, y) == classifier.score(X, WORDS)


def test_text_among_numbers():
    y = np.array([1, "a", 2.5, "a"] * 10, dtype=object)
    for unlabeled in (None, 1):
        with pytest.raises(ValueError, match="y has labels of the types float and"):
            classify(y, unlabeled=unlabeled)


@pytest.mark.parametrize("mark", [[1], np.array([0, 1]), (1,), {1}, len], ids=str)
def test_a_mark_is_one_value(mark):
    with pytest.raises(ValueError, match=r"unlabeled=.* must be one value"):
        classify(WORDS, unlabeled=mark)


@pytest.mark.parametrize("Estimator", FINE_TUNED, ids=class_name)
def test_no_labels(Estimator):
    with pytest.raises(ValueError, match=r"inconsistent numbers|0 sample\(s\)"):
        tiny(Estimator).fit(X, [])


@pytest.mark.parametrize(
    "y",
    [
        WORDS,
        pd.Series(WORDS, dtype="string"),
        pd.Series(pd.period_range("2020", periods=40)),
    ],
    ids=["text", "string", "period"],
)
def test_values_that_are_no_numbers(y):
    with pytest.raises(ValueError, match=r"y must be numbers: .*FineTunedClassifier"):
        tiny(FineTunedRegressor).fit(X, y)


# Weights


@pytest.mark.parametrize("Estimator", FINE_TUNED, ids=class_name)
@pytest.mark.parametrize("size", [2.0**-1030, 2.0**1000])
def test_the_size_of_weights_does_not_matter(Estimator, size):
    y = make_target(Estimator, WORDS, X[:, 0])
    weight = 1 + np.arange(40.0) % 4
    found, expected = (
        tiny(Estimator, linear_weight=0.5).fit(X, y, sample_weight=w).predict(X)
        for w in (size * weight, weight)
    )
    assert_array_equal(found, expected)


@pytest.mark.parametrize("Estimator", FINE_TUNED, ids=class_name)
def test_one_weight_above_all_others(Estimator):
    weight = np.append(1e300, np.ones(39))
    y = make_target(Estimator, WORDS, X[:, 0])
    with pytest.raises(ValueError, match=r"Only sample 0 .*`sample_weight`"):
        tiny(Estimator).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
def test_weights_too_large_beside_a_penalty(Estimator):
    y = make_target(Estimator, WORDS, X[:, 0])
    with pytest.raises(ValueError, match=r"sample_weight is up to 1e\+300, .* mean"):
        tiny(Estimator).fit(X, y, sample_weight=np.full(40, 1e300))


@pytest.mark.parametrize("Estimator", FINE_TUNED + SURVIVAL, ids=class_name)
def test_masked_weights(Estimator):
    y = make_target(Estimator, WORDS, X[:, 0])
    weight = np.ma.masked_array(np.ones(40), HIDDEN)
    with pytest.raises(ValueError, match=r"sample_weight has masked .*filled\(0\)"):
        tiny(Estimator).fit(X, y, sample_weight=weight)
