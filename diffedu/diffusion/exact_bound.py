r"""The variational bound without any sampling, for one-dimensional data and the ideal denoiser.

With the best prediction E[x_0 | x_t] the average of every term of the bound depends on the data
through one number per step: the unavoidable error $\mathrm{err}_t = E[\mathrm{Var}(x_0|x_t)]$. It
is an integral over x_t, done here on a grid.
"""

import torch

from diffedu import expect
from diffedu.diffusion.exact import Mixture, log_density, noised, x0_variance
from diffedu.diffusion.gaussian import kl_gaussian, posterior_variance
from diffedu.diffusion.losses import decoder_variance
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import PerStep

REACH = 10.0  # standard deviations from the outermost component to the ends of the grid


def negative_log_likelihood(mixture: Mixture, points: int = 2001) -> float:
    """The entropy -E[log p(x_0)] in nats: no model's bound can be lower."""
    _check(mixture, points)
    log_p, width = _log_density_on_grid(mixture, points)[1:]
    return -(log_p.exp() * log_p).sum().item() * width


def unavoidable_error(mixture: Mixture, s: Schedule, points: int = 601) -> PerStep:
    r"""$E_{q(x_t)}[\mathrm{Var}(x_0 | x_t)]$ for t = 0..T (T+1,); 0 at index 0.

    The squared error in x_0 that the best denoiser makes; times SNR(t) it is the one in eps.
    """
    _check(mixture, points)
    errors = [0.0]
    for step in range(1, s.T + 1):
        x, log_p, width = _log_density_on_grid(noised(mixture, step, s), points)
        variance = x0_variance(mixture, x, torch.full((points,), step), s)
        errors.append((log_p.exp() * variance).sum().item() * width)
    return torch.tensor(errors, dtype=torch.float64)


def best_variance(s: Schedule, error: PerStep) -> PerStep:
    r"""The one number per step that makes the bound smallest, (T+1,).

    $\sigma_t^{*2} = \tilde\beta_t + c_0^2\,\mathrm{err}_t$ with
    $c_0 = \sqrt{\bar\alpha_{t-1}}\beta_t/(1-\bar\alpha_t)$: the variance of x_{t-1} once x_0 is
    known, plus what not knowing x_0 adds.
    """
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


def _prior(mixture: Mixture, s: Schedule) -> torch.Tensor:
    """E KL(q(x_T | x_0) || N(0, 1)): the second moment of the data is all that matters."""
    second = (mixture.weight * (mixture.mean[:, 0] ** 2 + mixture.sigma**2)).sum()
    signal, zero = (s.alpha_bar[s.T] * second).sqrt(), torch.zeros((), dtype=torch.float64)
    return kl_gaussian(signal[None], 1 - s.alpha_bar[s.T], zero[None], zero + 1)[0]


def _log_density_on_grid(mixture: Mixture, points: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """A grid (points, 1) over all of the mixture, log p on it, and its step."""
    reach = REACH * mixture.sigma.max()
    low, high = mixture.mean.min() - reach, mixture.mean.max() + reach
    x = torch.linspace(low.item(), high.item(), points, dtype=torch.float64)
    return x[:, None], log_density(mixture, x[:, None]), (x[1] - x[0]).item()


def _check(mixture: Mixture, points: int) -> None:
    if mixture.mean.shape[1] != 1:
        expect.fail("mixture", "one-dimensional data", f"{mixture.mean.shape[1]} dimensions")
    expect.integer("points", points, 101)
