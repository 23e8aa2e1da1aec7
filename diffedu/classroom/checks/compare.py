"""When two results count as equal, and where they first differ."""

import torch
from torch import Tensor

from diffedu.classroom.checks.exercise import Tolerance
from diffedu.classroom.checks.outcome import Outcome, Problem


def agrees(mine: Outcome, right: Outcome, tolerance: Tolerance) -> bool:
    """Numbers that are equal up to the tolerance, in the same shape."""
    if isinstance(mine, Problem) or isinstance(right, Problem):
        return False
    return len(mine) == len(right) and all(
        same_shape(one, other) and bool(_close(one, other, tolerance).all())
        for one, other in zip(mine, right, strict=True)
    )


def same_outcome(mine: Outcome, other: Outcome, tolerance: Tolerance) -> bool:
    """Equal numbers, or the same kind of problem: how a misconception is known again.

    Of two errors only that they are errors counts: torch and numpy say different things about one
    mistake.
    """
    if isinstance(mine, Problem) and isinstance(other, Problem):
        return mine.kind == other.kind
    return agrees(mine, other, tolerance)


def same_shape(one: Tensor, other: Tensor) -> bool:
    """Axes of length 1 at the end do not count: (B,) and (B, 1, 1) hold the same numbers."""
    return _core(one) == _core(other)


def first_difference(mine: Tensor, right: Tensor, tolerance: Tolerance) -> tuple[int, ...]:
    """The index of the first entry that is not equal; both have the same shape."""
    mine = mine.reshape(right.shape)
    wrong = ~_close(mine, right, tolerance)
    return tuple(wrong.nonzero()[0].tolist())


def _core(x: Tensor) -> tuple[int, ...]:
    shape = list(x.shape)
    while shape and shape[-1] == 1:
        shape.pop()
    return tuple(shape)


def _close(mine: Tensor, right: Tensor, tolerance: Tolerance) -> Tensor:
    mine = mine.reshape(right.shape)
    return torch.isclose(
        mine, right, rtol=tolerance.relative, atol=tolerance.absolute, equal_nan=True
    )
