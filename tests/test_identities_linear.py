"""Notebook 09, line by line: brackets, axes, row sums, rank, cost, the budget, the floor."""

import itertools
import math

import pytest
import sympy
import torch
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from diffedu.classroom.checks.linear.ceilings import ceilings
from diffedu.classroom.checks.linear.multiplications import multiplications
from diffedu.classroom.checks.linear.row_distance import row_distance
from diffedu.nets.attention import attention, linear_attention, linear_attention_weights


def draw(*shape, seed, scale=1.5):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


def by_hand(q, k):
    """(9.2) for one head, one entry at a time, with math.exp."""
    (n_q, d), n_k = q.shape, len(k)
    q, k = q.tolist(), k.tolist()
    A = torch.zeros(n_q, n_k, dtype=torch.float64)
    for i, j, c in itertools.product(range(n_q), range(n_k), range(d)):
        mixture = math.exp(q[i][c]) / sum(map(math.exp, q[i]))
        light = math.exp(k[j][c]) / sum(math.exp(key[c]) for key in k)
        A[i, j] += mixture * light
    return A


@pytest.mark.identity("9.1")
def test_the_brackets_may_move():
    x, y, v = (sympy.Matrix(3, 2, sympy.symbols(f"{name}:6")) for name in "xyv")
    assert ((x * y.T) * v - x * (y.T * v)).expand() == sympy.zeros(3, 2)


@pytest.mark.identity("9.1")
@pytest.mark.parametrize("n", [2, 3, 17, 40])
def test_with_its_brackets_moved_it_still_is_the_matrix_times_the_values(n):
    q, k, v = draw(7, 5, seed=1), draw(n, 5, seed=2), draw(n, 3, seed=3)
    assert_close(linear_attention(q, k, v), by_hand(q, k) @ v, rtol=1e-12, atol=1e-12)


@pytest.mark.identity("9.2")
def test_queries_are_softmaxed_over_features_and_keys_over_tokens():
    for seed, (n_q, n_k, d) in enumerate([(7, 9, 5), (6, 6, 6), (3, 11, 4), (1, 2, 3)]):
        q, k = draw(n_q, d, seed=seed), draw(n_k, d, seed=seed + 10)
        assert_close(linear_attention_weights(q, k), by_hand(q, k), rtol=1e-12, atol=1e-14)


@pytest.mark.identity("9.2")
@pytest.mark.parametrize("n", [7, 12, 25])
def test_three_spotlights_on_a_circle_make_the_matrix_of_the_pen_and_paper_question(n):
    angle = 2 * math.pi * torch.arange(n, dtype=torch.float64) / n
    lamps = 2 * math.pi * torch.arange(3, dtype=torch.float64) / 3
    light = 1 + torch.cos(angle[:, None] - lamps)
    rows = (1 + torch.cos(angle[:, None] - angle) / 2) / n
    logs = light.clamp(min=1e-30).log()  # a softmax gives no exact zero
    assert_close(linear_attention_weights(logs, logs), rows, rtol=0, atol=1e-14)
    assert torch.linalg.matrix_rank(rows) == 3
    assert_close(rows.diagonal(), torch.full_like(angle, 1.5 / n), rtol=1e-14, atol=0)


@pytest.mark.identity("9.3")
@pytest.mark.parametrize("scale", [0.1, 1.5, 30])
def test_rows_are_positive_and_sum_to_one_and_so_ones_come_back_as_ones(scale):
    q, k = draw(2, 3, 7, 5, seed=4, scale=scale), draw(2, 3, 11, 5, seed=5, scale=scale)
    A, ones = linear_attention_weights(q, k), torch.ones(2, 3, 11, 4, dtype=torch.float64)
    assert (A > 0).all()
    assert_close(A.sum(-1), torch.ones(2, 3, 7, dtype=torch.float64), rtol=0, atol=1e-13)
    assert_close(linear_attention(q, k, ones), ones[..., :7, :], rtol=0, atol=1e-13)


@pytest.mark.identity("9.4")
@pytest.mark.parametrize("d", [1, 2, 5, 12])
def test_the_rank_is_at_most_the_width_of_the_head(d):
    q, k = draw(30, d, seed=6), draw(40, d, seed=7)
    values = torch.linalg.svdvals(linear_attention_weights(q, k))
    assert (values[d:] < 1e-14 * values[0] * 40).all()
    assert values[d - 1] > 1e-6 * values[0]  # and here it is reached


def flops(look, n, d, d_v):
    q, k, v = (torch.ones(n, width) for width in (d, d, d_v))
    with FlopCounterMode(display=False) as counter:
        look(q, k, v)
    return counter.get_total_flops()


def multiplications_of(a, b, c):
    """Of (a x b)(b x c), by doing it."""
    return sum(1 for _ in itertools.product(range(a), range(b), range(c)))


@pytest.mark.identity("9.5")
def test_the_cost_of_both_forms_is_that_of_their_two_products():
    for n, d, d_v in ((13, 4, 3), (3, 5, 7), (6, 6, 6), (20, 2, 9)):
        full = multiplications_of(n, d, n) + multiplications_of(n, n, d_v)
        linear = multiplications_of(d, n, d_v) + multiplications_of(n, d, d_v)
        assert multiplications(n, d, d_v) == (full, linear)
        assert (flops(attention, n, d, d_v), flops(linear_attention, n, d, d_v)) == (
            2 * full,
            2 * linear,
        )
        assert (2 * full, 2 * linear) == (2 * n**2 * (d + d_v), 4 * n * d * d_v)


@pytest.mark.identity("9.5")
@pytest.mark.parametrize("n", [8, 32, 128])
def test_softmax_costs_n_over_d_times_as_much(n):
    assert flops(attention, n, 32, 32) / flops(linear_attention, n, 32, 32) == n / 32


@pytest.mark.identity("9.6")
def test_no_query_exceeds_the_ceilings_and_they_sum_to_at_most_the_width():
    for seed, scale in enumerate(torch.logspace(-2, 3, 26).tolist()):
        k = draw(24, 5, seed=seed, scale=scale)
        q = draw(400, 5, seed=seed + 50, scale=scale)
        m = ceilings(k)
        assert (linear_attention_weights(q, k) <= m + 1e-12).all()
        assert m.sum() <= 5 + 1e-12


@pytest.mark.identity("9.6")
def test_a_keen_query_reaches_each_ceiling_and_dealt_out_tokens_use_up_the_budget():
    k = draw(24, 5, seed=8)
    keen = 500 * torch.eye(5, dtype=torch.float64)
    assert_close(linear_attention_weights(keen, k).amax(0), ceilings(k), rtol=1e-9, atol=0)
    groups = 60 * torch.eye(5, dtype=torch.float64)[torch.arange(20) % 5]
    assert_close(ceilings(groups).sum().item(), 5.0, rtol=1e-9, atol=0)
    diagonal = linear_attention_weights(groups, groups).diagonal()
    assert_close(diagonal.mean().item(), 5 / 20, rtol=1e-9, atol=0)


def fetching_error(B, wanted):
    """What is missed of independent values of variance 1, on average over the queries."""
    target = torch.eye(len(B), dtype=B.dtype)[wanted]
    return ((B - target) ** 2).sum().item() / len(B)


@pytest.mark.identity("9.7")
def test_fetching_misses_at_least_what_the_rank_leaves_out():
    n, d = 20, 4
    for seed in range(40):
        wanted = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
        lit = 5 * draw(n, d, seed=seed)  # queries that know where their token is, and some noise
        A = linear_attention_weights(lit[wanted], lit)
        right = A[torch.arange(n), wanted].sum()
        best = (right / A.square().sum()).item()  # the scale with the smallest error
        assert fetching_error(best * A, wanted) >= 1 - d / n - 1e-9


@pytest.mark.identity("9.7")
def test_the_floor_is_reached_by_the_means_of_groups_of_any_size():
    n, d = 20, 4
    wanted = torch.randperm(n, generator=torch.Generator().manual_seed(9))
    for groups in (torch.arange(n) % d, (torch.arange(n) // 2).clamp(max=d - 1)):
        lit = 80 * torch.eye(d, dtype=torch.float64)[groups]
        A = linear_attention_weights(lit[wanted], lit)
        assert_close(fetching_error(A, wanted), 1 - d / n, rtol=1e-9, atol=0)


@pytest.mark.identity("9.7")
def test_the_error_of_a_matrix_is_what_it_misses_of_random_values():
    n, draws = 9, 200_000
    wanted = torch.randperm(n, generator=torch.Generator().manual_seed(10))
    B = 1.3 * linear_attention_weights(draw(n, 3, seed=11), draw(n, 3, seed=12))
    v = draw(n, draws, seed=13, scale=1)
    squares = ((B @ v - v[wanted]) ** 2).mean(0)
    off = abs(squares.mean().item() - fetching_error(B, wanted))
    assert off < 4 * squares.std().item() / math.sqrt(draws)


@pytest.mark.identity("9.8")
def test_total_variation_is_the_largest_difference_over_all_sets_of_keys():
    a, b = draw(4, 3, 7, seed=14).softmax(-1), draw(4, 3, 7, seed=15).softmax(-1)
    sets = torch.tensor(list(itertools.product([0.0, 1.0], repeat=7)), dtype=torch.float64)
    largest = ((a - b) @ sets.T).amax(-1)
    assert_close(row_distance(a, b), largest, rtol=1e-12, atol=1e-14)


@pytest.mark.identity("9.8")
def test_total_variation_is_0_for_equal_rows_and_1_for_rows_without_a_common_key():
    one = torch.tensor([[0.5, 0.5, 0, 0], [0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
    other = torch.tensor([[0, 0, 0.9, 0.1], [0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
    assert_close(row_distance(one, other).tolist(), [1.0, 0.0], rtol=0, atol=1e-15)
