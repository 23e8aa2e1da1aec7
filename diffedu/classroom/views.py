"""What each explorer shows, as arrays: pure functions, tested without figure or browser."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from diffedu import expect
from diffedu.data import Images, Points
from diffedu.diffusion.exact import Mixture, eps_model, points
from diffedu.diffusion.exact_bound import (
    best_variance,
    bound_terms,
    negative_log_likelihood,
    unavoidable_error,
)
from diffedu.diffusion.gaussian import fixed_large, fixed_small, posterior, q_sample
from diffedu.diffusion.samplers import State, ddim, ddpm, strided_times
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import Batch

Curve = Float[Tensor, " n"]
HISTOGRAM_EDGES = torch.linspace(-4, 4, 41, dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class NoiseView:
    """One picture at step t: its pixels, their histogram, and its log-SNR."""

    t: int
    xt: Float[Tensor, " c h w"]
    histogram: Float[Tensor, " bins"]
    signal: float
    noise: float
    mean: float
    std: float
    log_snr: float


@dataclass(frozen=True, eq=False)
class PosteriorView:
    """Three densities over x_{t-1}: what x_0 says, what x_t says, and both together."""

    t: int
    grid: Curve
    prior: Curve
    likelihood: Curve
    posterior: Curve
    mean: float
    sigma: float


@dataclass(frozen=True, eq=False)
class TourView:
    """Digits on their way into noise and back: frames (K, N, 1, 8, 8), and the t of each."""

    frames: Float[Tensor, " k n c h w"]
    t: list[int]
    turn: int


@dataclass(frozen=True, eq=False)
class BoundView:
    """The terms of the bound (T+1,) for each choice of the variance, in nats, and the exact NLL."""

    T: int
    terms: dict[str, Curve]
    nll: float

    def gap(self, choice: str) -> float:
        """How far this choice's bound lies above the exact negative log-likelihood."""
        return self.terms[choice].sum().item() - self.nll


@dataclass(frozen=True, eq=False)
class TrajectoryView:
    """Points on their way from noise to data: entry k of both (T+1, N, 2) is at t = k."""

    xt: Float[Tensor, " k n d"]
    x0_hat: Float[Tensor, " k n d"]


def noise_view(x0: Images, t: int, s: Schedule, eps: Images) -> NoiseView:
    """Noise one picture (1, C, H, W) to step t in 0..T and describe what is left of it."""
    expect.integer("t", t, 0, s.T)
    xt = q_sample(x0, torch.tensor([t]), eps, s) if t > 0 else x0
    return NoiseView(
        t=t,
        xt=xt[0],
        histogram=density_histogram(xt.flatten().double()),
        signal=s.alpha_bar[t].sqrt().item(),
        noise=(1 - s.alpha_bar[t]).sqrt().item(),
        mean=xt.mean().item(),
        std=xt.std().item(),
        log_snr=s.snr[t].log().item(),
    )


def density_histogram(values: Curve) -> Float[Tensor, " bins"]:
    """Share of the values in each of the 40 bins of HISTOGRAM_EDGES, divided by the bin width."""
    counts = torch.histogram(values, HISTOGRAM_EDGES).hist
    return counts / (len(values) * HISTOGRAM_EDGES.diff())


def posterior_view(x0: float, xt: float, t: int, s: Schedule) -> PosteriorView:
    """The posterior q(x_{t-1} | x_t, x_0) in one dimension, beside its two factors.

    Each is a density over x_{t-1}.

    At t = 1 the prior and the posterior are a point at x_0: their densities are all 0 and only mean
    and sigma speak.
    """
    expect.integer("t", t, 1, s.T)
    grid = torch.linspace(-4, 4, 801, dtype=torch.float64)
    one = torch.tensor([x0, xt], dtype=torch.float64)
    mean, variance = posterior(one[:1], one[1:], torch.tensor([t]), s)
    alpha_bar_prev = s.alpha_bar[t - 1]
    prior = _density(grid, alpha_bar_prev.sqrt() * x0, (1 - alpha_bar_prev).sqrt())
    likelihood = _density(grid, xt / s.alpha[t].sqrt(), (s.beta[t] / s.alpha[t]).sqrt())
    sigma = variance[0].sqrt()
    return PosteriorView(
        t, grid, prior, likelihood, _density(grid, mean[0], sigma), mean.item(), sigma.item()
    )


def _density(x: Curve, mean: Tensor, sigma: Tensor) -> Curve:
    """The normal density; all 0 for a point mass, which has none."""
    if sigma == 0:
        return torch.zeros_like(x)
    return torch.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))


def tour_view(data: Batch, chosen: Images, s: Schedule, eps: Images, steps: int = 50) -> TourView:
    """Dissolve the chosen digits, then walk back with DDIM and the ideal denoiser of `data`."""
    forward = [chosen]
    times = strided_times(s.T, steps).tolist()
    for t in times[1:]:
        forward.append(q_sample(chosen, torch.full((len(chosen),), t), eps, s))
    back = list(ddim(eps_model(points(data), s), forward[-1], s, steps))
    frames = torch.stack(forward + [state.xt for state in back[1:]])
    return TourView(frames, times + [state.t for state in back[1:]], turn=steps)


def bound_view(mixture: Mixture, s: Schedule) -> BoundView:
    """The bound of the ideal denoiser for one-dimensional data, with four choices of sigma_t^2."""
    error = unavoidable_error(mixture, s)
    small, large, best = fixed_small(s), fixed_large(s), best_variance(s, error)
    choices = {
        "beta-tilde": (small, None),
        "beta": (large, None),
        "beta, also at t = 1": (large, large[1].item()),
        "best": (best, best[1].item()),
    }
    terms = {
        name: bound_terms(mixture, s, variance, error, variance_1)
        for name, (variance, variance_1) in choices.items()
    }
    return BoundView(s.T, terms, negative_log_likelihood(mixture))


def trajectory_views(mixture: Mixture, xT: Points, s: Schedule) -> dict[str, TrajectoryView]:
    """The same noise walked back by three samplers with the ideal denoiser of `mixture`."""
    model = eps_model(mixture, s)
    seeds = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    ways = {
        "DDPM, beta-tilde": ddpm(model, xT, s, fixed_small(s), generator=seeds[0]),
        "DDPM, beta": ddpm(model, xT, s, fixed_large(s), generator=seeds[1]),
        "DDIM, eta = 0": ddim(model, xT, s, s.T),
    }
    return {name: _trajectory(list(states)) for name, states in ways.items()}


def _trajectory(states: list[State]) -> TrajectoryView:
    ordered = sorted(states, key=lambda state: state.t)
    return TrajectoryView(
        torch.stack([state.xt for state in ordered]),
        torch.stack([state.x0_hat for state in ordered]),
    )


def mosaic(images: Images, columns: int) -> Float[Tensor, " 1 c rows columns"]:
    """Tile (N, C, H, W) into one picture, row by row; N must fill the rows."""
    n, c, h, w = images.shape
    if n % columns:
        expect.fail("images", f"a multiple of {columns}", n)
    tiles = images.view(n // columns, columns, c, h, w).permute(2, 0, 3, 1, 4)
    return tiles.reshape(1, c, n // columns * h, columns * w)
