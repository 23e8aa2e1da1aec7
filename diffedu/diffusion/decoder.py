r"""The last step of a likelihood: log p(x_0 | x_1), for data on a grid and for continuous data.

Both are also reached as `diffedu.diffusion.gaussian.decoder_log_prob` and `gaussian_log_prob`.
"""

import math

import torch
from torch import Tensor

from diffedu import expect
from diffedu.shapes import Batch


def gaussian_log_prob(x0: Batch, mean: Batch, sigma: Tensor | float) -> Batch:
    r"""log N(x0; mean, sigma^2) per element in nats: the decoder for continuous data.

    `sigma` is a standard deviation: a number, or a tensor that broadcasts against x0. A log
    *density*: it may be positive.
    """
    expect.batch("x0", x0)
    expect.like("mean", mean, x0)
    expect.positive("sigma", sigma)
    expect.broadcastable("sigma", sigma, x0)
    sigma = _as_tensor(sigma, x0)
    z = (x0 - mean) / sigma
    return -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)


def decoder_log_prob(x0: Batch, mean: Batch, sigma: Tensor | float, levels: int = 256) -> Batch:
    r"""log p(x_0 | x_1) per element in nats, for data on `levels` equal steps (DDPM eq. 13).

    x0 takes `levels` equally spaced values on [-1, 1]. The normal density is integrated over the
    bin of half-width 1/(levels-1) around x0; the first and the last bin reach to -infinity and
    +infinity, so that the levels sum to 1. Exact normal CDF, in float64 throughout, hence finite
    with finite gradients far in the tails. `sigma` is a standard deviation: a number, or a tensor
    that broadcasts against x0. ValueError if x0 is not on the grid.
    """
    expect.batch("x0", x0)
    expect.like("mean", mean, x0)
    expect.positive("sigma", sigma)
    expect.broadcastable("sigma", sigma, x0)
    expect.integer("levels", levels, 2)
    level = _level(x0, levels)
    centre = level * (2 / (levels - 1)) - 1
    half = 1 / (levels - 1)
    sigma = _as_tensor(sigma, x0).double()
    above = (centre + half - mean.double()) / sigma
    below = (centre - half - mean.double()) / sigma
    edge = torch.where(level == 0, _log_cdf(above), _log_cdf(-below))
    inside = (level > 0) & (level < levels - 1)
    return torch.where(inside, _log_cdf_difference(above, below), edge).to(x0)


def _as_tensor(sigma: Tensor | float, x0: Batch) -> Tensor:
    """A plain number becomes float64: float32 would cost it its last eight digits."""
    if isinstance(sigma, Tensor):
        return sigma
    return torch.tensor(sigma, dtype=torch.float64, device=x0.device)


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
    """log(Phi(above) - Phi(below)) without cancellation: mirror the bin into the left tail."""
    mirror = above + below > 0
    high, low = torch.where(mirror, -below, above), torch.where(mirror, -above, below)
    log_high = _log_cdf(high)
    gap = log_high - _log_cdf(low)  # positive: Phi grows
    return log_high + torch.log(-torch.expm1(-gap))
