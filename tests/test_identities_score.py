"""Notebook 04, second half: noise, score and Tweedie, by automatic differentiation and quadrature.

The scores are derivatives of log densities; the package's own rooms never differentiate.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from diffedu.diffusion.exact import (
    Mixture,
    eps_model,
    log_density,
    noised,
    points,
    x0_mean,
    x0_variance,
)
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.schedules import cosine, linear


def draw(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def double(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


LINE = Mixture(double(0.2, 0.5, 0.3), double([-1.5], [0.4], [1.1]), double(0.3, 0.5, 0.2))
SPACE = Mixture(double(0.6, 0.4), double([-1.5, 0.2, 0.7], [0.4, -0.9, 0.1]), double(0.3, 0.9))
BOTH = pytest.mark.parametrize("mixture", [LINE, SPACE], ids=["1-D", "3-D"])
SCHEDULE = pytest.mark.parametrize("s", [linear(40), cosine(40)], ids=["linear", "cosine"])
TIMES = [1, 2, 9, 25, 40]
CLOSE = {"rtol": 1e-8, "atol": 1e-8}


def score(density, x):
    """grad log of a mixture's density at each x (B, D)."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(log_density(density, x).sum(), x)[0]


def steps(x, t):
    return torch.full((len(x),), t)


def alpha_bar_at(t, s):
    return math.prod(s.alpha[1 : t + 1].tolist())


@pytest.mark.identity("4.9")
@SCHEDULE
@pytest.mark.parametrize("t", TIMES)
def test_the_score_of_a_jump_is_the_noise_that_was_drawn(t, s):
    """q(x_t|x_0) is the noised distribution of a data set with one member."""
    for x0, eps in zip(draw(4, 1, 3, seed=1), draw(4, 5, 3, seed=2), strict=True):
        xt = q_sample(x0.expand(5, 3), steps(eps, t), eps, s)
        expected = -eps / math.sqrt(1 - alpha_bar_at(t, s))
        assert_close(score(noised(points(x0), t, s), xt), expected, **CLOSE)


@pytest.mark.identity("4.10")
@BOTH
@SCHEDULE
@pytest.mark.parametrize("t", TIMES)
def test_the_score_of_the_marginal_is_the_expected_noise(t, s, mixture):
    xt = 1.5 * draw(7, mixture.mean.shape[1], seed=3)
    best = eps_model(mixture, s)(xt, steps(xt, t))
    expected = -best / math.sqrt(1 - alpha_bar_at(t, s))
    assert_close(score(noised(mixture, t, s), xt), expected, **CLOSE)


@pytest.mark.identity("4.11")
@BOTH
@SCHEDULE
@pytest.mark.parametrize("t", TIMES)
def test_tweedie_reads_the_mean_of_x0_off_the_score(t, s, mixture):
    xt, alpha_bar = 1.5 * draw(7, mixture.mean.shape[1], seed=4), alpha_bar_at(t, s)
    step = (1 - alpha_bar) * score(noised(mixture, t, s), xt)
    expected = (xt + step) / math.sqrt(alpha_bar)
    assert_close(x0_mean(mixture, xt, steps(xt, t), s), expected, **CLOSE)


def over_pairs(t, s):
    """eps, x_t and the probability of every pair of a grid over x_0 and eps, each (N, 1)."""
    x0, eps = torch.cartesian_prod(
        torch.linspace(-4, 4, 401, dtype=torch.float64),
        torch.linspace(-7, 7, 141, dtype=torch.float64),
    ).T[..., None]
    parts = torch.distributions.Normal(LINE.mean[:, 0], LINE.sigma)
    probability = (parts.log_prob(x0).exp() @ LINE.weight) * torch.exp(-(eps[:, 0] ** 2) / 2)
    return eps, q_sample(x0, steps(x0, t), eps, s), probability / probability.sum()


@pytest.mark.identity("4.12")
@SCHEDULE
@pytest.mark.parametrize("t", TIMES)
def test_two_losses_of_a_score_model_differ_by_a_constant_that_no_model_moves(t, s):
    eps, x, probability = over_pairs(t, s)
    noisy = noised(LINE, t, s)
    xt = torch.linspace(-8, 8, 4001, dtype=torch.float64)[:, None]
    density = log_density(noisy, xt).softmax(0)
    alpha_bar = alpha_bar_at(t, s)
    variance = density @ x0_variance(LINE, xt, steps(xt, t), s)
    constant = variance.item() * alpha_bar / (1 - alpha_bar) ** 2
    for model in (lambda x: 0 * x, lambda x: torch.tanh(3 * x) - 2 * x, lambda x: score(noisy, x)):
        noisy_target = probability @ (model(x) + eps / math.sqrt(1 - alpha_bar)) ** 2
        exact_target = density @ (model(xt) - score(noisy, xt)) ** 2
        difference = noisy_target.item() - exact_target.item()
        assert_close(difference, constant, rtol=1e-6, atol=1e-9)
