"""The bound of the ideal denoiser, against quadrature of its own, Monte Carlo and closed forms."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, stats

from diffedu.diffusion.exact import Mixture, eps_model, gaussian, sample
from diffedu.diffusion.exact_bound import (
    best_variance,
    bound_terms,
    negative_log_likelihood,
    unavoidable_error,
)
from diffedu.diffusion.gaussian import (
    fixed_large,
    fixed_small,
    gaussian_log_prob,
    q_sample,
)
from diffedu.diffusion.losses import vlb
from diffedu.diffusion.schedules import Schedule, cosine, linear, sigmoid
from test_bound import DATA, GAPS, chosen, gap_by_quadrature


def double(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


LINE = Mixture(double(0.2, 0.5, 0.3), double([-1.5], [0.4], [1.1]), double(0.3, 0.7, 0.15))
PAIR = Mixture(double(0.9, 0.1), double([-0.3], [2.0]), double(0.1, 0.5))
MIXTURES = {"three": LINE, "two": PAIR, "one": gaussian(0.7, 0.4)}
S = linear(40)
EVERY = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)


def density(mixture, x):
    """p(x) by scipy."""
    parts = torch.stack([mixture.weight, mixture.mean[:, 0], mixture.sigma], dim=1).tolist()
    return sum(w * stats.norm.pdf(x, mean, sigma) for w, mean, sigma in parts)


def moments(mixture):
    """The mean and the variance of the data."""
    mean = mixture.weight @ mixture.mean[:, 0]
    second = mixture.weight @ (mixture.mean[:, 0] ** 2 + mixture.sigma**2)
    return mean.item(), (second - mean**2).item()


def products(s, t):
    """beta_t, alpha_bar_{t-1} and alpha_bar_t, multiplied up one factor at a time."""
    beta = s.beta.tolist()
    before = math.prod(1 - b for b in beta[1:t])
    return beta[t], before, before * (1 - beta[t])


@EVERY
def test_the_negative_log_likelihood_is_scipys_quadrature(mixture):
    def integrand(x):
        return -density(mixture, x) * math.log(density(mixture, x))

    middle = sorted(mixture.mean[:, 0].tolist())
    expected, _ = integrate.quad(integrand, -4, 6, points=middle, limit=400, epsabs=1e-11)
    assert negative_log_likelihood(mixture) == pytest.approx(expected, abs=1e-8)


def test_the_negative_log_likelihood_is_an_average_over_the_data():
    n = 200_000
    surprise = -np.log(density(LINE, sample(LINE, n, seeded(1))[:, 0].numpy()))
    standard_error = surprise.std() / math.sqrt(n)
    assert abs(surprise.mean() - negative_log_likelihood(LINE)) < 4 * standard_error < 0.01


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 1.0), (-3.0, 0.05), (1.2, 7.0)])
def test_the_entropy_of_a_gaussian_has_a_closed_form(mean, sigma):
    expected = math.log(2 * math.pi * math.e * sigma**2) / 2
    assert negative_log_likelihood(gaussian(mean, sigma)) == pytest.approx(expected, abs=1e-10)


@cache
def joint(name, t):
    """x_0 on a grid, its joint density with x_t times dx_0 dx_t, and E[x_0 | x_t]: Bayes."""
    mixture = MIXTURES[name]
    _, _, alpha_bar = products(S, t)
    x0, dx0 = np.linspace(-4, 5, 901, retstep=True)
    xt, dxt = np.linspace(-8, 8, 801, retstep=True)
    kernel = stats.norm.pdf(xt[:, None], math.sqrt(alpha_bar) * x0, math.sqrt(1 - alpha_bar))
    weight = kernel * density(mixture, x0) * dx0 * dxt
    mass = weight.sum(1, keepdims=True)
    mean = np.where(mass > 0, weight @ x0[:, None] / np.where(mass > 0, mass, 1), 0)
    return x0, weight, mean


@pytest.mark.parametrize("name", MIXTURES)
def test_the_unavoidable_error_is_bayes_on_a_grid_of_x_0_and_x_t(name):
    error = unavoidable_error(MIXTURES[name], S)
    assert error[0] == 0 and len(error) == 41
    for t in (1, 2, 9, 40):
        x0, weight, mean = joint(name, t)
        assert error[t].item() == pytest.approx((weight * (x0 - mean) ** 2).sum(), rel=1e-7)


def test_the_unavoidable_error_is_what_the_best_prediction_of_eps_makes_of_it():
    n, s = 60_000, sigmoid(30)
    error = unavoidable_error(PAIR, s)
    for t in (1, 8, 20, 30):
        now = torch.full((n,), t)
        eps = torch.randn(n, 1, generator=seeded(t), dtype=torch.float64)
        xt = q_sample(sample(PAIR, n, seeded(3)), now, eps, s)
        loss = (eps - eps_model(PAIR, s)(xt, now)) ** 2
        standard_error = loss.std().item() / math.sqrt(n)
        assert abs(loss.mean() - s.snr[t] * error[t]) < 4 * standard_error < 0.05


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 1.0), (2.0, 0.3), (-1.0, 1e-3), (0.5, 4.0)])
def test_the_unavoidable_error_of_a_gaussian_has_a_closed_form_at_every_step(mean, sigma):
    s = linear(250)
    error = unavoidable_error(gaussian(mean, sigma), s)
    for t in range(1, 251):
        _, _, alpha_bar = products(s, t)
        expected = sigma**2 * (1 - alpha_bar) / (alpha_bar * sigma**2 + 1 - alpha_bar)
        assert error[t].item() == pytest.approx(expected, rel=1e-9)


@EVERY
def test_a_finer_grid_changes_nothing(mixture):
    for s in (cosine(10), linear(60)):
        fine = unavoidable_error(mixture, s, points=4001)
        torch.testing.assert_close(unavoidable_error(mixture, s), fine, rtol=1e-9, atol=0)
    fine = negative_log_likelihood(mixture, points=9001)
    assert negative_log_likelihood(mixture) == pytest.approx(fine, abs=1e-11)


def kl_by_quadrature(name, t, variance):
    """E KL(q(x_{t-1} | x_t, x_0) || N(mean of the ideal denoiser, variance)) over the joint."""
    x0, weight, x0_mean = joint(name, t)
    beta, before, alpha_bar = products(S, t)
    c0 = math.sqrt(before) * beta / (1 - alpha_bar)
    tilde = (1 - before) / (1 - alpha_bar) * beta
    square = (c0 * x0 - c0 * x0_mean) ** 2  # the x_t parts of both means are the same
    kl = (np.log(variance / tilde) + tilde / variance - 1 + square / variance) / 2
    return (weight * kl).sum()


def decoder_by_quadrature(name, variance):
    """E[-log N(x_0; E[x_0 | x_1], variance)]."""
    x0, weight, mean = joint(name, 1)
    return -(weight * stats.norm.logpdf(x0, mean, math.sqrt(variance))).sum()


@pytest.mark.identity("3.12")
@pytest.mark.parametrize("name", MIXTURES)
def test_each_term_is_the_average_divergence_by_quadrature_over_x_0_and_x_t(name):
    mixture = MIXTURES[name]
    error = unavoidable_error(mixture, S)
    for variance in (fixed_small(S), fixed_large(S), 1.7 * S.beta):
        terms = bound_terms(mixture, S, variance, error, variance_1=0.004)
        for t in (2, 3, 40):
            expected = kl_by_quadrature(name, t, variance[t].item())
            assert terms[t - 1].item() == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert terms[0].item() == pytest.approx(decoder_by_quadrature(name, 0.004), abs=1e-6)


@pytest.mark.identity("3.13")
@pytest.mark.parametrize("name", MIXTURES)
def test_no_other_variance_makes_a_term_smaller(name):
    best = best_variance(S, unavoidable_error(MIXTURES[name], S))
    for t in (1, 2, 14, 40):

        def term(log_variance, t=t):
            variance = math.exp(log_variance)
            if t == 1:
                return decoder_by_quadrature(name, variance)
            return kl_by_quadrature(name, t, variance)

        found = optimize.minimize_scalar(term, bracket=(-5.0, -1.0), options={"xtol": 1e-6})
        assert best[t].item() == pytest.approx(math.exp(found.x), rel=1e-4)
        for r in (0.25, 3.0):  # any other loses (r - 1 - log r) / 2
            loss = term(math.log(best[t] / r)) - found.fun
            assert loss == pytest.approx((r - 1 - math.log(r)) / 2, abs=1e-6)
    assert best[0] == 0


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 1.0), (2.0, 0.3), (0.5, 4.0)])
def test_the_best_variance_on_gaussian_data_is_that_of_x_before_given_x_t(mean, sigma):
    best = best_variance(S, unavoidable_error(gaussian(mean, sigma), S))
    for t in range(1, 41):
        beta, before, alpha_bar = products(S, t)
        variance, variance_before = (a * sigma**2 + 1 - a for a in (alpha_bar, before))
        covariance = math.sqrt(1 - beta) * variance_before
        conditional = variance_before - covariance**2 / variance
        assert best[t].item() == pytest.approx(conditional, rel=1e-8)


@pytest.mark.parametrize("choice", ["beta-tilde", "beta", "in between"])
def test_the_terms_are_the_averages_of_vlb_column_by_column(choice):
    s, n = cosine(12), 20_000
    variance = {"beta-tilde": fixed_small(s), "beta": fixed_large(s)}.get(choice, 0.8 * s.beta)
    first = 0.02 if choice == "in between" else None
    expected = bound_terms(LINE, s, variance, unavoidable_error(LINE, s), first)
    terms = vlb(
        *(eps_model(LINE, s), sample(LINE, n, seeded(4)), s, variance, gaussian_log_prob),
        generator=seeded(5),
        variance_1=first,
    )
    standard_error = terms.std(0) / math.sqrt(n)
    assert ((terms.mean(0) - expected).abs() < 4 * standard_error).all()
    assert (standard_error < 0.06 * (1 + expected.abs())).all()


@pytest.mark.parametrize("T", [10, 100, 1000])
@pytest.mark.parametrize("choice", GAPS)
def test_the_gap_is_the_known_one(choice, T):
    s, variance = cosine(T), torch.from_numpy(np.r_[0, chosen(T, choice)])
    terms = bound_terms(DATA, s, variance, unavoidable_error(DATA, s), variance[1].item())
    gap = terms.sum().item() - negative_log_likelihood(DATA)
    assert gap == pytest.approx(gap_by_quadrature(T, choice), abs=1e-8)
    assert gap == pytest.approx(GAPS[choice][(10, 100, 1000).index(T)], abs=6e-4)
    assert negative_log_likelihood(DATA) == pytest.approx(0.90687, abs=5e-6)


@pytest.mark.parametrize(
    "s",
    [cosine(7), linear(90), Schedule.from_beta(double(0.6))],
    ids=["cosine", "linear", "a single step"],
)
def test_on_standard_normal_data_beta_has_no_gap_and_known_terms(s):
    mixture = gaussian(0.0, 1.0)
    terms = bound_terms(mixture, s, s.beta, unavoidable_error(mixture, s), s.beta[1].item())
    known = [math.log(2 * math.pi * math.e * s.beta[1]) / 2]
    for t in range(2, s.T + 1):  # log sqrt(beta_t / beta_tilde_t): the data adds nothing else
        _, before, alpha_bar = products(s, t)
        known.append(math.log((1 - alpha_bar) / (1 - before)) / 2)
    known.append(-math.log(1 - products(s, s.T)[2]) / 2)
    torch.testing.assert_close(terms, double(*known), rtol=1e-8, atol=1e-10)
    assert terms.sum().item() == pytest.approx(negative_log_likelihood(mixture), abs=1e-8)
