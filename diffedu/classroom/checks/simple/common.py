"""What exercises of notebook 04 share: exact averages over noised data N(.5, .3^2), few points."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from diffedu.classroom.checks import bench
from diffedu.classroom.checks.inputs import steps
from diffedu.diffusion import exact
from diffedu.diffusion.gaussian import q_sample, x0_from_eps
from diffedu.diffusion.samplers import ddpm_step
from diffedu.diffusion.schedules import cosine, linear

NODES, T = 40, 1000
LONG = 3 * 32 * 32  # elements of a picture


def noised_data(step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x_0 and eps (N, 2) on a grid, steps t, and the probability of each pair (N,)."""
    nodes, weight = (torch.from_numpy(x) for x in np.polynomial.hermite_e.hermegauss(NODES))
    x0, eps = torch.cartesian_prod(bench.MEAN + bench.SIGMA * nodes, nodes).T
    weight = torch.cartesian_prod(weight, weight).prod(1)
    t = torch.full((len(weight),), step)
    return x0[:, None].repeat(1, 2), eps[:, None].repeat(1, 2), t, weight / weight.sum()


def loss_of_the_best(loss: Callable[..., Tensor], step: int) -> float:
    """What a loss(model, x0, t, eps, s) says on average of the ideal denoiser, at one t."""
    s = linear(T)
    model = exact.eps_model(exact.gaussian(bench.MEAN, bench.SIGMA, dims=2), s)
    x0, eps, t, weight = noised_data(step)
    each = loss(model, x0, t, eps, s)
    return (weight * in_shape(each, weight)).sum().item()


def x0_error(read: Callable[..., Tensor], step: int) -> float:
    """How far off x_0 is (root mean square) if read(xt, t, eps_hat, s) gets the best eps_hat."""
    s = linear(T)
    model = exact.eps_model(exact.gaussian(bench.MEAN, bench.SIGMA, dims=2), s)
    x0, eps, t, weight = noised_data(step)
    xt = q_sample(x0, t, eps, s)
    off = in_shape(read(xt, t, model(xt, t), s), x0) - x0
    return finite((weight * off.square().mean(1)).sum().sqrt().item())


def x0_story(read: Callable[..., Tensor]) -> str:
    """The same at two t in a sentence, beside what is possible."""
    mine, best = (
        [f"{x0_error(way, step):.3g}" for step in (300, 700)] for way in (read, x0_from_eps)
    )
    differ(mine, best)
    return (
        f"On data N(.5, .3²) the best guess of x_0 is off by {best[0]} at t = 300 and {best[1]} at "
        f"t = 700 (root mean square); this way, {mine[0]} and {mine[1]}."
    )


def sample_story(convert: Callable[..., Tensor], steps: int = 100) -> str:
    """What samples look like if convert(xt, t, eps_hat, s) goes into each step for eps_hat."""

    def step(xt, eps_hat, t, s, variance, noise):
        return ddpm_step(xt, in_shape(convert(xt, t, eps_hat, s), xt), t, s, variance, noise)

    mean, std = (finite(x) for x in bench.ancestral_samples(step, steps))
    right = bench.ancestral_samples(ddpm_step, steps)
    return (
        f"On data N(.5, .3²) with {steps} steps, samples get the mean {mean:.3g} and the standard "
        f"deviation {std:.3g}; done right, {right[0]:.3g} and {right[1]:.3g}."
    )


def in_shape(x: Tensor, like: Tensor) -> Tensor:
    """x, if it has the shape that was asked for; a story about another one would mislead."""
    if x.shape != like.shape:
        raise ValueError(f"x: expected shape {tuple(like.shape)}, got {tuple(x.shape)}")
    return x


def differ(mine: object, right: object) -> None:
    """Raise if both look alike: then these numbers tell nothing, and others are told."""
    if mine == right:
        raise ValueError(f"mine: expected something else than the right {right}")


def finite(x: float) -> float:
    """x, if it is a number that can be told."""
    if not math.isfinite(x):
        raise ValueError(f"x: expected a finite number, got {x}")
    return x


def few_points(generator):
    """Batches of 2, 5, 6 and 4; in the third there are as many points as samples.

    The points of the first are long. t stays where one of them is far likelier than the others:
    at t = T the digits of float32 would not do.
    """
    found = []
    for batch, n, dims, s in (
        (2, 3, LONG, linear(40)),
        (5, 4, 3, linear(1000)),
        (6, 6, 2, cosine(40)),
        (4, 7, 2, linear(25)),
    ):
        points = torch.randn(n, dims, generator=generator, dtype=torch.float64)
        t = steps(batch, s.T // 2 if dims == LONG else s.T)
        x0 = points[torch.randint(n, (batch,), generator=generator)]
        eps = torch.randn(batch, dims, generator=generator, dtype=torch.float64)
        found.append({"points": points, "xt": q_sample(x0, t, eps, s), "t": t, "s": s})
    return found


def of_the_short(values, case):
    """What is compared: an exponential that underflows shall not hide another mistake."""
    return () if case["points"].shape[1] == LONG else values


def underflow(returned, case):
    """Say so if the right formula fails on the long points, or ""."""
    points, xt, t, s = case.values()
    right = exact.x0_mean(exact.points(points), xt, t, s)
    found = returned.detach() if isinstance(returned, torch.Tensor) else np.asarray(returned)
    found = torch.as_tensor(found).double().reshape(right.shape)
    if torch.allclose(found, right, rtol=1e-2, atol=1e-3):
        return ""
    return (
        "Right for short points. With the 3072 elements of a picture every exponential is 0 to a "
        "computer, and so is their sum; in (4.7) only the ratios of the weights count."
    )
