r"""Data for the course, on disk after installation: digits, photographs, curves in the plane.

Nothing is downloaded. Images are float32 tensors (N, C, H, W) in [-1, 1], the range the standard
normal prior is centred on; points are float64 (N, 2). The toy sets come with the numbers of a
Gaussian mixture that *is* their density to the last few digits, for
`diffedu.diffusion.exact.Mixture(*...)`.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from sklearn.datasets import load_digits, load_sample_image
from sklearn.model_selection import train_test_split
from torch import Tensor

from diffedu import expect

Images = Float32[Tensor, " n c h w"]
Labels = Int64[Tensor, " n"]
Half = tuple[Float32[Tensor, " _ c h w"], Int64[Tensor, " _"]]
Points = Float64[Tensor, " n 2"]
Components = tuple[Float64[Tensor, " k"], Float64[Tensor, " k 2"], Float64[Tensor, " k"]]

DIGIT_LEVELS = 17  # scikit-learn counts the dark pixels in 4x4 blocks: 0..16
PHOTOS = ("china", "flower")


def digits() -> tuple[Images, Labels]:
    """All 1797 digits of scikit-learn: (1797, 1, 8, 8) in [-1, 1] with 17 levels; labels 0..9.

    From the UCI "Optical Recognition of Handwritten Digits" set (Alpaydin and Kaynak 1998), CC BY
    4.0.
    """
    raw = load_digits()
    images = torch.tensor(raw.images, dtype=torch.float32)[:, None]
    return images / (DIGIT_LEVELS - 1) * 2 - 1, torch.tensor(raw.target, dtype=torch.long)


def digit_halves() -> tuple[Half, Half]:
    """The digits in two halves with equal shares of each label; always the same halves."""
    images, labels = digits()
    first, second = train_test_split(
        np.arange(len(labels)), test_size=0.5, random_state=0, stratify=labels.numpy()
    )
    return (images[first], labels[first]), (images[second], labels[second])


def photo(name: str = "china", side: int = 128) -> Images:
    """A photograph's central square, averaged down: (1, 3, side, side) in [-1, 1].

    "china" (a temple roof) or "flower" (a dahlia), shipped with scikit-learn; authors and licence
    (CC BY 2.0) in data/README.md.
    """
    if name not in PHOTOS:
        expect.fail("name", f"one of {', '.join(PHOTOS)}", name)
    pixels = torch.tensor(load_sample_image(f"{name}.jpg")).permute(2, 0, 1)[None].float()
    height, width = pixels.shape[-2:]
    full = min(height, width)
    expect.integer("side", side, 1, full)
    top, left = (height - full) // 2, (width - full) // 2
    square = pixels[..., top : top + full, left : left + full]
    small = torch.nn.functional.interpolate(square, size=(side, side), mode="area")
    return small / 255 * 2 - 1


def moons(n: int, generator: torch.Generator, noise: float = 0.1) -> Points:
    """n points (n, 2) on two interleaved half circles, plus N(0, noise^2), centred.

    The curve of scikit-learn's `make_moons`, with the angle drawn uniformly, so that
    `moons_components` is its density.
    """
    return _draw(_moons_curve, n, generator, noise)


def swiss_roll(n: int, generator: torch.Generator, noise: float = 0.05) -> Points:
    """n points (n, 2) on a spiral of 1.5 turns, plus N(0, noise^2).

    The curve of scikit-learn's `make_swiss_roll` seen from the side; `swiss_roll_components` is its
    density.
    """
    return _draw(_swiss_roll_curve, n, generator, noise)


def ring(n: int, generator: torch.Generator, noise: float = 0.1) -> Points:
    """n points (n, 2) from eight Gaussians of width `noise` on the unit circle."""
    weight, mean, sigma = ring_components(noise)
    expect.integer("n", n, 1)
    expect.generator("generator", generator)
    k = torch.multinomial(weight, n, replacement=True, generator=generator)
    return mean[k] + sigma[k, None] * _normal(n, generator)


def moons_components(noise: float = 0.1) -> Components:
    """Weights (K,), means (K, 2), widths (K,) of the mixture: the density of `moons`."""
    return _components(_moons_curve, noise)


def swiss_roll_components(noise: float = 0.05) -> Components:
    """Weights (K,), means (K, 2), widths (K,) of the mixture: the density of `swiss_roll`."""
    return _components(_swiss_roll_curve, noise)


def ring_components(noise: float = 0.1) -> Components:
    """Weights (8,), means (8, 2) and widths (8,) of the ring of Gaussians."""
    _check_noise(noise)
    angle = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
    mean = torch.stack([angle.cos(), angle.sin()], dim=1)
    return (
        torch.full((8,), 1 / 8, dtype=torch.float64),
        mean,
        torch.full((8,), noise, dtype=torch.float64),
    )


def _moons_curve(u: Tensor) -> Tensor:
    """u in [0, 1): the first half is the upper moon, the second the lower."""
    upper = u < 0.5
    angle = math.pi * torch.where(upper, 2 * u, 2 * u - 1)
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    return torch.stack([x - 0.5, y - 0.25], dim=1)


def _swiss_roll_curve(u: Tensor) -> Tensor:
    """u in [0, 1): from the inner end of the spiral to the outer."""
    angle = 1.5 * math.pi * (1 + 2 * u)
    return torch.stack([angle * angle.cos(), angle * angle.sin()], dim=1) / 10


def _draw(curve: Callable, n: int, generator: torch.Generator, noise: float) -> Points:
    expect.integer("n", n, 1)
    expect.generator("generator", generator)
    _check_noise(noise)
    u = torch.rand(n, generator=generator, dtype=torch.float64)
    return curve(u) + noise * _normal(n, generator)


def _components(curve: Callable, noise: float) -> Components:
    """The density: an integral along the curve, which Gauss-Legendre makes a sum of Gaussians.

    The two halves of [0, 1] are taken one by one: the moons jump between them.
    """
    _check_noise(noise)
    nodes = max(
        100, math.ceil(10 / noise)
    )  # so that neighbours overlap: the error is then below 1e-7
    node, weight = (torch.tensor(part) for part in np.polynomial.legendre.leggauss(nodes))
    u = torch.cat([(node + 1) / 4, (node + 3) / 4])
    weight = torch.cat([weight, weight]) / 4
    return weight, curve(u), torch.full_like(weight, noise)


def _normal(n: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, 2, generator=generator, dtype=torch.float64)


def _check_noise(noise: float) -> None:
    # a thinner curve would need more than a thousand components
    expect.real("noise", noise, 0.02, wanted="a finite number >= 0.02")
