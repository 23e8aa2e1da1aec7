"""The reverse step without x_0, and the denoiser of a finite data set, beside sums and loops."""

import math

import pytest
import torch
from torch.testing import assert_close

from diffedu.diffusion.exact import Mixture, eps_model, log_density, noised, points, x0_mean
from diffedu.diffusion.gaussian import posterior, q_sample, q_step, reverse_mean
from diffedu.diffusion.schedules import cosine, linear

T = 30


def float64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


DATA = Mixture(float64([0.3, 0.7]), float64([[-1.1], [0.8]]), float64([0.4, 0.25]))


def log_normal(x, mean, variance):
    return -((x - mean) ** 2) / (2 * variance) - 0.5 * torch.log(2 * math.pi * variance)


def moments(step, x, t, s) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of a noising step from each of the points x (N,)."""
    steps = torch.full((len(x),), t)
    mean = step(x, steps, torch.zeros_like(x), s)
    return mean, (step(x, steps, torch.ones_like(x), s) - mean) ** 2


def reverse_by_bayes(x_prev, xt, t, s):
    """q(x_t | x_{t-1}) q(x_{t-1}) / q(x_t) at the points x_prev (N,)."""
    log_forward = log_normal(xt, *moments(q_step, x_prev, t, s))
    log_before = log_density(noised(DATA, t - 1, s), x_prev[:, None])
    log_now = log_density(noised(DATA, t, s), float64([[xt]]))
    return (log_forward + log_before - log_now).exp()


def reverse_by_averaging(x_prev, xt, t, s):
    """The posterior averaged over what x_0 may have been, at the points x_prev (N,)."""
    x0 = torch.linspace(-5, 5, 4001, dtype=torch.float64)
    log_now = log_density(noised(DATA, t, s), float64([[xt]]))
    log_x0 = log_density(DATA, x0[:, None]) + log_normal(xt, *moments(q_sample, x0, t, s)) - log_now
    mean, variance = posterior(x0, torch.full_like(x0, xt), torch.full((len(x0),), t), s)
    densities = (log_normal(x_prev[:, None], mean, variance) + log_x0).exp()
    return torch.trapezoid(densities, x0, dim=1)


@pytest.mark.identity("2.14")
@pytest.mark.parametrize("make", [linear, cosine])
@pytest.mark.parametrize("t", [2, 12, T])
@pytest.mark.parametrize("xt", [-0.9, 0.1])
def test_the_reverse_step_is_the_posterior_averaged_over_x0_and_also_bayes_rule(make, t, xt):
    s, x_prev = make(T), torch.linspace(-7, 7, 281, dtype=torch.float64)
    by_bayes = reverse_by_bayes(x_prev, xt, t, s)
    assert_close(reverse_by_averaging(x_prev, xt, t, s), by_bayes, rtol=1e-6, atol=1e-9)
    assert_close(torch.trapezoid(by_bayes, x_prev).item(), 1.0, rtol=0, atol=1e-6)


@pytest.mark.parametrize("t", [1, 2, 29, T])
def test_the_mean_of_the_reverse_step_is_the_reverse_mean_with_the_best_eps(t):
    s, xt = linear(T), -0.1
    x_prev = torch.linspace(-7, 7, 8001, dtype=torch.float64)
    density = reverse_by_bayes(x_prev, xt, t, s)
    mean = torch.trapezoid(density * x_prev, x_prev)
    x, steps = float64([[xt]]), torch.tensor([t])
    best = reverse_mean(x, eps_model(DATA, s)(x, steps), steps, s)
    assert_close(best.item(), mean.item(), rtol=1e-7, atol=1e-7)


@pytest.mark.identity("0.1")
@pytest.mark.parametrize("make", [linear, cosine])
def test_the_ideal_denoiser_of_a_data_set_is_an_average_weighted_by_closeness(make):
    """In plain Python: softmax of -|x_t - sqrt(alpha_bar) x_i|^2 / (2 (1 - alpha_bar))."""
    s, generator = make(T), torch.Generator().manual_seed(0)
    data = 2 * torch.randn(7, 3, generator=generator, dtype=torch.float64) + 0.5
    noise = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    t = torch.tensor([1, 2, 9, 19, T])
    xt = q_sample(data[:5], t, noise, s)
    wanted = torch.zeros(5, 3, dtype=torch.float64)
    for b in range(5):
        alpha_bar = math.prod(s.alpha[: t[b] + 1].tolist())
        exponents = []
        for item in data.tolist():
            pairs = zip(xt[b].tolist(), item, strict=True)
            distance = sum((x - math.sqrt(alpha_bar) * x_i) ** 2 for x, x_i in pairs)
            exponents.append(-distance / (2 * (1 - alpha_bar)))
        weights = [math.exp(e - max(exponents)) for e in exponents]
        for i, weight in enumerate(weights):
            wanted[b] += weight / sum(weights) * data[i]
    assert_close(x0_mean(points(data), xt, t, s), wanted, rtol=1e-9, atol=1e-9)
    spread = (wanted - data.mean(0)).norm(dim=1)
    assert spread[-1] < 0.2 < spread[0]  # from one item at t = 1 to nearly the mean of all at T
