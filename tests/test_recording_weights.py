"""The recorded weights are those the layer used: times its values, they give its output."""

import pytest
import torch

from attention_parts import draws, map_by_loops, pixels_by_loops, redrawn, torchs_twin
from diffedu.nets.attention import (
    CrossAttention,
    LinearCore,
    MultiHeadAttention,
    SoftmaxCore,
    SpatialAttention,
    SpatialLinearAttention,
    TimeTokenAttention,
    causal_mask,
    record_attention,
)

EXACT = {"rtol": 0, "atol": 1e-12}


def recorded(layer, *parts, **masks):
    """The layer's output and the weights of its one call."""
    with record_attention(layer) as maps, torch.no_grad():
        result = layer(*parts, **masks)
    ((weights,),) = maps.values()
    return result, weights


def brought(weights, values):
    """Head by head: its weights times its slice of the values (B, n_k, d), side by side."""
    width = values.shape[2] // weights.shape[1]
    slices = values.split(width, dim=2)
    return torch.cat([weights[:, h] @ v for h, v in enumerate(slices)], dim=2)


@pytest.mark.parametrize("masked", [False, True])
def test_of_tokens_they_are_torchs_weights_and_give_the_output(masked):
    layer, (x, context) = redrawn(MultiHeadAttention(12, 3, 7)), draws((2, 5, 12), (2, 6, 7))
    mask = torch.arange(6) < torch.tensor([[2], [5]])
    masks = {"mask": mask[:, None]} if masked else {}
    result, weights = recorded(layer, x, context, **masks)
    torch.testing.assert_close(result, layer.to_out(brought(weights, layer.to_v(context))), **EXACT)
    theirs = torchs_twin(layer)(
        x,
        context,
        context,
        average_attn_weights=False,
        key_padding_mask=~mask if masked else None,
    )[1]
    torch.testing.assert_close(weights, theirs.detach(), **EXACT)


def test_under_the_causal_mask_nobody_looks_ahead():
    layer, (x,) = redrawn(MultiHeadAttention(12, 3)), draws((2, 5, 12))
    _, weights = recorded(layer, x, mask=causal_mask(5))
    assert (weights.triu(1) == 0).all() and (weights.tril() > 0).sum() == 2 * 3 * 15


@pytest.mark.parametrize("kind", [SpatialAttention, SpatialLinearAttention])
def test_of_pixels_they_give_the_output(kind):
    layer, (x,) = redrawn(kind(12, 4)), draws((2, 12, 3, 5))
    result, weights = recorded(layer, x)
    found = layer.heads.to_out(brought(weights, layer.heads.to_v(pixels_by_loops(layer.norm(x)))))
    torch.testing.assert_close(result, x + map_by_loops(found, 3, 5), **EXACT)


@pytest.mark.parametrize("masked", [False, True])
def test_of_pixels_and_context_they_give_the_output(masked):
    layer, (x, context) = redrawn(CrossAttention(12, 7, 2)), draws((2, 12, 3, 5), (2, 4, 7))
    mask = torch.arange(4) < torch.tensor([[3], [1]])
    result, weights = recorded(layer, x, context, *([mask] if masked else []))
    found = layer.heads.to_out(brought(weights, layer.heads.to_v(context)))
    torch.testing.assert_close(result, x + map_by_loops(found, 3, 5), **EXACT)
    if masked:
        assert (weights.transpose(1, 3)[~mask] == 0).all()


@pytest.mark.parametrize("core", [SoftmaxCore, LinearCore])
def test_the_last_column_is_the_time_token_and_the_others_are_the_pixels(core):
    layer = redrawn(TimeTokenAttention(12, 8, 3, attend=core))
    x, time = draws((2, 12, 3, 5), (2, 8))
    result, weights = recorded(layer, x, time)
    assert weights.shape == (2, 3, 15, 16)
    values = torch.cat(
        [layer.to_v(pixels_by_loops(layer.norm(x))), layer.time_to_v(time)[:, None]], dim=1
    )
    found = layer.to_out(brought(weights, values))
    torch.testing.assert_close(result, x + map_by_loops(found, 3, 5), **EXACT)


def test_a_key_that_nobody_likes_empties_the_last_column_and_no_other():
    """The time's key is made the opposite of a feature that every query has."""
    layer, (x, time) = redrawn(TimeTokenAttention(12, 8, 3)), draws((2, 12, 3, 5), (2, 8))
    _, before = recorded(layer, x, time)
    with torch.no_grad():
        layer.to_q.bias[::4] = 50.0  # the first feature of each head
        layer.time_to_k.bias[::4] = -50.0
    _, after = recorded(layer, x, time)
    assert before[..., -1].min() > 1e-3 and after[..., -1].max() < 1e-30
    torch.testing.assert_close(after[..., :-1].sum(-1), torch.ones(2, 3, 15).double(), **EXACT)


def test_column_j_is_the_pixel_i_w_plus_j():
    """A pixel whose channels change moves its own column."""
    layer, (x,) = redrawn(SpatialAttention(12, 3)), draws((2, 12, 3, 5))
    layer.norm = torch.nn.Identity()  # would tell all pixels of the change
    _, before = recorded(layer, x)
    changed = x.clone()
    changed[:, :, 1, 3] *= 2
    _, after = recorded(layer, changed)
    others = [n for n in range(15) if n != 5 + 3]
    ratio = after[:, :, others] / before[:, :, others]
    scaled = ratio / ratio[..., :1]  # a row loses what the changed column gains
    assert (scaled[..., 8] - 1).abs().min() > 1e-4
    torch.testing.assert_close(scaled[..., others], torch.ones(2, 3, 14, 14).double())


@pytest.mark.parametrize("kind", [SpatialAttention, SpatialLinearAttention])
def test_under_autocast_the_rows_still_sum_to_one(kind):
    layer, (x,) = redrawn(kind(12, 3)).float(), draws((2, 12, 3, 5))
    with torch.autocast("cpu", torch.bfloat16):
        _, weights = recorded(layer, x.float())
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 15), rtol=0, atol=1e-6)
