"""Splitting and merging heads, the two cores, and the checks of the layer over tokens."""

import itertools

import pytest
import torch

from attention_parts import draws
from diffedu.nets.attention import (
    AttentionCore,
    LinearCore,
    MultiHeadAttention,
    SoftmaxCore,
    attention,
    attention_weights,
    linear_attention,
    linear_attention_weights,
    merge_heads,
    split_heads,
)
from diffedu.nets.heads import check_heads, check_tokens, over_heads

EXACT = {"rtol": 0, "atol": 1e-12}


def test_each_head_gets_its_slice_of_every_token():
    (x,) = draws((2, 5, 12))
    heads = split_heads(x, 3)
    assert heads.shape == (2, 3, 5, 4)
    for b, h, n, c in itertools.product(*map(range, heads.shape)):
        assert heads[b, h, n, c] == x[b, n, 4 * h + c]


@pytest.mark.parametrize("n_heads", [1, 2, 3, 4, 6, 12])
def test_merging_puts_the_slices_side_by_side_again(n_heads):
    (x,) = draws((2, 5, 12))
    heads = split_heads(x, n_heads)
    torch.testing.assert_close(merge_heads(heads), x, rtol=0, atol=0)
    by_hand = torch.cat([heads[:, h] for h in range(n_heads)], dim=2)
    torch.testing.assert_close(merge_heads(heads), by_hand, rtol=0, atol=0)


def test_the_cores_are_the_operators_and_know_their_weights():
    q, k, v = draws((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 4))
    mask = torch.arange(7) < torch.arange(1, 6)[:, None]
    soft, linear = SoftmaxCore(), LinearCore()
    torch.testing.assert_close(soft(q, k, v), attention(q, k, v), **EXACT)
    torch.testing.assert_close(soft(q, k, v, mask), attention(q, k, v, mask), **EXACT)
    torch.testing.assert_close(linear(q, k, v), linear_attention(q, k, v), **EXACT)
    weights = soft.weights(q, k), soft.weights(q, k, mask), linear.weights(q, k)
    torch.testing.assert_close(weights[0], attention_weights(q, k), **EXACT)
    torch.testing.assert_close(weights[1], attention_weights(q, k, mask), **EXACT)
    torch.testing.assert_close(weights[2], linear_attention_weights(q, k), **EXACT)


def test_what_a_core_brings_back_is_its_weights_times_the_values():
    q, k, v = draws((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 4))
    for core in (SoftmaxCore(), LinearCore()):
        torch.testing.assert_close(core(q, k, v), core.weights(q, k) @ v, **EXACT)


def test_a_core_of_your_own_must_say_what_its_weights_are():
    with pytest.raises(NotImplementedError):
        AttentionCore().weights(*draws((2, 3, 5, 4), (2, 3, 7, 4)))


def test_a_mask_for_linear_attention_is_an_error():
    layer, (x,) = MultiHeadAttention(12, 3, attend=LinearCore).double(), draws((2, 5, 12))
    with pytest.raises(ValueError, match=r"mask: expected None: linear attention knows no mask"):
        layer(x, mask=torch.ones(5, 5, dtype=torch.bool))


@pytest.mark.parametrize(
    ("width", "n_heads", "message"),
    [
        (12, 5, "n_heads: expected a divisor of channels = 12 (1, 2, 3, 4, 6, 12), got 5"),
        (7, 2, "n_heads: expected a divisor of channels = 7 (1, 7), got 2"),
        (4, 8, "n_heads: expected a divisor of channels = 4 (1, 2, 4), got 8"),
    ],
)
def test_heads_that_do_not_divide_the_width_are_told_what_does(width, n_heads, message):
    with pytest.raises(ValueError) as raised:
        check_heads("channels", width, n_heads)
    assert str(raised.value) == message


@pytest.mark.parametrize("n_heads", [1, 2, 3, 4, 6, 12])
def test_heads_that_divide_the_width_are_fine(n_heads):
    check_heads("channels", 12, n_heads)


def test_tokens_must_have_the_width_and_the_batch_that_are_wanted():
    (x,) = draws((2, 5, 12))
    check_tokens("x", x, 12)
    check_tokens("x", x, 12, 2)
    for wrong, batch in ((x[0], None), (x[..., :11], None), (x[:, :0], None), (x, 3)):
        with pytest.raises(ValueError, match="x: expected shape"):
            check_tokens("x", wrong, 12, batch)
    with pytest.raises(ValueError, match="x: expected a floating-point tensor"):
        check_tokens("x", x.long(), 12)


def test_every_head_gets_the_same_mask_and_every_sample_its_own():
    g = torch.Generator().manual_seed(0)
    for_all = torch.rand(5, 7, generator=g) < 0.5
    for_each = torch.rand(2, 5, 7, generator=g) < 0.5
    scores = torch.zeros(2, 3, 5, 7, dtype=torch.bool)
    torch.testing.assert_close(scores | over_heads(for_all, 2, 5, 7), for_all.expand(2, 3, 5, 7))
    for b, h in itertools.product(range(2), range(3)):
        mine = (scores | over_heads(for_each, 2, 5, 7))[b, h]
        torch.testing.assert_close(mine, for_each[b])


@pytest.mark.parametrize("shape", [(7,), (5, 6), (6, 7), (3, 5, 7), (2, 3, 5, 7), ()], ids=str)
def test_a_mask_of_another_shape_is_an_error(shape):
    message = r"mask: expected shape \(5, 7\) or \(2, 5, 7\)"
    with pytest.raises(ValueError, match=message):
        over_heads(torch.ones(shape, dtype=torch.bool), 2, 5, 7)


def test_a_query_that_may_look_nowhere_is_an_error_that_says_so():
    layer, (x,) = MultiHeadAttention(12, 3).double(), draws((2, 5, 12))
    mask = torch.ones(2, 5, 5, dtype=torch.bool)
    mask[1, 4] = False
    with pytest.raises(ValueError, match="a query that may look nowhere: "):
        layer(x, mask=mask)


def test_sizes_can_be_worked_out_without_numbers():
    layer = MultiHeadAttention(12, 3, 4).to("meta")
    x, context = (part.to("meta").float() for part in draws((2, 5, 12), (2, 7, 4)))
    mask = torch.ones(5, 7, dtype=torch.bool, device="meta")
    assert layer(x, context, mask).shape == (2, 5, 12)
