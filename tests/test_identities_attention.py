"""Notebook 06, line by line, against loops, exact arithmetic and symbols."""

import itertools
import math

import pytest
import sympy as sp
import torch
from torch.testing import assert_close

from diffedu.nets.attention import (
    attention,
    attention_weights,
    fused_attention,
    sinusoidal_positions,
)

SIZES = [(3, 5, 4, 2), (6, 2, 3, 7), (4, 4, 5, 3)]  # n_q, n_k, d, d_v
every_size = pytest.mark.parametrize("size", SIZES, ids=str)


def draw(*shape, seed):
    g = torch.Generator().manual_seed(seed)
    return 0.3 + 1.5 * torch.randn(shape, generator=g, dtype=torch.float64)


def inputs(size):
    n_q, n_k, d, d_v = size
    return draw(n_q, d, seed=1), draw(n_k, d, seed=2), draw(n_k, d_v, seed=3)


def shares(scores):
    """The softmax of a list, each exponential written out."""
    exponentials = [math.exp(score) for score in scores]
    return [e / math.fsum(exponentials) for e in exponentials]


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def weights_by_loops(q, k, temperature):
    q, k = q.tolist(), k.tolist()
    return [shares([dot(query, key) / temperature for key in k]) for query in q]


def rotations(angles):
    """The blocks of (6.8) on the diagonal of one (d, d) matrix."""
    blocks = [
        torch.tensor([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]).double()
        for a in angles
    ]
    return torch.block_diag(*blocks)


def speeds(d):
    return [10_000 ** (-2 * i / d) for i in range(d // 2)]


# 6.1 and 6.2


@pytest.mark.identity("6.1", "6.2")
@every_size
def test_each_answer_is_a_mean_of_values_with_the_softmax_of_its_scores_over_the_root(size):
    q, k, v = inputs(size)
    weights = weights_by_loops(q, k, math.sqrt(size[2]))
    for one in (attention, fused_attention):
        found = one(q, k, v)
        for i, row in enumerate(weights):
            for e, column in enumerate(v.T.tolist()):
                wanted = pytest.approx(dot(row, column), rel=1e-12, abs=1e-12)
                assert found[i, e].item() == wanted


@pytest.mark.identity("6.1")
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_temperature_is_a_shorter_query(temperature):
    q, k, v = inputs(SIZES[0])
    wanted = torch.tensor(weights_by_loops(q, k, temperature), dtype=torch.float64)
    shorter = q * math.sqrt(q.shape[1]) / temperature
    assert_close(attention(shorter, k, v), wanted @ v, rtol=1e-12, atol=1e-12)


# 6.3


@pytest.mark.identity("6.3")
def test_a_score_of_unit_variance_entries_has_variance_d_by_counting_every_case():
    """Entries of -1 and 1, all 4^d pairs of vectors: no sampling, so no error."""
    for d in (1, 2, 3, 5):
        signs = torch.tensor([*itertools.product((-1.0, 1.0), repeat=d)], dtype=torch.float64)
        products = (signs[:, None] * signs[None]).sum(-1)
        assert_close(products.mean().item(), 0.0)
        assert_close(products.square().mean().item(), float(d))
        scaled = attention_weights(signs, signs).log()  # the scores, up to a shift of each row
        scaled = scaled[:, :1] - scaled  # differences from the first key
        wanted = (products[:, :1] - products) / math.sqrt(d)
        assert_close(scaled, wanted, rtol=1e-10, atol=1e-10)
        # key -1 is minus the first: half the difference is its score, of variance 1 for every d
        assert_close((scaled[:, -1] / 2).square().mean().item(), 1.0)


# 6.4


@pytest.mark.identity("6.4")
@every_size
def test_each_query_has_shares_that_are_positive_and_sum_to_1(size):
    q, k, _ = inputs(size)
    for row in attention_weights(q, k).tolist():
        assert min(row) >= 0
        assert math.fsum(row) == pytest.approx(1, abs=1e-14)


@pytest.mark.identity("6.4")
@every_size
def test_answers_stay_between_the_values_and_are_linear_in_them(size):
    q, k, v = inputs(size)
    u = draw(*v.shape, seed=4)
    o = attention(q, k, v)
    for e, column in enumerate(v.T.tolist()):
        assert min(column) <= o[:, e].min() and o[:, e].max() <= max(column)
    both = attention(q, k, 2 * v - 3 * u)
    assert_close(both, 2 * o - 3 * attention(q, k, u), rtol=1e-12, atol=1e-12)
    assert_close(attention(q, k, torch.ones_like(v)), torch.ones_like(o))


# 6.5


@pytest.mark.identity("6.5")
@every_size
def test_hidden_keys_leave_numerator_and_denominator(size):
    q, k, v = inputs(size)
    n_q, n_k, g = len(q), len(k), torch.Generator().manual_seed(5)
    mask = torch.rand(n_q, n_k, generator=g) < 0.5
    mask[torch.arange(n_q), torch.arange(n_q) % n_k] = True
    found = attention_weights(q, k, mask)
    for i, may_look in enumerate(mask.tolist()):
        seen = [j for j in range(n_k) if may_look[j]]
        row = weights_by_loops(q[i : i + 1], k[seen], math.sqrt(size[2]))[0]
        wanted = dict.fromkeys(range(n_k), 0.0) | dict(zip(seen, row, strict=True))
        assert found[i].tolist() == pytest.approx([wanted[j] for j in range(n_k)], rel=1e-12)
    assert_close(attention(q, k, v, mask), found @ v)


# 6.6


@pytest.mark.identity("6.6")
def test_reordered_tokens_give_the_same_answers_reordered_for_every_order_of_four():
    x, W = draw(4, 5, seed=6), draw(3, 5, 3, seed=7)
    q, k, v = x @ W
    o = attention(q, k, v)
    for order in itertools.permutations(range(4)):
        P = torch.zeros(4, 4, dtype=torch.float64)
        for row, token in enumerate(order):
            P[row, token] = 1
        assert_close(attention(*((P @ x) @ W)), P @ o, rtol=1e-12, atol=1e-12)
        assert_close(attention(q, P @ k, P @ v), o, rtol=1e-12, atol=1e-12)


@pytest.mark.identity("6.6", "6.7")
def test_positions_end_the_indifference_to_order():
    x, W = draw(4, 6, seed=8), draw(3, 6, 6, seed=9)
    P, order = sinusoidal_positions(4, 6).double(), [2, 0, 3, 1]
    with_places = attention(*((x + P) @ W))
    assert (attention(*((x[order] + P) @ W)) - with_places[order]).abs().max() > 0.01
    assert_close(attention(*(x[order] @ W)), attention(*(x @ W))[order])


# 6.7 and 6.8


@pytest.mark.identity("6.7")
@pytest.mark.parametrize(("n", "d"), [(7, 2), (5, 12), (90, 6)])
def test_positions_are_sines_and_cosines_in_turn(n, d):
    table = sinusoidal_positions(n, d)
    for p in range(n):
        for i in range(d // 2):
            angle = sp.Float(p, 30) / sp.Float(10_000, 30) ** sp.Rational(2 * i, d)
            wanted = float(sp.sin(angle)), float(sp.cos(angle))
            assert table[p, 2 * i : 2 * i + 2].tolist() == pytest.approx(wanted, abs=1e-7)


@pytest.mark.identity("6.8")
@pytest.mark.parametrize("step", [-7, 1, 30])
def test_a_step_turns_each_pair_of_a_position_by_the_same_matrix_everywhere(step):
    d, P = 10, sinusoidal_positions(60, 10).double()
    turn = rotations([step * speed for speed in speeds(d)])
    assert_close(turn @ turn.T, torch.eye(d, dtype=torch.float64))
    for p in range(max(0, -step), min(60, 60 - step)):
        assert_close(turn @ P[p], P[p + step], rtol=0, atol=1e-6)


@pytest.mark.identity("6.8")
def test_the_product_of_two_positions_knows_their_distance_only():
    P = sinusoidal_positions(40, 8).double()
    for p, other in itertools.product(range(0, 40, 7), range(40)):
        wanted = math.fsum(math.cos((p - other) * speed) for speed in speeds(8))
        assert (P[p] @ P[other]).item() == pytest.approx(wanted, abs=1e-6)


# 6.9


@pytest.mark.identity("6.9")
def test_the_slope_of_the_softmax_by_symbols():
    s = sp.symbols("s:4", real=True)
    A = [sp.exp(x) / sum(map(sp.exp, s)) for x in s]
    for j, m in itertools.product(range(4), repeat=2):
        wanted = A[j] * (int(j == m) - A[m])
        assert sp.simplify(sp.diff(A[j], s[m]) - wanted) == 0


@pytest.mark.identity("6.9")
def test_the_slope_of_our_weights_by_differences():
    """k is the identity times the root of d, so that the scores are the query itself."""
    n, h = 5, 1e-6
    k, s = math.sqrt(n) * torch.eye(n, dtype=torch.float64), draw(1, n, seed=10)
    A = attention_weights(s, k)[0].tolist()
    for m in range(n):
        step = h * torch.eye(n, dtype=torch.float64)[m]
        slope = (attention_weights(s + step, k) - attention_weights(s - step, k))[0] / (2 * h)
        wanted = [A[j] * ((j == m) - A[m]) for j in range(n)]
        assert slope.tolist() == pytest.approx(wanted, abs=1e-8)


# 6.10


@pytest.mark.identity("6.10")
def test_rotated_queries_and_keys_know_their_offset_only_in_scores_and_in_weights():
    d, n, shift = 6, 5, 11
    q, k = draw(n, d, seed=11), draw(n, d, seed=12)
    table = sinusoidal_positions(n + shift, d).double()

    def turned(x, first):
        """Row p of x turned to position first + p, with the sines and cosines of (6.7)."""
        sine, cosine = table[first : first + n, 0::2], table[first : first + n, 1::2]
        a, b = x[:, 0::2], x[:, 1::2]
        return torch.stack([a * cosine + b * sine, b * cosine - a * sine], -1).flatten(1)

    scores = turned(q, 0) @ turned(k, 0).T
    for m, p in itertools.product(range(n), repeat=2):
        turn = rotations([(p - m) * speed for speed in speeds(d)])
        assert_close(scores[m, p], q[m] @ turn @ k[p], rtol=0, atol=1e-5)
    here, there = (attention_weights(turned(q, at), turned(k, at)) for at in (0, shift))
    assert_close(here, there, rtol=0, atol=1e-5)
