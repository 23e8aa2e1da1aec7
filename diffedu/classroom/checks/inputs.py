"""Building blocks for the inputs of a check: broad numbers, and no two sizes alike by chance."""

from collections.abc import Iterator

import torch
from torch import Tensor

from diffedu.classroom.checks.exercise import Case
from diffedu.diffusion.schedules import Schedule, cosine, linear

# Batch, channels, height and width all differ: what mixes up two axes must not come out right.
POINTS, IMAGES = (5, 3), (4, 2, 6, 7)
# In this one batch and width agree on purpose: a (B,) factor then meets the width without an error.
SQUARE = (6, 2, 3, 6)


def normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Broad numbers around .3 with a spread of 1.5, so that no term vanishes by chance."""
    return 0.3 + 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64)


def steps(count: int, T: int) -> Tensor:
    """`count` different steps from 1 to T, both ends among them, in no order."""
    t = torch.linspace(1, T, count).round().long()
    return t.roll(count // 2)


def batches(
    generator: torch.Generator, *names: str, first: int = 1
) -> Iterator[tuple[dict[str, Tensor], Tensor, Schedule]]:
    """Three inputs: tensors of these names, steps t, and a schedule.

    Points with 1000 steps, pictures with a cosine of 40, square ones with 25 linear steps. `first`
    is the smallest t.
    """
    for shape, s in ((POINTS, linear(1000)), (IMAGES, cosine(40)), (SQUARE, linear(25))):
        tensors = {name: normal(shape, generator) for name in names}
        yield tensors, steps(shape[0], s.T).clamp(min=first), s


def cases_of(*order: str, first: int = 1):
    """A `cases` function for arguments in this order; "t" and "s" are known, others are data."""
    data = [name for name in order if name not in ("t", "s")]

    def cases(generator: torch.Generator) -> list[Case]:
        return [
            {name: {**tensors, "t": t, "s": s}[name] for name in order}
            for tensors, t, s in batches(generator, *data, first=first)
        ]

    return cases
