"""Notebook 05, line by line: the reverse variance, what DDIM keeps, and what a long jump is.

A sampler's step is affine in x_t, eps_hat and the noise. Calling it with one of them 1 and the
others 0 gives its coefficients exactly, without any drawing.
"""

import math
from functools import partial
from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from diffedu.diffusion.exact import gaussian
from diffedu.diffusion.exact_bound import best_variance, unavoidable_error
from diffedu.diffusion.gaussian import (
    fixed_large,
    fixed_small,
    posterior,
    posterior_variance,
    q_sample,
    q_step,
    reverse_mean,
    x0_from_eps,
)
from diffedu.diffusion.samplers import ddim_step, ddpm_strided
from diffedu.diffusion.schedules import SCHEDULES, Schedule, cosine, linear

T = 30
ETAS = pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def network(x, t):
    return torch.tanh(x) + 0.01 * t.view(-1, 1, 1)


def steps(x, t):
    return torch.full((len(x),), t)


def alpha_bar_at(t, s):
    return math.prod(s.alpha[1 : t + 1].tolist())


def coefficients(step, inputs):
    """What each input of a linear function is multiplied by: sample i has input i at 1."""
    return step(*torch.eye(inputs, dtype=torch.float64)[..., None]).squeeze(1).tolist()


def every_jump(s):
    """t and t' of every jump of a schedule, 0 <= t' < t <= T."""
    return [(t, then) for t in range(1, s.T + 1) for then in range(t)]


# 5.2


def variance_by_bayes(width, xt, t, s):
    """Var(x_{t-1} | x_t) on a grid of x_{t-1}: its prior times the likelihood of x_t."""
    before = math.sqrt(alpha_bar_at(t - 1, s) * width**2 + 1 - alpha_bar_at(t - 1, s))
    x = torch.linspace(-9, 9, 36_001, dtype=torch.float64)[:, None]
    mean, there = (q_step(x, steps(x, t), eps, s) for eps in (0 * x, torch.ones_like(x)))
    prior = torch.distributions.Normal(0, before).log_prob(x)
    likelihood = torch.distributions.Normal(mean, there - mean).log_prob(torch.tensor(xt).double())
    weight = (prior + likelihood).softmax(0)
    centre = (weight * x).sum()
    return (weight * (x - centre) ** 2).sum().item()


@pytest.mark.identity("5.2")
@pytest.mark.parametrize("s", [linear(T), cosine(T)], ids=["linear", "cosine"])
@pytest.mark.parametrize("width", [0.2, 1.0, 1.7])
def test_the_reverse_variance_of_gaussian_data_is_that_of_bayes_on_a_grid(width, s):
    best = best_variance(s, unavoidable_error(gaussian(0.0, width), s))
    for t in (2, 3, 11, T - 1, T):
        for xt in (-0.8, 0.5):  # the same wherever x_t lies
            wanted = variance_by_bayes(width, xt, t, s)
            assert_close(best[t].item(), wanted, rtol=1e-6, atol=0)


@pytest.mark.identity("5.2")
@every_schedule
@pytest.mark.parametrize("width", [0.0, 0.2, 1.0, 1.7])
def test_the_reverse_variance_is_beta_for_width_1_and_beta_tilde_for_width_0(width, make):
    s = make(T)
    error = torch.zeros(T + 1, dtype=torch.float64)
    for t in range(1, T + 1):
        alpha_bar = alpha_bar_at(t, s)
        error[t] = width**2 * (1 - alpha_bar) / (alpha_bar * width**2 + 1 - alpha_bar)
    best = best_variance(s, error)
    for t in range(1, T + 1):  # Var(x) - Cov(x, y)^2 / Var(y), for x = x_{t-1} and y = x_t
        alpha, before = s.alpha[t].item(), alpha_bar_at(t - 1, s)
        x = before * width**2 + 1 - before
        y = alpha * x + 1 - alpha
        assert_close(best[t].item(), x - alpha * x**2 / y, rtol=1e-8, atol=1e-13)
    if width in (0.0, 1.0):
        fixed = (fixed_large if width else fixed_small)(s)
        assert_close(best, fixed, rtol=1e-10, atol=1e-15)


# 5.4 to 5.7


@pytest.mark.identity("5.5")
@every_schedule
@ETAS
def test_the_noise_of_a_jump_is_eta_times_what_the_posterior_of_the_jump_has(make, eta):
    s = make(T)
    now, then = (torch.tensor(column) for column in zip(*every_jump(s), strict=True))
    zero, one = torch.zeros(len(now), 1).double(), torch.ones(len(now), 1).double()
    sigma = ddim_step(zero, zero, now, then, s, eta, one).squeeze(1)
    expected = []
    for t, t_next in every_jump(s):
        kept = math.prod(s.alpha[t_next + 1 : t + 1].tolist())  # of x_{t'}, in x_t
        given_x0 = 1 - alpha_bar_at(t_next, s)  # Var(x_{t'} | x_0)
        after = kept * given_x0 + 1 - kept  # Var(x_t | x_0)
        left = given_x0 - kept * given_x0**2 / after  # Var(x_{t'} | x_t, x_0)
        expected.append(eta**2 * left)
    wanted = torch.tensor(expected, dtype=torch.float64)
    assert_close(sigma**2, wanted, rtol=1e-8, atol=1e-12)


@pytest.mark.identity("5.6")
@every_schedule
@ETAS
def test_whatever_eta_the_marginals_are_kept(make, eta):
    """With the true eps, x_{t'} as a function of x_0, eps, z has the moments of q(x_{t'}|x_0)."""
    s = make(T)
    now, then = (torch.tensor(column) for column in zip(*every_jump(s), strict=True))
    zero, one = torch.zeros(len(now), 1).double(), torch.ones(len(now), 1).double()

    def jump(x0, eps, z):
        return ddim_step(q_sample(x0, now, eps, s), eps, now, then, s, eta, z).squeeze(1)

    of_x0, of_eps, of_z = jump(one, zero, zero), jump(zero, one, zero), jump(zero, zero, one)
    alpha_bar = torch.tensor([alpha_bar_at(t, s) for t in then.tolist()], dtype=torch.float64)
    assert_close(of_x0, alpha_bar.sqrt(), rtol=1e-9, atol=1e-9)
    assert_close(of_eps**2 + of_z**2, 1 - alpha_bar, rtol=1e-9, atol=1e-9)


@pytest.mark.identity("5.7")
@every_schedule
def test_with_eta_1_one_step_back_has_the_ancestral_mean_and_the_variance_beta_tilde(make):
    s, t = make(T), torch.arange(1, T + 1)
    xt, eps_hat, z = (draw(T, 2, 3, seed=seed) for seed in (1, 2, 3))
    step = partial(ddim_step, xt, eps_hat, t, t - 1, s, 1.0)
    mean = step(0 * z)
    assert_close(mean, reverse_mean(xt, eps_hat, t, s), rtol=1e-9, atol=1e-9)
    by_posterior, _ = posterior(x0_from_eps(xt, t, eps_hat, s), xt, t, s)
    assert_close(mean, by_posterior, rtol=1e-9, atol=1e-9)
    root = posterior_variance(t, s).sqrt()[:, None, None]
    assert_close(step(z) - mean, root * z, rtol=1e-8, atol=1e-9)


# 5.8


def composed(t, then, s):
    """Signal and noise variance of q_step after q_step from t' up to t."""

    def walk(x, *noises):
        for step, noise in enumerate(noises, then + 1):
            x = q_step(x, steps(x, step), noise, s)
        return x

    signal, *parts = coefficients(walk, 1 + t - then)
    return signal, sum(part**2 for part in parts)


@pytest.mark.identity("5.8")
@every_schedule
def test_steps_in_a_row_are_one_step_with_a_beta_of_its_own(make):
    s = make(T)
    for t, then in [(1, 0), (2, 1), (9, 4), (17, 0), (T, 25), (T, 0)]:
        signal, variance = composed(t, then, s)
        beta = 1 - alpha_bar_at(t, s) / alpha_bar_at(then, s)
        assert_close(signal, math.sqrt(1 - beta), rtol=1e-10, atol=0)
        assert_close(variance, beta, rtol=1e-10, atol=0)


@pytest.mark.identity("5.8")
@pytest.mark.parametrize("variance", [fixed_small, fixed_large])
@pytest.mark.parametrize("s", [linear(T), cosine(T)], ids=["linear", "cosine"])
def test_a_strided_sampler_takes_the_steps_of_the_composed_schedule(s, variance):
    times = [0, 5, 10, 15, 20, 25, 30]
    betas = [composed(t, then, s)[1] for then, t in pairwise(times)]
    jumps = Schedule.from_beta(torch.tensor(betas, dtype=torch.float64))
    x, g = draw(3, 2, 4, seed=4), seeded(5)
    states = ddpm_strided(network, x, s, 6, variance, generator=seeded(5))
    for k, state in zip(range(6, -1, -1), states, strict=True):
        assert state.t == times[k]
        assert_close(state.xt, x, rtol=1e-7, atol=1e-7)
        if k > 0:
            beta, alpha_bar = jumps.beta[k].item(), alpha_bar_at(times[k], s)
            eps_hat = network(x, steps(x, times[k]))
            mean = (x - beta / math.sqrt(1 - alpha_bar) * eps_hat) / math.sqrt(1 - beta)
            z = torch.randn(x.shape, generator=g, dtype=torch.float64)
            x = mean + (k > 1) * variance(jumps)[k].sqrt() * z
