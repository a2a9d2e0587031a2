"""Losses against slow loops written from the papers, closed forms and torch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skgex.nn import byol_loss, info_nce_loss, nt_xent_loss, vime_loss

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 12), st.integers(0, 2**16))
TEMPERATURES = st.sampled_from([0.05, 0.3, 1.0, 5.0])


def draw(shape, seed, n_tensors=2):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for _ in range(n_tensors)]


def cosine(a, b):
    a, b = a.double().numpy(), b.double().numpy()
    return a @ b / math.sqrt((a @ a) * (b @ b))


def nt_xent_by_loops(z_1, z_2, temperature):
    """Chen et al. 2020, equation 1 and algorithm 1: rows 2k-1 and 2k are a pair."""
    z = [row for pair in zip(z_1, z_2, strict=True) for row in pair]
    total = 0.0
    for i in range(len(z)):
        partner = i + 1 if i % 2 == 0 else i - 1
        denominator = sum(
            math.exp(cosine(z[i], z[k]) / temperature) for k in range(len(z)) if k != i
        )
        positive = math.exp(cosine(z[i], z[partner]) / temperature)
        total -= math.log(positive / denominator)
    return total / len(z)


def info_nce_by_loops(z, z_view, temperature):
    """Bahri et al. 2022, algorithm 1: mean over i of -log(e^s_ii / mean_k e^s_ik)."""
    n = len(z)
    total = 0.0
    for i in range(n):
        terms = [math.exp(cosine(z[i], z_view[k]) / temperature) for k in range(n)]
        total -= math.log(terms[i] / (sum(terms) / n))
    return total / n


def vime_by_loops(logits, restored, X, mask, alpha):
    """Yoon et al. 2020, equations 4-6, over the measured entries."""
    entropy, error, n_measured = 0.0, 0.0, 0
    for logit, value, x, changed in zip(
        *(t.flatten().tolist() for t in (logits, restored, X, mask)), strict=True
    ):
        if math.isnan(x):
            continue
        probability = 1 / (1 + math.exp(-logit))
        entropy -= math.log(probability if changed else 1 - probability)
        error += (value - x) ** 2
        n_measured += 1
    return (entropy + alpha * error) / n_measured


@given(SIZES, TEMPERATURES)
def test_nt_xent_is_the_loop_of_the_paper(size, temperature):
    n, d, seed = size
    z_1, z_2 = draw((n, d), seed)
    expected = nt_xent_by_loops(z_1, z_2, temperature)
    assert_allclose(nt_xent_loss(z_1, z_2, temperature), expected, 1e-4, 1e-5)


@given(SIZES, TEMPERATURES)
def test_info_nce_is_the_loop_of_the_paper(size, temperature):
    n, d, seed = size
    z, z_view = draw((n, d), seed)
    expected = info_nce_by_loops(z, z_view, temperature)
    assert_allclose(info_nce_loss(z, z_view, temperature), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("n", [2, 4, 7])
def test_contrastive_losses_of_orthonormal_views(n, temperature):
    # Positives at similarity 1, all others at 0.
    z = torch.eye(n)
    positive = math.exp(1 / temperature)
    nt_xent = math.log((positive + 2 * n - 2) / positive)
    info_nce = math.log((positive + n - 1) / n / positive)
    assert_allclose(nt_xent_loss(z, z, temperature), nt_xent, rtol=1e-4, atol=1e-6)
    assert_allclose(info_nce_loss(z, z, temperature), info_nce, rtol=1e-5)


def test_nt_xent_of_collapsed_views():
    # All similarities equal: one positive among 2n - 1 others.
    z = torch.ones(6, 3)
    assert_allclose(nt_xent_loss(z, 2 * z, 0.2), math.log(11), rtol=1e-6)
    assert_allclose(info_nce_loss(z, 2 * z, 0.2), 0, atol=1e-6)


@pytest.mark.parametrize("loss", [nt_xent_loss, info_nce_loss])
def test_contrastive_losses_ignore_length_and_order(loss):
    z, z_view = draw((8, 5), 0)
    length = torch.rand(8, 1) + 0.1
    order = torch.randperm(8)
    expected = loss(z, z_view, 0.3)
    assert_allclose(loss(length * z, 7 * z_view, 0.3), expected, rtol=1e-5)
    assert_allclose(loss(z[order], z_view[order], 0.3), expected, rtol=1e-5)


def test_nt_xent_is_symmetric():
    z_1, z_2 = draw((8, 5), 1)
    assert_allclose(nt_xent_loss(z_1, z_2), nt_xent_loss(z_2, z_1), rtol=1e-6)


@given(SIZES, st.floats(0, 5), st.floats(0, 0.9))
def test_vime_is_the_loop_of_the_paper(size, alpha, missing_rate):
    n, d, seed = size
    logits, restored, X, uniform, hidden = draw((n, d), seed, 5)
    hidden = hidden.sigmoid() < missing_rate
    hidden[0, 0] = False  # one value at least is measured
    X[hidden] = torch.nan
    mask = uniform > 0
    expected = vime_by_loops(logits, restored, X, mask, alpha)
    assert_allclose(vime_loss(logits, restored, X, mask, alpha), expected, 1e-4, 1e-6)


def test_vime_without_missing_values_is_made_of_torch_losses():
    logits, restored, X, uniform = draw((6, 4), 0, 4)
    mask = uniform > 0
    entropy = F.binary_cross_entropy_with_logits(logits, mask.float())
    error = F.mse_loss(restored, X)
    assert_allclose(vime_loss(logits, restored, X, mask, 0.7), entropy + 0.7 * error)
    assert_allclose(vime_loss(logits, restored, X, mask, 0.0), entropy)


def test_vime_learns_nothing_from_genes_that_were_not_measured():
    logits, restored, X = (t.requires_grad_() for t in draw((5, 4), 0, 3))
    X = X.detach()
    X[1, 2] = X[3] = torch.nan
    vime_loss(logits, restored, X, torch.ones(5, 4) > 0).backward()
    for tensor in (logits, restored):
        assert (tensor.grad[X.isnan()] == 0).all()
        assert (tensor.grad[~X.isnan()] != 0).all()


def test_vime_of_a_batch_without_any_value_is_zero():
    zeros = torch.zeros(2, 3, requires_grad=True)
    X = torch.full((2, 3), torch.nan)
    loss = vime_loss(zeros, zeros, X, X > 0)
    loss.backward()
    assert loss == 0
    assert (zeros.grad == 0).all()


@given(SIZES)
def test_byol_is_two_minus_two_cosines(size):
    n, d, seed = size
    prediction, target = draw((n, d), seed)
    expected = np.mean(
        [2 - 2 * cosine(p, t) for p, t in zip(prediction, target, strict=True)]
    )
    assert_allclose(byol_loss(prediction, target), expected, rtol=1e-5, atol=1e-6)
    # ... which is the squared distance of the normalised vectors, equation 2.
    distance = (F.normalize(prediction) - F.normalize(target)).square().sum(1)
    assert_allclose(byol_loss(prediction, target), distance.mean(), 1e-4, 1e-6)


def test_byol_gives_the_target_no_gradient():
    prediction, target = (t.requires_grad_() for t in draw((4, 3), 0))
    byol_loss(prediction, target).backward()
    assert target.grad is None
    assert prediction.grad.abs().sum() > 0


LOSSES = {
    "nt_xent": lambda a, b: nt_xent_loss(a, b, 0.01),
    "info_nce": lambda a, b: info_nce_loss(a, b, 0.01),
    "byol": lambda a, b: byol_loss(a, b.detach()),
    "vime": lambda a, b: vime_loss(a, b, torch.zeros_like(a), a > 0),
}
EXTREMES = {
    "identical": torch.ones(6, 4),
    "opposite": torch.cat([torch.ones(3, 4), -torch.ones(3, 4)]),
    "zero": torch.zeros(6, 4),
    "large": 1e6 * torch.randn(6, 4, generator=torch.Generator().manual_seed(0)),
    "small": 1e-6 * torch.randn(6, 4, generator=torch.Generator().manual_seed(0)),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_gradients_stay_finite(loss, name):
    a = EXTREMES[name].clone().requires_grad_()
    b = EXTREMES[name].flip(0).clone().requires_grad_()
    value = LOSSES[loss](a, b)
    value.backward()
    assert value.isfinite()
    for tensor in (a, b):
        assert tensor.grad is None or tensor.grad.isfinite().all()


@pytest.mark.parametrize("loss", [nt_xent_loss, info_nce_loss])
def test_low_temperature_is_the_distance_to_the_best_negative(loss):
    # At temperature 0.01 the logarithm of the sum is its largest term. Row 0 is 0.2
    # closer to the view of row 1 than to its own, hence a loss of 0.2 / 0.01 there.
    z = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    z_view = torch.tensor([[0.4, 0.0, -math.sqrt(0.84)], [0.6, 0.0, 0.8]])
    by_loops = nt_xent_by_loops if loss is nt_xent_loss else info_nce_by_loops
    assert_allclose(loss(z, z_view, 0.01), by_loops(z, z_view, 0.01), rtol=1e-4)
    if loss is info_nce_loss:
        expected = (20 - math.log(2)) / 2 - math.log(2) / 2
        assert_allclose(loss(z, z_view, 0.01), expected, rtol=1e-4)


def test_half_precision_is_computed_in_single():
    z_1, z_2 = draw((8, 5), 0)
    half = nt_xent_loss(z_1.bfloat16(), z_2.bfloat16(), 0.05)
    assert half.dtype == torch.float32
    expected = nt_xent_loss(z_1.bfloat16().float(), z_2.bfloat16().float(), 0.05)
    assert_allclose(half, expected)
