"""What is peculiar to each pretext method."""

import math

import numpy as np
import pytest
import torch
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skgex import BYOL, SCARF, VIME
from skgex.datasets import make_expression
from skgex.nn import (
    GeneCorruption,
    MLPEncoder,
    byol_loss,
    info_nce_loss,
    nt_xent_loss,
    vime_loss,
)
from skgex.pretext._byol import BYOLObjective

X = make_expression(n_samples=60, n_genes=30, random_state=0)


def standardized(embedder, values=X):
    """Return what the objective of a fitted embedder is trained on."""
    return embedder.standardizer_(torch.from_numpy(values))


def loss_and_views(objective, Z):
    """Return the loss of an objective and the views it was computed from."""
    views = []
    hook = objective.corruption.register_forward_hook(
        lambda module, args, out: views.append(out)
    )
    with torch.no_grad():
        loss = objective(Z)
    hook.remove()
    return loss, views


# SCARF


@pytest.mark.parametrize(
    ("name", "function"), [("nt_xent", nt_xent_loss), ("info_nce", info_nce_loss)]
)
def test_scarf_contrasts_a_sample_with_its_view(name, function):
    embedder = tiny(SCARF, loss=name, temperature=0.4).fit(X)
    objective, Z = embedder.objective_, standardized(embedder)
    loss, [(view, _)] = loss_and_views(objective, Z)
    z, z_view = (objective.head(objective.encoder(v)) for v in (Z, view))
    assert_allclose(loss, function(z, z_view, 0.4).detach(), rtol=1e-6)


@pytest.mark.parametrize("replacement", ["marginal", "uniform"])
def test_scarf_replaces_the_exact_share(replacement):
    embedder = tiny(SCARF, corruption_rate=0.35, replacement=replacement).fit(X)
    _, [(view, mask)] = loss_and_views(embedder.objective_, standardized(embedder))
    assert_array_equal(mask.sum(1), np.full(60, math.floor(0.35 * 30)))
    assert_array_equal(view != standardized(embedder), mask)


def test_scarf_draws_uniform_replacements_between_the_extremes_of_a_gene():
    holes = X.copy()
    holes[::7, 3] = np.nan
    holes[4, 5] = 1e3  # clipped, so that the range is that of what is trained on
    embedder = tiny(SCARF, replacement="uniform", clip=5.0).fit(holes)
    Z = standardized(embedder, holes).numpy()
    corruption = embedder.objective_.corruption
    assert_allclose(corruption.low, np.nanmin(Z, axis=0), rtol=1e-6)
    assert_allclose(corruption.high, np.nanmax(Z, axis=0), rtol=1e-6)
    assert corruption.high[5] == 5


def test_scarf_keeps_no_pool_of_rows_after_training():
    assert not tiny(SCARF).fit(X).objective_.corruption._shifts


# VIME


def test_vime_looks_for_what_was_changed_and_restores_it():
    # Half of all values are zero: swapped with each other they are not changed.
    zeros = np.where(np.random.default_rng(0).random(X.shape) < 0.5, 0, X)
    embedder = tiny(VIME, mask_rate=0.6, alpha=0.7).fit(zeros.astype(np.float32))
    objective = embedder.objective_
    Z = standardized(embedder, zeros.astype(np.float32))
    loss, [(view, selected)] = loss_and_views(objective, Z)
    changed = view != Z
    assert selected.float().mean() == pytest.approx(0.6, abs=0.08)
    assert changed.sum() < 0.85 * selected.sum()
    z = objective.encoder(view)
    heads = objective.mask_head(z), objective.feature_head(z)
    expected = vime_loss(*heads, Z, changed, 0.7)
    assert_allclose(loss, expected.detach(), rtol=1e-6)
    # The other target would give another loss.
    assert abs(loss - vime_loss(*heads, Z, selected, 0.7)) > 1e-3


def test_vime_heads_are_linear_and_as_wide_as_the_genes():
    objective = tiny(VIME).fit(X).objective_
    for head in (objective.mask_head, objective.feature_head):
        assert isinstance(head, nn.Linear)
        assert head.weight.shape == (30, 8)


def test_vime_restores_better_than_the_mean():
    embedder = tiny(VIME, hidden_dims=(32, 16), max_epochs=60, batch_size=20).fit(X)
    objective, Z = embedder.objective_, standardized(embedder)
    view, mask = GeneCorruption(0.2)(Z)
    with torch.no_grad():
        restored = objective.feature_head(objective.encoder(view))
        logits = objective.mask_head(objective.encoder(view))
    error = (restored - Z).square().mean()
    assert error < 0.7 * Z.square().mean()
    # Changed genes are told from the others, if not well.
    assert logits[mask].mean() > logits[~mask].mean()


# BYOL


def make_byol(decay, decay_schedule="constant"):
    corruption = GeneCorruption(0.3)
    encoder = MLPEncoder(30, (6, 4))
    return BYOLObjective(encoder, corruption, (5, 3), decay, decay_schedule)


def copied(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_byol_predicts_the_target_of_the_other_view():
    embedder = tiny(BYOL).fit(X)
    objective = embedder.objective_
    loss, [(first, _), (second, _)] = loss_and_views(objective, standardized(embedder))
    expected = 0
    for one, other in ((first, second), (second, first)):
        projection = objective.projector(objective.encoder(one))
        expected += byol_loss(objective.predictor(projection), objective.target(other))
    assert_allclose(loss, expected.detach(), rtol=1e-6)
    assert (first != second).any()


@pytest.mark.parametrize("decay_schedule", ["constant", "cosine"])
def test_byol_target_is_the_moving_average_of_weights_and_buffers(decay_schedule):
    objective = make_byol(0.9, decay_schedule)
    online = nn.Sequential(objective.encoder, objective.projector)
    expected = {name: v.double() for name, v in copied(objective.target).items()}
    optimizer = torch.optim.SGD(objective.parameters(), lr=0.1)
    n_steps = 12
    for step in range(1, n_steps + 1):
        optimizer.zero_grad()
        objective(torch.randn(16, 30)).backward()
        optimizer.step()
        ours = copied(objective.target)  # batches of the target move its statistics
        decay = 0.9
        if decay_schedule == "cosine":
            decay = 1 - 0.1 * (math.cos(math.pi * step / n_steps) + 1) / 2
        for name, value in online.state_dict().items():
            if name.endswith("num_batches_tracked"):
                expected[name] = value.double()
                continue
            if "running" in name:
                expected[name] = ours[name].double()
            expected[name] = decay * expected[name] + (1 - decay) * value.double()
        objective.after_step(step / n_steps)
        for name, value in objective.target.state_dict().items():
            assert_allclose(value, expected[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("progress", "decay"), [(0.0, 0.996), (1 / 3, 0.997), (0.5, 0.998), (1.0, 1.0)]
)
def test_byol_decay_rises_along_a_cosine(progress, decay):
    objective = make_byol(0.996, "cosine")
    with torch.no_grad():
        for value in objective.encoder.parameters():
            value.fill_(1)
        for value in objective.target[0].parameters():
            value.fill_(0)
    objective.after_step(progress)
    for value in objective.target[0].parameters():
        assert_allclose(value, 1 - decay, atol=1e-7)


def test_byol_starts_with_target_and_network_alike():
    objective = make_byol(1.0)
    before = copied(objective.target)
    for name, value in (
        nn.Sequential(objective.encoder, objective.projector).state_dict().items()
    ):
        assert torch.equal(before[name], value)
    with torch.no_grad():
        objective.encoder.layers[0].weight.add_(1)
    objective.after_step(0.5)  # a decay of 1 never moves
    for name, value in objective.target.named_parameters():
        assert torch.equal(before[name], value)


def test_byol_target_is_not_trained():
    objective = make_byol(0.9)
    objective(torch.randn(16, 30)).backward()
    for name, value in objective.named_parameters():
        assert value.requires_grad is not name.startswith("target")
        assert (value.grad is None) is name.startswith("target")


def test_byol_projection_dims_reach_both_heads():
    objective = tiny(BYOL, projection_dims=(7, 5)).fit(X).objective_
    widths = [
        [layer.out_features for layer in head if isinstance(layer, nn.Linear)]
        for head in (objective.projector, objective.predictor, objective.target[1])
    ]
    assert widths == [[7, 5]] * 3


# The settings of the papers are documented, one line each: they must be accepted.


@pytest.mark.parametrize("Estimator", [SCARF, VIME, BYOL])
def test_settings_of_the_papers_run(Estimator):
    text = Estimator.__doc__.replace("\n", " ")
    calls = [part for part in text.split("``") if part.startswith(Estimator.__name__)]
    assert len(calls) >= 2
    for call in calls:
        embedder = eval(call, {Estimator.__name__: Estimator, "n_genes": 30})
        embedder.set_params(max_epochs=1).fit(X)
        assert np.isfinite(embedder.transform(X)).all()
