r"""Data whose best denoiser has a closed form: the laboratory where the rest is checked.

A Gaussian mixture stays one under noising: component k of q(x_t) has mean
$\sqrt{\bar\alpha_t}\,\mu_k$ and variance $\bar\alpha_t\sigma_k^2 + 1 - \bar\alpha_t$. So its
density, its posterior mean E[x_0 | x_t] and its best eps are exact at every t. One component is a
Gaussian; components of width 0 are a finite data set.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from diffedu import expect
from diffedu.diffusion.gaussian import eps_from_x0
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import Batch, EpsModel, PerSample, Steps

Step = Callable[[Tensor, Tensor], Tensor]  # (xt, noise) -> x at the next time


@dataclass(frozen=True, eq=False)
class Mixture:
    """sum_k weight_k N(mean_k, sigma_k^2 I) over points (D,).

    sigma is a standard deviation and may be 0.
    """

    weight: Float64[Tensor, " k"]
    mean: Float64[Tensor, " k d"]
    sigma: Float64[Tensor, " k"]

    def __post_init__(self) -> None:
        """Refuse weights that are no probabilities and widths that are negative."""
        for name in ("weight", "mean", "sigma"):
            part = getattr(self, name)
            expect.tensor(name, part)
            if part.dtype != torch.float64:
                expect.fail(name, "dtype torch.float64", part.dtype)
        expect.positive("weight", self.weight)
        if abs(self.weight.sum().item() - 1) > 1e-9:
            expect.fail("weight", "a sum of 1", self.weight.sum().item())
        expect.batch("mean", self.mean)
        if self.mean.ndim != 2 or not len(self.mean) == len(self.weight) == len(self.sigma):
            shapes = [tuple(part.shape) for part in (self.weight, self.mean, self.sigma)]
            expect.fail("weight, mean, sigma", "shapes (K,), (K, D), (K,)", shapes)
        expect.finite("sigma", self.sigma)
        if (self.sigma < 0).any():
            expect.fail("sigma", "values >= 0", self.sigma.min().item())


def gaussian(mean: float, sigma: float, dims: int = 1) -> Mixture:
    """N(mean, sigma^2) in every one of `dims` dimensions, as a mixture of one component."""
    expect.integer("dims", dims, 1)
    one = torch.ones(1, dtype=torch.float64)
    return Mixture(one, torch.full((1, dims), mean, dtype=torch.float64), one * sigma)


def points(data: Batch) -> Mixture:
    """A finite data set as a mixture of N equal points without width: (N, ...) becomes (N, D)."""
    expect.batch("data", data)
    n = len(data)
    weight = torch.full((n,), 1 / n, dtype=torch.float64)
    return Mixture(weight, data.reshape(n, -1).double().cpu(), torch.zeros_like(weight))


def sample(mixture: Mixture, n: int, generator: torch.Generator) -> Float64[Tensor, " n d"]:
    """Draw n points."""
    expect.integer("n", n, 1)
    expect.generator("generator", generator)
    k = torch.multinomial(mixture.weight, n, replacement=True, generator=generator)
    noise = torch.randn(n, mixture.mean.shape[1], generator=generator, dtype=torch.float64)
    return mixture.mean[k] + mixture.sigma[k, None] * noise


def noised(mixture: Mixture, t: int, s: Schedule) -> Mixture:
    r"""The marginal q(x_t), again a mixture.

    $\sum_k w_k\,N(\sqrt{\bar\alpha_t}\mu_k,\ \bar\alpha_t\sigma_k^2 + 1 - \bar\alpha_t)$
    """
    expect.integer("t", t, 0, s.T)
    alpha_bar = s.alpha_bar[t]
    sigma = (alpha_bar * mixture.sigma**2 + 1 - alpha_bar).sqrt()
    return Mixture(mixture.weight, alpha_bar.sqrt() * mixture.mean, sigma)


def log_density(mixture: Mixture, x: Batch) -> PerSample:
    """log p(x) in nats, (B,). ValueError if a component has no width: a point has no density."""
    _check_points("x", x, mixture)
    expect.positive("sigma", mixture.sigma)
    distance = torch.cdist(
        x.double().cpu(), mixture.mean, compute_mode="donot_use_mm_for_euclid_dist"
    )
    log_norm = x.shape[1] * (mixture.sigma.log() + 0.5 * math.log(2 * math.pi))
    log_joint = mixture.weight.log() - 0.5 * (distance / mixture.sigma) ** 2 - log_norm
    return log_joint.logsumexp(1).to(x)


def x0_mean(mixture: Mixture, xt: Batch, t: Steps, s: Schedule) -> Batch:
    r"""E[x_0 | x_t], the best prediction of x_0 in squared error.

    Component k, given x_t, has mean
    $\mu_k + \frac{\sqrt{\bar\alpha_t}\sigma_k^2}{v_k}(x_t - \sqrt{\bar\alpha_t}\mu_k)$ with
    $v_k = \bar\alpha_t\sigma_k^2 + 1 - \bar\alpha_t$, averaged
    with their posterior weights.
    """
    _check_points("xt", xt, mixture)
    expect.steps("t", t, s.T, xt)
    weight, gain, _ = _responsibility(mixture, xt, t, s)
    alpha_bar = s.alpha_bar[t.cpu()][:, None]
    # sum_k w_k (mu_k + g_k (x - a mu_k)) without a (B, K, D) array
    pull = (weight * (1 - gain * alpha_bar.sqrt())) @ mixture.mean
    return (pull + (weight * gain).sum(1, keepdim=True) * xt.double().cpu()).to(xt)


def x0_variance(mixture: Mixture, xt: Batch, t: Steps, s: Schedule) -> PerSample:
    r"""Total variance of x_0 given x_t, $E\lVert x_0 - E[x_0|x_t]\rVert^2$, (B,).

    Averaged over x_t it is the error that no denoiser can avoid.
    """
    _check_points("xt", xt, mixture)
    expect.steps("t", t, s.T, xt)
    weight, gain, variance = _responsibility(mixture, xt, t, s)
    alpha_bar = s.alpha_bar[t.cpu()][:, None, None]
    x = xt.double().cpu()[:, None]
    mean = mixture.mean + gain[..., None] * (x - alpha_bar.sqrt() * mixture.mean)
    spread = (mean - (weight[..., None] * mean).sum(1, keepdim=True)) ** 2
    within = mixture.mean.shape[1] * mixture.sigma**2 * (1 - alpha_bar[..., 0]) / variance
    return (weight * (within + spread.sum(-1))).sum(1).to(xt)


def eps_model(mixture: Mixture, s: Schedule) -> EpsModel:
    """The best eps_hat(x_t, t) for this data; x has any shape (B, ...) with D elements a sample."""

    def model(xt: Batch, t: Steps) -> Batch:
        flat = xt.reshape(len(xt), -1).double()  # at small t, eps is a small difference
        return eps_from_x0(flat, t, x0_mean(mixture, flat, t, s), s).reshape(xt.shape).to(xt)

    return model


def chain_moments(
    steps: Iterable[Step], mean: float = 0.0, sigma: float = 1.0
) -> tuple[float, float]:
    """Exact output mean and std of a chain of affine steps, started from N(mean, sigma^2).

    On Gaussian data the best eps is affine in x, so a sampler's step is x -> A x + B + C z. The
    three numbers are read off by calling the step itself at x, z = (0, 0), (1, 0), (0, 1): nothing
    about the sampler is assumed.
    """
    expect.real("sigma", sigma, 0, wanted="a finite number >= 0")
    variance = sigma**2
    x = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    z = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    for step in steps:
        offset, at_one, at_noise = step(x, z).tolist()
        slope, noise = at_one - offset, at_noise - offset
        mean, variance = slope * mean + offset, slope**2 * variance + noise**2
    return mean, math.sqrt(variance)


def _responsibility(
    mixture: Mixture, xt: Batch, t: Steps, s: Schedule
) -> tuple[Tensor, Tensor, Tensor]:
    """Posterior weights (B, K), gains and variances of x_t's parts, float64 on the CPU."""
    alpha_bar = s.alpha_bar[t.cpu()][:, None]
    variance = alpha_bar * mixture.sigma**2 + 1 - alpha_bar
    x = xt.double().cpu() / alpha_bar.sqrt()
    distance = torch.cdist(x, mixture.mean, compute_mode="donot_use_mm_for_euclid_dist")
    log_weight = mixture.weight.log() - 0.5 * alpha_bar * distance**2 / variance
    log_weight = log_weight - 0.5 * mixture.mean.shape[1] * variance.log()
    return log_weight.softmax(1), alpha_bar.sqrt() * mixture.sigma**2 / variance, variance


def _check_points(name: str, x: Batch, mixture: Mixture) -> None:
    expect.batch(name, x)
    if x.ndim != 2 or x.shape[1] != mixture.mean.shape[1]:
        expect.fail(name, f"shape (B, {mixture.mean.shape[1]})", tuple(x.shape))
