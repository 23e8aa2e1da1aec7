r"""Everything in diffusion that is a Gaussian: noising, the posterior, the three predictions, KL and the decoder.

Equation numbers are those of DDPM (Ho, Jain, Abbeel 2020) unless another source is named. `t` is a long tensor (B,)
with the paper's values 1..T and `x` has any shape (B, ...); results follow the dtype and device of `x`. Every
coefficient is computed in float64 and cast last: in bfloat16, 1 - alpha_bar would be exactly 0 for small t.
Bad arguments raise `ValueError("name: expected X, got Y")`.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from diffedu import expect
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import Batch, EpsModel, PerStep, Steps, per_sample


def q_step(x_prev: Batch, t: Steps, eps: Batch, s: Schedule) -> Batch:
    r"""Noise x_{t-1} by one step (DDPM eq. 2).

    $x_t = \sqrt{1-\beta_t}\,x_{t-1} + \sqrt{\beta_t}\,\epsilon$
    """
    _check("x_prev", x_prev, t, s, eps=eps)
    beta = s.beta[t.cpu()]
    return per_sample((1 - beta).sqrt(), x_prev) * x_prev + per_sample(beta.sqrt(), x_prev) * eps


def q_sample(x0: Batch, t: Steps, eps: Batch, s: Schedule) -> Batch:
    r"""Noise x_0 to step t in one jump (DDPM eq. 4).

    $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon$
    """
    _check("x0", x0, t, s, eps=eps)
    signal, noise = _signal_noise(t, x0, s)
    return signal * x0 + noise * eps


def draw_t(batch_size: int, s: Schedule, generator: torch.Generator) -> Steps:
    """Draw (B,) steps uniformly from 1..T, both included, on the generator's device (DDPM algorithm 1)."""
    expect.integer("batch_size", batch_size, 1)
    expect.generator("generator", generator)
    return torch.randint(1, s.T + 1, (batch_size,), generator=generator, device=generator.device)


def posterior(
    x0: Batch, xt: Batch, t: Steps, s: Schedule
) -> tuple[Batch, Float[Tensor, "b *ones"]]:
    r"""Mean and variance of q(x_{t-1} | x_t, x_0) (DDPM eqs. 6 and 7).

    $\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,x_0
    + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,x_t$, and `posterior_variance`, shaped
    (B, 1, ..., 1) so that it multiplies whole samples. At t = 1 the mean is x_0 and the variance 0.
    """
    _check("x0", x0, t, s, xt=xt)
    now = t.cpu()
    beta, alpha, alpha_bar, alpha_bar_prev = (
        s.beta[now],
        s.alpha[now],
        s.alpha_bar[now],
        s.alpha_bar[now - 1],
    )
    coef_x0 = alpha_bar_prev.sqrt() * beta / (1 - alpha_bar)
    coef_xt = alpha.sqrt() * (1 - alpha_bar_prev) / (1 - alpha_bar)
    mean = per_sample(coef_x0, x0) * x0 + per_sample(coef_xt, x0) * xt
    return mean, per_sample(fixed_small(s)[now], x0)


def posterior_variance(t: Steps, s: Schedule) -> Float64[Tensor, " b"]:
    r"""Variance of q(x_{t-1} | x_t, x_0), one number per sample (DDPM eq. 7).

    $\tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t$; exactly 0 at t = 1. A variance: take its
    root before multiplying noise.
    """
    expect.step_index("t", t, s.T)
    return fixed_small(s)[t.cpu()].to(t.device)


def x0_from_eps(xt: Batch, t: Steps, eps: Batch, s: Schedule) -> Batch:
    r"""Solve DDPM eq. 4 for the clean data (DDPM eq. 15).

    $x_0 = (x_t - \sqrt{1-\bar\alpha_t}\,\epsilon) / \sqrt{\bar\alpha_t}$
    """
    _check("xt", xt, t, s, eps=eps)
    signal, noise = _signal_noise(t, xt, s)
    return (xt - noise * eps) / signal


def eps_from_x0(xt: Batch, t: Steps, x0: Batch, s: Schedule) -> Batch:
    r"""Solve DDPM eq. 4 for the noise.

    $\epsilon = (x_t - \sqrt{\bar\alpha_t}\,x_0) / \sqrt{1-\bar\alpha_t}$
    """
    _check("xt", xt, t, s, x0=x0)
    signal, noise = _signal_noise(t, xt, s)
    return (xt - signal * x0) / noise


def v_from_x0_eps(x0: Batch, eps: Batch, t: Steps, s: Schedule) -> Batch:
    r"""The velocity, a third thing to predict (Salimans and Ho 2022, section 4).

    $v = \sqrt{\bar\alpha_t}\,\epsilon - \sqrt{1-\bar\alpha_t}\,x_0$
    """
    _check("x0", x0, t, s, eps=eps)
    signal, noise = _signal_noise(t, x0, s)
    return signal * eps - noise * x0


def x0_from_v(xt: Batch, t: Steps, v: Batch, s: Schedule) -> Batch:
    r"""Read the clean data off a velocity (Salimans and Ho 2022, section 4).

    $x_0 = \sqrt{\bar\alpha_t}\,x_t - \sqrt{1-\bar\alpha_t}\,v$
    """
    _check("xt", xt, t, s, v=v)
    signal, noise = _signal_noise(t, xt, s)
    return signal * xt - noise * v


def eps_from_v(xt: Batch, t: Steps, v: Batch, s: Schedule) -> Batch:
    r"""Read the noise off a velocity (Salimans and Ho 2022, section 4).

    $\epsilon = \sqrt{1-\bar\alpha_t}\,x_t + \sqrt{\bar\alpha_t}\,v$
    """
    _check("xt", xt, t, s, v=v)
    signal, noise = _signal_noise(t, xt, s)
    return noise * xt + signal * v


Conversion = Callable[[Tensor, Tensor, Tensor, Schedule], Tensor]


def as_eps_model(model: EpsModel, to_eps: Conversion, s: Schedule) -> EpsModel:
    """Turn a network that predicts something else into one that predicts eps.

    `to_eps(xt, t, prediction, s)` is `eps_from_x0` for an x0-predicting network and `eps_from_v` for a
    v-predicting one.
    """
    expect.function("model", model)
    expect.function("to_eps", to_eps)
    return lambda xt, t: to_eps(xt, t, model(xt, t), s)


def fixed_small(s: Schedule) -> PerStep:
    r"""The smaller fixed reverse variance, beta-tilde_t (DDPM section 3.2): exact if x_0 is one known point.

    0 at t = 1, where the last step needs no noise. A likelihood needs a positive number there:
    `diffedu.diffusion.losses` puts beta-tilde_2.
    """
    ratio = (1 - s.alpha_bar[:-1]) / (
        1 - s.alpha_bar[1:]
    )  # (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t)
    return torch.cat([s.beta[:1], ratio * s.beta[1:]])


def fixed_large(s: Schedule) -> PerStep:
    """The larger fixed reverse variance, beta_t (DDPM section 3.2): exact if x_0 is standard normal."""
    return s.beta.clone()


def reverse_mean(xt: Batch, eps_hat: Batch, t: Steps, s: Schedule) -> Batch:
    r"""Mean of p(x_{t-1} | x_t): the posterior mean with eps_hat in place of eps (DDPM eq. 11).

    $\mu = \frac{1}{\sqrt{\alpha_t}}\Big(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\,\hat\epsilon\Big)$
    """
    _check("xt", xt, t, s, eps_hat=eps_hat)
    now = t.cpu()
    step = s.beta[now] / (1 - s.alpha_bar[now]).sqrt()
    return (xt - per_sample(step, xt) * eps_hat) / per_sample(s.alpha[now].sqrt(), xt)


def kl_gaussian(mean_1: Tensor, variance_1: Tensor, mean_2: Tensor, variance_2: Tensor) -> Tensor:
    r"""KL(N(mean_1, variance_1) || N(mean_2, variance_2)), one value per element, in nats.

    $\tfrac12\Big(\log\frac{\sigma_2^2}{\sigma_1^2} + \frac{\sigma_1^2 + (\mu_1-\mu_2)^2}{\sigma_2^2} - 1\Big)$, with
    variances, not standard deviations. Arguments broadcast as in numpy; ValueError if a variance is not positive.
    """
    for name, mean in (("mean_1", mean_1), ("mean_2", mean_2)):
        expect.tensor(name, mean)
        expect.finite(name, mean)
    expect.positive("variance_1", variance_1)
    expect.positive("variance_2", variance_2)
    ratio = torch.as_tensor(variance_1 / variance_2)
    return 0.5 * (ratio - 1 - ratio.log() + (mean_1 - mean_2) ** 2 / variance_2)


def gaussian_log_prob(x0: Batch, mean: Batch, sigma: Tensor | float) -> Batch:
    r"""log N(x0; mean, sigma^2) per element in nats: the decoder for continuous data.

    `sigma` is a standard deviation: a number, or a tensor that broadcasts against x0. A log *density*: it may be
    positive.
    """
    expect.batch("x0", x0)
    expect.like("mean", mean, x0)
    expect.positive("sigma", sigma)
    z = (x0 - mean) / sigma
    return -0.5 * z**2 - torch.as_tensor(sigma).log() - 0.5 * math.log(2 * math.pi)


def decoder_log_prob(x0: Batch, mean: Batch, sigma: Tensor | float, levels: int = 256) -> Batch:
    r"""log p(x_0 | x_1) per element in nats, for data with `levels` equally spaced values on [-1, 1] (DDPM eq. 13).

    The normal density is integrated over the bin of half-width 1/(levels-1) around x0; the first and the last bin
    reach to -infinity and +infinity, so that the levels sum to 1. Exact normal CDF, in float64 throughout, hence
    finite with finite gradients far in the tails. `sigma` is a standard deviation: a number, or a tensor that
    broadcasts against x0. ValueError if x0 is not on the grid.
    """
    expect.batch("x0", x0)
    expect.like("mean", mean, x0)
    expect.positive("sigma", sigma)
    expect.integer("levels", levels, 2)
    level = _level(x0, levels)
    centre = level * (2 / (levels - 1)) - 1
    half = 1 / (levels - 1)
    sigma = torch.as_tensor(sigma, device=x0.device).double()
    above = (centre + half - mean.double()) / sigma
    below = (centre - half - mean.double()) / sigma
    edge = torch.where(level == 0, _log_cdf(above), _log_cdf(-below))
    inside = (level > 0) & (level < levels - 1)
    return torch.where(inside, _log_cdf_difference(above, below), edge).to(x0)


def _check(name: str, x: Batch, t: Steps, s: Schedule, **others: Tensor) -> None:
    """The data first, then what must look like it, then the steps."""
    expect.batch(name, x)
    for other_name, other in others.items():
        expect.like(other_name, other, x)
    expect.steps("t", t, s.T, x)


def _signal_noise(t: Steps, x: Batch, s: Schedule) -> tuple[Tensor, Tensor]:
    """sqrt(alpha_bar_t) and sqrt(1 - alpha_bar_t), each shaped to multiply whole samples of x."""
    alpha_bar = s.alpha_bar[t.cpu()]
    return per_sample(alpha_bar.sqrt(), x), per_sample((1 - alpha_bar).sqrt(), x)


def _level(x0: Batch, levels: int) -> Tensor:
    """The number 0..levels-1 of each value; float32 pixels sit within 1e-3 of theirs."""
    if x0.dtype not in (torch.float32, torch.float64):
        expect.fail("x0", "dtype torch.float32 or torch.float64", x0.dtype)
    position = (x0.detach().double() + 1) * (levels - 1) / 2
    level = position.round()
    off = ((position - level).abs() > 1e-3) | (level < 0) | (level > levels - 1)
    if off.any():
        expect.fail("x0", f"one of {levels} equally spaced values on [-1, 1]", x0[off][0].item())
    return level


def _log_cdf(z: Tensor) -> Tensor:
    """log of the standard normal CDF, accurate in both tails."""
    return torch.special.log_ndtr(z)


def _log_cdf_difference(above: Tensor, below: Tensor) -> Tensor:
    """log(Phi(above) - Phi(below)) without cancellation: mirror the bin into the left tail, then log1p."""
    mirror = above + below > 0
    high, low = torch.where(mirror, -below, above), torch.where(mirror, -above, below)
    log_high = _log_cdf(high)
    gap = log_high - _log_cdf(low)  # positive: Phi grows
    return log_high + torch.log(-torch.expm1(-gap))
