"""What a call came to: numbers, or a problem in plain words."""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffedu.classroom.checks.exercise import Values


@dataclass(frozen=True)
class Problem:
    """Why a call gave no numbers. `kind` is compared, `words` are read."""

    kind: str
    words: str


NOT_ATTEMPTED = Problem("not attempted", "")
Outcome = Values | Problem


def as_values(returned: Any, parts: int) -> Outcome:
    """What was returned as `parts` tensors, or why it cannot be read so."""
    if _is_unfinished(returned):
        return NOT_ATTEMPTED
    if parts > 1 and _is_row(returned, parts):
        returned = list(returned)  # a pair of numbers in one tensor unpacks like a pair
    if isinstance(returned, tuple | list) and parts > 1:
        if len(returned) != parts:
            return Problem(
                "type", f"It should return {parts} things, and returned {len(returned)}."
            )
        found = [_as_tensor(part) for part in returned]
    else:
        found = [_as_tensor(returned)]
        if parts > 1 and isinstance(found[0], Tensor):
            words = f"It should return {parts} things, and returned {kind_of(returned)}."
            return Problem("type", words)
    problems = [part for part in found if isinstance(part, Problem)]
    return problems[0] if problems else tuple(found)


def _is_row(returned: Any, length: int) -> bool:
    return isinstance(returned, Tensor | np.ndarray) and tuple(returned.shape) == (length,)


def _is_unfinished(returned: Any) -> bool:
    """`return ...`, or a pair of which a part is still open."""
    inside = returned if type(returned) in (tuple, list) else (returned,)
    return any(part is Ellipsis or part is NotImplemented for part in inside)


def _as_tensor(x: Any) -> Tensor | Problem:
    if inspect.iscoroutine(x):
        x.close()  # or Python complains later that nobody awaited it
        return Problem("type", "Your function is `async`; a plain `def` is enough.")
    if inspect.isgenerator(x):
        return Problem(
            "type", "Your function gives back a generator; it should return the result itself."
        )
    if x is None:
        return Problem("type", "Your function returned None. Is a `return` missing?")
    if isinstance(x, tuple) and hasattr(x, "indices"):
        words = "It returned values and indices together, as torch's `max` does: take `.values`."
        return Problem("type", words)
    if isinstance(x, tuple) and len(x) == 1:
        return Problem("type", "It returned a tuple of one. Is there a comma behind the result?")
    if callable(x) and not isinstance(x, Tensor):
        return Problem("type", f"It returned {kind_of(x)}, and not a result: was it called?")
    return _numbers(x)


def _numbers(x: Any) -> Tensor | Problem:
    """Tensors, arrays, numbers and lists of numbers, as float64 on the CPU."""
    wrong = Problem("type", f"It returned {kind_of(x)}; numbers in a tensor were expected.")
    if isinstance(x, str | bytes | dict | set):
        return wrong
    try:
        found = x.detach() if isinstance(x, Tensor) else torch.as_tensor(np.asarray(x))
        if found.device.type == "meta":
            return Problem(
                "device", "It returned a tensor on the device `meta`, which holds no values."
            )
        if found.is_complex():
            return Problem("complex", "It returned complex numbers; every number here is real.")
        found = found.to_dense() if found.layout != torch.strided else found
        return found.to("cpu", torch.float64, copy=True)
    except Exception:
        return wrong


def kind_of(x: Any) -> str:
    """The type in words; never its repr, which is the learner's and may do anything."""
    name = type(x).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
