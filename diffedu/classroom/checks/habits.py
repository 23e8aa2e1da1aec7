"""Mistakes that belong to no exercise: each test looks at what came back on every input."""

import torch
from torch import Tensor

from diffedu.classroom.checks.compare import agrees, same_shape
from diffedu.classroom.checks.exercise import Case, Tolerance, Values
from diffedu.diffusion.schedules import Schedule

CHANGED = "Your function changes its input `{}`, which the caller still needs: work on a copy."


def changed_argument(cases: list[Case], untouched: list[Case]) -> str:
    """The name of an argument whose numbers are no longer what they were, or ""."""
    for case, before in zip(cases, untouched, strict=True):
        for name, value in case.items():
            if not _untouched(value, before[name]):
                return name
    return ""


def returned_argument(cases: list[Case], mine: list[Values]) -> str:
    """The name of an argument that came back as it went in, each time, or ""."""
    exact = Tolerance(0, 0, "nothing was computed")
    for name, value in cases[0].items():
        if isinstance(value, Tensor) and all(
            agrees(one, (case[name].double(),), exact)
            for case, one in zip(cases, mine, strict=True)
        ):
            return name
    return ""


def random_words(case: Case) -> str:
    """What to say to somebody who draws random numbers where none are needed."""
    given = [name for name in ("eps", "noise") if name in case]
    start = "A second call with the same input gives another answer."
    if given:
        return (
            f"{start} Does it draw noise of its own? The noise to use is the argument {given[0]}."
        )
    return f"{start} Does it draw random numbers?"


def exchanged(mine: list[Values], right: list[Values], tolerance: Tolerance) -> bool:
    """A pair whose parts changed places."""
    turned = [tuple(reversed(values)) for values in mine]
    pairs = zip(turned, right, strict=True)
    return len(mine[0]) == 2 and all(agrees(one, other, tolerance) for one, other in pairs)


def grown(mine: list[Values], right: list[Values]) -> bool:
    """Some result about whole samples has more axes than it should: (B, 1, B, D) for (B, D)."""
    return any(one.ndim > other.ndim > 1 for one, other in _parts(mine, right))


def grown_words(case: Case) -> str:
    """What to say to somebody whose result has more axes; points and pictures are told apart."""
    words = "Your result has more axes than it should."
    both = {"x0", "xt", "eps"} & set(case)
    return f"{words} Did you reshape for pictures only?" if both else words


def one_factor(mine: list[Values], right: list[Values], tolerance: Tolerance) -> float | None:
    """The number by which every result is too large, if it is one number; -1 is a wrong sign."""
    if not all(same_shape(one, other) for one, other in _parts(mine, right)):
        return None
    yours, target = _flat(mine), _flat(right)
    known = target.abs() > 10 * tolerance.absolute
    if known.sum() < 3 or not torch.isfinite(yours).all():
        return None
    ratios = yours[known] / target[known]
    factor = ratios.median().item()
    scaled = [tuple(part * factor for part in values) for values in right]
    fits = all(agrees(one, other, tolerance) for one, other in zip(mine, scaled, strict=True))
    steady = torch.allclose(ratios, ratios.median(), rtol=1e-3)
    return factor if fits and steady and abs(factor) > 1e-6 else None


def only_rounded(mine: list[Values], right: list[Values]) -> bool:
    """Near the right numbers, and all of them on a coarse grid: decimals or half precision.

    Each part is measured by its own size, and counts are whole numbers by themselves.
    """
    target = _flat(right)
    if torch.equal(target, target.round()) or not all(map(_nearly, mine, right)):
        return False
    x = _flat(mine)
    grids = [x.half().double(), x.bfloat16().double()]
    grids += [(x * 10**digits).round() / 10**digits for digits in range(5)]
    return any(torch.allclose(x, grid, rtol=1e-7, atol=1e-12) for grid in grids)


def _nearly(one: Values, other: Values) -> bool:
    """Right to the two or three digits that half precision keeps."""
    why = "half precision keeps three digits"
    sizes = [5e-3 * part.abs().max().item() for part in other]
    parts = zip(one, other, sizes, strict=True)
    return all(agrees((x,), (y,), Tolerance(5e-3, size, why)) for x, y, size in parts)


def same_for_all(mine: list[Values]) -> bool:
    """One number everywhere, whatever goes in."""
    numbers = _flat(mine)
    return len(numbers) > 1 and bool((numbers == numbers[0]).all())


def _parts(mine: list[Values], right: list[Values]) -> list[tuple[Tensor, Tensor]]:
    return [
        pair
        for one, other in zip(mine, right, strict=True)
        for pair in zip(one, other, strict=True)
    ]


def _flat(side: list[Values]) -> Tensor:
    return torch.cat([part.flatten() for values in side for part in values])


def _untouched(now: object, then: object) -> bool:
    """The same numbers still, those in a list as well; functions and networks hold none."""
    if isinstance(then, list | tuple):
        as_long = isinstance(now, list | tuple) and len(now) == len(then)
        return as_long and all(map(_untouched, now, then))
    if isinstance(then, int | float):
        return isinstance(now, int | float) and now == then
    numbers, before = _tensors(now), _tensors(then)
    return len(numbers) == len(before) and all(map(_same, numbers, before))


def _tensors(value: object) -> list[Tensor]:
    if isinstance(value, Schedule):
        return [value.beta, value.alpha, value.alpha_bar, value.snr]
    return [value] if isinstance(value, Tensor) else []


def _same(now: Tensor, then: Tensor) -> bool:
    return now.shape == then.shape and torch.equal(now.nan_to_num(), then.nan_to_num())


def is_random(mine: list[Values], again: list[Values]) -> bool:
    """A second run on the same inputs gave something else."""
    exact = Tolerance(0, 0, "the same input")
    return not all(agrees(one, other, exact) for one, other in zip(mine, again, strict=True))
