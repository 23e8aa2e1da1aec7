"""The boxed equations of notebook 10: pixel by pixel, head by head, in loops and in symbols."""

import math

import pytest
import sympy as sp
import torch
from torch.testing import assert_close

from attention_parts import draws, pixels_by_loops, redrawn
from diffedu.classroom.checks.cross.common import cross_look
from diffedu.classroom.checks.cross.look_at_words import look_at_words
from diffedu.classroom.checks.cross.look_with_time import look_with_time
from diffedu.classroom.checks.cross.scale_and_shift import scale_and_shift
from diffedu.classroom.checks.cross.share_of_one import share_of_one
from diffedu.nets.attention import (
    CrossAttention,
    TimeTokenAttention,
    attention,
    record_attention,
    to_tokens,
)
from diffedu.nets.mlp import MLPBlock

EXACT = {"rtol": 0, "atol": 1e-12}
B, C, H, W, N_K, D_CONTEXT, HEADS = 2, 6, 3, 5, 4, 7, 3


def layer(seed=0):
    return redrawn(CrossAttention(C, D_CONTEXT, HEADS), seed)


def brought(ours, pixels, words):
    """What the heads bring to one picture's pixels (n, C) from its words: (10.1) in loops."""
    q, k, v = ours.to_q(pixels), ours.to_k(words), ours.to_v(words)
    found, d = torch.zeros_like(q), C // HEADS
    for i in range(len(pixels)):
        for head in range(HEADS):
            part = slice(head * d, head * d + d)
            power = [math.exp(float(q[i, part] @ key[part]) / math.sqrt(d)) for key in k]
            for share, value in zip(power, v, strict=True):
                found[i, part] += share / sum(power) * value[part]
    return ours.to_out(found)


def by_loops(ours, x, context):
    pixels = pixels_by_loops(ours.norm(x))
    pairs = zip(pixels, context, strict=True)
    return torch.stack([brought(ours.heads, image, words) for image, words in pairs])


@pytest.mark.identity("10.1")
def test_the_image_asks_and_the_context_answers():
    ours, (x, context) = layer(), draws((B, C, H, W), (B, N_K, D_CONTEXT))
    with torch.no_grad():
        expected = by_loops(ours, x, context)
        assert_close(to_tokens(ours(x, context) - x), expected, **EXACT)


@pytest.mark.identity("10.1")
def test_the_exercise_asks_for_the_layer_with_one_head_and_no_way_out():
    ours = redrawn(CrossAttention(C, D_CONTEXT, 1), 1)
    x, context = draws((B, C, H, W), (B, N_K, D_CONTEXT), seed=2)
    heads = ours.heads
    with torch.no_grad():
        for linear in (heads.to_q, heads.to_k, heads.to_v, heads.to_out):
            linear.bias.zero_()
        heads.to_out.weight.copy_(torch.eye(C))
        matrices = [linear.weight.T for linear in (heads.to_q, heads.to_k, heads.to_v)]
        answer = cross_look(to_tokens(ours.norm(x)), context, *matrices)
        assert_close(to_tokens(ours(x, context) - x), answer, **EXACT)


@pytest.mark.identity("10.2")
def test_one_token_gives_every_pixel_the_same_vector_whatever_it_asks():
    ours, (x, label) = layer(), draws((B, C, H, W), (B, 1, D_CONTEXT))
    vector = ours.heads.to_out(ours.heads.to_v(label))[:, 0]
    answer = ours(x, label) - x
    for i in range(H):
        for j in range(W):
            assert_close(answer[:, :, i, j], vector, **EXACT)
    answer.square().sum().backward()
    for name, zero in (("to_q", True), ("to_k", True), ("to_v", False)):
        largest = getattr(ours.heads, name).weight.grad.abs().max()
        assert (largest < 1e-12) == zero


@pytest.mark.identity("10.2")
def test_with_two_tokens_pixels_get_different_vectors():
    ours, (x, context) = layer(), draws((B, C, H, W), (B, 2, D_CONTEXT))
    answer = ours(x, context) - x
    assert (answer - answer[:, :, :1, :1]).abs().amax((1, 2, 3)).min() > 0.01


@pytest.mark.identity("10.3")
@pytest.mark.parametrize("h, w", [(1, 1), (2, 3), (7, 4)])
def test_the_weight_of_the_time_follows_from_its_lead(h, w):
    """The scores by hand, and the lead over the mean exponential of the pixels' scores."""
    ours, (x, time) = redrawn(TimeTokenAttention(C, 4, HEADS), 3), draws((B, C, h, w), (B, 4))
    with torch.no_grad(), record_attention(ours) as maps:
        ours(x, time)
        pixels = pixels_by_loops(ours.norm(x))
        q, k, k_time = ours.to_q(pixels), ours.to_k(pixels), ours.time_to_k(time)
    d = C // HEADS
    for b in range(B):
        for head in range(HEADS):
            part = slice(head * d, head * d + d)
            for i in range(h * w):
                scores = k[b, :, part] @ q[b, i, part] / math.sqrt(d)
                own = k_time[b, part] @ q[b, i, part] / math.sqrt(d)
                lead = own - scores.exp().mean().log()
                weight = maps["TimeTokenAttention"][0][b, head, i, -1]
                assert_close(weight, 1 / (1 + h * w * torch.exp(-lead)), **EXACT)
                assert_close(share_of_one(lead, h * w), weight, **EXACT)


@pytest.mark.identity("10.3")
def test_half_of_the_weight_needs_a_lead_of_the_logarithm_of_n():
    n, lead, own, rest = sp.symbols("n delta own rest", positive=True)
    softmax = own / (own + n * rest)
    weight = softmax.subs(own, rest * sp.exp(lead))
    assert sp.simplify(weight - 1 / (1 + n * sp.exp(-lead))) == 0
    assert sp.simplify(weight.subs(lead, sp.log(n))) == sp.Rational(1, 2)
    assert sp.simplify(weight.subs(lead, 0) - 1 / (n + 1)) == 0
    assert sp.simplify(sp.diff(weight, lead) - weight * (1 - weight)) == 0


@pytest.mark.identity("10.7")
def test_the_time_is_one_more_row_of_keys_and_values():
    """Pixel by pixel and head by head, with sums over the pixels and one more summand."""
    ours, (x, time) = redrawn(TimeTokenAttention(C, 4, HEADS), 4), draws((B, C, H, W), (B, 4))
    with torch.no_grad():
        pixels, heard = pixels_by_loops(ours.norm(x)), torch.zeros(B, H * W, C).double()
        for b in range(B):
            keys = [*ours.to_k(pixels[b]), ours.time_to_k(time[b])]
            values = [*ours.to_v(pixels[b]), ours.time_to_v(time[b])]
            for i, query in enumerate(ours.to_q(pixels[b])):
                for part in torch.arange(C).split(C // HEADS):
                    power = [math.exp(query[part] @ k[part] / len(part) ** 0.5) for k in keys]
                    for p, value in zip(power, values, strict=True):
                        heard[b, i, part] += p / sum(power) * value[part]
        assert_close(to_tokens(ours(x, time) - x), ours.to_out(heard), **EXACT)


@pytest.mark.identity("10.7")
def test_the_exercise_with_the_time_asks_for_the_layer():
    ours, (x, time) = redrawn(TimeTokenAttention(C, 4, 1), 5), draws((B, C, H, W), (B, 4))
    projections = (ours.to_q, ours.to_k, ours.to_v, ours.time_to_k, ours.time_to_v)
    with torch.no_grad():
        for linear in (*projections, ours.to_out):
            linear.bias.zero_()
        ours.to_out.weight.copy_(torch.eye(C))
        matrices = [linear.weight.T for linear in projections]
        answer = look_with_time(to_tokens(ours.norm(x)), time, *matrices)
        assert_close(to_tokens(ours(x, time) - x), answer, **EXACT)


@pytest.mark.identity("10.4")
def test_the_block_scales_and_shifts_each_feature_by_the_time():
    block, (h, time) = redrawn(MLPBlock(5, 3), 6), draws((4, 5), (4, 3), seed=7)
    with torch.no_grad():
        normal, film = block.first(block.norm(h)), block.film(time)
        inner = torch.zeros(4, 5, dtype=torch.float64)
        for b in range(4):
            for c in range(5):
                inner[b, c] = normal[b, c] * (1 + film[b, c]) + film[b, 5 + c]
        expected = h + block.second(inner / (1 + torch.exp(-inner)))  # x sigmoid(x)
        assert_close(block(h, time), expected, **EXACT)


@pytest.mark.identity("10.4")
def test_film_is_the_same_at_every_pixel_and_nothing_at_zero():
    h, scale, shift = draws((B, C, H, W), (B, C), (B, C))
    found = scale_and_shift(h, scale, shift)
    for b in range(B):
        for c in range(C):
            expected = h[b, c] + scale[b, c] * h[b, c] + shift[b, c]
            assert_close(found[b, c], expected, **EXACT)
    assert_close(scale_and_shift(h, 0 * scale, 0 * shift), h, rtol=0, atol=0)


@pytest.mark.identity("10.5")
def test_with_a_mask_only_the_real_words_are_heard():
    ours, (x, context) = layer(), draws((3, C, H, W), (3, N_K, D_CONTEXT))
    lengths = (2, N_K, 1)
    mask = torch.tensor([[j < length for j in range(N_K)] for length in lengths])
    with torch.no_grad():
        found = to_tokens(ours(x, context, mask) - x)
        for b, length in enumerate(lengths):
            expected = by_loops(ours, x[b : b + 1], context[b : b + 1, :length])
            assert_close(found[b], expected[0], **EXACT)


@pytest.mark.identity("10.5")
def test_the_exercise_asks_for_attention_over_the_first_words():
    q, k, v = draws((3, 5, 2), (3, N_K, 2), (3, N_K, 4))
    found = look_at_words(q, k, v, torch.tensor([3, 1, N_K]))
    for b, length in enumerate((3, 1, N_K)):
        assert_close(found[b], attention(q[b], k[b, :length], v[b, :length]), **EXACT)


@pytest.mark.identity("10.6")
@pytest.mark.parametrize("d", [1, 2, 5])
def test_one_matrix_for_keys_and_values_leans_towards_the_question(d):
    for q, u in zip(*draws((6, d), (6, d), seed=d), strict=True):
        tokens = torch.stack([u, -u])
        answer = attention(q[None], tokens, tokens)[0]
        a = sum(x * y for x, y in zip(q.tolist(), u.tolist(), strict=True)) / math.sqrt(d)
        assert_close(answer, math.tanh(a) * u, **EXACT)
        assert (q @ answer).item() >= 0
        apart = attention(q[None], torch.zeros_like(tokens), tokens)[0]
        assert_close(apart, torch.zeros(d, dtype=torch.float64), **EXACT)


@pytest.mark.identity("10.6")
def test_in_general_the_answer_lies_further_along_the_question_than_the_mean_key():
    for q, k in zip(*draws((50, 1, 3), (50, 4, 3), seed=8), strict=True):
        assert (q @ attention(q, k, k).T).item() >= (q @ k.mean(0)).item()
