"""Where a token stands, as a vector to add to it: attention itself cannot tell (6.6)."""

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor

from diffedu import expect

MAX_PERIOD = 10_000.0


def sinusoidal_positions(n: int, d: int) -> Float[Tensor, "{n} {d}"]:
    r"""Positions 0..n-1 as sines and cosines (Vaswani et al. 2017, 3.5; (6.7)).

    Element 2i of position p is $\sin(p\,\omega_i)$ and element 2i + 1 is $\cos(p\,\omega_i)$ with
    $\omega_i = 10000^{-2i/d}$, i = 0..d/2 - 1: sine and cosine alternate, unlike in
    `time_embedding`, which follows the code of DDPM. float32, computed in float64.
    """
    expect.integer("n", n, 1)
    _check_width(d, 2)
    p = torch.arange(n, dtype=torch.float64)
    angle = p[:, None] * MAX_PERIOD ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    return rearrange([angle.sin(), angle.cos()], "pair n i -> n (i pair)").float()


def positions_2d(h: int, w: int, d: int) -> Float[Tensor, "{h}*{w} {d}"]:
    """Row and column of each pixel, half of the features for each; tokens in reading order.

    Token i * w + j carries the `sinusoidal_positions` of row i in its first d/2 features and those
    of column j in its last. d is a multiple of 4.
    """
    expect.integer("h", h, 1)
    expect.integer("w", w, 1)
    _check_width(d, 4)
    rows = repeat(sinusoidal_positions(h, d // 2), "h c -> (h w) c", w=w)
    columns = repeat(sinusoidal_positions(w, d // 2), "w c -> (h w) c", h=h)
    return torch.cat([rows, columns], dim=1)


def _check_width(d: int, divisor: int) -> None:
    expect.integer("d", d, divisor)
    if d % divisor:
        wanted = "an even number" if divisor == 2 else f"a multiple of {divisor}"
        expect.fail("d", wanted, d)
