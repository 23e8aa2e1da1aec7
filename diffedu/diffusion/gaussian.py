r"""Everything Gaussian in diffusion: noising, the posterior, three predictions, KL.

Equation numbers are those of DDPM (Ho, Jain, Abbeel 2020) unless another source is named. `t` is a
long tensor (B,) with the paper's values 1..T and `x` has any shape (B, ...); results follow the
dtype and device of `x`. Coefficients are computed in float64 and cast last: in bfloat16,
1 - alpha_bar would be exactly 0 for small t. Bad arguments raise ValueError("t: expected ...").
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from diffedu import expect
from diffedu.diffusion.decoder import decoder_log_prob, gaussian_log_prob
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import Batch, EpsModel, PerStep, Steps, per_sample

__all__ = [
    "as_eps_model",
    "decoder_log_prob",
    "draw_t",
    "eps_from_v",
    "eps_from_x0",
    "fixed_large",
    "fixed_small",
    "gaussian_log_prob",
    "kl_gaussian",
    "posterior",
    "posterior_variance",
    "q_sample",
    "q_step",
    "reverse_mean",
    "v_from_x0_eps",
    "x0_from_eps",
    "x0_from_v",
]


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
    """Draw (B,) steps uniformly from 1..T, both included (DDPM algorithm 1)."""
    expect.integer("batch_size", batch_size, 1)
    expect.generator("generator", generator)
    return torch.randint(1, s.T + 1, (batch_size,), generator=generator, device=generator.device)


def posterior(
    x0: Batch, xt: Batch, t: Steps, s: Schedule
) -> tuple[Batch, Float[Tensor, " b *ones"]]:
    r"""Mean and variance of q(x_{t-1} | x_t, x_0) (DDPM eqs. 6 and 7).

    $\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,x_0
    + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,x_t$

    The variance is `posterior_variance`, shaped (B, 1, ..., 1) so that it multiplies whole samples.
    At t = 1 the mean is x_0 and the variance 0.
    """
    _check("x0", x0, t, s, xt=xt)
    now = t.cpu()
    beta, alpha = s.beta[now], s.alpha[now]
    alpha_bar, alpha_bar_prev = s.alpha_bar[now], s.alpha_bar[now - 1]
    coef_x0 = alpha_bar_prev.sqrt() * beta / (1 - alpha_bar)
    coef_xt = alpha.sqrt() * (1 - alpha_bar_prev) / (1 - alpha_bar)
    mean = per_sample(coef_x0, x0) * x0 + per_sample(coef_xt, x0) * xt
    return mean, per_sample(fixed_small(s)[now], x0)


def posterior_variance(t: Steps, s: Schedule) -> Float64[Tensor, " b"]:
    r"""Variance of q(x_{t-1} | x_t, x_0), one number per sample (DDPM eq. 7).

    $\tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t$; exactly 0 at t = 1. A
    variance: take its root before multiplying noise.
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

    `to_eps(xt, t, prediction, s)` is `eps_from_x0` for an x0-predicting network and `eps_from_v`
    for a v-predicting one.
    """
    expect.function("model", model)
    expect.function("to_eps", to_eps)
    return lambda xt, t: to_eps(xt, t, model(xt, t), s)


def fixed_small(s: Schedule) -> PerStep:
    r"""The smaller fixed variance, beta-tilde_t: exact if x_0 is one point (DDPM section 3.2).

    0 at t = 1, where the last step needs no noise. A likelihood needs a positive number there:
    `diffedu.diffusion.losses` puts beta-tilde_2.
    """
    ratio = (1 - s.alpha_bar[:-1]) / (
        1 - s.alpha_bar[1:]
    )  # (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t)
    return torch.cat([s.beta[:1], ratio * s.beta[1:]])


def fixed_large(s: Schedule) -> PerStep:
    """The larger fixed variance, beta_t: exact if x_0 is standard normal (DDPM section 3.2)."""
    return s.beta.clone()


def reverse_mean(xt: Batch, eps_hat: Batch, t: Steps, s: Schedule) -> Batch:
    r"""Mean of p(x_{t-1} | x_t): the posterior mean with eps_hat in place of eps (DDPM eq. 11).

    $\mu = \big(x_t - \beta_t\,\hat\epsilon / \sqrt{1-\bar\alpha_t}\big) / \sqrt{\alpha_t}$
    """
    _check("xt", xt, t, s, eps_hat=eps_hat)
    now = t.cpu()
    step = s.beta[now] / (1 - s.alpha_bar[now]).sqrt()
    return (xt - per_sample(step, xt) * eps_hat) / per_sample(s.alpha[now].sqrt(), xt)


def kl_gaussian(mean_1: Tensor, variance_1: Tensor, mean_2: Tensor, variance_2: Tensor) -> Tensor:
    r"""KL(N(mean_1, variance_1) || N(mean_2, variance_2)), one value per element, in nats.

    $\tfrac12\Big(\log\frac{v_2}{v_1} + \frac{v_1 + (\mu_1-\mu_2)^2}{v_2} - 1\Big)$

    v are variances, not standard deviations. Arguments broadcast as in numpy; ValueError if a
    variance is not positive.
    """
    for name, mean in (("mean_1", mean_1), ("mean_2", mean_2)):
        expect.tensor(name, mean)
        expect.finite(name, mean)
    expect.positive("variance_1", variance_1)
    expect.positive("variance_2", variance_2)
    ratio = torch.as_tensor(variance_1 / variance_2, dtype=torch.result_type(mean_1, mean_2))
    return 0.5 * (ratio - 1 - ratio.log() + (mean_1 - mean_2) ** 2 / variance_2)


def _check(name: str, x: Batch, t: Steps, s: Schedule, **others: Tensor) -> None:
    """The data first, then what must look like it, then the schedule and the steps."""
    expect.batch(name, x)
    for other_name, other in others.items():
        expect.like(other_name, other, x)
    expect.schedule("s", s)
    expect.steps("t", t, s.T, x)


def _signal_noise(t: Steps, x: Batch, s: Schedule) -> tuple[Tensor, Tensor]:
    """sqrt(alpha_bar_t) and sqrt(1 - alpha_bar_t), each shaped to multiply whole samples of x."""
    alpha_bar = s.alpha_bar[t.cpu()]
    return per_sample(alpha_bar.sqrt(), x), per_sample((1 - alpha_bar).sqrt(), x)
