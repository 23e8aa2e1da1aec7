"""The exact laboratory: what a wrong function does to samples of N(.5, .3^2), without training.

The best eps_hat for Gaussian data is a straight line in x, so the mean and the spread of a
sampler's output follow from its steps alone (5.3).
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from diffedu.diffusion import exact
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.samplers import ddpm_step
from diffedu.diffusion.schedules import linear

MEAN, SIGMA = 0.5, 0.3


def ancestral_samples(step: Callable[..., Tensor], T: int = 1000) -> tuple[float, float]:
    """Mean and std of samples that are made with this ddpm_step and beta-tilde."""
    s = linear(T)
    model, variance = exact.eps_model(exact.gaussian(MEAN, SIGMA), s), fixed_small(s)

    def back(x: Tensor, z: Tensor, t: int) -> Tensor:
        now = torch.full((len(x),), t)
        xt = x[:, None]
        return step(xt, model(xt, now), now, s, variance, z[:, None])[:, 0]

    return exact.chain_moments(partial(back, t=t) for t in range(s.T, 0, -1))


def told(mean: float, std: float) -> str:
    """Both numbers beside those of a right sampler."""
    right_mean, right_std = ancestral_samples(ddpm_step)
    return (
        f"On data N(.5, .3²) with 1000 steps, samples get the mean {mean:.4f} and the standard "
        f"deviation {std:.4f}; done right, {right_mean:.4f} and {right_std:.4f}."
    )


def by_step(step: Callable[..., Tensor]) -> str:
    """What samples look like if each ancestral step is done like this."""
    return told(*ancestral_samples(step))


def by_variance(posterior_variance: Callable[..., Tensor]) -> str:
    """What samples look like if this variance is taken for the noise of each step."""

    def step(xt, eps_hat, t, s, variance, noise):
        steps = torch.arange(1, s.T + 1)
        wrong = torch.cat([torch.zeros(1), posterior_variance(steps, s).double().flatten()])
        return ddpm_step(xt, eps_hat, t, s, wrong, noise)

    return told(*ancestral_samples(step))
