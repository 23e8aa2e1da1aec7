"""The simple loss and the single terms of the bound, against loops, quadrature and hand work."""

import math
from functools import partial

import mpmath
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from diffedu.diffusion.gaussian import (
    decoder_log_prob,
    eps_from_x0,
    fixed_large,
    fixed_small,
    gaussian_log_prob,
    q_sample,
)
from diffedu.diffusion.losses import (
    bits_per_dim,
    decoder_variance,
    l_simple,
    l_simple_weight,
    prior_term,
    vlb_term,
)
from diffedu.diffusion.schedules import Schedule, cosine, linear

S = linear(30)
VARIANCE = {"fixed_small": fixed_small, "fixed_large": fixed_large}
both_variances = pytest.mark.parametrize("variance", VARIANCE.values(), ids=VARIANCE)


def draw(*shape, seed):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64)


def network(x, t):
    t = t.to(x).view(-1, *(1,) * (x.ndim - 1))
    return 0.7 * torch.tanh(x) + 0.2 * torch.sin(3 * x.flip(-1)) + 0.02 * t


def on_grid(*shape, levels, seed):
    g = torch.Generator().manual_seed(seed)
    level = torch.randint(levels, shape, generator=g)
    return level.double() * 2 / (levels - 1) - 1


X0, EPS, T5 = draw(5, 2, 3, 4, seed=1), draw(5, 2, 3, 4, seed=2), torch.tensor([7, 1, 30, 2, 16])
XT = q_sample(X0, T5, EPS, S)


def test_the_simple_loss_of_a_model_that_knows_eps_is_zero():
    loss = l_simple(lambda xt, t: eps_from_x0(xt, t, X0, S), X0, T5, EPS, S)
    torch.testing.assert_close(loss, torch.zeros(5).double(), rtol=0, atol=1e-20)


@pytest.mark.identity("4.3")
def test_the_simple_loss_is_the_mean_over_each_samples_own_elements():
    expected = []
    for x0, eps, t in zip(X0, EPS, T5.tolist(), strict=True):
        alpha_bar = (1 - S.beta[1 : t + 1]).prod().item()
        xt = math.sqrt(alpha_bar) * x0 + math.sqrt(1 - alpha_bar) * eps
        error = eps - network(xt[None], torch.tensor([t]))[0]
        expected.append(sum(e**2 for e in error.flatten().tolist()) / 24)
    loss = l_simple(network, X0, T5, EPS, S)
    torch.testing.assert_close(loss.tolist(), expected, rtol=1e-10, atol=0)


@pytest.mark.identity("4.2")
def test_the_dropped_weight_has_the_known_values_for_linear_in_1000_steps():
    s = linear(1000)
    weight = l_simple_weight(s, fixed_large(s))
    known = torch.tensor([0.50005, 0.0737, 0.0101, 0.0102045], dtype=torch.float64)
    torch.testing.assert_close(weight[[1, 10, 100, 1000]], known, rtol=0, atol=6e-5)
    torch.testing.assert_close(weight[1000].item(), 0.0102045, rtol=0, atol=6e-8)
    torch.testing.assert_close(weight[1].item(), 1 / (2 * (1 - 1e-4)), rtol=1e-9, atol=0)


def test_the_dropped_weight_is_0_at_index_0_and_infinite_where_the_variance_is_0():
    weight = l_simple_weight(S, fixed_small(S))
    assert (weight[0], weight[1]) == (0, math.inf)
    assert weight[2:].isfinite().all()


@pytest.mark.identity("4.1")
@both_variances
def test_a_term_is_the_weighted_squared_error_plus_what_the_variances_alone_cost(variance):
    n, chosen = 29, variance(S)
    t = torch.arange(2, 31)
    x0, eps = draw(n, 2, 3, seed=3), draw(n, 2, 3, seed=4)
    term = vlb_term(network, x0, q_sample(x0, t, eps, S), t, S, chosen)
    squared_error = l_simple(network, x0, t, eps, S) * 6
    ratio = fixed_small(S)[t] / chosen[t]
    constant = 6 * (ratio - 1 - ratio.log()) / 2  # exactly 0 for fixed_small
    expected = l_simple_weight(S, chosen)[t] * squared_error + constant
    torch.testing.assert_close(term, expected, rtol=1e-9, atol=1e-12)


@both_variances
@pytest.mark.parametrize("t", [2, 3, 17, 30])
def test_a_term_is_the_kl_by_quadrature(t, variance):
    x0, xt = 0.6, -0.8
    alpha_bar = (1 - S.beta[1:]).cumprod(0).tolist()
    beta, now, before = S.beta[t].item(), alpha_bar[t - 1], alpha_bar[t - 2]
    # q(x_{t-1} | x_t, x_0) by adding precisions
    precision = (1 - beta) / beta + 1 / (1 - before)
    seen = math.sqrt(1 - beta) * xt / beta

    def mean(x):
        return (seen + math.sqrt(before) * x / (1 - before)) / precision

    eps_hat = network(torch.tensor([[xt]]), torch.tensor([t])).item()
    x0_hat = (xt - math.sqrt(1 - now) * eps_hat) / math.sqrt(now)
    q = norm(mean(x0), precision**-0.5)
    p = norm(mean(x0_hat), variance(S)[t].item() ** 0.5)
    reach = q.mean() - 12 * q.std(), q.mean() + 12 * q.std()
    expected, _ = quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), *reach, epsabs=1e-11)
    batch = torch.tensor([[x0]]).double(), torch.tensor([[xt]]).double(), torch.tensor([t])
    term = vlb_term(network, *batch, S, variance(S))
    torch.testing.assert_close(term.item(), expected, rtol=1e-6, atol=1e-9)


def bin_log_prob(x, mean, sigma):
    """log of the normal probability of the bin around x, one of 17 levels, with 99 digits."""
    with mpmath.workdps(99):
        low = 0 if x == -1 else mpmath.ncdf((x - mpmath.mpf(1) / 16 - mean) / sigma)
        high = 1 if x == 1 else mpmath.ncdf((x + mpmath.mpf(1) / 16 - mean) / sigma)
        return float(mpmath.log(high - low))


@both_variances
@pytest.mark.parametrize("variance_1", [None, 0.05])
def test_the_term_at_t_1_is_the_decoder_around_the_predicted_x0(variance, variance_1):
    x0, t = on_grid(2, 3, 2, levels=17, seed=5), torch.tensor([1, 1])
    x1 = q_sample(x0, t, draw(2, 3, 2, seed=6), S)
    beta_1, beta_2 = S.beta[1].item(), S.beta[2].item()
    beta_tilde_2 = beta_1 / (1 - (1 - beta_1) * (1 - beta_2)) * beta_2
    sigma = math.sqrt(variance_1 or beta_tilde_2)
    x0_hat = (x1 - math.sqrt(beta_1) * network(x1, t)) / math.sqrt(1 - beta_1)
    expected = [
        -sum(bin_log_prob(*pair, sigma) for pair in zip(*sample, strict=True))
        for sample in zip(x0.flatten(1).tolist(), x0_hat.flatten(1).tolist(), strict=True)
    ]
    decoder = partial(decoder_log_prob, levels=17)
    term = vlb_term(network, x0, x1, t, S, variance(S), decoder, variance_1)
    torch.testing.assert_close(term.tolist(), expected, rtol=1e-9, atol=1e-9)


@both_variances
@pytest.mark.parametrize("decoder", [gaussian_log_prob, partial(decoder_log_prob, levels=17)])
def test_terms_of_a_mixed_batch_are_those_of_its_samples_one_by_one(variance, decoder):
    x0 = on_grid(5, 2, 3, 4, levels=17, seed=7)
    xt = q_sample(x0, T5, EPS, S)
    together = vlb_term(network, x0, xt, T5, S, variance(S), decoder)
    alone = [
        vlb_term(network, x0[i : i + 1], xt[i : i + 1], T5[i : i + 1], S, variance(S), decoder)
        for i in range(5)
    ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-12, atol=0)


def test_the_gradient_of_the_terms_is_the_difference_quotient():
    def total(w):
        def model(x, t):
            return w * network(x, t)

        return vlb_term(model, X0, XT, T5, S, fixed_large(S), gaussian_log_prob)

    w = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)
    for i in range(5):
        (slope,) = torch.autograd.grad(total(w)[i], w)
        h = 1e-5
        expected = (total(w.detach() + h)[i] - total(w.detach() - h)[i]) / (2 * h)
        torch.testing.assert_close(slope, expected, rtol=1e-6, atol=1e-6)


def test_float32_terms_are_close_to_float64_ones():
    s = linear(1000)
    t = torch.tensor([1, 2, 20, 500, 1000])
    x0, xt = X0, q_sample(X0, t, EPS, s)
    exact = vlb_term(network, x0, xt, t, s, fixed_small(s), gaussian_log_prob)
    coarse = vlb_term(network, x0.float(), xt.float(), t, s, fixed_small(s), gaussian_log_prob)
    torch.testing.assert_close(coarse, exact.float(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(prior_term(x0.float(), s), prior_term(x0, s).float())


@pytest.mark.identity("3.7")
def test_the_prior_term_is_the_kl_by_hand_and_by_quadrature():
    alpha_bar = (1 - S.beta[1:]).prod().item()
    x0 = draw(3, 2, seed=8)
    by_hand = (alpha_bar * x0**2 - alpha_bar - math.log(1 - alpha_bar)).sum(1) / 2
    torch.testing.assert_close(prior_term(x0, S), by_hand, rtol=1e-9, atol=0)
    for i in range(3):
        total = 0.0
        for x in x0[i].tolist():
            q = norm(math.sqrt(alpha_bar) * x, math.sqrt(1 - alpha_bar))
            total += quad(lambda y, q=q: q.pdf(y) * (q.logpdf(y) - norm.logpdf(y)), -9, 9)[0]
        torch.testing.assert_close(prior_term(x0, S)[i].item(), total, rtol=1e-6, atol=1e-12)


def test_the_prior_term_is_small_and_not_zero():
    ones = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    nats = prior_term(ones, linear(1000)) / 2
    torch.testing.assert_close(nats.item(), 2.0e-5, rtol=0.02, atol=0)
    nats = prior_term(ones, cosine(1000)) / 2
    torch.testing.assert_close(nats.item(), 1.2e-9, rtol=0.03, atol=0)


@pytest.mark.identity("3.11")
def test_bits_per_dim_is_what_counting_says():
    # 12 elements of 256 equally likely levels: log(256^12) nats, 8 bits an element
    nats = torch.tensor([12 * math.log(256), 0.0, -12 * math.log(2)], dtype=torch.float64)
    expected = torch.tensor([8.0, 0.0, -1.0], dtype=torch.float64)
    torch.testing.assert_close(bits_per_dim(nats, 12), expected, rtol=1e-12, atol=1e-12)


def test_the_decoder_variance_is_the_given_one_or_beta_tilde_2():
    s = Schedule.from_beta(torch.tensor([0.1, 0.3, 0.7], dtype=torch.float64))
    assert decoder_variance(s, 0.04) == 0.04
    torch.testing.assert_close(decoder_variance(s), 0.1 / 0.37 * 0.3, rtol=1e-12, atol=0)


def test_a_schedule_of_one_step_has_no_beta_tilde_2():
    s = Schedule.from_beta(torch.tensor([0.5], dtype=torch.float64))
    with pytest.raises(ValueError, match="s: expected T >= 2 or a variance_1"):
        decoder_variance(s)
    assert decoder_variance(s, 0.3) == 0.3
