"""The exact laboratory: what a wrong function does to samples of N(.5, .3^2), without training.

The best eps_hat for Gaussian data is a straight line in x, so the mean and the spread of a
sampler's output follow from its steps alone (5.3).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffedu import expect
from diffedu.diffusion import exact
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.samplers import ddpm_step
from diffedu.diffusion.schedules import linear

MEAN, SIGMA = 0.5, 0.3
Step = Callable[..., Tensor]  # called as ddpm_step is


def ancestral_samples(step: Step, T: int = 1000) -> tuple[float, float]:
    """Mean and std of samples that are made with this ddpm_step and beta-tilde.

    The three probes of `chain_moments` go through the step for all t at once.
    """
    s = linear(T)
    t = torch.arange(T, 0, -1).repeat_interleave(3)
    x = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64).repeat(T)[:, None]
    z = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).repeat(T)[:, None]
    eps_hat = exact.eps_model(exact.gaussian(MEAN, SIGMA), s)(x, t)
    after = step(x, eps_hat, t, s, fixed_small(s), z)
    if after.shape != x.shape:
        expect.fail("step", f"shape {tuple(x.shape)}", tuple(after.shape))
    return exact.chain_moments((lambda x, z, row=row: row) for row in after.view(T, 3))


def by_step(step: Step) -> str:
    """What samples look like if each ancestral step is done like this."""
    return told(*ancestral_samples(step))


def by_variance(posterior_variance: Callable[..., Tensor]) -> str:
    """What samples look like if this variance is taken for the noise of each step."""

    def step(xt, eps_hat, t, s, variance, noise):
        steps = torch.arange(1, s.T + 1)
        wrong = torch.cat([torch.zeros(1), posterior_variance(steps, s).double().flatten()])
        return ddpm_step(xt, eps_hat, t, s, wrong, noise)

    return by_step(step)


def told(mean: float, std: float) -> str:
    """Both numbers beside those of a right sampler."""
    start = "On data N(.5, .3²) with 1000 steps,"
    size = max(abs(mean), std)
    if math.isnan(mean + std):
        return f"{start} no sample is a number at the end: all are NaN."
    if size > 1e4:
        reached = "beyond 1e300" if math.isinf(size) else f"to a size of {size:.0e}"
        return f"{start} the samples grow {reached}."
    right_mean, right_std = ancestral_samples(ddpm_step)
    return (
        f"{start} samples get the mean {mean:.4f} and the standard deviation {std:.4f}; "
        f"done right, {right_mean:.4f} and {right_std:.4f}."
    )
