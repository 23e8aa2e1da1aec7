"""Linear attention against its explicit matrix, additive attention against a loop."""

import itertools
import math

import pytest
import sympy
import torch
from torch import nn
from torch.autograd import gradcheck

from attention_parts import draws
from diffedu.nets.attention import (
    additive_attention,
    additive_attention_weights,
    attention_weights,
    linear_attention,
    linear_attention_weights,
)

EXACT = {"rtol": 0, "atol": 1e-12}
SIZES = [((2, 3), 5, 7, 4, 6), ((), 1, 6, 3, 2), ((3,), 8, 1, 5, 1), ((2, 1, 3), 4, 9, 1, 5)]
OF_ALL_SIZES = pytest.mark.parametrize("size", SIZES, ids=str)


def qkv(lead, n_q, n_k, d, d_v, seed=0, dtype=torch.float64):
    return draws((*lead, n_q, d), (*lead, n_k, d), (*lead, n_k, d_v), seed=seed, dtype=dtype)


def shares(values):
    total = sum(math.exp(value) for value in values)
    return [math.exp(value) / total for value in values]


def linear_weights_by_loops(q, k):
    """rho_q rho_k^T of two matrices, one number at a time."""
    asked = [shares(row) for row in q.tolist()]
    offered = list(zip(*[shares(column) for column in zip(*k.tolist(), strict=True)], strict=True))
    rows = [[sum(map(math.prod, zip(a, o, strict=True))) for o in offered] for a in asked]
    return torch.tensor(rows, dtype=torch.float64)


def by_matrices(function, *parts):
    """A function of matrices for each index of batch and heads, stacked."""
    lead = parts[0].shape[:-2]
    found = [function(*[x[where] for x in parts]) for where in itertools.product(*map(range, lead))]
    return torch.stack(found).view(*lead, *found[0].shape)


@OF_ALL_SIZES
def test_the_explicit_matrix_is_that_of_a_loop(size):
    q, k, _ = qkv(*size)
    expected = by_matrices(linear_weights_by_loops, q, k)
    torch.testing.assert_close(linear_attention_weights(q, k), expected, **EXACT)


@OF_ALL_SIZES
def test_linear_attention_is_its_explicit_matrix_times_the_values(size):
    q, k, v = qkv(*size, seed=1)
    expected = by_matrices(linear_weights_by_loops, q, k) @ v
    torch.testing.assert_close(linear_attention(q, k, v), expected, **EXACT)


@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
def test_the_rows_of_the_matrix_are_shares_that_sum_to_one(scale):
    q, k, _ = qkv((2, 3), 5, 11, 4, 1, seed=2)
    weights = linear_attention_weights(scale * q, scale * k)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 5).double(), **EXACT)


def test_equal_values_come_back_unchanged():
    q, k, _ = qkv((2, 3), 5, 11, 4, 1, seed=3)
    values = torch.full((2, 3, 11, 2), -3.5).double()
    torch.testing.assert_close(linear_attention(q, k, values), values[..., :5, :], **EXACT)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_the_rank_is_at_most_d_and_that_of_softmax_attention_is_not(d):
    q, k, _ = qkv((), 19, 23, d, 1, seed=4)
    assert torch.linalg.matrix_rank(linear_attention_weights(q, k), rtol=1e-12) == d
    assert torch.linalg.matrix_rank(attention_weights(3 * q, k), rtol=1e-12) > d


@pytest.mark.parametrize(("n_q", "n_k", "d", "d_v"), [(1, 2, 1, 1), (2, 3, 2, 1), (3, 2, 1, 2)])
def test_brackets_may_stand_either_way_and_rows_sum_to_one_for_all_symbols(n_q, n_k, d, d_v):
    Q = sympy.Matrix(n_q, d, sympy.symbols(f"q:{n_q * d}", real=True))
    K = sympy.Matrix(n_k, d, sympy.symbols(f"k:{n_k * d}", real=True))
    V = sympy.Matrix(n_k, d_v, sympy.symbols(f"v:{n_k * d_v}", real=True))
    eQ, eK = Q.applyfunc(sympy.exp), K.applyfunc(sympy.exp)
    rho_q = sympy.Matrix(n_q, d, lambda i, c: eQ[i, c] / sum(eQ[i, :]))
    rho_k = sympy.Matrix(n_k, d, lambda j, c: eK[j, c] / sum(eK[:, c]))
    A = rho_q * rho_k.T
    assert all(sympy.simplify(sum(A[i, :]) - 1) == 0 for i in range(n_q))
    result = rho_q * (rho_k.T * V)
    assert (A * V - result).applyfunc(sympy.simplify) == sympy.zeros(n_q, d_v)
    q, k, v = draws((n_q, d), (n_k, d), (n_k, d_v), seed=5)
    symbols, numbers = [*Q, *K, *V], torch.cat([x.flatten() for x in (q, k, v)]).tolist()
    value = result.subs(dict(zip(symbols, numbers, strict=True))).evalf().tolist()
    expected = torch.tensor([[float(x) for x in row] for row in value], dtype=torch.float64)
    torch.testing.assert_close(linear_attention(q, k, v), expected, **EXACT)


def test_it_is_another_operator_than_softmax_attention():
    """Half the distance of two rows of weights: 0 if they are equal, 1 if they have no key."""
    q, k, _ = qkv((4,), 64, 64, 16, 1, seed=6)
    apart = [
        (linear_attention_weights(a * q, a * k) - attention_weights(a * q, a * k)).abs().sum(-1) / 2
        for a in (0.0, 1.0, 4.0)
    ]
    assert apart[0].max() < 1e-12 < 0.2 < apart[1].mean() < apart[2].mean()
    assert apart[2].mean() > 0.7


def test_linear_attention_is_linear_in_the_values():
    (q, k, v), (other,) = qkv((2, 3), 5, 7, 4, 6), draws((2, 3, 7, 6), seed=9)
    torch.testing.assert_close(linear_attention(q, k, 2 * v), 2 * linear_attention(q, k, v))
    both = linear_attention(q, k, v) + linear_attention(q, k, other)
    torch.testing.assert_close(linear_attention(q, k, v + other), both, **EXACT)


def test_in_linear_attention_order_matters_to_nobody():
    q, k, v = qkv((2, 3), 5, 7, 4, 6, seed=7)
    keys, queries = torch.tensor([3, 0, 6, 1, 5, 2, 4]), torch.tensor([4, 2, 0, 1, 3])
    before = linear_attention(q, k, v)
    after = linear_attention(q[..., queries, :], k[..., keys, :], v[..., keys, :])
    torch.testing.assert_close(after, before[..., queries, :], **EXACT)


def test_in_linear_attention_a_sample_and_a_head_depend_on_themselves_alone():
    parts = qkv((2, 3), 5, 7, 4, 6, seed=8)
    before = linear_attention(*parts)
    for part in range(3):
        changed = [x.clone() for x in parts]
        changed[part][1, 2] = changed[part][1, 2].flip(-1) * 2
        difference = (linear_attention(*changed) - before).abs().amax((-1, -2))
        assert difference[1, 2] > 1e-3
        difference[1, 2] = 0
        assert (difference == 0).all()


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float16, 3e-3), (torch.bfloat16, 3e-2)])
def test_linear_attention_survives_half_precision_and_huge_numbers(dtype, atol):
    q, k, v = qkv((2, 3), 5, 7, 4, 6, dtype=dtype)
    for scale in (1, 1000):
        q, k = q * scale, k * scale
        expected = linear_attention(q.double(), k.double(), v.double())
        result = linear_attention(q, k, v)
        assert result.dtype == dtype
        torch.testing.assert_close(result.double(), expected, rtol=0, atol=atol)


# lead, n_q, n_k, d_q, d_k, d_a, d_v
ADDITIVE = [((2, 3), 5, 7, 4, 3, 6, 2), ((), 1, 6, 2, 5, 1, 3), ((3,), 4, 1, 1, 2, 3, 1)]
OF_ALL_ADDITIVE = pytest.mark.parametrize("size", ADDITIVE, ids=str)


def additive_parts(lead, n_q, n_k, d_q, d_k, d_a, d_v, seed=0):
    """q, k, v, W_q, W_k, w"""
    shapes = (*lead, n_q, d_q), (*lead, n_k, d_k), (*lead, n_k, d_v), (d_a, d_q), (d_a, d_k), (d_a,)
    return draws(*shapes, seed=seed)


def additive_by_loops(q, k, W_q, W_k, w):
    """Of two matrices: v^T tanh(W s + U h), one query and one key at a time."""
    rows = [shares([sum(w * torch.tanh(W_q @ asks + W_k @ key)).item() for key in k]) for asks in q]
    return torch.tensor(rows, dtype=torch.float64)


@OF_ALL_ADDITIVE
def test_additive_weights_are_those_of_a_loop(size):
    q, k, v, W_q, W_k, w = additive_parts(*size)
    expected = by_matrices(lambda a, b: additive_by_loops(a, b, W_q, W_k, w), q, k)
    weights = additive_attention_weights(q, k, W_q, W_k, w)
    torch.testing.assert_close(weights, expected, **EXACT)
    torch.testing.assert_close(additive_attention(q, k, v, W_q, W_k, w), expected @ v, **EXACT)


def test_additive_weights_are_those_of_torchs_linear_layers():
    q, k, v, W_q, W_k, w = additive_parts(*ADDITIVE[0], seed=1)
    mix_q, mix_k, score = (nn.Linear(n, m, bias=False) for n, m in ((4, 6), (3, 6), (6, 1)))
    for layer, weight in ((mix_q, W_q), (mix_k, W_k), (score, w[None])):
        layer.weight = nn.Parameter(weight)
    scores = score(torch.tanh(mix_q(q)[:, :, :, None] + mix_k(k)[:, :, None])).squeeze(-1)
    expected = torch.softmax(scores, dim=3) @ v
    torch.testing.assert_close(additive_attention(q, k, v, W_q, W_k, w), expected, **EXACT)


def test_additive_weights_are_shares_whose_ratio_is_bounded():
    """The tanh keeps each score within the sum of |w|."""
    q, k, _, W_q, W_k, w = additive_parts((2,), 5, 40, 4, 3, 6, 2)
    weights = additive_attention_weights(1000 * q, 1000 * k, W_q, W_k, w)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 5).double(), **EXACT)
    assert (weights.amax(-1) / weights.amin(-1)).max() <= math.exp(2 * w.abs().sum())


def test_additive_attention_is_linear_in_the_values():
    q, k, v, *rest = additive_parts(*ADDITIVE[0], seed=2)
    once, twice = additive_attention(q, k, v, *rest), additive_attention(q, k, 2 * v, *rest)
    torch.testing.assert_close(twice, 2 * once, **EXACT)


def test_in_additive_attention_a_sample_depends_on_itself_alone():
    parts = additive_parts(*ADDITIVE[0], seed=3)
    before = additive_attention(*parts)
    for part in range(3):
        changed = [x.clone() for x in parts]
        changed[part][1] = changed[part][1].flip(-1) * 2
        after = additive_attention(*changed)
        torch.testing.assert_close(after[0], before[0], rtol=0, atol=0)
        assert (after[1] - before[1]).abs().max() > 1e-3


def test_the_gradients_are_those_of_finite_differences():
    parts = [x.requires_grad_() for x in qkv((2, 1), 3, 4, 2, 3)]
    assert gradcheck(linear_attention, parts)
    assert gradcheck(linear_attention_weights, parts[:2])
    parts = [x.requires_grad_() for x in additive_parts((2,), 3, 4, 2, 1, 2, 3)]
    assert gradcheck(additive_attention, parts)
    assert gradcheck(additive_attention_weights, [*parts[:2], *parts[3:]])
