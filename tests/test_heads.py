"""The layer over tokens against torch's nn.MultiheadAttention with the same weights."""

import pytest
import torch
from torch.autograd import gradcheck

from attention_parts import draws, redrawn, torchs_twin, weights_by_loops
from diffedu.nets.attention import LinearCore, MultiHeadAttention, causal_mask
from diffedu.nets.attention import linear_attention as linear

EXACT = {"rtol": 0, "atol": 1e-12}
PRECISIONS = {torch.float64: 1e-12, torch.float32: 1e-5}
# d_model, n_heads, d_context, bias; B, n_q, n_k
CONFIGURATIONS = [
    ((12, 3, None, True), (2, 5, 5)),
    ((12, 4, 7, True), (5, 3, 8)),
    ((10, 2, 4, False), (3, 7, 1)),
    ((6, 6, None, False), (1, 4, 4)),
    ((8, 1, 8, True), (4, 1, 9)),
]
IN_ALL_CONFIGURATIONS = pytest.mark.parametrize(
    ("sizes", "batch"), CONFIGURATIONS, ids=lambda sizes: str(sizes)
)


def layer(*sizes, seed=0, dtype=torch.float64, **how):
    return redrawn(MultiHeadAttention(*sizes, **how), seed).to(dtype)


def inputs(sizes, batch, seed=1, dtype=torch.float64):
    """x and, for cross-attention, a context."""
    d_model, _, d_context, _ = sizes
    b, n_q, n_k = batch
    shapes = [(b, n_q, d_model)] + ([(b, n_k, d_context)] if d_context else [])
    return draws(*shapes, seed=seed, dtype=dtype)


def by_torch(ours, x, context=None, **masks):
    context = x if context is None else context
    return torchs_twin(ours)(x, context, context, need_weights=False, **masks)[0]


def some_keys(b, n_k):
    """True for the first 1, 2, ... keys of each sample."""
    return torch.arange(n_k) <= torch.arange(b)[:, None] % n_k


@IN_ALL_CONFIGURATIONS
@pytest.mark.parametrize(("dtype", "atol"), PRECISIONS.items(), ids=str)
def test_it_is_torchs_layer_with_the_same_weights(sizes, batch, dtype, atol):
    ours, parts = layer(*sizes, dtype=dtype), inputs(sizes, batch, dtype=dtype)
    torch.testing.assert_close(ours(*parts), by_torch(ours, *parts), rtol=0, atol=atol)


@IN_ALL_CONFIGURATIONS
@pytest.mark.parametrize(("dtype", "atol"), PRECISIONS.items(), ids=str)
def test_under_masks_it_is_torchs_layer_whose_masks_mean_the_opposite(sizes, batch, dtype, atol):
    ours, (x, *context) = layer(*sizes, dtype=dtype), inputs(sizes, batch, dtype=dtype)
    b, n_q, n_k = batch
    for_all = torch.ones(n_q, n_k, dtype=torch.bool).tril(n_k - 1).flip(1)
    for_all[:, 0] = True
    padding = some_keys(b, n_k)
    close = {"rtol": 0, "atol": atol}
    expected = by_torch(ours, x, *context, attn_mask=~for_all)
    torch.testing.assert_close(ours(x, *context, mask=for_all), expected, **close)
    expected = by_torch(ours, x, *context, key_padding_mask=~padding)
    torch.testing.assert_close(ours(x, *context, mask=padding[:, None]), expected, **close)
    each = for_all & padding[:, None]
    expected = by_torch(ours, x, *context, attn_mask=~each.repeat_interleave(sizes[1], dim=0))
    torch.testing.assert_close(ours(x, *context, mask=each), expected, **close)


@pytest.mark.parametrize("n", [1, 6])
def test_with_the_causal_mask_it_is_torchs_causal_layer(n):
    ours, (x,) = layer(12, 3), draws((2, n, 12))
    expected = by_torch(ours, x, is_causal=True, attn_mask=~causal_mask(n))
    torch.testing.assert_close(ours(x, mask=causal_mask(n)), expected, **EXACT)


def test_each_head_looks_through_its_own_slice_of_the_features():
    """Four heads one after the other, each with its rows of the projections."""
    ours, (x, context) = layer(12, 4, 7), draws((2, 5, 12), (2, 6, 7))
    heads = []
    for part in (slice(3 * h, 3 * h + 3) for h in range(4)):
        q, k, v = (
            given @ project.weight[part].T + project.bias[part]
            for given, project in ((x, ours.to_q), (context, ours.to_k), (context, ours.to_v))
        )
        heads.append(weights_by_loops(q.detach(), k.detach()) @ v)
    expected = torch.cat(heads, dim=2) @ ours.to_out.weight.T + ours.to_out.bias
    torch.testing.assert_close(ours(x, context), expected, **EXACT)


def test_the_linear_core_gives_each_head_linear_attention():
    ours, (x, context) = layer(12, 4, 7, attend=LinearCore), draws((2, 5, 12), (2, 6, 7))
    q, k, v = ours.to_q(x), ours.to_k(context), ours.to_v(context)
    cut = [slice(3 * h, 3 * h + 3) for h in range(4)]
    heads = [linear(q[..., part], k[..., part], v[..., part]) for part in cut]
    expected = ours.to_out(torch.cat(heads, dim=2))
    torch.testing.assert_close(ours(x, context), expected, **EXACT)


def test_without_a_context_width_the_context_may_be_given_all_the_same():
    ours, (x, context) = layer(12, 3), draws((2, 5, 12), (2, 7, 12))
    torch.testing.assert_close(ours(x, context), by_torch(ours, x, context), **EXACT)
    torch.testing.assert_close(ours(x), ours(x, x), rtol=0, atol=0)


@pytest.mark.parametrize("how", [{}, {"attend": LinearCore}], ids=["softmax", "linear"])
def test_the_order_of_tokens_is_carried_through_and_nothing_else(how):
    (x, context), order = draws((2, 7, 12), (2, 5, 4)), torch.tensor([3, 0, 6, 1, 5, 2, 4])
    ours, cross = layer(12, 3, **how), layer(12, 3, 4, **how)
    torch.testing.assert_close(ours(x[:, order]), ours(x)[:, order], **EXACT)
    torch.testing.assert_close(cross(x, context.flip(1)), cross(x, context), **EXACT)


@pytest.mark.parametrize("how", [{}, {"attend": LinearCore}], ids=["softmax", "linear"])
def test_a_sample_depends_on_itself_alone(how):
    ours, (x, context) = layer(12, 3, 4, **how), draws((3, 5, 12), (3, 6, 4))
    before = ours(x, context)
    for number in range(2):
        changed = [x.clone(), context.clone()]
        changed[number][1] = changed[number][1].flip(-1) + 1
        difference = (ours(*changed) - before).abs().amax((1, 2))
        assert difference[1] > 1e-3 and difference[0] == difference[2] == 0


def test_a_future_token_cannot_change_the_past():
    ours, (x,) = layer(12, 3), draws((2, 6, 12))
    before = ours(x, mask=causal_mask(6))
    for now in range(6):
        changed = x.clone()
        changed[:, now] = 3 - changed[:, now]
        difference = (ours(changed, mask=causal_mask(6)) - before).abs().amax((0, 2))
        assert (difference[:now] < 1e-12).all() and (difference[now:] > 1e-4).all()


def test_what_fills_up_a_short_context_is_not_heard():
    ours, (x, context) = layer(12, 3, 4), draws((3, 5, 12), (3, 6, 4))
    real = torch.tensor([6, 1, 4])
    mask = torch.arange(6) < real[:, None]
    filled = context.masked_fill(~mask[..., None], 77.0)
    result = ours(x, filled, mask[:, None])
    for b, n in enumerate(real):
        alone = ours(x[b : b + 1], context[b : b + 1, :n])
        torch.testing.assert_close(result[b : b + 1], alone, **EXACT)


def test_the_output_is_linear_in_the_value_projection_whatever_the_keys():
    ours, (x, context) = layer(12, 3, 4), draws((2, 5, 12), (2, 6, 4))
    bias = ours.to_out.bias
    once = ours(x, context) - bias
    with torch.no_grad():
        for parameter in ours.to_v.parameters():
            parameter *= -3
    torch.testing.assert_close(ours(x, context) - bias, -3 * once, **EXACT)
    with torch.no_grad():
        for parameter in ours.to_v.parameters():
            parameter *= 0
    torch.testing.assert_close(ours(x, context), bias.expand(2, 5, 12), **EXACT)


@IN_ALL_CONFIGURATIONS
def test_every_parameter_gets_a_gradient_but_the_keys_bias_which_cannot_matter(sizes, batch):
    """A bias of the keys is common to all of them, so the softmax does not see it."""
    ours, (x, *context) = layer(*sizes), inputs(sizes, batch)
    ours(x, *context).square().sum().backward()
    lonely = batch[2] == 1  # with one key there is nothing to choose
    for name, parameter in ours.named_parameters():
        unseen = name == "to_k.bias" or (lonely and name in ("to_q.weight", "to_k.weight"))
        assert (parameter.grad.abs().max() > 1e-3) != unseen, name


def test_without_bias_no_projection_has_one():
    names = {name for name, _ in MultiHeadAttention(12, 3, 4, bias=False).named_parameters()}
    assert names == {f"to_{part}.weight" for part in ("q", "k", "v", "out")}
    assert MultiHeadAttention(12, 3, 4).to_k.weight.shape == (12, 4)


@pytest.mark.parametrize("how", [{}, {"attend": LinearCore}], ids=["softmax", "linear"])
def test_the_gradients_are_those_of_finite_differences(how):
    ours, parts = layer(4, 2, 3, **how), draws((2, 3, 4), (2, 2, 3))
    names = [name for name, _ in ours.named_parameters()]

    def call(x, context, *weights):
        named = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(ours, named, (x, context))

    assert gradcheck(call, [x.requires_grad_() for x in parts] + list(ours.parameters()))
