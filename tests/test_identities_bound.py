"""Notebook 03, line by line: the evidence, Jensen, Bayes flipped, telescoping, the KL terms.

The chain has T = 4 steps and a linear model of eps, so that p_theta(x_0) is Gaussian and known.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.testing import assert_close

from diffedu.diffusion.exact import chain_moments, eps_model, gaussian
from diffedu.diffusion.gaussian import (
    fixed_large,
    fixed_small,
    gaussian_log_prob,
    posterior,
    q_sample,
    q_step,
    reverse_mean,
    x0_from_eps,
)
from diffedu.diffusion.losses import prior_term, vlb, vlb_term
from diffedu.diffusion.schedules import SCHEDULES, Schedule, cosine, linear
from diffedu.shapes import EpsModel, PerStep

SHORT = Schedule.from_beta(torch.tensor([0.05, 0.2, 0.35, 0.6], dtype=torch.float64))
X0 = torch.tensor([[-1.1], [0.0], [0.4], [2.0]], dtype=torch.float64)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


@dataclass(frozen=True)
class Chain:
    """A reverse chain p_theta whose eps_hat is linear in x; the variances are sigma_t^2."""

    model: EpsModel
    variance: PerStep

    def mean(self, x, t):
        return reverse_mean(x, self.model(x, torch.full((len(x),), t)), steps(x, t), SHORT)

    def log_evidence(self, x0):
        """log p_theta(x_0): the chain of affine steps from N(0, 1) leaves a Gaussian."""

        def step(t):
            return lambda x, z: self.mean(x, t) + self.variance[t].sqrt() * z

        return Normal(*chain_moments(step(t) for t in (4, 3, 2, 1))).log_prob(x0).squeeze(-1)


def steps(x, t):
    return torch.full((len(x),), t)


def imperfect():
    """A model that is wrong twice: eps_hat for other data, and a tenth too large.

    With these variances E[(p/q)^4] is finite, so that averages of p/q have a standard error.
    """
    right = eps_model(gaussian(0.3, 0.7), SHORT)
    variance = torch.tensor([0.0, 0.045, 0.14, 0.3, 0.55], dtype=torch.float64)
    return Chain(lambda x, t: 1.1 * right(x, t), variance)


def ideal():
    """Data N(0, 1) with sigma_t^2 = beta_t: p_theta is q run backwards, joint and all."""
    return Chain(eps_model(gaussian(0.0, 1.0), SHORT), fixed_large(SHORT))


def log_weights(chain, x0, seed):
    """log p_theta(x_{0:T}) - log q(x_{1:T} | x_0) along one path of q for each x_0."""
    x, total = x0, 0
    for t in range(1, 5):
        xt = q_step(x, steps(x, t), draw(*x.shape, seed=seed + t), SHORT)
        beta = SHORT.beta[t].item()
        total = total + gaussian_log_prob(x, chain.mean(xt, t), chain.variance[t].sqrt())
        total = total - gaussian_log_prob(xt, math.sqrt(1 - beta) * x, math.sqrt(beta))
        x = xt
    return (total + gaussian_log_prob(x, 0 * x, 1.0)).squeeze(-1)


@pytest.mark.identity("3.1")
@pytest.mark.parametrize("chain", [imperfect, ideal])
def test_the_evidence_is_the_average_of_p_over_q(chain):
    n, chain = 100_000, chain()
    for k, x0 in enumerate(X0):
        weight = log_weights(chain, x0.expand(n, 1), seed=10 * k).exp()
        evidence = chain.log_evidence(x0[None]).exp().item()
        standard_error = weight.std().item() / math.sqrt(n)
        assert abs(weight.mean().item() - evidence) < 4 * standard_error + 1e-12
        assert standard_error < 0.01 * evidence


def exact_bound(chain, x0):
    """L(x_0): each term is a quadratic in eps, which three Gauss-Hermite nodes average exactly."""
    nodes, weight = map(torch.from_numpy, np.polynomial.hermite_e.hermegauss(3))
    total = prior_term(x0, SHORT)
    for t in range(1, 5):
        many = x0.repeat_interleave(3, 0)
        xt = q_sample(many, steps(many, t), nodes.repeat(len(x0))[:, None], SHORT)
        term = vlb_term(*bound_arguments(chain, many, xt, steps(many, t)))
        total = total + term.view(-1, 3) @ weight / weight.sum()
    return total


def bound_arguments(chain, x0, xt, t):
    first = chain.variance[1].item()
    return chain.model, x0, xt, t, SHORT, chain.variance, gaussian_log_prob, first


@pytest.mark.identity("3.2")
def test_the_bound_is_above_minus_log_p_and_meets_it_where_p_is_q_run_backwards():
    for chain in (imperfect(), Chain(ideal().model, 0.7 * fixed_large(SHORT))):
        assert (exact_bound(chain, X0) + chain.log_evidence(X0) > 0.01).all()
    chain = ideal()
    assert_close(exact_bound(chain, X0), -chain.log_evidence(X0), rtol=1e-10, atol=0)


@pytest.mark.identity("3.2", "3.5")
def test_the_bound_is_the_average_of_minus_log_p_over_q():
    n, chain = 40_000, imperfect()
    for k, x0 in enumerate(X0):
        many, bound = x0.expand(n, 1), exact_bound(chain, x0[None]).item()
        model, variance, first = chain.model, chain.variance, chain.variance[1].item()
        arguments = model, many, SHORT, variance, gaussian_log_prob
        terms = vlb(*arguments, generator=seeded(k), variance_1=first)
        for estimate in (-log_weights(chain, many, seed=500 + 10 * k), terms.sum(1)):
            standard_error = estimate.std().item() / math.sqrt(n)
            assert abs(estimate.mean().item() - bound) < 4 * standard_error
            assert standard_error < 0.02


def log_jump(x0, xt, t, s):
    """log q(x_t | x_0), with the mean and the std that q_sample gives."""
    mean, there = (q_sample(x0, t, eps, s) for eps in (0 * x0, torch.ones_like(x0)))
    return Normal(mean, there - mean).log_prob(xt)


def log_step(x_prev, xt, t, s):
    mean, there = (q_step(x_prev, t, eps, s) for eps in (0 * xt, torch.ones_like(xt)))
    return Normal(mean, there - mean).log_prob(xt)


def log_posterior(x0, x_prev, xt, t, s):
    mean, variance = posterior(x0, xt, t, s)
    return Normal(mean, variance.sqrt()).log_prob(x_prev)


@pytest.mark.identity("3.3")
@pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)
def test_a_step_forward_is_a_step_back_times_a_ratio_of_jumps(make):
    s, t = make(40), torch.arange(2, 41)
    x0, x_prev, xt = (2 * draw(39, 2, 3, seed=seed) for seed in (1, 2, 3))
    # the points of a jump lie where it has mass: a log density of -1e9 would hide everything
    x_prev, xt = q_sample(x0, t - 1, x_prev, s), q_sample(x0, t, xt, s)
    ratio = log_jump(x0, xt, t, s) - log_jump(x0, x_prev, t - 1, s)
    flipped = log_posterior(x0, x_prev, xt, t, s) + ratio
    assert_close(log_step(x_prev, xt, t, s), flipped, rtol=1e-9, atol=1e-8)


@pytest.mark.identity("3.4")
@pytest.mark.parametrize("make", [linear, cosine])
def test_the_ratios_of_jumps_telescope_to_the_last_over_the_first(make):
    T, s = 40, make(40)
    x0 = 2 * draw(5, 2, 3, seed=4)
    path = [q_sample(x0, steps(x0, t), draw(5, 2, 3, seed=t + 9), s) for t in range(1, T + 1)]
    one_by_one = sum(
        log_step(before, xt, steps(x0, t), s) - log_posterior(x0, before, xt, steps(x0, t), s)
        for t, (before, xt) in enumerate(pairwise(path), 2)
    )
    ratios = sum(
        log_jump(x0, xt, steps(x0, t), s) - log_jump(x0, before, steps(x0, t - 1), s)
        for t, (before, xt) in enumerate(pairwise(path), 2)
    )
    first, last = s.alpha[1].item(), math.prod(s.alpha[1:].tolist())
    ends = Normal(math.sqrt(last) * x0, math.sqrt(1 - last)).log_prob(path[-1])
    ends = ends - Normal(math.sqrt(first) * x0, math.sqrt(1 - first)).log_prob(path[0])
    assert_close(ratios, ends, rtol=1e-9, atol=1e-8)
    assert_close(one_by_one, ends, rtol=1e-7, atol=1e-7)


def network(x, t):
    t = t.to(x).view(-1, *(1,) * (x.ndim - 1))
    return 0.7 * torch.tanh(x) + 0.2 * torch.sin(3 * x.flip(-1)) + 0.02 * t


def at_every_step(T):
    """x_0, x_t and what the network takes for x_0, one sample for each t = 2..T."""
    s, t = linear(T), torch.arange(2, T + 1)
    x0 = draw(T - 1, 2, 3, seed=6)
    xt = q_sample(x0, t, draw(T - 1, 2, 3, seed=7), s)
    return s, t, x0, xt, x0_from_eps(xt, t, network(xt, t), s)


@pytest.mark.identity("3.8")
@pytest.mark.parametrize("variance", [fixed_small, fixed_large, lambda s: s.beta**1.1])
def test_a_term_is_the_cost_of_the_variances_and_of_the_error_in_x0(variance):
    s, t, x0, xt, x0_hat = at_every_step(30)
    expected = []
    for i, step in enumerate(t.tolist()):
        beta, sigma_squared = s.beta[step].item(), variance(s)[step].item()
        before = math.prod(s.alpha[1:step].tolist())
        now = before * s.alpha[step].item()
        beta_tilde = (1 - before) / (1 - now) * beta
        c0 = math.sqrt(before) * beta / (1 - now)
        cost = 3 * (math.log(sigma_squared / beta_tilde) + beta_tilde / sigma_squared - 1)
        error = sum(d * d for d in (x0 - x0_hat)[i].flatten().tolist())
        expected.append(cost + c0**2 * error / (2 * sigma_squared))
    term = vlb_term(network, x0, xt, t, s, variance(s))
    assert_close(term.tolist(), expected, rtol=1e-8, atol=1e-11)


@pytest.mark.identity("3.9")
def test_with_beta_tilde_the_error_in_x0_is_weighed_by_the_lost_signal_to_noise():
    s, t, x0, xt, x0_hat = at_every_step(300)
    lost = s.snr[t - 1] - s.snr[t]
    expected = lost * ((x0 - x0_hat) ** 2).sum((1, 2)) / 2
    assert_close(vlb_term(network, x0, xt, t, s, fixed_small(s)), expected, rtol=1e-7, atol=1e-12)
