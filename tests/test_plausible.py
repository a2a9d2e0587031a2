"""Tables that cannot be meant are told: raw counts, and genes in rows."""

import warnings

import numpy as np
import pandas as pd
import pytest
from discovery import EMBEDDERS, LEARNERS, SELECTORS, class_name, make_target, tiny
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

import skgex._plausible as plausible
from skgex import SCARF, GeneRestorer, GexBERT, GexImputer, LogCPM, QuantileNormalizer
from skgex.datasets import load_breast_nki, load_tcga_pancancer, load_tissues_u133
from skgex.io import check_expression

RNG = np.random.default_rng(0)
LEVEL = np.exp2(RNG.normal(8, 2, size=60))
COUNTS = RNG.poisson(LEVEL * RNG.gamma(3, 1 / 3, size=(40, 60))).astype(np.float32)
TPM = 1e6 * COUNTS / COUNTS.sum(axis=1, keepdims=True)
LOGS = np.log2(TPM + 1)
SYMBOLS = ["TP53", "ACTB", "EGFR", "BRCA1", "MYC", "KRAS", "PTEN", "GATA3"]
FITTED = [e for e in LEARNERS if e not in SELECTORS]
EVERY = pytest.mark.parametrize("Estimator", FITTED, ids=class_name)


def fit(Estimator, X, **parameters):
    y = make_target(Estimator, np.arange(len(X)) % 2, np.arange(len(X)) * 1.0)
    return tiny(Estimator, **parameters).fit(X, y)


@EVERY
def test_counts_are_told_once(Estimator):
    with pytest.warns(UserWarning, match="Values are counts") as caught:
        fit(Estimator, COUNTS)
    assert len(caught) == 1
    name = Estimator.__name__
    assert f"make_pipeline(LogCPM(), {name}(...))" in str(caught[0].message)


@EVERY
def test_genes_in_rows_are_told_once(Estimator):
    rows = [f"{name}{i}" for i in range(2, 7) for name in ("ZNF", "RPL", "RPS")][:12]
    table = pd.DataFrame(LOGS[:12, :20], [*SYMBOLS, *rows[:4]])
    table.columns = [f"TCGA-AA-{i:04d}-01" for i in range(20)]
    with pytest.warns(UserWarning, match=r"named like genes.*X\.T") as caught:
        fit(Estimator, table)
    assert len(caught) == 1


def test_pretrained_weights_do_not_silence_it():
    frozen = FrozenEstimator(tiny(GexBERT).fit(LOGS))
    for estimator in (GexImputer(frozen), GeneRestorer(frozen)):
        with pytest.warns(UserWarning, match="Values are counts"):
            estimator.fit(COUNTS)


def test_values_below_limits_are_told_once():
    holes = np.where(RNG.random(COUNTS.shape) < 0.1, np.nan, COUNTS)
    with pytest.warns(UserWarning, match="Values are counts") as caught:
        tiny(GexImputer, censored="left").fit(holes)
    assert len(caught) == 1


def test_marks_of_missing_values_are_no_counts():
    values = np.where(RNG.random(LOGS.shape) < 0.1, -999, LOGS)
    tiny(GexImputer, missing_values=-999).fit(values)


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_the_remedy_is_one(Embedder):
    make_pipeline(LogCPM(), tiny(Embedder)).fit(COUNTS)


def told(X):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plausible.warn_of_table(SCARF(), X, np.asarray(X, dtype=np.float32))
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (COUNTS, "Values are counts, whole numbers."),
        (COUNTS.round(0).astype(int), "Values are counts, whole numbers."),
        (np.where(COUNTS % 3 == 0, COUNTS + 0.5, COUNTS), "estimated with fractions"),
        (TPM, "Values are TPM or CPM: each sample adds up to a million."),
        (np.where(COUNTS > 900, np.nan, COUNTS), "Values are counts"),
    ],
    ids=["counts", "integers", "estimated", "TPM", "holes"],
)
def test_what_is_told(X, said):
    (message,) = told(X)
    assert said in message
    # The report on the whole table says the same.
    assert check_expression(X).unit in ("counts", "TPM or CPM")
    assert message.startswith(str(check_expression(X)).split(". ", 1)[1].split("\n")[0])


QUIET = {
    "logarithms": LOGS,
    "rounded logarithms": LOGS.round(1),
    "z-scores": (LOGS - LOGS.mean(axis=0)) / LOGS.std(axis=0),
    "intensities": TPM[:, LEVEL > 90] + 20.5,
    "TPM of some genes": TPM[:, ::1] * RNG.uniform(0.2, 0.7, size=(40, 1)),
    "ranks": LOGS.argsort(axis=1).argsort(axis=1) + 1,
    "a panel of counts": COUNTS[:, :30],
    "zeros": np.zeros((40, 60)),
    "nothing": np.full((40, 60), np.nan),
    "two values": (LOGS > 8).astype(float),
    "infinite": np.full((40, 60), np.inf),
    "quantiles": QuantileNormalizer().fit_transform(COUNTS),
}


@pytest.mark.parametrize("X", QUIET.values(), ids=QUIET.keys())
def test_what_is_not_told(X):
    assert not told(X)


@pytest.mark.parametrize(
    "load", [load_breast_nki, load_tcga_pancancer, load_tissues_u133]
)
def test_real_tables_are_not_told_of(load):
    table = load(as_frame=True).data
    assert not told(table)
    (message,) = told(table.T)
    assert "X.T" in message


def test_a_large_table_is_looked_at_by_some_rows(monkeypatch):
    seen = []
    real = plausible.find_unit
    monkeypatch.setattr(
        plausible, "find_unit", lambda X: seen.append(X.shape) or real(X)
    )
    told(np.broadcast_to(COUNTS[:, :1] + np.arange(60), (40, 60)))
    told(np.resize(COUNTS, (3000, 800)))
    told(np.resize(COUNTS, (300, 20_000)))
    assert seen == [(40, 60), (125, 800), (20, 20_000)]
