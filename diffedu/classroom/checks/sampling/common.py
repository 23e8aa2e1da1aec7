"""What the exercises on sampling share: models, inputs, wrong steps, and the exact outcome."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from diffedu import expect
from diffedu.classroom.checks.bench import MEAN, SIGMA
from diffedu.classroom.checks.inputs import IMAGES, POINTS, SQUARE
from diffedu.diffusion.gaussian import fixed_large, fixed_small
from diffedu.diffusion.schedules import Schedule, cosine, sigmoid
from diffedu.shapes import per_sample

Model = Callable[[Tensor, Tensor], Tensor]
Moments = tuple[float, float]
DATA = "data N(.5, .3²)"


def ideal_model(s: Schedule, mean: float = MEAN, sigma: float | int = SIGMA) -> Model:
    """The best eps_hat if every pixel is N(mean, sigma^2).

    It also answers at t = 0, so that a walk that asks at the wrong t gives wrong numbers.
    """
    noise = 1 - s.alpha_bar
    gain = noise.sqrt() / (s.alpha_bar * sigma**2 + noise)

    def model(x: Tensor, t: Tensor) -> Tensor:
        if not (isinstance(x, Tensor) and isinstance(t, Tensor) and t.shape == x.shape[:1]):
            expect.batch("x", x)
            expect.steps("t", t, s.T, x, low=0)
        return per_sample(gain[t], x) * (x - per_sample(s.alpha_bar[t].sqrt(), x) * mean)

    return model


def bent(model: Model) -> Model:
    """A model that is no straight line in x: the loop without noise is then no jump to x0_hat."""
    return lambda x, t: model(x, t) + 0.2 * torch.sin(2 * x)


def between(s: Schedule) -> Tensor:
    """A variance that is neither beta nor beta-tilde, and not 0 at t = 1."""
    return (fixed_small(s) + fixed_large(s)) / 2


def settings() -> Iterator[tuple[tuple[int, ...], Schedule]]:
    """Three shapes of a batch, each with a schedule of few steps."""
    yield from ((POINTS, cosine(7)), (IMAGES, sigmoid(4)), (SQUARE, sigmoid(6)))


# The factor of the noise in step t, from the variance v of that step; t is a number or (B,).
NOISE = {
    "right": lambda v, t: v.sqrt() * (t > 1),
    "variance": lambda v, t: v * (t > 1),
    "at the end too": lambda v, t: v.sqrt(),
    "both mistakes": lambda v, t: v,
    "none": lambda v, t: 0 * v,
}


def walk(
    model: Model,
    x: Tensor,
    s: Schedule,
    variance: Tensor,
    noise: Tensor,
    times: Iterable[int],
    ask: Callable[[int], int] = int,
    factor: str = "right",
) -> Tensor:
    """Steps of (5.1) at these times, with the model asked at `ask(t)`, and a factor of NOISE."""
    for t in times:
        eps_hat = model(x, torch.full((len(x),), ask(t)))
        mean = (x - s.beta[t] / (1 - s.alpha_bar[t]).sqrt() * eps_hat) / s.alpha[t].sqrt()
        x = mean + NOISE[factor](variance[t], t) * noise[t]
    return x


def responses(sampler: Callable[[Tensor, Tensor], Tensor], T: int) -> tuple[float, float, float]:
    """An affine sampler(x, noise) with noise (T+1, B, 1): offset, slope in x, std of the rest."""
    ones = torch.eye(T + 2, dtype=torch.float64)
    rows = torch.cat([torch.zeros(1, T + 2, dtype=torch.float64), ones])
    out = sampler(rows[:, :1], rows[:, 1:].T[..., None]).flatten().double()
    slopes = out[1:] - out[0]
    return out[0].item(), slopes[0].item(), slopes[1:].norm().item()


def sampled(sampler: Callable[[Tensor, Tensor], Tensor], T: int) -> Moments:
    """Exact mean and std of what an affine sampler makes of x_T ~ N(0, 1), by (5.3)."""
    mean, slope, rest = responses(sampler, T)
    return mean, math.hypot(slope, rest)


def jumped(move: Callable[..., Tensor], times: list[int]) -> Moments:
    """The same for affine moves move(x, z, t, t_next) along descending times."""
    x = torch.tensor([[0.0], [1.0], [0.0]], dtype=torch.float64)
    z = torch.tensor([[0.0], [0.0], [1.0]], dtype=torch.float64)
    mean, variance = 0.0, 1.0
    for t, t_next in pairwise(times):
        out = move(x, z, torch.full((3,), t), torch.full((3,), t_next))
        if out.shape != x.shape:
            raise ValueError(f"a move keeps the shape, got {tuple(out.shape)}")
        offset, at_one, at_noise = out.flatten().tolist()
        slope, noise = at_one - offset, at_noise - offset
        mean, variance = slope * mean + offset, slope**2 * variance + noise**2
    return mean, math.sqrt(variance)


def told(setting: str, mine: Moments, right: Moments) -> str:
    """Mean and std beside those of a right sampler."""
    wanted = f"done right, {shown(right[0])} and {shown(right[1])}."
    if not all(math.isfinite(number) for number in mine):
        return f"{setting}, mean and standard deviation are not finite numbers; {wanted}"
    return (
        f"{setting}, samples get the mean {shown(mine[0])} and the standard deviation "
        f"{shown(mine[1])}; {wanted}"
    )


def shown(number: float) -> str:
    """Four decimals, unless the number is huge."""
    return f"{number:.4f}" if abs(number) < 1000 else f"{number:.1e}"
