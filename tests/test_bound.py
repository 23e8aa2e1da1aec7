"""The variational bound as a whole: by quadrature, by a simulated chain, beside the likelihood.

The data is (1/2) N(-1, .3^2) + (1/2) N(1, .3^2), whose likelihood, best denoiser and unavoidable
error are known; the quadrature here is its own and takes from the package only the schedule.
"""

import math
from functools import cache, partial

import numpy as np
import pytest
import torch

from diffedu.diffusion.exact import (
    Mixture,
    eps_model,
    log_density,
    noised,
    points,
    sample,
    x0_variance,
)
from diffedu.diffusion.gaussian import (
    decoder_log_prob,
    fixed_large,
    fixed_small,
    gaussian_log_prob,
    q_sample,
    q_step,
)
from diffedu.diffusion.losses import bits_per_dim, prior_term, vlb, vlb_term
from diffedu.diffusion.schedules import cosine

HALVES = torch.tensor([0.5, 0.5], dtype=torch.float64)
MEANS = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
DATA = Mixture(HALVES, MEANS, torch.tensor([0.3, 0.3], dtype=torch.float64))
NLL = 0.9069  # nats


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@cache
def arrays(T):
    """beta, beta-tilde, alpha_bar of t = 1..T and of the step before, as numpy arrays."""
    s = cosine(T)
    beta, now, before = s.beta[1:].numpy(), s.alpha_bar[1:].numpy(), s.alpha_bar[:-1].numpy()
    return beta, (1 - before) / (1 - now) * beta, now, before


@cache
def unavoidable_error(T):
    """E[Var(x_0 | x_t)] for t = 1..T by quadrature over x_t, the two halves weighed by Bayes."""
    _, _, alpha_bar, _ = (array[:, None] for array in arrays(T))
    x, dx = np.linspace(-6, 6, 2401, retstep=True)
    v = alpha_bar * 0.09 + 1 - alpha_bar
    left, right = (
        np.exp(-((x - sign * np.sqrt(alpha_bar)) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)
        for sign in (-1, 1)
    )
    pull = np.sqrt(alpha_bar) * 0.09 / v
    mean_left, mean_right = (m + pull * (x - m * np.sqrt(alpha_bar)) for m in (-1, 1))
    inside = 0.09 * (1 - alpha_bar) / v
    between = left * right / (left + right) ** 2 * (mean_left - mean_right) ** 2
    return ((left + right) / 2 * (inside + between)).sum(1) * dx


def chosen(T, choice):
    """sigma_t^2 for t = 1..T, that of t = 1 as the likelihood uses it."""
    beta, beta_tilde, now, before = arrays(T)
    first = beta_tilde[1]
    match choice:
        case "beta-tilde":
            return np.r_[first, beta_tilde[1:]]
        case "beta":
            return np.r_[first, beta[1:]]
        case "beta, also at t = 1":
            return beta
        case "best":  # beta-tilde plus the spread of the posterior mean that x_0 causes
            coef_x0 = np.sqrt(before) * beta / (1 - now)
            return beta_tilde + coef_x0**2 * unavoidable_error(T)


def gap_by_quadrature(T, choice):
    """Bound minus exact negative log-likelihood, for the best denoiser, in nats."""
    beta, beta_tilde, now, before = arrays(T)
    variance, error = chosen(T, choice), unavoidable_error(T)
    last = (np.log(2 * np.pi * variance[0]) + error[0] / variance[0]) / 2
    ratio = beta_tilde[1:] / variance[1:]
    coef_x0 = (np.sqrt(before) * beta / (1 - now))[1:]
    kl = (ratio - 1 - np.log(ratio) + coef_x0**2 * error[1:] / variance[1:]) / 2
    prior = (now[-1] * 1.09 - now[-1] - np.log(1 - now[-1])) / 2  # E x_0^2 = 1.09
    return last + kl.sum() + prior - exact_nll()


def exact_nll():
    x, dx = np.linspace(-5, 5, 4001, retstep=True)
    p = sum(np.exp(-((x - m) ** 2) / 0.18) for m in (-1, 1)) / (2 * math.sqrt(0.18 * math.pi))
    return -(p * np.log(p)).sum() * dx


GAPS = {
    "beta-tilde": (0.688, 0.767, 0.527),
    "beta": (0.163, 0.077, 0.130),
    "beta, also at t = 1": (0.174, 0.020, 0.002),
    "best": (0.130, 0.013, 0.001),
}


def test_the_exact_likelihood_is_known():
    torch.testing.assert_close(exact_nll(), NLL, rtol=0, atol=6e-5)


@pytest.mark.parametrize(("choice", "gaps"), GAPS.items())
def test_the_gap_for_10_100_and_1000_steps_is_known(choice, gaps):
    measured = tuple(gap_by_quadrature(T, choice) for T in (10, 100, 1000))
    torch.testing.assert_close(measured, gaps, rtol=0, atol=6e-4)


@pytest.mark.parametrize("T", [10, 1000])
def test_the_unavoidable_error_averages_the_variance_of_x0(T):
    s, t = cosine(T), torch.tensor([1, 2, T // 2, T - 1, T])
    x = torch.linspace(-6, 6, 2401, dtype=torch.float64)[:, None]
    averages = [
        (log_density(noised(DATA, k, s), x).exp() * x0_variance(DATA, x, t_k, s)).sum() * 0.005
        for k in t.tolist()
        for t_k in [torch.full((2401,), k)]
    ]
    expected = torch.from_numpy(unavoidable_error(T))[t - 1]
    torch.testing.assert_close(torch.stack(averages), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("choice", GAPS)
@pytest.mark.parametrize("T", [10, 100])
def test_the_bound_exceeds_the_exact_likelihood_by_the_gap(T, choice):
    s, variance = cosine(T), np.r_[0, chosen(T, choice)]
    x0 = sample(DATA, 3000, seeded(T))
    terms = vlb(
        eps_model(DATA, s),
        x0,
        s,
        torch.from_numpy(variance),
        gaussian_log_prob,
        generator=seeded(1),
        variance_1=None if choice in ("beta-tilde", "beta") else float(variance[1]),
    )
    paired = terms.sum(1) + log_density(DATA, x0)  # on the same x_0
    standard_error = paired.std().item() / math.sqrt(3000)
    assert abs(paired.mean().item() - gap_by_quadrature(T, choice)) < 4 * standard_error
    assert standard_error < 0.04


PLANE = Mixture(
    torch.tensor([0.3, 0.7], dtype=torch.float64),
    torch.tensor([[-1.0, 0.5, 0.2], [0.8, -0.4, 1.1]], dtype=torch.float64),
    torch.tensor([0.3, 0.6], dtype=torch.float64),
)


def imperfect(mixture, s):
    """Wrong by less where a wrong eps costs more: x0_hat is off by at most .3."""
    best = eps_model(mixture, s)

    def model(x, t):
        signal = s.alpha_bar[t].sqrt().view(-1, *(1,) * (x.ndim - 1))
        return best(x, t) + (0.3 * signal).to(x) * torch.sin(x)

    return model


def log_normal(x, mean, variance):
    return torch.distributions.Normal(mean, float(variance) ** 0.5).log_prob(x).flatten(1).sum(1)


def direct_estimate(model, x0, s, variance, decoder, generator, first):
    """log q(x_1..x_T | x_0) - log p(x_0..x_T) along one simulated chain for each x_0."""
    x, total = x0, torch.zeros(len(x0)).double()
    for step in range(1, s.T + 1):
        t = torch.full((len(x0),), step)
        beta, alpha_bar = s.beta[step].item(), (1 - s.beta[1 : step + 1]).prod().item()
        eps = torch.randn(x0.shape, generator=generator, dtype=torch.float64)
        xt = q_step(x, t, eps, s)
        total += log_normal(xt, (1 - beta) ** 0.5 * x, beta)
        mean = (xt - beta / (1 - alpha_bar) ** 0.5 * model(xt, t)) / (1 - beta) ** 0.5
        if step == 1:
            sigma = torch.tensor(first).double().sqrt()
            total -= decoder(x, mean, sigma).flatten(1).sum(1)
        else:
            total -= log_normal(x, mean, variance[step])
        x = xt
    return total - log_normal(x, 0 * x, 1)


@pytest.mark.identity("3.5")
@pytest.mark.parametrize("choice", [fixed_small, fixed_large])
def test_the_sum_of_the_terms_is_what_a_simulated_chain_gives_directly(choice):
    s, n = cosine(10), 20_000
    model, x0, variance = imperfect(PLANE, s), sample(PLANE, n, seeded(2)), choice(s)
    terms = vlb(model, x0, s, variance, gaussian_log_prob, generator=seeded(3), variance_1=0.02)
    direct = direct_estimate(model, x0, s, variance, gaussian_log_prob, seeded(4), 0.02)
    paired = terms.sum(1) - direct  # on the same x_0
    standard_error = paired.std().item() / math.sqrt(n)
    assert abs(paired.mean().item()) < 4 * standard_error
    assert standard_error < 0.04


@pytest.mark.identity("3.5")
def test_column_k_is_the_term_k_of_the_bound():
    s, x0, g = cosine(12), torch.randn(4, 2, 3, 5, generator=seeded(5)), seeded(6)
    model, variance = (
        imperfect(points(torch.randn(7, 2, 3, 5, generator=seeded(7))), s),
        fixed_large(s),
    )
    args = s, variance, gaussian_log_prob
    terms = vlb(model, x0, *args, generator=seeded(6))
    assert (terms.shape, terms.dtype) == ((4, 13), torch.float32)
    for k in range(12):
        t = torch.full((4,), k + 1)  # column k is L_k, the term of the step from t = k + 1
        xt = q_sample(x0, t, torch.randn(x0.shape, generator=g), s)
        expected = vlb_term(model, x0, xt, t, *args)
        torch.testing.assert_close(terms[:, k], expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(terms[:, 12], prior_term(x0, s), rtol=1e-6, atol=0)


def test_the_same_seed_draws_the_same_bound_and_another_seed_another():
    s, x0 = cosine(10), sample(DATA, 6, seeded(8))
    first, again, other = (
        vlb(eps_model(DATA, s), x0, s, s.beta, gaussian_log_prob, generator=seeded(seed))
        for seed in (9, 9, 10)
    )
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    assert (other[:, :-1] - first[:, :-1]).abs().min() > 0


def test_on_17_level_images_the_bound_is_above_the_entropy_and_agrees_with_the_chain():
    s, n = cosine(40), 2000
    decoder = partial(decoder_log_prob, levels=17)
    images = torch.randint(17, (6, 1, 2, 3), generator=seeded(11)).double() / 8 - 1
    x0 = images[torch.randint(6, (n,), generator=seeded(12))]  # each with probability 1/6
    model, variance = eps_model(points(images), s), fixed_small(s)
    terms = vlb(model, x0, s, variance, decoder, generator=seeded(13))
    first = fixed_small(s)[2].item()
    direct = direct_estimate(model, x0, s, variance, decoder, seeded(14), first)
    paired = terms.sum(1) - direct
    assert abs(paired.mean().item()) < 4 * paired.std().item() / math.sqrt(n)
    bound = bits_per_dim(terms.sum(1), 6)
    assert bound.mean().item() - 4 * bound.std().item() / math.sqrt(n) > math.log2(6) / 6
    assert bound.mean().item() < 2 * math.log2(6) / 6
