"""Cost of the survival estimators on synthetic cohorts.

    python survival_speed.py [--threads 1] [--quick]

- loss: Cox's likelihood and its gradient for 10,000 samples, beside a loss from the
  matrix of samples by samples;
- ridge path: 12 penalties for 500 x 300, beside `CoxPHSurvivalAnalysis` for each of
  them, and the largest difference of their coefficients;
- fit: `FineTunedCoxPH()` with its default settings, 1,000 x 1,500, and its linear part
  alone, also for 10,000 x 1,500 and 1,000 x 20,000;
- curves: survival of 10,000 samples at 5 times, and the memory that takes.

Medians of five where that is quick, else one run.
"""

import argparse
import resource
import time
from statistics import median

import numpy as np
import torch
from _records import record
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv
from survival_models import linear, set_threads

from skgex import FineTunedCoxPH
from skgex._finetune._sample_span import SampleSpan
from skgex._survival._ridge_path import penalty_path, ridge_path
from skgex.nn import CoxLikelihood


def cohort(n_samples, n_genes, seed=0):
    """Return genes that share 60 factors, two of which bear on survival."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_samples, 60))
    X = factors @ rng.normal(size=(60, n_genes)) / 8
    X += rng.normal(size=(n_samples, n_genes))
    time = rng.exponential(1000 * np.exp(factors[:, 0] - factors[:, 1]))
    censored = rng.exponential(1000, n_samples)
    y = Surv.from_arrays(time <= censored, np.ceil(np.minimum(time, censored)))
    return X.astype(np.float32), y


def seconds(call, *arguments, repeat=5, **options):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call(*arguments, **options)
        times.append(time.perf_counter() - start)
    return times


def loss(quick):
    n = 1000 if quick else 10_000
    _, y = cohort(n, 1)
    event, times = (torch.from_numpy(y[name].copy()) for name in ("event", "time"))
    risk = torch.randn(n, requires_grad=True)
    likelihood = CoxLikelihood(event, times, ties="breslow")

    def ours():
        likelihood(risk).backward()

    def matrix():
        at_risk = times[None] >= times[:, None]
        masked = risk.double()[None].where(at_risk, -torch.inf)
        (masked.logsumexp(1) - risk)[event].sum().backward()

    times = seconds(ours), seconds(matrix)
    record("Cox loss and gradient", times[0], beside="by a matrix", samples=n)
    record("by a matrix", times[1], samples=n)
    both = [median(values) for values in times]
    print(f"loss and gradient, {n:,} samples: {1e3 * both[0]:.2f} ms, by a matrix ")
    print(f"  {1e3 * both[1]:.0f} ms, ratio {both[1] / both[0]:.0f}")


def path(quick):
    X, y = cohort(*((100, 50) if quick else (500, 300)))
    X = (X - X.mean(0)) / X.std(0)
    event, times = (torch.from_numpy(y[name].copy()) for name in ("event", "time"))
    likelihood, coefs = CoxLikelihood(event, times), []

    def ours():
        span = SampleSpan(X)
        alphas = penalty_path(span.scores, likelihood)
        found = ridge_path(span.scores, likelihood, alphas)
        coefs[:] = alphas, np.stack([span.coefficients(theta) for theta in found])

    times = seconds(ours)
    own = median(times)
    start = time.perf_counter()
    theirs = [
        CoxPHSurvivalAnalysis(alpha=alpha, ties="efron", tol=1e-10).fit(X, y).coef_
        for alpha in coefs[0]
    ]
    other = time.perf_counter() - start
    size = {"samples": len(X), "genes": X.shape[1]}
    record("ridge path", times, beside="CoxPHSurvivalAnalysis", **size)
    record("CoxPHSurvivalAnalysis", other, **size)
    difference = np.abs(coefs[1] - theirs).max()
    print(f"ridge path, {X.shape}: {own:.2f} s, CoxPHSurvivalAnalysis {other:.1f} s,")
    print(f"  ratio {other / own:.0f}, largest difference {difference:.1e}")


def fit(quick):
    sizes = [(1000, 1500), (10_000, 1500), (1000, 20_000)]
    for size in [(100, 300)] if quick else sizes:
        X, y = cohort(*size)
        model = linear()
        report("linear part", model.fit, X, y)
        if size == sizes[0] or quick:
            full = FineTunedCoxPH(random_state=0)
            report("default fit", full.fit, X, y)
    X, y = cohort(*((100, 150) if quick else (1000, 1500)))
    model.fit(X, y)
    X = np.tile(X, (10, 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = np.quantile(y["time"], [0.1, 0.3, 0.5, 0.7, 0.9])
    (spent,) = seconds(model.predict_survival_function, X, times=times, repeat=1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = {"samples": len(X), "genes": X.shape[1]}
    record("survival curves at 5 times", spent, **size)
    record("survival curves at 5 times", (after - before) / 1e3, "MB", **size)
    print(f"curves, {len(X):,} x 5 times: {spent:.1f} s, ", end="")
    print(f"{(after - before) / 1e3:.0f} MB")


def report(name, fit, X, y):
    """Print and record seconds of one fit."""
    times = seconds(fit, X, y, repeat=1)
    print(f"{name}, {X.shape}: {times[0]:.1f} s", flush=True)
    record(f"FineTunedCoxPH {name}", times, samples=len(X), genes=X.shape[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small cohorts")
    arguments = parser.parse_args()
    set_threads(arguments.threads)
    for job in (loss, path, fit):
        job(arguments.quick)
