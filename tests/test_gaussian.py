"""Noising and drawing t, beside loops, exact recursions and simulated chains."""

import itertools
import math

import pytest
import torch
from scipy.stats import chisquare
from torch.testing import assert_close

from diffedu.diffusion.gaussian import (
    draw_t,
    eps_from_v,
    eps_from_x0,
    posterior,
    posterior_variance,
    q_sample,
    q_step,
    reverse_mean,
    v_from_x0_eps,
    x0_from_eps,
    x0_from_v,
)
from diffedu.diffusion.schedules import SCHEDULES, linear

T = 40
CLOSE = {"rtol": 1e-12, "atol": 1e-14}
every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


def random(*shape, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype)


def number(x) -> torch.Tensor:
    """A batch of one sample of one number."""
    return torch.tensor([[float(x)]], dtype=torch.float64)


def steps(*values) -> torch.Tensor:
    return torch.tensor(values)


def slope_and_noise(function, t, s) -> tuple[float, float]:
    """What `function` multiplies the data and the noise by, read off at (1, 0) and (0, 1)."""
    at = [function(number(x), steps(t), number(eps), s).item() for x, eps in ((1, 0), (0, 1))]
    return at[0], at[1]


# One step


@pytest.mark.identity("1.1")
@every_schedule
def test_one_step_shrinks_the_data_and_adds_noise_of_variance_beta(make):
    s, x_prev, eps = make(T), 4 * random(5, 2, 3, seed=0) + 1, random(5, 2, 3, seed=1)
    t = steps(1, 2, 17, 39, T)
    wanted = torch.empty_like(x_prev)
    for at in itertools.product(range(5), range(2), range(3)):
        beta = s.beta[t[at[0]]].item()
        wanted[at] = math.sqrt(1 - beta) * x_prev[at] + math.sqrt(beta) * eps[at]
    assert_close(q_step(x_prev, t, eps, s), wanted, **CLOSE)


@pytest.mark.identity("1.2")
@every_schedule
@pytest.mark.parametrize("variance", [1.0, 0.04, 9.0])
def test_the_variance_goes_a_fraction_beta_of_the_way_to_1_in_each_step(make, variance):
    s = make(T)
    by_steps = recursion = start = variance
    for t in range(1, T + 1):
        slope, noise = slope_and_noise(q_step, t, s)
        by_steps = slope**2 * by_steps + noise**2
        recursion = recursion + s.beta[t].item() * (1 - recursion)
        assert_close(by_steps, recursion, **CLOSE)
    assert_close(by_steps - 1, s.alpha_bar[T].item() * (start - 1), rtol=1e-9, atol=1e-12)


def test_with_beta_where_its_root_belongs_the_variance_would_fall_to_019():
    variance = 1.0
    for beta in linear(1000).beta[1:].tolist():
        variance = (1 - beta) * variance + beta**2
    assert_close(variance, 0.0190, rtol=0, atol=5e-5)


@pytest.mark.identity("1.3")
@pytest.mark.parametrize("t", [2, 9, T])
def test_two_independent_noises_add_up_in_variance(t):
    """Two steps from 0: the first noise shrinks by a/sqrt(beta), the second comes on top."""
    s, n = linear(T), 200_000
    nothing, one = torch.zeros(1, 1).double(), torch.ones(1, 1).double()
    a = q_step(q_step(nothing, steps(t - 1), one, s), steps(t), nothing, s).item()
    b = q_step(nothing, steps(t), one, s).item()
    first, second = random(n, 1, seed=2), random(n, 1, seed=3)
    at = steps(t).expand(n)
    x = q_step(q_step(torch.zeros_like(first), at - 1, first, s), at, second, s)
    wanted = a**2 + b**2
    four_sigma = 4 * wanted * math.sqrt(2 / n)
    assert_close(x.var().item(), wanted, rtol=0, atol=four_sigma)
    beta_1, beta_2 = s.beta[t - 1].item(), s.beta[t].item()
    assert_close(wanted, 1 - (1 - beta_1) * (1 - beta_2), **CLOSE)


# The jump


@pytest.mark.identity("1.5")
@every_schedule
def test_the_jump_has_the_mean_and_the_variance_of_all_its_steps(make):
    s = make(T)
    slope, variance = 1.0, 0.0
    for t in range(1, T + 1):
        one_slope, one_noise = slope_and_noise(q_step, t, s)
        slope, variance = one_slope * slope, one_slope**2 * variance + one_noise**2
        signal, noise = slope_and_noise(q_sample, t, s)
        assert_close((signal, noise**2), (slope, variance), **CLOSE)
        assert_close(signal**2 + noise**2, 1.0, **CLOSE)


@pytest.mark.identity("1.5")
def test_the_jump_of_a_batch_is_the_formula_element_by_element():
    s, x0, eps = linear(T), 3 * random(4, 2, 5, seed=4) - 2, random(4, 2, 5, seed=5)
    t = steps(40, 1, 13, 2)
    wanted = torch.empty_like(x0)
    for at in itertools.product(range(4), range(2), range(5)):
        alpha_bar = math.prod(1 - beta for beta in s.beta[: t[at[0]] + 1].tolist())
        wanted[at] = math.sqrt(alpha_bar) * x0[at] + math.sqrt(1 - alpha_bar) * eps[at]
    assert_close(q_sample(x0, t, eps, s), wanted, **CLOSE)


def test_a_simulated_chain_has_the_moments_of_the_jump():
    s, n, x0 = linear(25), 10_000, 1.7
    x = torch.full((n, 1), x0, dtype=torch.float64)
    for step in range(1, 26):
        x = q_step(x, steps(step).expand(n), random(n, 1, seed=100 + step), s)
        signal, noise = slope_and_noise(q_sample, step, s)
        four_sigma = 4 * noise / math.sqrt(n)
        assert_close(x.mean().item(), signal * x0, rtol=0, atol=four_sigma)
        assert_close(x.var().item(), noise**2, rtol=4 * math.sqrt(2 / n), atol=0)


@pytest.mark.identity("1.11")
@every_schedule
def test_a_jump_between_any_two_steps_has_the_ratio_of_their_alpha_bars(make):
    s = make(24)
    one_step = [slope_and_noise(q_step, t, s) for t in range(1, 25)]
    for start in range(24):
        slope, variance = 1.0, 0.0
        for t, (one_slope, one_noise) in enumerate(one_step[start:], start + 1):
            slope, variance = one_slope * slope, one_slope**2 * variance + one_noise**2
            ratio = (s.alpha_bar[t] / s.alpha_bar[start]).item()
            assert_close((slope, variance), (math.sqrt(ratio), 1 - ratio), rtol=1e-9, atol=1e-14)


@pytest.mark.identity("1.11")
@pytest.mark.parametrize(("start", "t"), [(1, 2), (3, 30), (39, 40)])
def test_a_jump_on_top_of_a_jump_is_one_jump(start, t):
    s = linear(T)
    ratio = (s.alpha_bar[t] / s.alpha_bar[start]).item()
    signal_start, noise_start = slope_and_noise(q_sample, start, s)
    signal, noise = slope_and_noise(q_sample, t, s)
    assert_close(math.sqrt(ratio) * signal_start, signal, **CLOSE)
    assert_close(ratio * noise_start**2 + 1 - ratio, noise**2, **CLOSE)


# Dtypes and broadcasting


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_noise_of_the_first_step_survives_a_coarse_dtype(dtype):
    """In bfloat16 and float16, 1 - .9999 is 0: coefficients are rounded last."""
    s, eps = linear(1000), torch.tensor([[1.0, -3.0, 0.5]], dtype=dtype)
    root = math.sqrt(1e-4)
    wanted = root * eps.double()
    error = torch.finfo(dtype).eps
    for function in (q_sample, q_step):
        noise = function(torch.zeros_like(eps), steps(1), eps, s)
        assert noise.dtype == dtype
        assert_close(noise.double(), wanted, rtol=2 * error, atol=0)
    both = q_sample(2 * torch.ones_like(eps), steps(1000), eps, s).double()
    alpha_bar = s.alpha_bar[1000].item()
    exact = math.sqrt(alpha_bar) * 2 + math.sqrt(1 - alpha_bar) * eps.double()
    assert_close(both, exact, rtol=2 * error, atol=2 * error)


FUNCTIONS = {
    "q_step": q_step,
    "q_sample": q_sample,
    "posterior mean": lambda x, t, y, s: posterior(x, y, t, s)[0],
    "posterior variance": lambda x, t, y, s: posterior(x, y, t, s)[1] * x,
    "posterior_variance": lambda x, t, y, s: posterior_variance(t, s),
    "x0_from_eps": x0_from_eps,
    "eps_from_x0": eps_from_x0,
    "v_from_x0_eps": lambda x, t, y, s: v_from_x0_eps(x, y, t, s),
    "x0_from_v": x0_from_v,
    "eps_from_v": eps_from_v,
    "reverse_mean": lambda x, t, y, s: reverse_mean(x, y, t, s),
}


@pytest.mark.parametrize("shape", [(), (4,), (3, 4), (2, 5, 4)])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_every_sample_meets_its_own_t_even_where_the_width_is_the_batch_size(function, shape):
    """A bare (B,) would run along the last axis, which is 4 wide like the batch."""
    s, x, y = linear(T), 3 * random(4, *shape, seed=6) + 1, random(4, *shape, seed=7)
    t = steps(1, 5, 23, 40)
    together = function(x, t, y, s)
    alone = [function(x[b : b + 1], t[b : b + 1], y[b : b + 1], s) for b in range(4)]
    assert_close(together, torch.cat(alone), rtol=1e-15, atol=0)


# Drawing t


def test_t_is_drawn_uniformly_from_1_to_T_with_both_ends():
    t = draw_t(25 * 400, linear(25), torch.Generator().manual_seed(8))
    assert t.dtype == torch.int64
    counts = t.bincount(minlength=26)
    assert counts[0] == 0 and len(counts) == 26 and (counts[1:] > 0).all()
    assert chisquare(counts[1:].numpy()).pvalue > 1e-3


def test_the_same_seed_draws_the_same_t_and_a_batch_does_not_share_one():
    s = linear(1000)
    first, again, other = [draw_t(64, s, torch.Generator().manual_seed(k)) for k in (9, 9, 10)]
    assert_close(first, again, rtol=0, atol=0)
    assert (first != other).any() and len(first.unique()) > 50
