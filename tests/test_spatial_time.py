"""One time token among the pixels: torch's attention with the token appended, and how it drowns."""

import math

import pytest
import torch
from torch.nn.functional import group_norm as torchs_group_norm
from torch.nn.functional import scaled_dot_product_attention as sdpa

from attention_parts import draws, map_by_loops, pixels_by_loops, redrawn
from diffedu.nets.attention import (
    LinearCore,
    SoftmaxCore,
    TimeTokenAttention,
    linear_attention_weights,
    record_attention,
)

EXACT = {"rtol": 0, "atol": 1e-12}
CORES = pytest.mark.parametrize("core", [SoftmaxCore, LinearCore])


def layer(core=SoftmaxCore, seed=0):
    return redrawn(TimeTokenAttention(12, 8, 3, attend=core), seed)


def cut(x):
    """(B, n, 12) -> (B, 3, n, 4), head by head."""
    return torch.stack([x[..., 4 * h : 4 * h + 4] for h in range(3)], dim=1)


def look(core, q, k, v):
    return sdpa(q, k, v) if core is SoftmaxCore else linear_attention_weights(q, k) @ v


def by_hand(ours, core, x, time):
    norm = torchs_group_norm(x, ours.norm.num_groups, ours.norm.weight, ours.norm.bias)
    pixels = pixels_by_loops(norm)
    k = torch.cat([ours.to_k(pixels), ours.time_to_k(time)[:, None]], dim=1)
    v = torch.cat([ours.to_v(pixels), ours.time_to_v(time)[:, None]], dim=1)
    brought = look(core, cut(ours.to_q(pixels)), cut(k), cut(v))
    return x + map_by_loops(ours.to_out(torch.cat(brought.unbind(1), dim=2)), *x.shape[2:])


@CORES
@pytest.mark.parametrize("size", [(3, 5), (5, 3), (1, 1)])
def test_it_is_attention_over_the_pixels_and_one_token_more(core, size):
    ours, (x, time) = layer(core), draws((2, 12, *size), (2, 8))
    torch.testing.assert_close(ours(x, time), by_hand(ours, core, x, time), **EXACT)


@CORES
def test_the_time_token_has_a_key_and_a_value_of_its_own(core):
    """Each alone may be silent: nothing to say but a place to look, or the other way round."""
    for silent, speaking in (("time_to_v", "time_to_k"), ("time_to_k", "time_to_v")):
        ours, (x, time, other) = layer(core), draws((2, 12, 3, 5), (2, 8), (2, 8))
        with torch.no_grad():
            getattr(ours, silent).weight.zero_()
            getattr(ours, silent).bias.zero_()
        torch.testing.assert_close(ours(x, time), by_hand(ours, core, x, time), **EXACT)
        assert (ours(x, time) - ours(x, other)).abs().amax((1, 2, 3)).min() > 1e-3
        with torch.no_grad():
            getattr(ours, speaking).weight.zero_()
        torch.testing.assert_close(ours(x, time), ours(x, other), rtol=0, atol=0)


def test_its_projections_are_five_and_share_nothing():
    ours = layer()
    names = {name.rpartition(".")[0] for name, _ in ours.named_parameters()}
    projections = {"to_q", "to_k", "to_v", "time_to_k", "time_to_v"}
    assert names == projections | {"to_out", "norm"}
    assert len({getattr(ours, name).weight.data_ptr() for name in projections}) == 5


@CORES
def test_every_projection_learns(core):
    """Of the keys' two biases only the difference matters, and that of one is enough to move it."""
    ours, (x, time) = layer(core), draws((2, 12, 3, 5), (2, 8))
    ours(x, time).square().sum().backward()
    for name, parameter in ours.named_parameters():
        assert parameter.grad.abs().max() > 1e-3, name
    both = ours.to_k.bias.grad + ours.time_to_k.bias.grad
    torch.testing.assert_close(both, torch.zeros(12).double(), **EXACT)


def sizes_and(measure):
    return [(n * n, measure(n)) for n in (4, 8, 16, 32)]


def slope(pairs):
    """Of the logarithms, from the first to the last."""
    (n1, y1), (n2, y2) = pairs[0], pairs[-1]
    return math.log(y2 / y1) / math.log(n2 / n1)


@CORES
def test_among_more_pixels_the_time_token_is_heard_less(core):
    """Its weight and its effect fall about as 1/n: measured on 16 to 1024 pixels."""
    ours = layer(core)

    def weight(n):
        with record_attention(ours) as maps, torch.no_grad():
            ours(*draws((4, 12, n, n), (4, 8), seed=n))
        return maps["TimeTokenAttention"][0][..., -1].mean().item()

    def effect(n):
        x, time, other = draws((4, 12, n, n), (4, 8), (4, 8), seed=n)
        with torch.no_grad():
            return ((ours(x, time) - ours(x, other)).norm() / x.norm()).item()

    weights, effects = sizes_and(weight), sizes_and(effect)
    assert weights[0][1] > 0.03 and weights[-1][1] < 0.003
    assert slope(weights) == pytest.approx(-1, abs=0.15)
    assert slope(effects) == pytest.approx(-1, abs=0.2)


@CORES
def test_every_pixel_hears_the_time(core):
    ours, (x, time, other) = layer(core), draws((2, 12, 3, 5), (2, 8), (2, 8))
    assert (ours(x, time) - ours(x, other)).abs().amax(1).min() > 1e-3


def test_a_time_of_another_shape_is_an_error():
    ours, (x,) = layer(), draws((2, 12, 3, 5))
    for wrong in (7, 9):
        with pytest.raises(ValueError, match=rf"time: expected shape \(2, 8\), got \(2, {wrong}\)"):
            ours(x, *draws((2, wrong)))
