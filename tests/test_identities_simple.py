"""Notebook 04, first half: the weight that L_simple drops, its average, three predictions, floors.

Averages over x_0 and eps are sums over grids: Bayes' rule is not used, the package's E[.|x_t] is
what is tested.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from diffedu.diffusion.exact import (
    Mixture,
    eps_model,
    gaussian,
    log_density,
    noised,
    sample,
    x0_variance,
)
from diffedu.diffusion.gaussian import (
    draw_t,
    eps_from_v,
    eps_from_x0,
    fixed_large,
    fixed_small,
    q_sample,
    v_from_x0_eps,
    x0_from_eps,
    x0_from_v,
)
from diffedu.diffusion.losses import decoder_variance, l_simple, l_simple_weight
from diffedu.diffusion.schedules import SCHEDULES, cosine, linear

every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def double(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


# The weight (4.2)


@pytest.mark.identity("4.2")
@every_schedule
def test_the_weight_for_both_fixed_variances_is_what_is_left_after_cancelling(make):
    s = make(200)
    large, small = l_simple_weight(s, fixed_large(s)), l_simple_weight(s, fixed_small(s))
    before, now = 1.0, s.alpha[1].item()
    assert_close(large[1].item(), 1 / (2 * now), rtol=1e-10, atol=0)
    assert small[1] == math.inf
    for t in range(2, 201):
        beta, alpha = s.beta[t].item(), s.alpha[t].item()
        before, now = now, now * alpha
        assert_close(large[t].item(), beta / (2 * alpha * (1 - now)), rtol=1e-10, atol=0)
        assert_close(small[t].item(), beta / (2 * alpha * (1 - before)), rtol=1e-10, atol=0)
        # of two nearly equal numbers, hence fewer digits
        ratio = (before / (1 - before)) / (now / (1 - now))
        assert_close(small[t].item(), (ratio - 1) / 2, rtol=1e-8, atol=0)


@pytest.mark.identity("4.2")
def test_the_first_weight_is_a_half_for_beta_1_and_for_no_other_variance():
    s = linear(1000)
    variance = fixed_large(s)
    assert_close(l_simple_weight(s, variance)[1].item(), 0.50005, rtol=0, atol=1e-8)
    variance[1] = decoder_variance(s)  # beta-tilde_2, which the bound puts at t = 1
    assert_close(l_simple_weight(s, variance)[1].item(), 0.91699, rtol=0, atol=6e-6)


# The average (4.3)


@pytest.mark.identity("4.3")
@pytest.mark.parametrize("factor", [1.0, 0.8])
def test_the_simple_loss_averages_to_what_integration_gives_for_gaussian_data(factor):
    """eps_hat = factor E[eps|x_t]; with u = alpha_bar s^2 / (alpha_bar s^2 + 1 - alpha_bar)."""
    s, n, data = linear(25), 100_000, gaussian(0.0, 0.6, dims=3)
    best = eps_model(data, s)
    x0, t = sample(data, n, seeded(1)), draw_t(n, s, seeded(2))
    loss = l_simple(lambda x, t: factor * best(x, t), x0, t, draw(n, 3, seed=3), s)
    expected = 0.0
    for step in range(1, 26):
        alpha_bar = math.prod(s.alpha[1 : step + 1].tolist())
        u = alpha_bar * 0.36 / (alpha_bar * 0.36 + 1 - alpha_bar)
        expected += (u + (1 - factor) ** 2 * (1 - u)) / 25
    assert abs(loss.mean().item() - expected) < 4 * loss.std().item() / math.sqrt(n)
    assert loss.std().item() / math.sqrt(n) < 0.01 * expected


# One prediction, three errors (4.6)


@pytest.mark.identity("4.6")
@every_schedule
def test_one_prediction_has_three_errors_in_fixed_proportions(make):
    s, t = make(30), torch.arange(1, 31)
    x0, eps, eps_hat = (draw(30, 2, 5, seed=seed) for seed in (4, 5, 6))
    xt = q_sample(x0, t, eps, s)
    x0_hat = x0_from_eps(xt, t, eps_hat, s)
    v, v_hat = v_from_x0_eps(x0, eps, t, s), v_from_x0_eps(x0_hat, eps_hat, t, s)
    in_eps, in_x0, in_v = (
        ((right - guess) ** 2).sum((1, 2))
        for right, guess in ((eps, eps_hat), (x0, x0_hat), (v, v_hat))
    )
    alpha_bar = double(*(math.prod(s.alpha[1 : k + 1].tolist()) for k in t.tolist()))
    assert_close(in_x0, (1 - alpha_bar) / alpha_bar * in_eps, rtol=1e-8, atol=1e-10)
    assert_close(in_v, in_eps / alpha_bar, rtol=1e-8, atol=1e-10)


@pytest.mark.identity("4.6")
@every_schedule
def test_a_network_of_x0_or_of_v_has_the_same_three_errors(make):
    s, t = make(30), torch.arange(1, 31)
    x0, eps, off = (draw(30, 4, seed=seed) for seed in (7, 8, 9))
    xt = q_sample(x0, t, eps, s)
    alpha_bar = s.alpha_bar[t][:, None]
    v_hat, close = v_from_x0_eps(x0, eps, t, s) + off, {"rtol": 1e-7, "atol": 1e-9}
    assert_close((eps_from_v(xt, t, v_hat, s) - eps) ** 2, alpha_bar * off**2, **close)
    assert_close((x0_from_v(xt, t, v_hat, s) - x0) ** 2, (1 - alpha_bar) * off**2, **close)
    in_eps = (eps_from_x0(xt, t, x0 + off, s) - eps) ** 2
    assert_close(off**2, (1 - alpha_bar) / alpha_bar * in_eps, **close)


# Floor and excess (4.7, 4.8)

DATA = Mixture(double(0.2, 0.5, 0.3), double([-1.5], [0.4], [1.1]), double(0.3, 0.5, 0.2))
S = cosine(40)
TIMES = pytest.mark.parametrize("t", [1, 2, 9, 25, 40])


def axis(reach, n):
    """A grid (n,) whose points are far enough inside the bulk for sums to be integrals."""
    return torch.linspace(-reach, reach, n, dtype=torch.float64)


def over_pairs(t):
    """eps, x_t and the probability of every pair of a grid over x_0 and eps, each (N, 1)."""
    x0, eps = torch.cartesian_prod(axis(4.0, 401), axis(7.0, 141)).T[..., None]
    parts = torch.distributions.Normal(DATA.mean[:, 0], DATA.sigma)
    probability = (parts.log_prob(x0).exp() @ DATA.weight) * torch.exp(-(eps[:, 0] ** 2) / 2)
    xt = S.alpha_bar[t].sqrt() * x0 + (1 - S.alpha_bar[t]).sqrt() * eps
    return eps, xt, probability / probability.sum()


def over_xt(t):
    """x_t and its probability, on a grid (N, 1)."""
    xt = axis(8.0, 4001)[:, None]
    density = log_density(noised(DATA, t, S), xt).exp()
    return xt, density / density.sum()


def ask(model, xt, t):
    return model(xt, torch.full((len(xt),), t))


@pytest.mark.identity("4.7")
@TIMES
def test_the_error_of_any_model_is_the_floor_plus_its_distance_from_the_best(t):
    best = eps_model(DATA, S)
    eps, x, probability = over_pairs(t)
    floor = probability @ (eps - ask(best, x, t)) ** 2
    xt, density = over_xt(t)
    for model in (lambda x, t: 0.5 * x, lambda x, t: torch.tanh(3 * x) - 0.2):
        error = probability @ (eps - ask(model, x, t)) ** 2
        excess = density @ (ask(best, xt, t) - ask(model, xt, t)) ** 2
        assert_close(error, floor + excess, rtol=1e-6, atol=1e-9)
        assert excess.item() > 0.005


@pytest.mark.identity("4.8")
@TIMES
def test_the_floor_is_the_variance_of_x0_times_the_signal_to_noise_ratio(t):
    eps, x, probability = over_pairs(t)
    floor = probability @ (eps - ask(eps_model(DATA, S), x, t)) ** 2
    xt, density = over_xt(t)
    variance = density @ x0_variance(DATA, xt, torch.full((len(xt),), t), S)
    alpha_bar = math.prod(S.alpha[1 : t + 1].tolist())
    assert_close(floor.item(), alpha_bar / (1 - alpha_bar) * variance.item(), rtol=1e-6, atol=1e-9)
