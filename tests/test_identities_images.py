"""Notebook 08: pixels as tokens, the block, what it costs, the online softmax, the gate."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from diffedu.nets.attention import (
    MultiHeadAttention,
    SoftmaxCore,
    SpatialAttention,
    SpatialGate,
    attention,
    online_attention,
    record_attention,
    to_map,
    to_tokens,
)
from diffedu.nets.blocks import initialise
from diffedu.nets.norms import channel_norm, group_norm


def draw(*shape, seed=0, size=1.5):
    g = torch.Generator().manual_seed(seed)
    return size * torch.randn(shape, generator=g, dtype=torch.float64)


def drawn_layer(channels, n_heads, **options):
    layer = SpatialAttention(channels, n_heads, **options).double()
    initialise(layer, torch.Generator().manual_seed(1))
    return layer


# Pixels as tokens (8.1)


@pytest.mark.identity("8.1")
def test_token_iw_plus_j_holds_the_channels_of_pixel_i_j():
    x = draw(2, 3, 4, 5)
    tokens = to_tokens(x)
    assert tokens.shape == (2, 20, 3)
    for i in range(4):
        for j in range(5):
            for c in range(3):
                assert_close(tokens[:, i * 5 + j, c], x[:, c, i, j], rtol=0, atol=0)


@pytest.mark.identity("8.1")
def test_the_way_back_puts_token_m_in_row_m_div_w_and_column_m_mod_w():
    tokens, like = draw(2, 20, 3), torch.empty(2, 3, 4, 5)
    x = to_map(tokens, like)
    for m in range(20):
        i, j = divmod(m, 5)
        assert_close(x[:, :, i, j], tokens[:, m], rtol=0, atol=0)


# The block (8.2)


def by_torch(layer, x):
    """x + torch's own multi-head attention over norm(x), with the layer's weights."""
    heads, channels = layer.heads, x.shape[1]
    theirs = nn.MultiheadAttention(channels, heads.n_heads, batch_first=True, dtype=x.dtype)
    with torch.no_grad():
        parts = heads.to_q, heads.to_k, heads.to_v
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.weight.copy_(heads.to_out.weight)
        theirs.out_proj.bias.copy_(heads.to_out.bias)
    tokens = layer.norm(x).flatten(2).transpose(1, 2)
    heard = theirs(tokens, tokens, tokens, need_weights=False)[0]
    return x + heard.transpose(1, 2).reshape(x.shape)


@pytest.mark.identity("8.2")
@pytest.mark.parametrize("norm", [group_norm, channel_norm])
@pytest.mark.parametrize("n_heads", [1, 3, 6])
def test_the_block_adds_to_x_what_torchs_attention_hears_in_the_normed_map(norm, n_heads):
    layer, x = drawn_layer(12, n_heads, norm=norm), 4 + draw(2, 12, 3, 5, size=5)
    assert_close(layer(x), by_torch(layer, x), rtol=1e-10, atol=1e-10)


@pytest.mark.identity("8.2")
def test_a_new_block_is_the_identity_however_large_x_is():
    x = 100 + draw(2, 12, 3, 5, size=50)
    assert_close(SpatialAttention(12, 4).double()(x), x, rtol=0, atol=0)


# What it costs (8.3)


class WrittenOut(SoftmaxCore):
    """Without the fused kernel, of which torch's counter knows nothing on a CPU."""

    def forward(self, q, k, v, mask=None):
        return attention(q, k, v, mask)


def operations(run):
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def layer_operations(n, d, n_heads):
    layer = MultiHeadAttention(d, n_heads, attend=WrittenOut)
    return operations(lambda: layer(torch.ones(1, n, d)))


@pytest.mark.identity("8.3")
@pytest.mark.parametrize(("h", "w", "d", "n_heads"), [(2, 3, 8, 2), (6, 5, 24, 4), (8, 12, 30, 5)])
def test_scores_and_operations_are_as_many_as_the_formula_says(h, w, d, n_heads):
    n = h * w
    layer = drawn_layer(d, n_heads)
    with record_attention(layer) as maps:
        layer(draw(3, d, h, w))
    (weights,) = maps["SpatialAttention"]
    assert weights.numel() == 3 * n_heads * n**2
    assert_close(weights.sum(-1), torch.ones(3, n_heads, n, dtype=torch.float64))
    assert layer_operations(n, d, n_heads) == 4 * n**2 * d + 8 * n * d**2


@pytest.mark.identity("8.3")
def test_the_products_have_slope_two_and_the_projections_slope_one():
    n, d, n_heads = torch.tensor([16, 64, 256, 1024]), 24, 4
    total = torch.tensor([layer_operations(k, d, n_heads) for k in n.tolist()])
    projections = torch.tensor(
        [4 * operations(lambda k=k: nn.Linear(d, d)(torch.ones(k, d))) for k in n.tolist()]
    )
    products = total - projections
    slopes = [(part[1:] / part[:-1]).log2() / (n[1:] / n[:-1]).log2() for part in (total, products)]
    assert_close(slopes[1], torch.full((3,), 2.0), rtol=0, atol=0)
    assert (slopes[0] < 2).all()
    assert (slopes[0] > 1).all()
    assert_close((projections[1:] / projections[:-1]).log2() / 2, torch.ones(3), rtol=0, atol=0)


# The online softmax (8.4)


def by_recursion(scores, values, block):
    """(8.4) for one query in plain Python; after each block also the sums that it stands for."""
    m, ell, o = -math.inf, 0.0, 0.0
    for start in range(0, len(scores), block):
        new = scores[start : start + block]
        larger = max(m, *new)
        old = math.exp(m - larger)
        weights = [math.exp(s - larger) for s in new]
        ell = old * ell + sum(weights)
        o = old * o + sum(a * v for a, v in zip(weights, values[start:], strict=False))
        m = larger
        read = scores[: start + block]
        plain = [math.exp(s) for s in read]
        assert math.isclose(ell * math.exp(m), math.fsum(plain), rel_tol=1e-12)
        assert m == max(read)
    return o / ell


@pytest.mark.identity("8.4")
@pytest.mark.parametrize("block", [1, 2, 3, 5, 11])
def test_the_recursion_keeps_the_sums_of_all_keys_read_and_the_package_follows_it(block):
    q, k, v = draw(3, 4, seed=1), draw(11, 4, seed=2), draw(11, 2, seed=3)
    scores = q @ k.T / 2  # the root of 4
    mine = [
        [by_recursion(row, column, block) for column in v.T.tolist()] for row in scores.tolist()
    ]
    assert_close(online_attention(q, k, v, block), torch.tensor(mine).double(), rtol=1e-6, atol=0)
    exact = [
        [
            math.fsum(math.exp(s) * x for s, x in zip(row, column, strict=True))
            / math.fsum(math.exp(s) for s in row)
            for column in v.T.tolist()
        ]
        for row in scores.tolist()
    ]
    expected = torch.tensor(exact, dtype=torch.float64)
    assert_close(online_attention(q, k, v, block), expected, rtol=1e-12, atol=1e-12)


# The gate (8.5)


@pytest.mark.identity("8.5")
def test_the_gate_multiplies_each_pixel_by_one_sigmoid_of_two_convolutions():
    gate, x = SpatialGate(4).double(), draw(2, 4, 5, 6)
    first, _, second, _ = gate.gate
    hidden = conv2d(x, first.weight, first.bias, padding=1)
    g = conv2d(hidden / (1 + (-hidden).exp()), second.weight, second.bias, padding=1)
    assert_close(gate(x), x / (1 + (-g).exp()), rtol=1e-12, atol=1e-12)


@pytest.mark.identity("8.5")
@pytest.mark.parametrize(("bias", "low", "high"), [(-20.0, 0.0, 1e-6), (20.0, 1 - 1e-6, 1.0)])
def test_the_gate_can_silence_and_can_let_through(bias, low, high):
    gate, x = SpatialGate(4).double(), draw(2, 4, 5, 6)
    nn.init.constant_(gate.gate[2].bias, bias)
    factor = gate(x) / x
    assert factor.min() >= low
    assert factor.max() <= high


@pytest.mark.identity("8.5")
def test_the_gate_fetches_nothing_and_hears_two_pixels_far():
    gate, x = SpatialGate(4).double(), draw(1, 4, 7, 9).requires_grad_()
    gate(x)[0, :, 3, 4].sum().backward()
    heard = x.grad[0].norm(dim=0) > 0
    near = torch.zeros(7, 9, dtype=torch.bool)
    near[1:6, 2:7] = True
    assert torch.equal(heard, near)
    silent = x.detach().clone()
    silent[:, :, 3, 4] = 0
    assert gate(silent)[:, :, 3, 4].abs().max() == 0
