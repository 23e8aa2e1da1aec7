"""Who can hear the far corner: attention can, a gate and a 1x1 convolution cannot (audit A5).

The channels of one pixel change places inside their groups, so that no statistic of GroupNorm
changes: what another pixel hears, it hears through attention.
"""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from attention_parts import draws, redrawn, rolled_at
from diffedu.nets.attention import (
    CrossAttention,
    LinearCore,
    SpatialAttention,
    SpatialGate,
    SpatialLinearAttention,
    TimeTokenAttention,
)
from diffedu.nets.norms import channel_norm, group_norm

GROUPS = 6  # group_norm(12) has so many
NORMS = pytest.mark.parametrize("norm", [group_norm, channel_norm])
HEARING = {
    "softmax": (lambda norm: SpatialAttention(12, 3, norm=norm), []),
    "linear": (lambda norm: SpatialLinearAttention(12, 3, norm=norm), []),
    "time": (lambda norm: TimeTokenAttention(12, 8, 3, norm=norm), [(2, 8)]),
    "time, linear": (
        lambda norm: TimeTokenAttention(12, 8, 3, norm=norm, attend=LinearCore),
        [(2, 8)],
    ),
}


class Pointwise(nn.Module):
    """GroupNorm, 1x1 convolution, ReLU, 1x1 convolution: what some code calls attention."""

    def __init__(self, norm):
        super().__init__()
        self.inner = nn.Sequential(norm(12), nn.Conv2d(12, 12, 1), nn.ReLU(), nn.Conv2d(12, 12, 1))

    def forward(self, x):
        return x + self.inner(x)


def heard(layer, *parts, h=6, w=9):
    """How much each pixel hears of a change at (1, 2), (H, W), the least over the samples."""
    (x,) = draws((2, 12, h, w), seed=3)
    change = layer(rolled_at(x, GROUPS, 1, 2), *parts) - layer(x, *parts)
    return change.detach().abs().amax(1).amin(0)


@NORMS
@pytest.mark.parametrize(("make", "beside"), HEARING.values(), ids=HEARING)
def test_through_attention_every_pixel_hears_every_other(make, beside, norm):
    assert heard(redrawn(make(norm)), *draws(*beside)).min() > 1e-5


@NORMS
def test_through_a_1x1_convolution_no_pixel_hears_another(norm):
    change = heard(redrawn(Pointwise(norm)))
    assert change[1, 2] > 0.1
    change[1, 2] = 0
    assert change.max() < 1e-12


@NORMS
def test_through_cross_attention_no_pixel_hears_another_for_all_ask_the_context(norm):
    change = heard(redrawn(CrossAttention(12, 7, 3, norm=norm)), *draws((2, 4, 7)))
    assert change[1, 2] > 0.1
    change[1, 2] = 0
    assert change.max() < 1e-12


def test_through_the_gate_a_pixel_is_heard_two_pixels_far_and_no_farther():
    change = heard(redrawn(SpatialGate(12)))
    near = torch.zeros(6, 9, dtype=torch.bool)
    near[:4, :5] = True  # (1, 2) and two to each side, as far as there are pixels
    assert (change[near] > 0).all() and (change[~near] == 0).all()


def test_a_far_pixel_gets_a_gradient_through_attention_and_none_through_the_gate():
    for layer, hears in ((SpatialAttention(12, 3), True), (SpatialGate(12), False)):
        (x,) = draws((2, 12, 6, 9))
        redrawn(layer)(x.requires_grad_())[0, :, 5, 8].square().sum().backward()
        assert (x.grad[0, :, 0, 0].abs().max() > 1e-6) == hears
        assert (x.grad[1] == 0).all()


def gate_by_hand(gate, x):
    first, _, second, _ = gate.gate
    inner = nn.functional.conv2d(x, first.weight, first.bias, padding=1)
    inner = inner / (1 + torch.exp(-inner))
    scores = nn.functional.conv2d(inner, second.weight, second.bias, padding=1)
    return 1 / (1 + torch.exp(-scores))


@pytest.mark.parametrize("channels", [1, 3, 12])
def test_the_gate_multiplies_each_pixel_by_one_number_between_0_and_1(channels):
    gate, (x,) = redrawn(SpatialGate(channels)), draws((2, channels, 3, 5))
    factor = gate_by_hand(gate, x)
    assert factor.shape == (2, 1, 3, 5) and ((factor > 0) & (factor < 1)).all()
    torch.testing.assert_close(gate(x), x * factor, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("score", "factor"), [(-200.0, 0.0), (0.0, 0.5), (200.0, 1.0)])
def test_the_gate_can_silence_and_it_can_let_pass(score, factor):
    gate, (x,) = redrawn(SpatialGate(4)), draws((2, 4, 3, 5))
    with torch.no_grad():
        gate.gate[2].weight.zero_()
        gate.gate[2].bias.fill_(score)
    torch.testing.assert_close(gate(x), factor * x, rtol=0, atol=1e-12)


def test_the_factors_of_the_gate_have_no_sum():
    gate, (x,) = redrawn(SpatialGate(4)), draws((2, 4, 3, 5))
    sums = gate_by_hand(gate, x).sum((1, 2, 3))
    assert (sums > 1.5).all() and abs(sums[0] - sums[1]) > 1e-2


def test_in_the_gate_a_sample_depends_on_itself_alone_and_every_parameter_learns():
    gate, (x,) = redrawn(SpatialGate(4)), draws((2, 4, 3, 5))
    changed = x.clone()
    changed[1] += 1
    difference = (gate(changed) - gate(x)).abs().amax((1, 2, 3))
    assert difference[0] == 0 < difference[1]
    gate(x).square().sum().backward()
    assert all(p.grad.abs().max() > 1e-3 for p in gate.parameters())
    assert gradcheck(gate, x[:, :, :2].clone().requires_grad_())
