"""Networks that no machine can train are refused at once, by the parameter to lower."""

import time

import numpy as np
import pytest
import skorch.callbacks
from sksurv.util import Surv

from skgex import (
    BYOL,
    SCARF,
    VIME,
    FineTunedClassifier,
    FineTunedDiscreteHazard,
    GexBERT,
    GexImputer,
)
from skgex import _memory as memory

X = np.random.default_rng(0).standard_normal((40, 12)).astype(np.float32)
N = 10**9


@pytest.mark.parametrize("Embedder", [SCARF, VIME, BYOL])
@pytest.mark.parametrize("dims", [(N,), (8, N), (N, 8), (2**62, 4), [1] * 20_000])
def test_layers_that_are_too_wide_or_too_many(Embedder, dims):
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"hidden_dims=\(\d.*lower hidden_dims"):
        Embedder(hidden_dims=dims).fit(X)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("dims", [(N, 8), (8, N), (N, N)])
def test_heads_that_are_too_wide(dims):
    with pytest.raises(ValueError, match=r"projection_dims=\(.*lower projection_dims"):
        BYOL(projection_dims=dims).fit(X)


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("embedding_dim", {}),
        ("embedding_dim", {"n_heads": N}),
        ("n_layers", {}),
        ("n_decoder_layers", {}),
        ("n_bins", {}),
        ("n_bins", {"value_encoder": "bins"}),
    ],
)
def test_transformers_that_are_too_large(name, others):
    start = time.monotonic()
    for prior in ("low_rank", None):
        gexbert = GexBERT(**{name: N}, **others, prior=prior)
        for estimator in (gexbert, GexImputer(gexbert), FineTunedClassifier(gexbert)):
            with pytest.raises(ValueError, match=f"{name}={N} .*lower {name}"):
                estimator.fit(X, np.arange(40) % 2)
    assert time.monotonic() - start < 10


def test_n_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match=r"embedding_dim=64 .* n_heads=1000000000"):
        GexBERT(n_heads=N).fit(X)


def test_what_has_a_bound_of_its_own():
    sizes = {"batch_size": N, "n_iter_no_change": N}
    assert len(SCARF(**sizes, max_epochs=2).fit(X).history_) == 2
    sizes |= {"n_genes_per_step": N, "max_epochs": 1}
    assert len(GexBERT(**sizes, prior=None).fit(X).history_) == 1


class Stop(skorch.callbacks.Callback):
    def on_epoch_end(self, net, **_):
        if len(net.history) == 3:
            raise KeyboardInterrupt


def test_epochs_are_not_counted_out_before():
    scarf = SCARF(max_epochs=N, callbacks=[Stop()]).fit(X)
    assert len(scarf.history_) == 3


def test_more_intervals_than_events():
    event, time_ = np.arange(40) % 3 > 0, np.arange(1.0, 41)
    y = Surv.from_arrays(event, time_)
    quick = {"embedder": SCARF(max_epochs=0), "alpha": 1.0, "max_epochs": 0}
    cuts = [
        FineTunedDiscreteHazard(n_intervals=n, **quick).fit(X, y).cuts_
        for n in (event.sum(), 500, N)
    ]
    assert all(np.array_equal(cuts[0], other) for other in cuts)
    np.testing.assert_array_equal(cuts[0], time_[event][1:])


def test_a_limit_that_is_of_the_machine_says_so(monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 10_000)
    with pytest.raises(ValueError, match=r"at most 625 can be trained on this machine"):
        SCARF(hidden_dims=(64,)).fit(X)
    monkeypatch.setattr(memory, "machine_bytes", lambda: None)
    assert SCARF(hidden_dims=(64,), max_epochs=0).fit_transform(X).shape == (40, 64)


@pytest.mark.parametrize(
    "embedder",
    [
        VIME(hidden_dims=(40_000,)),  # as in its paper, of all genes
        SCARF(hidden_dims=(4096,) * 4),
        BYOL(projection_dims=(4096, 256)),
        GexBERT(embedding_dim=1024, n_heads=16, n_layers=48),
    ],
    ids=lambda embedder: type(embedder).__name__,
)
def test_large_networks_are_within_the_bound(embedder, monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: None)
    if isinstance(embedder, GexBERT):
        from skgex.pretext._gexbert_sizes import check_sizes

        check_sizes(embedder, 60_000)
    else:
        from skgex.pretext._mlp import check_encoder_size

        check_encoder_size(embedder.hidden_dims, 40_000)
