"""What scikit-learn asks of every estimator, found by discovery."""

import pytest
from discovery import (
    EMBEDDERS,
    ESTIMATORS,
    FINE_TUNED,
    MLP_EMBEDDERS,
    PREPROCESSORS,
    RESTORERS,
    SELECTORS,
    SURVIVAL,
    TRAINED,
    class_name,
    is_fine_tuned,
    takes,
    tiny,
)
from sklearn.base import is_classifier
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgex import GeneAligner, GexBERT

# scikit-learn calls these itself, for its own estimators; check_estimator does not.
OTHER_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]
# Most of the time of a small fit goes into many small batches.
QUICK = {"max_epochs": 1, "batch_size": 64}


def make_learner(Estimator):
    """Return an instance that reaches the accuracy some checks ask for."""
    if is_fine_tuned(Estimator):
        return tiny(Estimator, max_epochs=40)
    if takes(Estimator, "n_genes_per_step"):
        return tiny(Estimator, **QUICK)
    if Estimator in RESTORERS:
        return tiny(Estimator, embedder=tiny(GexBERT, **QUICK))
    return tiny(Estimator)


def expected_failures(estimator):
    """Return what scikit-learn documents for its own SGDClassifier, with its reason."""
    reason = "sample_weight is not equivalent to removing/repeating samples."
    if type(estimator) in SURVIVAL:
        reason += " Efron's likelihood of tied events is not additive in weights."
    elif type(estimator) not in FINE_TUNED:
        return {}
    return {"check_sample_weight_equivalence_on_dense_data": reason}


def test_estimators_are_found():
    for group, names in [
        (MLP_EMBEDDERS, {"BYOL", "SCARF", "VIME"}),
        (EMBEDDERS, {"BYOL", "SCARF", "VIME", "GexBERT"}),
        (FINE_TUNED, {"FineTunedClassifier", "FineTunedRegressor"}),
        (RESTORERS, {"GexImputer", "GeneRestorer"}),
        (SELECTORS, {"UnivariateCoxSelector"}),
        (SURVIVAL, {"FineTunedCoxPH", "FineTunedDiscreteHazard"}),
        (PREPROCESSORS, {"GeneAligner", "LogCPM", "QuantileNormalizer"}),
        (PREPROCESSORS, {"BatchScaler", "TopVarianceGenes"}),
    ]:
        assert names <= set(map(class_name, group))
    kinds = EMBEDDERS + FINE_TUNED + RESTORERS + SELECTORS + SURVIVAL + PREPROCESSORS
    assert len(kinds) == len(ESTIMATORS)
    assert {*TRAINED} == {*EMBEDDERS, *FINE_TUNED, *SURVIVAL}
    assert any(is_classifier(Estimator()) for Estimator in FINE_TUNED)


@parametrize_with_checks(
    [make_learner(Estimator) for Estimator in ESTIMATORS],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# Some of these checks mix tables and arrays, which is rightly warned about.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize("check", OTHER_CHECKS)
@pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)
def test_checks_outside_check_estimator(Estimator, check):
    if Estimator is GeneAligner and check == "check_dataframe_column_names_consistency":
        return  # it asks that other columns be refused, for which an aligner is there
    getattr(estimator_checks, check)(class_name(Estimator), make_learner(Estimator))
