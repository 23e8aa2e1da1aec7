"""The plain words for a difference: where, which way, how much.

Never the right value, except where there are only two of them.
"""

from typing import Any

import torch

from diffedu.classroom.checks.compare import agrees, first_difference, same_shape
from diffedu.classroom.checks.exercise import Case, Exercise, Prediction, Values


def difference(exercise: Exercise, case: Case, yours: Values, target: Values) -> str:
    """The shape, or the first entry that differs and the size of the difference."""
    for one, other in zip(yours, target, strict=True):
        if not same_shape(one, other):
            shapes = f"Shape: expected {_shape(other)}, got {_shape(one)}"
            return f"{shapes}{_for(case)}."
    for part, (one, other) in enumerate(zip(yours, target, strict=True)):
        if agrees((one,), (other,), exercise.tolerance):
            continue
        index = first_difference(one, other, exercise.tolerance)
        got, wanted = one.reshape(other.shape)[index].item(), other[index].item()
        place = exercise.where(case, index)
        if isinstance(exercise, Prediction):
            return _distance(got, wanted, place)
        which = f"result {part + 1} of {len(yours)}" if len(yours) > 1 else ""
        where = ", ".join(words for words in (which, inputs(case), place) if words)
        size = _either(got, wanted) if _asks_true_or_false(exercise) else _size(got, wanted)
        return f"First clear difference: {where}: {size}."
    return ""


def _asks_true_or_false(exercise: Exercise) -> bool:
    """Whether a right result is made of these two: as numbers they would be 1 and 0."""
    found = exercise.reference(*exercise.cases(torch.Generator().manual_seed(0))[0].values())
    first = found[0] if isinstance(found, list | tuple) else found
    return isinstance(first, bool) or (
        isinstance(first, torch.Tensor) and first.dtype == torch.bool
    )


def _either(got: float, wanted: float) -> str:
    yours = bool(got) if got in (0, 1) else f"{got:.3g}"
    return f"yours is {yours}, right is {bool(wanted)}"


def _for(case: Case) -> str:
    words = inputs(case)
    return f", for {words}" if words else ""


def inputs(case: Case) -> str:
    """An input in words: the shape of the data, the number of steps, plain numbers."""
    shapes = [f"{name} {_shape(x)}" for name, x in case.items() if _is_batch(x)]
    steps = [f"T = {x.T}" for x in case.values() if hasattr(x, "alpha_bar")]
    plain = [f"{name} = {x:g}" for name, x in case.items() if isinstance(x, int | float)]
    return ", ".join(shapes[:1] + steps + plain)


def by_a_factor(factor: float) -> str:
    """What a result that is wrong by one factor everywhere looks like."""
    if abs(factor + 1) < 1e-3:
        return "Everywhere the size is right and the sign is wrong."
    if abs(factor - 1) < 0.02:
        off = 100 * (factor - 1)
        return f"Everywhere your result is off by {off:+.2g} %. Is a constant rounded?"
    sign = ", with the wrong sign" if factor < 0 else ""
    return f"Everywhere your result is {abs(factor):.3g} times the right one{sign}."


def _size(got: float, wanted: float) -> str:
    if got != got:
        return "yours is NaN (0/0, or the root of a negative number)"
    if abs(got) == float("inf"):
        return "yours is infinite (x/0, log 0, or exp of a large number)"
    off = abs(got - wanted)
    return f"yours is off by {off:.2g}{_share(off / abs(wanted)) if wanted else ''}"


def _share(ratio: float) -> str:
    if ratio > 1e4:
        return ", thousands of times the size of the right result"
    words = f"{ratio:.0f} times" if ratio > 3 else f"{100 * ratio:.3g} % of"
    return f", {words} the size of the right result"


def _distance(got: float, wanted: float, place: str) -> str:
    """How far a guess is off, in steps coarse enough to leave the answer to the next cell."""
    where = f"{place[0].upper()}{place[1:]} your guess is" if place else "Your guess is"
    if got != got or abs(got) == float("inf"):
        return f"{where} not a finite number."
    way = "too large" if got > wanted else "too small"
    if wanted == 0 or got / wanted <= 0:
        return f"{where} {way}."
    factor = max(got / wanted, wanted / got)
    limits = ((2, "less than a factor of 2"), (10, "a factor between 2 and 10"))
    size = next((words for limit, words in limits if factor < limit), "more than a factor of 10")
    return f"{where} {way}, by {size}."


def _shape(x: torch.Tensor) -> str:
    return str(tuple(x.shape)) if x.ndim else "() (a single number)"


def _is_batch(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.ndim > 1
