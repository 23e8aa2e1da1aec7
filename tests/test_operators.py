"""Softmax attention against loops and torch's own, with masks, in every precision."""

import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn.functional import scaled_dot_product_attention as sdpa

from attention_parts import draws, weights_by_loops
from diffedu.nets.attention import attention, attention_weights, causal_mask, fused_attention

EXACT = {"rtol": 0, "atol": 1e-12}
BOTH = pytest.mark.parametrize("operator", [attention, fused_attention])
PRECISIONS = {torch.float64: 1e-12, torch.float32: 1e-5}
# lead, n_q, n_k, d, d_v
SIZES = [
    ((2, 3), 5, 7, 4, 6),
    ((), 1, 6, 3, 2),
    ((3,), 8, 1, 5, 1),
    ((2, 1, 3), 4, 9, 16, 5),
]
OF_ALL_SIZES = pytest.mark.parametrize("size", SIZES, ids=str)


def qkv(lead, n_q, n_k, d, d_v, seed=0, dtype=torch.float64):
    return draws((*lead, n_q, d), (*lead, n_k, d), (*lead, n_k, d_v), seed=seed, dtype=dtype)


def some_mask(*shape, seed=0):
    """About half of the keys, and at least one for each query."""
    g = torch.Generator().manual_seed(seed)
    mask = torch.rand(shape, generator=g) < 0.5
    return mask.scatter(-1, torch.randint(shape[-1], (*shape[:-1], 1), generator=g), True)


@OF_ALL_SIZES
@pytest.mark.parametrize("scale", [0.01, 1.0, 9.0])
def test_the_weights_are_those_of_a_loop(size, scale):
    q, k, _ = qkv(*size)
    expected = weights_by_loops(scale * q, k)
    torch.testing.assert_close(attention_weights(scale * q, k), expected, **EXACT)


@OF_ALL_SIZES
def test_the_weights_under_a_mask_are_those_of_a_loop_that_leaves_keys_out(size):
    q, k, _ = qkv(*size, seed=1)
    mask = some_mask(*q.shape[:-1], k.shape[-2])
    expected = weights_by_loops(q, k, lambda where, j: mask[(*where, j)])
    weights = attention_weights(q, k, mask)
    torch.testing.assert_close(weights, expected, **EXACT)
    assert (weights[~mask] == 0).all()


@OF_ALL_SIZES
def test_each_row_is_a_mean_of_the_values(size):
    q, k, v = qkv(*size, seed=2)
    weights = weights_by_loops(q, k)
    expected = torch.stack([(weights[..., i, :, None] * v).sum(-2) for i in range(size[1])], -2)
    torch.testing.assert_close(attention(q, k, v), expected, **EXACT)


@BOTH
@OF_ALL_SIZES
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("dtype", "atol"), PRECISIONS.items(), ids=str)
def test_both_are_torchs_own(operator, size, masked, dtype, atol):
    q, k, v = qkv(*size, seed=3, dtype=dtype)
    mask = some_mask(*q.shape[:-1], k.shape[-2]) if masked else None
    expected = sdpa(q, k, v, attn_mask=mask)
    torch.testing.assert_close(operator(q, k, v, mask), expected, rtol=0, atol=atol)


@BOTH
@pytest.mark.parametrize(("dtype", "atol"), PRECISIONS.items(), ids=str)
def test_with_the_causal_mask_both_are_torchs_causal_attention(operator, dtype, atol):
    q, k, v = qkv((2, 3), 6, 6, 5, 4, dtype=dtype)
    expected = sdpa(q, k, v, is_causal=True)
    torch.testing.assert_close(operator(q, k, v, causal_mask(6)), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_causal_mask_lets_a_token_see_itself_and_the_past(n):
    assert causal_mask(n).tolist() == [[j <= i for j in range(n)] for i in range(n)]


@BOTH
def test_a_future_token_cannot_change_the_past(operator):
    q, k, v = qkv((2, 3), 6, 6, 5, 4, seed=4)
    before = operator(q, k, v, causal_mask(6))
    for now in range(6):
        k2, v2 = k.clone(), v.clone()
        k2[..., now, :], v2[..., now, :] = 3.0, -50.0
        after = operator(q, k2, v2, causal_mask(6))
        torch.testing.assert_close(after[..., :now, :], before[..., :now, :], rtol=0, atol=0)
        assert ((after - before)[..., now:, :].abs() > 1e-4).all()


@BOTH
@pytest.mark.parametrize(
    "shape", [(), (7,), (1, 7), (5, 1), (5, 7), (3, 1, 7), (2, 1, 1, 7), (2, 1, 5, 7)], ids=str
)
def test_a_mask_may_have_any_shape_that_broadcasts(operator, shape):
    q, k, v = qkv((2, 3), 5, 7, 4, 6, seed=5)
    mask = some_mask(*shape) if shape and shape[-1] == 7 else torch.ones(shape, dtype=torch.bool)
    full = mask.expand(2, 3, 5, 7).clone()
    expected = weights_by_loops(q, k, lambda where, j: full[(*where, j)]) @ v
    torch.testing.assert_close(operator(q, k, v, mask), expected, **EXACT)


@pytest.mark.parametrize("call", [attention_weights, attention, fused_attention])
def test_a_query_that_may_look_nowhere_is_an_error_that_says_so(call):
    q, k, v = qkv((2,), 5, 7, 4, 6)
    mask = some_mask(2, 5, 7)
    mask[1, 3] = False
    arguments = (q, k) if call is attention_weights else (q, k, v)
    with pytest.raises(ValueError, match=r"mask: .* a query that may look nowhere: \(1, 3\)$"):
        call(*arguments, mask)


@BOTH
def test_the_result_is_linear_in_the_values(operator):
    (q, k, v), (other,) = qkv((2, 3), 5, 7, 4, 6), draws((2, 3, 7, 6), seed=9)
    torch.testing.assert_close(operator(q, k, 2 * v), 2 * operator(q, k, v), **EXACT)
    both = operator(q, k, v) + operator(q, k, other)
    torch.testing.assert_close(operator(q, k, v + other), both, **EXACT)


@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 30.0])
@pytest.mark.parametrize("masked", [False, True])
def test_the_weights_of_a_query_are_shares_that_sum_to_one(scale, masked):
    q, k, _ = qkv((2, 3), 5, 11, 4, 1, seed=6)
    weights = attention_weights(scale * q, k, some_mask(5, 11) if masked else None)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 5).double(), **EXACT)


@BOTH
def test_order_matters_to_nobody(operator):
    """Keys with their values in another order: the same. Queries in another order: so the rows."""
    q, k, v = qkv((2, 3), 5, 7, 4, 6, seed=7)
    keys, queries = torch.tensor([3, 0, 6, 1, 5, 2, 4]), torch.tensor([4, 2, 0, 1, 3])
    before = operator(q, k, v)
    torch.testing.assert_close(operator(q, k[..., keys, :], v[..., keys, :]), before, **EXACT)
    after = operator(q[..., queries, :], k, v)
    torch.testing.assert_close(after, before[..., queries, :], **EXACT)


@BOTH
def test_what_all_keys_have_in_common_tells_no_key_from_another(operator):
    q, k, v = qkv((2, 3), 5, 7, 4, 6, seed=8)
    (common,) = draws((2, 3, 1, 4), seed=1)
    torch.testing.assert_close(operator(q, k + common, v), operator(q, k, v), **EXACT)


@BOTH
def test_a_sample_and_a_head_depend_on_themselves_alone(operator):
    parts = qkv((2, 3), 5, 7, 4, 6, seed=10)
    before = operator(*parts)
    for part in range(3):
        changed = [x.clone() for x in parts]
        changed[part][1, 2] = -changed[part][1, 2] + 1
        difference = (operator(*changed) - before).abs().amax((-1, -2))
        assert difference[1, 2] > 1e-3
        difference[1, 2] = 0
        assert (difference == 0).all()


@BOTH
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float16, 3e-3), (torch.bfloat16, 2e-2)])
def test_in_half_precision_a_mask_does_not_overflow(operator, dtype, atol):
    q, k, v = qkv((2, 3), 5, 7, 4, 6, dtype=dtype, seed=11)
    for mask in (some_mask(5, 7), torch.eye(5, 7).bool(), None):
        expected = attention(q.double(), k.double(), v.double(), mask)
        result = operator(q, k, v, mask)
        assert result.dtype == dtype
        torch.testing.assert_close(result.double(), expected, rtol=0, atol=atol)


def test_in_float16_the_raw_scores_may_be_too_large_and_the_scaled_ones_are_not():
    q, k, v = qkv((2,), 5, 7, 64, 6, dtype=torch.float16)
    q, k = 50 * q.sign(), 50 * k.abs().ceil()  # sums of up to 64 * 2500 > 65504
    q[:, 0] = 50
    assert (q @ k.mT).isinf().any()
    expected = attention(q.double(), k.double(), v.double())
    torch.testing.assert_close(attention(q, k, v).double(), expected, rtol=0, atol=3e-3)


@BOTH
def test_huge_scores_give_all_to_the_best_key_and_no_nan(operator):
    q, k, v = qkv((2, 3), 5, 7, 4, 6, dtype=torch.float32)
    best = (q.double() @ k.double().mT).argmax(-1, keepdim=True)
    expected = v.gather(-2, best.expand(-1, -1, -1, 6))
    torch.testing.assert_close(operator(1e9 * q, 1e9 * k, v), expected)


@pytest.mark.parametrize("masked", [False, True])
def test_the_gradients_are_those_of_finite_differences(masked):
    parts = [x.requires_grad_() for x in qkv((2, 1), 3, 4, 2, 3)]
    mask = some_mask(3, 4) if masked else None
    assert gradcheck(lambda q, k: attention_weights(q, k, mask), parts[:2])
    assert gradcheck(lambda q, k, v: attention(q, k, v, mask), parts)
    assert gradcheck(lambda q, k, v: fused_attention(q, k, v, mask), parts)


def test_equal_scores_share_alike_and_the_root_of_d_is_the_unit():
    """A key that agrees with the query in all d features, beside one that agrees in none."""
    for d in (1, 4, 9, 100):
        q, k = torch.ones(1, d).double(), torch.stack([torch.ones(d), torch.zeros(d)]).double()
        ratio = attention_weights(q, k)[0, 0] / attention_weights(q, k)[0, 1]
        assert math.isclose(ratio, math.exp(math.sqrt(d)), rel_tol=1e-12)
        assert attention_weights(0 * q, k).tolist() == [[0.5, 0.5]]


@BOTH
def test_sizes_can_be_worked_out_without_numbers(operator):
    q, k, v = [x.to("meta") for x in qkv((2, 3), 5, 7, 4, 6, dtype=torch.float16)]
    result = operator(q, k, v, torch.ones(5, 7, dtype=torch.bool, device="meta"))
    assert (result.shape, result.dtype, result.device.type) == ((2, 3, 5, 6), q.dtype, "meta")
