"""q(x_{t-1} | x_t, x_0) beside Bayes' rule on a grid, sympy, regression and special cases."""

import math

import pytest
import sympy
import torch
from torch.testing import assert_close

from diffedu.diffusion.gaussian import posterior, posterior_variance, q_sample, q_step
from diffedu.diffusion.schedules import SCHEDULES, Schedule, cosine, linear

T = 30
X0, XT = 0.8, -0.45
CLOSE = {"rtol": 1e-9, "atol": 1e-9}
every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)
some_t = pytest.mark.parametrize("t", [2, 3, 11, T])


def float64(*values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def at(t) -> torch.Tensor:
    return torch.tensor([t])


def posterior_of(x0, xt, t, s) -> tuple[float, float]:
    mean, variance = posterior(float64([x0]), float64([xt]), at(t), s)
    return mean.item(), variance.item()


def log_normal(x, mean, variance):
    return -((x - mean) ** 2) / (2 * variance) - 0.5 * math.log(2 * math.pi * variance)


def log_q_step(xt, x_prev, t, s):
    """log q(x_t | x_{t-1}), its mean and variance read off the package's step."""
    slope = q_step(float64([1.0]), at(t), float64([0.0]), s).item()
    noise = q_step(float64([0.0]), at(t), float64([1.0]), s).item()
    return log_normal(xt, slope * x_prev, noise**2)


def log_q_sample(x, x0, t, s):
    """log q(x_t | x_0), likewise."""
    signal = q_sample(float64([1.0]), at(t), float64([0.0]), s).item()
    noise = q_sample(float64([0.0]), at(t), float64([1.0]), s).item()
    return log_normal(x, signal * x0, noise**2)


def log_product(x_prev, t, s):
    """log q(x_t | x_{t-1}) q(x_{t-1} | x_0): the posterior but for a constant."""
    return log_q_step(XT, x_prev, t, s) + log_q_sample(x_prev, X0, t - 1, s)


# Bayes' rule, term by term


@pytest.mark.identity("2.1")
@some_t
@every_schedule
def test_bayes_rule_holds_at_every_point(make, t):
    s, x_prev = make(T), torch.linspace(-3, 3, 31, dtype=torch.float64)
    mean, variance = posterior_of(X0, XT, t, s)
    by_bayes = log_product(x_prev, t, s) - log_q_sample(XT, X0, t, s)
    assert_close(log_normal(x_prev, mean, variance), by_bayes, **CLOSE)


@pytest.mark.identity("2.2")
@some_t
def test_the_exponent_is_a_square_and_a_line_in_x_prev(t):
    """a and b of -(a x^2 - 2 b x)/2 from three values of the product, 1/a and b/a the posterior."""
    s = linear(T)
    below, middle, above = (log_product(x, t, s) for x in (-1.0, 0.0, 1.0))
    a, b = 2 * middle - below - above, (above - below) / 2
    x = torch.linspace(-4, 4, 17, dtype=torch.float64)
    assert_close(log_product(x, t, s), middle - (a * x**2 - 2 * b * x) / 2, **CLOSE)
    mean, variance = posterior_of(X0, XT, t, s)
    assert_close((1 / variance, mean / variance), (a, b), **CLOSE)


@pytest.mark.identity("2.3")
@some_t
def test_around_the_posterior_mean_the_square_is_complete(t):
    """No line is left: equal falls on both sides; and the constant that comes off is b^2/a."""
    s = linear(T)
    mean, variance = posterior_of(X0, XT, t, s)
    a, b = 1 / variance, mean / variance
    away = torch.linspace(0.1, 2, 9, dtype=torch.float64)
    top = log_product(mean, t, s)
    for side in (1, -1):
        assert_close(log_product(mean + side * away, t, s), top - a * away**2 / 2, **CLOSE)
    assert_close(top - log_product(0.0, t, s), b**2 / a / 2, **CLOSE)


@pytest.mark.identity("2.4", "2.5")
@every_schedule
def test_precisions_add_and_so_do_the_pulls_of_x_t_and_x0(make):
    s = make(T)
    for t in range(2, T + 1):
        beta = s.beta[t].item()
        alpha_bar_prev = math.prod(s.alpha[:t].tolist())
        a = (1 - beta) / beta + 1 / (1 - alpha_bar_prev)
        b = math.sqrt(1 - beta) / beta * XT + math.sqrt(alpha_bar_prev) / (1 - alpha_bar_prev) * X0
        mean, variance = posterior_of(X0, XT, t, s)
        assert_close((1 / variance, mean / variance), (a, b), rtol=1e-8, atol=1e-8)


@pytest.mark.identity("2.6")
@some_t
@every_schedule
def test_the_normalised_product_on_a_grid_has_the_posterior_mean_and_variance(make, t):
    s = make(T)
    mean, variance = posterior_of(X0, XT, t, s)
    width = 12 * math.sqrt(s.beta[t].item())  # more than enough: the posterior is narrower
    x = torch.linspace(XT - width - 1, X0 + width + 1, 20_001, dtype=torch.float64)
    density = (log_product(x, t, s) - log_q_sample(XT, X0, t, s)).exp()
    total, first = torch.trapezoid(density, x), torch.trapezoid(density * x, x)
    second = torch.trapezoid(density * (x - first) ** 2, x)
    grid = (total.item(), first.item(), second.item())
    assert_close(grid, (1.0, mean, variance), rtol=1e-8, atol=1e-8)


# The closed form


def solved_by_sympy() -> tuple[sympy.Expr, sympy.Expr, list[sympy.Symbol]]:
    """Mean and variance of x_{t-1} given x_t and x_0, from the exponents alone."""
    symbols = sympy.symbols("x_0 x_t beta alpha_bar_prev", positive=True)
    x0, xt, beta, alpha_bar_prev = symbols
    x = sympy.Symbol("x")
    exponent = -((xt - sympy.sqrt(1 - beta) * x) ** 2) / (2 * beta)
    exponent -= (x - sympy.sqrt(alpha_bar_prev) * x0) ** 2 / (2 * (1 - alpha_bar_prev))
    (mean,) = sympy.solve(sympy.diff(exponent, x), x)
    return mean, -1 / sympy.diff(exponent, x, 2), symbols


@pytest.mark.identity("2.7", "2.8")
@every_schedule
def test_the_closed_form_is_what_sympy_derives(make):
    mean, variance, symbols = solved_by_sympy()
    x0, xt, beta, alpha_bar_prev = symbols
    alpha_bar = (1 - beta) * alpha_bar_prev
    printed = sympy.sqrt(alpha_bar_prev) * beta / (1 - alpha_bar) * x0
    printed += sympy.sqrt(1 - beta) * (1 - alpha_bar_prev) / (1 - alpha_bar) * xt
    assert sympy.simplify(mean - printed) == 0
    assert sympy.simplify(variance - (1 - alpha_bar_prev) / (1 - alpha_bar) * beta) == 0
    derived = sympy.lambdify(symbols, (mean, variance), "math")
    s = make(T)
    for t in range(2, T + 1):
        by_sympy = derived(X0, XT, s.beta[t].item(), math.prod(s.alpha[:t].tolist()))
        assert_close(posterior_of(X0, XT, t, s), by_sympy, rtol=1e-9, atol=1e-12)
        assert_close(posterior_variance(at(t), s).item(), by_sympy[1], rtol=1e-9, atol=0)


@pytest.mark.identity("2.9")
@pytest.mark.parametrize("steps", [21, 1000])
@every_schedule
def test_noiseless_x_t_leads_to_noiseless_x_prev(make, steps):
    """With x_t = sqrt(alpha_bar_t) x0: c0 + ct sqrt(alpha_bar_t) = sqrt(alpha_bar_{t-1})."""
    s, t = make(steps), torch.arange(1, steps + 1)
    one, zero = torch.ones(steps, 1).double(), torch.zeros(steps, 1).double()
    c0, ct = posterior(one, zero, t, s)[0], posterior(zero, one, t, s)[0]
    assert_close((c0 + ct * s.alpha_bar[1:, None].sqrt())[:, 0], s.alpha_bar[:-1].sqrt(), **CLOSE)


@pytest.mark.identity("2.10")
@every_schedule
def test_at_the_last_step_the_mean_is_x0_itself_and_nothing_varies(make):
    x0, xt = float64([0.3, -2.0], [5.0, 0.0]), float64([9.0, 1.0], [-4.0, 7.0])
    mean, variance = posterior(x0, xt, torch.tensor([1, 1]), make(T))
    assert_close(mean, x0, rtol=1e-11, atol=1e-11)
    assert_close(variance, torch.zeros(2, 1).double(), rtol=0, atol=0)


@pytest.mark.identity("2.11")
def test_once_x_t_is_all_noise_it_says_nothing_about_x_prev():
    """As beta_t goes to 1 the posterior goes to q(x_{t-1} | x_0), as fast as sqrt(1 - beta_t)."""
    for short_of_1 in (1e-6, 1e-10):
        s = Schedule.from_beta(float64(0.3, 0.2, 1 - short_of_1))
        mean, variance = posterior_of(X0, XT, 3, s)
        wanted = (math.sqrt(0.7 * 0.8) * X0, 1 - 0.7 * 0.8)
        assert_close((mean, variance), wanted, rtol=0, atol=math.sqrt(short_of_1))


# Simulation and shapes


@pytest.mark.parametrize(("make", "t"), [(linear, 4), (cosine, 20)])
def test_regressing_x_prev_on_x_t_gives_the_posterior(make, t):
    s, n, generator = make(T), 100_000, torch.Generator().manual_seed(0)
    noise = torch.randn(2, n, 1, generator=generator, dtype=torch.float64)
    x0, steps = torch.full((n, 1), X0, dtype=torch.float64), torch.full((n,), t)
    x_prev = q_sample(x0, steps - 1, noise[0], s)
    xt = q_step(x_prev, steps, noise[1], s)
    slope = ((xt - xt.mean()) * x_prev).mean() / xt.var()
    offset = (x_prev - slope * xt).mean()
    left = x_prev - offset - slope * xt
    mean_at_0, variance = posterior_of(X0, 0.0, t, s)
    mean_at_1, _ = posterior_of(X0, 1.0, t, s)
    # standard errors of a regression line and of a variance
    error = math.sqrt(variance / n) / xt.std().item()
    assert_close(slope.item(), mean_at_1 - mean_at_0, rtol=0, atol=4 * error)
    error *= (xt**2).mean().sqrt().item()
    assert_close(offset.item(), mean_at_0, rtol=0, atol=4 * error)
    assert_close(left.var().item(), variance, rtol=4 * math.sqrt(2 / n), atol=0)


def test_the_variance_multiplies_whole_samples_in_the_dtype_of_the_data():
    s, t = linear(T), torch.tensor([5, 1, 30, 2])
    x0, xt = torch.ones(4, 3, 5, 4), torch.zeros(4, 3, 5, 4)
    mean, variance = posterior(x0, xt, t, s)
    assert mean.dtype == variance.dtype == torch.float32
    assert variance.shape == (4, 1, 1, 1)
    spread = (variance * x0).double()
    for b in range(4):
        wanted = posterior_variance(t, s)[b].item()
        assert_close(spread[b], torch.full((3, 5, 4), wanted).double(), rtol=1e-6, atol=0)
