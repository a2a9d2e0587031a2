"""What the score test of all genes at once costs beside a loop over genes.

    python score_test_speed.py [--samples 1000] [--genes 20000] [--repeats 5]

Prints two tables, for times without ties, times in 50 months, strata, and genes with
missing values:

- score test: seconds for all genes, the median and the range, and beside it a loop of
  one-gene tests on the first 200 genes, scaled up to all of them;
- selector: a fit of `UnivariateCoxSelector`, which also checks its input and adjusts
  p-values, beside `SelectKBest(f_classif)`, which knows nothing of follow-up.

Everything is measured side by side in one run; set OMP_NUM_THREADS=1 to compare.
"""

import argparse
import statistics

import numpy as np
from _records import record
from _timing import side_by_side
from sklearn.feature_selection import SelectKBest

from skgex import UnivariateCoxSelector
from skgex._survival._score_test import cox_score_test

LOOPED = 200


def one_gene(x, event, time, strata):
    """The score test of one gene: a loop over event times, Efron's ties."""
    keep = ~np.isnan(x)
    x, event, time, strata = (a[keep] for a in (x, event, time, strata))
    score = information = 0.0
    for s in np.unique(strata):
        for t in np.unique(time[event & (strata == s)]):
            at_risk = (strata == s) & (time >= t)
            dying = at_risk & event & (time == t)
            d = dying.sum()
            score += x[dying].sum()
            for term in range(d):
                left = at_risk - term / d * dying
                mean = (left * x).sum() / left.sum()
                score -= mean
                information += (left * (x - mean) ** 2).sum() / left.sum()
    return score / np.sqrt(information)


def make_cases(n_samples, n_genes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_genes), dtype=np.float32)
    months = rng.exponential(25.0, n_samples)
    event = rng.random(n_samples) < 0.3
    cohort = np.zeros(n_samples, dtype=int)
    holes = X.copy()
    holes[rng.random(X.shape, dtype=np.float32) < 0.02] = np.nan
    tied = np.ceil(np.minimum(months, 50))
    return {
        "no ties": (X, event, months, cohort),
        "50 months": (X, event, tied, cohort),
        "10 strata": (X, event, months, rng.integers(0, 10, n_samples)),
        "2 % missing": (holes, event, months, cohort),
        "2 % missing, 50 months": (holes, event, tied, cohort),
    }


def measure_score_test(cases, repeats):
    print("\nscore test: seconds for all genes")
    print(f"{'':24s}{'at once':>10s}{'range':>16s}{'loop':>10s}{'ratio':>8s}")
    for name, (X, event, months, strata) in cases.items():
        few = X[:, :LOOPED].astype(float).T

        def at_once(X=X, event=event, months=months, strata=strata):
            return cox_score_test(X, event, months, strata=strata)

        def loop(few=few, event=event, months=months, strata=strata):
            return [one_gene(x, event, months, strata) for x in few]

        np.testing.assert_allclose(at_once()[: len(few)], loop(), rtol=1e-8)
        ours = side_by_side({"at once": at_once}, repeats)["at once"]
        slow = side_by_side({"loop": loop}, 1)["loop"][0] * X.shape[1] / len(few)
        size = {"samples": len(X), "genes": X.shape[1]}
        record(f"score test, {name}", ours, beside=f"its loop, {name}", **size)
        record(f"its loop, {name}", slow, **size)
        median = statistics.median(ours)
        print(
            f"{name:24s}{median:10.3f}{min(ours):10.3f}-{max(ours):.3f}"
            f"{slow:10.0f}{slow / median:8.0f}"
        )


def measure_selector(cases, repeats):
    print("\nselector: seconds of a fit")
    X, event, months, _ = cases["no ties"]
    y = np.rec.fromarrays([event, months], names=["event", "time"])
    times = side_by_side(
        {
            "UnivariateCoxSelector": lambda: UnivariateCoxSelector().fit(X, y),
            "SelectKBest(f_classif)": lambda: SelectKBest(k=100).fit(X, event),
        },
        repeats,
    )
    size = {"samples": len(X), "genes": X.shape[1]}
    for name, values in times.items():
        record(name, values, beside="SelectKBest(f_classif)", **size)
        print(f"{name:24s}{statistics.median(values):10.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{options.samples:,d} samples, {options.genes:,d} genes, 30 % events")
    cases = make_cases(options.samples, options.genes)
    measure_score_test(cases, options.repeats)
    measure_selector(cases, options.repeats)


if __name__ == "__main__":
    main()
