"""Bad input is refused with a message that names it and says what to do."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from discovery import (
    FINE_TUNED,
    LEARNERS,
    MLP_EMBEDDERS,
    SELECTORS,
    SURVIVAL,
    TRAINED,
    class_name,
    make_target,
    tiny,
)
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skgex import (
    BYOL,
    SCARF,
    FineTunedClassifier,
    FineTunedRegressor,
    GexImputer,
    LogCPM,
    TopVarianceGenes,
)
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=60, n_genes=12, random_state=0)
GENES = [f"G{i}" for i in range(12)]
TABLE = pd.DataFrame(COHORT.data, columns=GENES)


@pytest.fixture(params=LEARNERS, ids=class_name)
def Estimator(request):
    return request.param


@pytest.fixture(params=TRAINED, ids=class_name)
def Trained(request):
    """Those with a training loop of their own."""
    return request.param


@pytest.fixture(params=[e for e in LEARNERS if e is not GexImputer], ids=class_name)
def NoImputer(request):
    """Those to which a sample, or a gene, without any value is bad input."""
    return request.param


# They take an embedder, and a target.
TUNED = pytest.mark.parametrize("Tuned", FINE_TUNED + SURVIVAL, ids=class_name)


def target(Estimator, n=60):
    return make_target(Estimator, COHORT.target[:n], COHORT.factors[:n, 0])


def refuses(Estimator, X, message, **parameters):
    """Check that `fit` refuses X."""
    y = target(Estimator)
    y = y if y is None or np.ndim(X) < 1 else y[: np.shape(X)[0]]
    with pytest.raises(ValueError, match=message):
        tiny(Estimator, **parameters).fit(X, y)


def changed(value, rows, genes):
    """Return the table with a value in some places."""
    table = TABLE.copy()
    table.iloc[rows, genes] = value
    return table


# Values


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity(Estimator, value):
    message = r"infinity: sample 41, gene 'G7'\. Mark .* NaN.* logarithms of x \+ 1"
    bad = changed(value, 41, 7)
    refuses(Estimator, bad, message)
    fitted = tiny(Estimator).fit(TABLE, target(Estimator))
    with pytest.raises(ValueError, match=message):
        fitted.transform(bad)
    refuses(Estimator, bad.to_numpy(), r"sample 41, gene 7\. Mark")
    refuses(Estimator, pl.from_pandas(bad), message)


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        (np.inf, (41, 7), "infinity: sample 41, gene 'G7'"),
        (np.nan, (17, slice(None)), "NaN in every gene of sample 17"),
    ],
)
def test_values_are_checked_when_a_fit_goes_on(Trained, value, place, message):
    bad, y = changed(value, *place), target(Trained)
    fitted = tiny(Trained, warm_start=True).fit(TABLE, y)
    with pytest.raises(ValueError, match=message):
        fitted.fit(bad, y)
    if Trained in FINE_TUNED + SURVIVAL:
        frozen = FrozenEstimator(tiny(SCARF).fit(TABLE))
        for freeze in (True, False):
            refuses(Trained, bad, message, embedder=frozen, freeze=freeze)


def test_infinity_that_single_precision_makes_of_a_large_number(Estimator):
    fitted = tiny(Estimator).fit(TABLE, target(Estimator))
    bad = changed(0, [], []).astype(np.float64)
    bad.iloc[3, 2] = 1e300
    with pytest.raises(ValueError, match="infinity: sample 3, gene 'G2'"):
        fitted.transform(bad)


def test_sample_without_a_measured_gene(NoImputer):
    message = "NaN in every gene of sample 17; drop samples"
    bad = changed(np.nan, 17, slice(None))
    refuses(NoImputer, bad, message)
    fitted = tiny(NoImputer).fit(TABLE, target(NoImputer))
    with pytest.raises(ValueError, match=message):
        fitted.transform(bad)


def test_gene_without_a_measured_sample(NoImputer):
    if NoImputer in SELECTORS:  # such a gene has a score of zero, and is the last kept
        return
    bad = changed(np.nan, slice(None), [4, 9])
    refuses(NoImputer, bad, r"NaN in every sample for 2 gene.*gene 'G4'; drop genes")
    refuses(NoImputer, bad.to_numpy(), "the first being gene 4; drop genes")


def test_no_variance_at_all(NoImputer):
    message = r"Every gene in X is constant \(zero variance\).* Check how X was made"
    refuses(NoImputer, np.ones((60, 12)), message)
    refuses(NoImputer, np.tile(COHORT.data[0], (60, 1)), message)


def test_sparse(Estimator):
    message = r"X is sparse, but dense data is required: call X\.toarray\(\)"
    fitted = tiny(Estimator).fit(COHORT.data, target(Estimator))
    for kind in (sparse.csr_array, sparse.csc_matrix):
        refuses(Estimator, kind(COHORT.data), message)
        with pytest.raises(ValueError, match=message):
            fitted.transform(kind(COHORT.data))


def test_strings(Estimator):
    words = TABLE.astype(object)
    words.iloc[3, 2] = "high"
    refuses(Estimator, words, "could not convert string to float: 'high'")
    refuses(Estimator, np.full((60, 12), "a"), "could not convert string|numeric")


def test_one_dimension(Estimator):
    refuses(Estimator, COHORT.data[:, 0], r"(?s)Expected 2D array.*Reshape your data")
    fitted = tiny(Estimator).fit(TABLE.to_numpy(), target(Estimator))
    with pytest.raises(ValueError, match=r"(?s)Expected 2D array.*reshape\(1, -1\)"):
        fitted.transform(COHORT.data[0])


def test_three_dimensions_and_complex_numbers(Estimator):
    refuses(Estimator, COHORT.data[:, :, None], "dim 3|3D|2D")
    refuses(Estimator, COHORT.data + 1j, "Complex data not supported")


@pytest.mark.parametrize("n_samples", [0, 1])
def test_too_few_samples(Trained, n_samples):
    refuses(Trained, TABLE[:n_samples], f"Found array with {n_samples} sample.*2 is")


def test_no_samples(Estimator):
    refuses(Estimator, TABLE[:0], r"Found array with 0 sample\(s\)")


# Genes


def test_wrong_order_of_genes(Estimator):
    fitted = tiny(Estimator).fit(TABLE, target(Estimator))
    message = r"(?s)feature names.*same order.*X\.reindex\(columns="
    with pytest.raises(ValueError, match=message):
        fitted.transform(TABLE[GENES[::-1]])
    aligned = TABLE[GENES[::-1]].reindex(columns=fitted.feature_names_in_)
    np.testing.assert_array_equal(fitted.transform(aligned), fitted.transform(TABLE))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_wrong_names_of_genes(Estimator, library):
    fitted = tiny(Estimator).fit(TABLE, target(Estimator))
    other = TABLE.rename(columns={"G5": "TP53"})
    other = other if library == "pandas" else pl.from_pandas(other)
    message = r"(?s)unseen at fit time.*TP53.*yet now missing.*G5.*X\.reindex\(columns="
    with pytest.raises(ValueError, match=message):
        fitted.transform(other)


@pytest.mark.parametrize("model", [SCARF(max_epochs=0), LogCPM(), TopVarianceGenes(3)])
@pytest.mark.parametrize(
    "labels",
    [
        np.arange(12) + 100,
        [gene.encode() for gene in GENES],
        pd.MultiIndex.from_product([["a"], GENES]),
    ],
    ids=["numbers", "bytes", "levels"],
)
def test_labels_by_which_no_gene_is_known(model, labels):
    table = TABLE.set_axis(labels, axis=1)
    with pytest.warns(UserWarning, match="not a string: genes are told by their"):
        model.fit(table)
    # Numbers of columns are no names, and text is.
    for usual in (pd.DataFrame(COHORT.data), TABLE):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(usual)


def test_a_table_without_genes(Estimator):
    refuses(Estimator, TABLE.iloc[:, :0], "X has no column, and so no gene")


def test_absent_genes_can_be_filled_in_as_the_message_says(Estimator):
    fitted = tiny(Estimator).fit(TABLE, target(Estimator))
    fewer = TABLE.drop(columns="G5")
    with pytest.raises(ValueError, match=r"(?s)G5.*X\.reindex\(columns="):
        fitted.transform(fewer)
    aligned = fewer.reindex(columns=fitted.feature_names_in_)
    assert np.isfinite(fitted.transform(aligned)).all()


def test_wrong_number_of_genes(Estimator):
    fitted = tiny(Estimator).fit(TABLE.to_numpy(), target(Estimator))
    with pytest.raises(ValueError, match=r"X has 11 features, but .* is expecting 12"):
        fitted.transform(COHORT.data[:, 1:])


# Parameters


@pytest.mark.parametrize("dims", [(), (16, 0), (16, -1), 16, (16.5,), ((16, 8),), "ab"])
@pytest.mark.parametrize("Embedder", MLP_EMBEDDERS, ids=class_name)
def test_hidden_dims(Embedder, dims):
    with pytest.raises(ValueError, match=r"hidden_dims|'hidden_dims'"):
        tiny(Embedder, hidden_dims=dims).fit(TABLE)


@pytest.mark.parametrize("dims", [(16,), (16, 0), (4, 4, 4), "ab"])
def test_projection_dims(dims):
    with pytest.raises(ValueError, match="projection_dims"):
        tiny(BYOL, projection_dims=dims).fit(TABLE)


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_device(Trained, device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"device='.*use (device=)?'auto'"):
        tiny(Trained, device=device).fit(TABLE, target(Trained))


@pytest.mark.parametrize("Embedder", MLP_EMBEDDERS, ids=class_name)
def test_validation_part_without_samples(Embedder):
    message = r"validation_fraction=0\.01.*raise it, or .* n_iter_no_change=None"
    with pytest.raises(ValueError, match=message):
        tiny(Embedder, validation_fraction=0.01, n_iter_no_change=3).fit(TABLE)


def test_learning_rate_that_explodes(Trained):
    # The variance of 1e30 overflows, which makes all samples alike: nothing explodes
    # where only their differences count.
    scale = 1.0 if Trained in SURVIVAL else 1e30
    with pytest.raises(
        ValueError, match=r"not finite in epoch 1 with lr=1e\+38; lower"
    ):
        tiny(Trained, lr=1e38, batch_size=2).fit(scale * TABLE, target(Trained))


# Targets


def test_one_class():
    message = "y holds a single class, 3,.* at least two classes"
    refuses_target(FineTunedClassifier, np.full(60, 3), message)
    marked = np.where(COHORT.target == 0, 3, -1)
    refuses_target(FineTunedClassifier, marked, message, unlabeled=-1)


def refuses_target(Estimator, y, message, **parameters):
    with pytest.raises(ValueError, match=message):
        tiny(Estimator, **parameters).fit(TABLE, y)


@pytest.mark.parametrize("FineTuned", FINE_TUNED, ids=class_name)
def test_no_label(FineTuned):
    message = r"No sample is labelled: each has the target unlabeled=-1.*sample_weight"
    refuses_target(FineTuned, np.full(60, -1), message, unlabeled=-1)


@TUNED
def test_target_that_does_not_fit(Tuned):
    refuses_target(Tuned, None, "requires y to be passed, but the target y is None")
    refuses_target(Tuned, target(Tuned)[1:], "inconsistent numbers of samples")
    missing = np.where(np.arange(60) == 5, np.nan, np.arange(60.0) + 1)
    refuses_target(Tuned, missing, "y contains? NaN")


def test_classes_and_values_are_told_apart():
    refuses_target(FineTunedClassifier, COHORT.factors[:, 0], "Unknown label type")
    refuses_target(FineTunedRegressor, COHORT.target.astype(str) + "x", "convert|y")


@TUNED
def test_weights_that_do_not_fit(Tuned):
    for weight, message in [
        (np.full(60, -1.0), "sample_weight"),
        (np.ones(59), "sample_weight"),
        (np.full(60, np.nan), "sample_weight"),
        (np.zeros(60), "(?i)zero"),
    ]:
        with pytest.raises(ValueError, match=message):
            tiny(Tuned).fit(TABLE, target(Tuned), sample_weight=weight)


# Embedders


@TUNED
def test_mismatched_frozen_estimator(Tuned):
    frozen = FrozenEstimator(tiny(SCARF).fit(TABLE))
    for X, message in [
        (TABLE[GENES[1:]], r"pretrained on 12 genes, but X has 11\. Bring X.*reindex"),
        (TABLE[GENES[::-1]], r"gene 'G0' in column 0, where X has 'G11'\..*reindex"),
        (
            TABLE.rename(columns={"G5": "TP53"}),
            r"'G5' in column 5, .*'TP53'\..*reindex",
        ),
    ]:
        refuses(Tuned, X, message, embedder=frozen)


@TUNED
def test_embedder_that_is_none(Tuned):
    for embedder in (PCA(2), FrozenEstimator(PCA(2).fit(TABLE))):
        message = "embedder=.*is not an embedder of this package; give one such"
        refuses(Tuned, TABLE, message, embedder=embedder)
    with pytest.raises((NotFittedError, ValueError), match=r"SCARF.* not fitted"):
        tiny(Tuned, embedder=FrozenEstimator(tiny(SCARF))).fit(TABLE, target(Tuned))


def test_a_refused_fit_leaves_an_unfitted_estimator(Estimator):
    estimator = tiny(Estimator)
    with pytest.raises(ValueError, match="infinity"):
        estimator.fit(changed(np.inf, 0, 0), target(Estimator))
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    with pytest.raises(NotFittedError):
        estimator.transform(TABLE)


def test_tensors_and_lists_are_no_bad_input(Estimator):
    y = target(Estimator)
    expected = tiny(Estimator).fit(COHORT.data, y).transform(COHORT.data)
    for X in (torch.from_numpy(COHORT.data), COHORT.data.tolist()):
        np.testing.assert_array_equal(tiny(Estimator).fit(X, y).transform(X), expected)
