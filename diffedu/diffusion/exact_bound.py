r"""The variational bound without any sampling, for one-dimensional data and the ideal denoiser.

With the best prediction E[x_0 | x_t] the average of every term of the bound depends on the data
through one number per step: the unavoidable error $\mathrm{err}_t = E[\mathrm{Var}(x_0|x_t)]$. It
is an integral over x_t, done here on a grid.
"""

import math

import torch
from torch import Tensor

from diffedu import expect
from diffedu.diffusion.exact import Mixture, x0_variance
from diffedu.diffusion.gaussian import kl_gaussian, posterior_variance
from diffedu.diffusion.losses import decoder_variance
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import PerStep, Steps

REACH = 10.0  # standard deviations from the outermost component to the ends of the grid
FINENESS = 0.5  # widest grid step in widths of the narrowest component: then the error is < 1e-7
CHUNK = 100  # steps at a time: a few megabytes


def negative_log_likelihood(mixture: Mixture, points: int = 2001) -> float:
    """The entropy -E[log p(x_0)] in nats: no model's bound can be lower."""
    _check_data(mixture)
    expect.integer("points", points, 101)
    _, log_p, width = _on_grid(mixture, mixture.mean.T, mixture.sigma[None], points)
    return -((log_p.exp() * log_p).sum() * width).item()


def unavoidable_error(mixture: Mixture, s: Schedule, points: int = 601) -> PerStep:
    r"""$E_{q(x_t)}[\mathrm{Var}(x_0 | x_t)]$ for t = 0..T (T+1,); 0 at index 0.

    The squared error in x_0 that the best denoiser makes; times SNR(t) it is the one in eps.
    """
    _check_data(mixture)
    expect.schedule("s", s)
    expect.integer("points", points, 101)
    steps = torch.arange(1, s.T + 1).split(CHUNK)
    errors = [_errors_at(mixture, t, s, points) for t in steps]
    return torch.cat([torch.zeros(1, dtype=torch.float64), *errors])


def best_variance(s: Schedule, error: PerStep) -> PerStep:
    r"""The one number per step that makes the bound smallest, (T+1,).

    $\sigma_t^{*2} = \tilde\beta_t + c_0^2\,\mathrm{err}_t$ with
    $c_0 = \sqrt{\bar\alpha_{t-1}}\beta_t/(1-\bar\alpha_t)$: the variance of x_{t-1} once x_0 is
    known, plus what not knowing x_0 adds.
    """
    expect.schedule("s", s)
    expect.variances("error", error, s.T)
    t = torch.arange(1, s.T + 1)
    c0 = s.alpha_bar[:-1].sqrt() * s.beta[1:] / (1 - s.alpha_bar[1:])
    return torch.cat([error[:1] * 0, posterior_variance(t, s) + c0**2 * error[1:]])


def bound_terms(
    mixture: Mixture,
    s: Schedule,
    variance: PerStep,
    error: PerStep,
    variance_1: float | None = None,
) -> PerStep:
    r"""Every term of the bound in nats, averaged over the data (T+1,): column k is L_k.

    For k = t - 1 >= 1 it is $\frac12\big[r_t - 1 + \log(\sigma_t^2/\tilde\beta_t)\big]$ with
    $r_t = \sigma_t^{*2}/\sigma_t^2$ (`best_variance`); L_0 is that of `gaussian_log_prob`, L_T the
    prior's. `error` is `unavoidable_error(mixture, s)`; `variance` and `variance_1` are those of
    `losses.vlb`, which this equals on average.
    """
    _check_data(mixture)
    expect.schedule("s", s)
    expect.variances("variance", variance, s.T)
    if s.T > 1:
        expect.positive("variance[2:]", variance[2:])
    best = best_variance(s, error)
    first = torch.tensor(decoder_variance(s, variance_1), dtype=torch.float64)
    last = 0.5 * ((2 * torch.pi * first).log() + best[1] / first)
    tilde = posterior_variance(torch.arange(1, s.T + 1), s)[1:]
    ratio = best[2:] / variance[2:]
    middle = 0.5 * (ratio - 1 + (variance[2:] / tilde).log())
    return torch.cat([last[None], middle, _prior(mixture, s)[None]])


def _prior(mixture: Mixture, s: Schedule) -> Tensor:
    """E KL(q(x_T | x_0) || N(0, 1)): the second moment of the data is all that matters."""
    second = (mixture.weight * (mixture.mean[:, 0] ** 2 + mixture.sigma**2)).sum()
    signal, zero = (s.alpha_bar[s.T] * second).sqrt(), torch.zeros((), dtype=torch.float64)
    return kl_gaussian(signal[None], 1 - s.alpha_bar[s.T], zero[None], zero + 1)[0]


def _errors_at(mixture: Mixture, t: Steps, s: Schedule, points: int) -> Tensor:
    """E[Var(x_0 | x_t)] for several t at once, each on a grid of its own."""
    alpha_bar = s.alpha_bar[t][:, None]
    sigma = (alpha_bar * mixture.sigma**2 + 1 - alpha_bar).sqrt()
    x, log_p, width = _on_grid(mixture, alpha_bar.sqrt() * mixture.mean.T, sigma, points)
    each = t.repeat_interleave(points)
    variance = x0_variance(mixture, x.reshape(-1, 1), each, s).view_as(x)
    return (log_p.exp() * variance).sum(1) * width


def _on_grid(
    mixture: Mixture, mean: Tensor, sigma: Tensor, points: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Grids (n, points) over n mixtures with means and widths (n, K), log p there, their steps."""
    reach = REACH * sigma.amax(1)
    low, high = mean.amin(1) - reach, mean.amax(1) + reach
    steps = ((high - low) / (FINENESS * sigma.amin(1))).max().item()
    if points <= steps:
        expect.fail("points", f"at least {math.ceil(steps) + 1} for such narrow components", points)
    place = torch.linspace(0, 1, points, dtype=torch.float64)
    x = low[:, None] + place * (high - low)[:, None]
    parts = torch.distributions.Normal(mean[:, None], sigma[:, None]).log_prob(x[..., None])
    return x, (parts + mixture.weight.log()).logsumexp(-1), (high - low) / (points - 1)


def _check_data(mixture: Mixture) -> None:
    expect.positive("sigma", mixture.sigma)
    if mixture.mean.shape[1] != 1:
        expect.fail("mixture", "one-dimensional data", f"{mixture.mean.shape[1]} dimensions")
