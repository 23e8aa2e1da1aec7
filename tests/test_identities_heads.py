"""The boxed equations of notebook 07, by loops, by torch's own layer and by counting everything."""

import itertools
import math

import pytest
import sympy as sp
import torch
from torch import nn
from torch.testing import assert_close

from attention_parts import draws, redrawn, torchs_twin, weights_by_loops
from diffedu.nets.attention import (
    MultiHeadAttention,
    additive_attention,
    additive_attention_weights,
    attention,
    causal_mask,
    merge_heads,
    sinusoidal_positions,
    split_heads,
)
from diffedu.nets.seq2seq import EncoderDecoder, greedy, shift_right

B, N, M, HEADS, WIDTH, E = 3, 5, 7, 4, 2, 6  # sequences, tokens, context, heads, their width, C's
D = HEADS * WIDTH
EXACT = {"rtol": 0, "atol": 1e-12}


def head_by_loops(layer, i, x, context):
    """Attention(X W_Q^i, C W_K^i, C W_V^i), with the biases of the package's layers."""
    own = slice(i * WIDTH, (i + 1) * WIDTH)
    q, k, v = (
        tokens @ part.weight[own].T + part.bias[own]
        for part, tokens in ((layer.to_q, x), (layer.to_k, context), (layer.to_v, context))
    )
    return weights_by_loops(q, k) @ v


@pytest.mark.identity("7.1")
@pytest.mark.parametrize("d_context", [None, E], ids=["self", "cross"])
def test_many_heads_are_small_attentions_side_by_side(d_context):
    layer = redrawn(MultiHeadAttention(D, HEADS, d_context))
    x, context = draws((B, N, D), (B, M, E), seed=1)
    context = x if d_context is None else context
    heads = [head_by_loops(layer, i, x, context) for i in range(HEADS)]
    expected = torch.cat(heads, dim=-1) @ layer.to_out.weight.T + layer.to_out.bias
    found = layer(x) if d_context is None else layer(x, context)
    assert_close(found, expected, **EXACT)
    assert_close(torchs_twin(layer)(x, context, context)[0], expected, **EXACT)


@pytest.mark.identity("7.1")
def test_heads_apart_are_slices_of_the_features_and_come_together_again():
    (x,) = draws((B, N, D), seed=2)
    apart = split_heads(x, HEADS)
    for i in range(HEADS):
        assert_close(apart[:, i], x[..., i * WIDTH : (i + 1) * WIDTH], rtol=0, atol=0)
    assert_close(merge_heads(apart), x, rtol=0, atol=0)


@pytest.mark.identity("7.1")
def test_a_change_of_one_token_reaches_every_token():
    layer, (x,) = redrawn(MultiHeadAttention(20, 4)), draws((1, 10, 20), seed=3)
    changed = x.clone()
    changed[:, 7] += 1
    assert ((layer(changed) - layer(x)).abs().amax((0, 2)) > 1e-6).all()


@pytest.mark.identity("7.2")
def test_many_heads_are_a_sum_in_which_each_head_has_one_matrix():
    layer = redrawn(MultiHeadAttention(D, HEADS, E, bias=False))
    x, context = draws((B, N, D), (B, M, E), seed=4)
    expected = torch.zeros(B, N, D, dtype=torch.float64)
    for i, b, a, c in itertools.product(range(HEADS), range(B), range(N), range(M)):
        own = slice(i * WIDTH, (i + 1) * WIDTH)
        q, keys = layer.to_q.weight[own] @ x[b, a], context[b] @ layer.to_k.weight[own].T
        scores = [math.exp(score / math.sqrt(WIDTH)) for score in (keys @ q).tolist()]
        matrix = layer.to_out.weight[:, own] @ layer.to_v.weight[own]
        expected[b, a] += scores[c] / sum(scores) * (matrix @ context[b, c])
    assert_close(layer(x, context), expected, **EXACT)


@pytest.mark.identity("7.2")
def test_a_head_is_silenced_by_its_rows_of_w_o():
    layer, (x,) = redrawn(MultiHeadAttention(D, HEADS)), draws((B, N, D), seed=5)
    whole = layer(x)
    for i in range(HEADS):
        own = slice(i * WIDTH, (i + 1) * WIDTH)
        share = head_by_loops(layer, i, x, x) @ layer.to_out.weight[:, own].T
        silenced = torchs_twin(layer)
        with torch.no_grad():
            silenced.out_proj.weight[:, own] = 0
        assert_close(whole - silenced(x, x, x)[0], share, **EXACT)


def small_writer():
    """Three symbols and sequences of three: 27 targets, all of which can be tried."""
    g = torch.Generator().manual_seed(6)
    return redrawn(EncoderDecoder(3, 4, 2, generator=g), seed=7)


SOURCE = torch.tensor([[0, 2, 1, 1]])
TARGETS = torch.tensor(list(itertools.product(range(3), repeat=3)))


@torch.no_grad()
def one_after_the_other(model, source, target):
    """log p(y | x) by as many calls as there are symbols, each with the beginning alone."""
    told, total = [3], 0.0
    for symbol in target.tolist():
        scores = model(source, torch.tensor([told]))[0, -1].tolist()
        total += scores[symbol] - math.log(sum(map(math.exp, scores)))
        told.append(symbol)
    return total


@pytest.mark.identity("7.3")
def test_teacher_forcing_gives_the_log_probability_of_the_chain_rule():
    model = small_writer()
    logits = model(SOURCE.expand(27, 4), shift_right(TARGETS, 3))
    loss = nn.functional.cross_entropy(logits.mT, TARGETS, reduction="none").mean(1)
    expected = [-one_after_the_other(model, SOURCE, target) / 3 for target in TARGETS]
    assert_close(loss.tolist(), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.identity("7.3")
def test_the_probabilities_of_all_targets_sum_to_one():
    model = small_writer()
    logits = model(SOURCE.expand(27, 4), shift_right(TARGETS, 3))
    log_p = logits.log_softmax(-1).gather(-1, TARGETS[..., None])[..., 0].sum(1)
    assert_close(log_p.exp().sum().item(), 1.0, rtol=0, atol=1e-10)


@pytest.mark.identity("7.3")
def test_the_first_symbol_is_chosen_without_knowing_the_target():
    model = small_writer()
    first = model(SOURCE.expand(27, 4), shift_right(TARGETS, 3))[:, 0]
    assert_close(first, first[:1].expand(27, 3), **EXACT)
    assert greedy(model, SOURCE, 1).item() == first[0].argmax().item()


@pytest.mark.identity("7.4")
@pytest.mark.parametrize("n", [1, 2, 6])
def test_query_i_may_look_at_key_j_if_j_is_not_later(n):
    assert causal_mask(n).tolist() == [[j <= i for j in range(n)] for i in range(n)]


@pytest.mark.identity("7.4")
def test_under_the_causal_mask_no_slope_leads_from_the_future_to_the_past():
    layer, (x,) = redrawn(MultiHeadAttention(D, HEADS)), draws((1, N, D), seed=8)
    slopes = torch.autograd.functional.jacobian(lambda x: layer(x, mask=causal_mask(N)), x)
    strength = slopes[0, :, :, 0].abs().amax((1, 3))  # (output i, input j)
    assert (strength.triu(1) == 0).all()
    assert (strength[torch.ones(N, N).tril() == 1] > 0).all()


@pytest.mark.identity("7.4")
def test_causal_attention_is_attention_to_each_beginning():
    q, k, v = draws((N, 3), (N, 3), (N, 4), seed=9)
    rows = [attention(q[i : i + 1], k[: i + 1], v[: i + 1]) for i in range(N)]
    assert_close(attention(q, k, v, causal_mask(N)), torch.cat(rows), **EXACT)


@pytest.mark.identity("7.5")
def test_additive_scores_are_a_small_network_of_query_and_key():
    q, k, v, W_q, W_k, w = draws((B, N, 3), (B, M, 4), (B, M, 2), (6, 3), (6, 4), (6,), seed=10)
    weights = torch.zeros(B, N, M, dtype=torch.float64)
    for b, i in itertools.product(range(B), range(N)):
        scores = []
        for j in range(M):
            mixed = [
                sum(a * x for a, x in zip(row, q[b, i].tolist(), strict=True))
                + sum(a * x for a, x in zip(other, k[b, j].tolist(), strict=True))
                for row, other in zip(W_q.tolist(), W_k.tolist(), strict=True)
            ]
            scores.append(sum(a * math.tanh(x) for a, x in zip(w.tolist(), mixed, strict=True)))
        total = sum(map(math.exp, scores))
        weights[b, i] = torch.tensor([math.exp(s) / total for s in scores], dtype=torch.float64)
    assert_close(additive_attention_weights(q, k, W_q, W_k, w), weights, **EXACT)
    assert_close(additive_attention(q, k, v, W_q, W_k, w), weights @ v, **EXACT)


@pytest.mark.identity("7.6")
def test_a_mirror_of_an_angle_is_one_matrix_for_all_places():
    m, j, omega = sp.symbols("m j omega", real=True)
    pair = sp.Matrix([sp.sin(j * omega), sp.cos(j * omega)])
    c, s = sp.cos(m * omega), sp.sin(m * omega)
    mirrored = sp.Matrix([sp.sin((m - j) * omega), sp.cos((m - j) * omega)])
    assert sp.simplify(sp.expand_trig(mirrored - sp.Matrix([[-c, s], [s, c]]) * pair)) == sp.zeros(
        2, 1
    )


@pytest.mark.identity("7.6")
@pytest.mark.parametrize(("n", "d"), [(8, 32), (5, 6)])
def test_the_positions_are_mirrored_pair_by_pair(n, d):
    positions, m = sinusoidal_positions(n, d).double(), n - 1
    for j, i in itertools.product(range(n), range(d // 2)):
        angle = m * 10_000 ** (-2 * i / d)
        a, b = positions[j, 2 * i].item(), positions[j, 2 * i + 1].item()
        c, s = math.cos(angle), math.sin(angle)
        expected = positions[m - j, 2 * i : 2 * i + 2].tolist()
        assert_close([-c * a + s * b, s * a + c * b], expected, rtol=0, atol=1e-6)
