"""Attention on feature maps: pixels as tokens, and each layer against a reference made of loops."""

import itertools

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from attention_parts import draws, map_by_loops, pixels_by_loops, redrawn, torchs_twin
from diffedu.nets.attention import (
    CrossAttention,
    SpatialAttention,
    SpatialLinearAttention,
    TimeTokenAttention,
    linear_attention_weights,
    positions_2d,
    to_map,
    to_tokens,
)
from diffedu.nets.norms import channel_norm, group_norm
from diffedu.nets.spatial import check_map, zero

EXACT = {"rtol": 0, "atol": 1e-12}
BOTH_NORMS = pytest.mark.parametrize("norm", [group_norm, channel_norm])
# 12 channels (3 x 5 pixels), 3 heads; what a layer needs beside x is drawn with it
LAYERS = {
    "softmax": (lambda **how: SpatialAttention(12, 3, **how), []),
    "linear": (lambda **how: SpatialLinearAttention(12, 3, **how), []),
    "cross": (lambda **how: CrossAttention(12, 7, 3, **how), [(2, 4, 7)]),
    "time": (lambda **how: TimeTokenAttention(12, 8, 3, **how), [(2, 8)]),
}
EVERY_LAYER = pytest.mark.parametrize(("make", "beside"), LAYERS.values(), ids=LAYERS)


def test_a_token_is_a_pixel_in_reading_order():
    (x,) = draws((2, 4, 3, 5))
    tokens = to_tokens(x)
    assert tokens.shape == (2, 15, 4)
    for i, j in itertools.product(range(3), range(5)):
        torch.testing.assert_close(tokens[:, i * 5 + j], x[:, :, i, j], rtol=0, atol=0)


@pytest.mark.parametrize("size", [(3, 5), (5, 3), (1, 6), (6, 1), (4, 4)])
def test_a_map_survives_the_way_to_tokens_and_back(size):
    (x,) = draws((2, 4, *size))
    torch.testing.assert_close(to_map(to_tokens(x), x), x, rtol=0, atol=0)
    tokens = pixels_by_loops(x)
    torch.testing.assert_close(to_map(tokens, x), map_by_loops(tokens, *size), rtol=0, atol=0)


def test_the_way_back_takes_other_channels_and_no_other_number_of_pixels():
    x, tokens = draws((2, 4, 3, 5), (2, 15, 6))
    assert to_map(tokens, x).shape == (2, 6, 3, 5)
    message = r"tokens: expected shape \(B, 15, C\): 3 x 5 pixels, got \(2, 12, 6\)"
    with pytest.raises(ValueError, match=message):
        to_map(tokens[:, :12], x)


def normalised(layer, x):
    """What the heads see, token by token."""
    groups, scale, shift = layer.norm.num_groups, layer.norm.weight, layer.norm.bias
    return pixels_by_loops(nn.functional.group_norm(x, groups, scale, shift))


@pytest.mark.parametrize(("channels", "n_heads", "size"), [(12, 3, (3, 5)), (10, 2, (4, 1))])
def test_spatial_attention_is_torchs_layer_over_normalised_pixels_added_to_x(
    channels, n_heads, size
):
    layer, (x,) = redrawn(SpatialAttention(channels, n_heads)), draws((2, channels, *size))
    tokens = normalised(layer, x)
    brought = torchs_twin(layer.heads)(tokens, tokens, tokens, need_weights=False)[0]
    torch.testing.assert_close(layer(x), x + map_by_loops(brought, *size), **EXACT)


def test_linear_spatial_attention_is_its_explicit_matrix_over_normalised_pixels_added_to_x():
    layer, (x,) = redrawn(SpatialLinearAttention(12, 3)), draws((2, 12, 3, 5))
    tokens, heads = normalised(layer, x), layer.heads
    q, k, v = heads.to_q(tokens), heads.to_k(tokens), heads.to_v(tokens)
    cut = [slice(4 * h, 4 * h + 4) for h in range(3)]
    found = [linear_attention_weights(q[..., part], k[..., part]) @ v[..., part] for part in cut]
    brought = torch.cat(found, dim=2) @ heads.to_out.weight.T + heads.to_out.bias
    torch.testing.assert_close(layer(x), x + map_by_loops(brought, 3, 5), **EXACT)


@pytest.mark.parametrize("masked", [False, True])
def test_in_cross_attention_the_image_asks_and_the_context_answers(masked):
    layer, (x, context) = redrawn(CrossAttention(12, 7, 3)), draws((2, 12, 3, 5), (2, 4, 7))
    real = torch.tensor([[True, True, True, False], [True, False, True, True]])
    ignored = {"key_padding_mask": ~real} if masked else {}
    twin = torchs_twin(layer.heads)
    brought = twin(normalised(layer, x), context, context, need_weights=False, **ignored)[0]
    result = layer(x, context, real) if masked else layer(x, context)
    torch.testing.assert_close(result, x + map_by_loops(brought, 3, 5), **EXACT)


def test_the_order_of_context_tokens_does_not_matter_and_swapped_captions_swap_the_result():
    layer, (x, context) = redrawn(CrossAttention(12, 7, 3)), draws((1, 12, 3, 5), (2, 4, 7))
    x = x.expand(2, -1, -1, -1)
    before = layer(x, context)
    torch.testing.assert_close(layer(x, context.flip(1)), before, **EXACT)
    torch.testing.assert_close(layer(x, context.flip(0)), before.flip(0), **EXACT)
    assert (before[0] - before[1]).abs().max() > 1e-2


def test_a_context_of_which_nothing_is_real_is_an_error():
    layer, (x, context) = CrossAttention(12, 7, 3).double(), draws((2, 12, 3, 5), (2, 4, 7))
    mask = torch.tensor([[True] * 4, [False] * 4])
    with pytest.raises(ValueError, match=r"mask: .* a query that may look nowhere: "):
        layer(x, context, mask)


@EVERY_LAYER
@BOTH_NORMS
def test_a_new_layer_is_the_identity(make, beside, norm):
    x, *others = draws((2, 12, 3, 5), *beside, dtype=torch.float32)
    torch.testing.assert_close(make(norm=norm)(100 * x, *others), 100 * x, rtol=0, atol=0)


def output_of(layer):
    return layer.to_out if isinstance(layer, TimeTokenAttention) else layer.heads.to_out


@EVERY_LAYER
@BOTH_NORMS
def test_x_passes_unchanged_beside_the_heads_whatever_the_other_weights(make, beside, norm):
    """The norm stands inside the residual: outside, x would come out normalised."""
    layer, (x, *others) = redrawn(make(norm=norm)), draws((2, 12, 3, 5), *beside)
    assert type(layer.norm) is type(norm(12))
    x = 5 * x + 20
    assert (layer(x, *others) - x).abs().max() > 0.1
    zero(output_of(layer))
    torch.testing.assert_close(layer(x, *others), x, rtol=0, atol=0)


@EVERY_LAYER
def test_every_parameter_gets_a_gradient_once_the_output_is_not_zero(make, beside):
    layer, (x, *others) = redrawn(make()), draws((2, 12, 3, 5), *beside)
    layer(x, *others).square().sum().backward()
    for name, parameter in layer.named_parameters():
        # common to all keys of a layer, a bias cannot tell one from another
        unseen = name == "heads.to_k.bias"
        assert (parameter.grad.abs().max() > 1e-3) != unseen, name


@EVERY_LAYER
def test_at_the_start_the_output_layer_alone_learns(make, beside):
    layer, (x, *others) = make().double(), draws((2, 12, 3, 5), *beside)
    layer(x, *others).square().sum().backward()
    moved = {name for name, p in layer.named_parameters() if p.grad.abs().max() > 0}
    assert {name.rpartition("to_out")[1] for name in moved} == {"to_out"} and len(moved) == 2


@EVERY_LAYER
@BOTH_NORMS
def test_a_sample_depends_on_itself_alone(make, beside, norm):
    layer, parts = redrawn(make(norm=norm)), draws((2, 12, 3, 5), *beside)
    before = layer(*parts)
    for number in range(len(parts)):
        changed = [part.clone() for part in parts]
        changed[number][1] = changed[number][1].flip(-1) * 2 + 1
        difference = (layer(*changed) - before).abs()
        assert difference[0].max() == 0 and difference[1].max() > 1e-3


@EVERY_LAYER
def test_a_map_on_its_side_gives_the_result_on_its_side(make, beside):
    layer, (x, *others) = redrawn(make()), draws((2, 12, 3, 5), *beside)
    torch.testing.assert_close(layer(x.mT, *others), layer(x, *others).mT, **EXACT)


@EVERY_LAYER
def test_pixels_in_another_order_come_out_in_that_order_unless_they_know_their_place(make, beside):
    layer, (x, *others) = redrawn(make()), draws((2, 12, 3, 5), *beside)
    place = to_map(positions_2d(3, 5, 12)[None].double(), x)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(0))

    def mixed(image):
        return image.flatten(2)[:, :, order].view_as(image)

    torch.testing.assert_close(layer(mixed(x), *others), mixed(layer(x, *others)), **EXACT)
    wrong = layer(mixed(x) + place, *others) - place - mixed(layer(x + place, *others) - place)
    assert wrong.abs().max() > 1e-2


@EVERY_LAYER
@BOTH_NORMS
def test_the_gradients_are_those_of_finite_differences(make, beside, norm):
    layer = redrawn(make(norm=norm))
    parts = [x.requires_grad_() for x in draws((2, 12, 1, 2), *beside)]
    assert gradcheck(layer, parts)


@EVERY_LAYER
def test_the_number_of_heads_divides_the_channels(make, beside):
    kinds = {SpatialAttention: (12, 5), CrossAttention: (12, 7, 5), TimeTokenAttention: (12, 8, 5)}
    kind = type(make())
    message = r"n_heads: expected a divisor of channels = 12 \(1, 2, 3, 4, 6, 12\), got 5"
    with pytest.raises(ValueError, match=message):
        kind(*kinds.get(kind, (12, 5)))


@EVERY_LAYER
def test_sizes_can_be_worked_out_without_numbers(make, beside):
    parts = [x.to("meta") for x in draws((2, 12, 3, 5), *beside, dtype=torch.float32)]
    assert make().to("meta")(*parts).shape == (2, 12, 3, 5)


def test_a_map_has_batch_channels_height_and_width():
    (x,) = draws((2, 12, 3, 5))
    check_map(x, 12)
    for wrong in (x[0], x[:, :11], x[..., :0], x[None], x[:0]):
        with pytest.raises(ValueError, match=r"x: expected shape \(B, 12, H, W\), got "):
            check_map(wrong, 12)
    with pytest.raises(ValueError, match=r"x: expected a floating-point tensor, got torch\.int64"):
        check_map(x.long(), 12)


def test_zero_leaves_neither_weight_nor_bias():
    layer = redrawn(nn.Linear(3, 4))
    zero(layer)
    assert [p.abs().max().item() for p in layer.parameters()] == [0, 0]
    zero(nn.Linear(3, 4, bias=False))
