"""Run somebody's code and survive it: what came back as numbers, or a problem in plain words."""

import contextlib
import dis
import functools
import inspect
import signal
import threading
import time
import traceback
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffedu.classroom.checks.exercise import Attempt, Case, Values

SECONDS = 10.0  # for all inputs of one check together; a right answer needs a small part of one
UNTOUCHED = {
    "RESUME",
    "NOP",
    "LOAD_CONST",
    "RETURN_CONST",
    "RETURN_VALUE",
    "POP_TOP",
    "COPY_FREE_VARS",
}


@dataclass(frozen=True)
class Problem:
    """Why a call gave no numbers. `kind` is compared, `words` are read."""

    kind: str
    words: str


NOT_ATTEMPTED = Problem("not attempted", "")
Outcome = Values | Problem


class OutOfTimeError(BaseException):
    """Not an Exception: `except Exception` in a learner's loop must not swallow it."""


def is_stub(attempt: Attempt) -> bool:
    """Whether a function does nothing: `...`, `pass`, a docstring, or a constant None."""
    code = getattr(attempt, "__code__", None)
    if code is None or code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
        return False
    return set(_operations(code)) <= UNTOUCHED and set(_returned(code)) <= {None, Ellipsis}


def call(attempt: Attempt, case: Case, parts: int) -> Outcome:
    """Call it once. Everything it raises or returns, however odd, ends up in the outcome."""
    try:
        with _quiet():
            returned = attempt(*case.values())
            return _as_values(returned, parts)
    except NotImplementedError as error:
        return NOT_ATTEMPTED if not _in_torch(error) else _raised(error, attempt)
    except (Exception, SystemExit, GeneratorExit) as error:
        return _raised(error, attempt)


def mismatch(attempt: Attempt, arguments: tuple[str, ...]) -> str:
    """Say how the signature differs from the call that will be made; "" if it does not."""
    try:
        signature = inspect.signature(attempt)
    except (TypeError, ValueError):
        return ""  # many built-in functions have none to look at
    try:
        signature.bind(*arguments)
    except TypeError:
        takes = ", ".join(str(name) for name in signature.parameters) or "nothing"
        wanted = ", ".join(arguments)
        return f"Your function takes ({takes}); it is called with ({wanted}), in this order."
    return ""


@contextlib.contextmanager
def time_box(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in here when the time is up, where the system has such an alarm.

    Unix, main thread. Elsewhere an endless loop runs until the kernel is interrupted.
    """
    on_main = threading.current_thread() is threading.main_thread()
    if not (hasattr(signal, "setitimer") and on_main):
        yield
        return
    before = signal.signal(signal.SIGALRM, _out_of_time)
    start = time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)  # somebody else's alarm may be set
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - start), 0.01))


def _out_of_time(number: int, frame: types.FrameType | None) -> None:
    raise OutOfTimeError


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Their warnings are not shown, and what they set for the whole process is put back."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    numpy_errors = np.geterr()
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            if torch.get_default_device() != device:
                torch.set_default_device(device)
            np.seterr(**numpy_errors)


def _operations(code: types.CodeType) -> list[str]:
    return [instruction.opname for instruction in dis.get_instructions(code)]


def _returned(code: types.CodeType) -> list[Any]:
    found = dis.get_instructions(code)
    return [i.argval for i in found if i.opname in ("LOAD_CONST", "RETURN_CONST")]


def _in_torch(error: BaseException) -> bool:
    """torch raises NotImplementedError too, for what an operation cannot do."""
    frames = traceback.extract_tb(error.__traceback__)
    return "torch" in str(error) or (bool(frames) and "torch" in frames[-1].filename)


def _raised(error: BaseException, attempt: Attempt) -> Problem:
    try:
        message = str(error).strip().splitlines()[0] if str(error).strip() else ""
    except Exception:
        message = ""
    name = type(error).__name__
    said = f"{name}: {_short(message)}" if message else name
    return Problem("raised", f"Your code stopped{_place(error, attempt)} with {said}")


def _place(error: BaseException, attempt: Attempt) -> str:
    """The learner's own line, the innermost one: not ours, not torch's."""
    code = getattr(_plain(attempt), "__code__", None)
    if code is None:
        return ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == code.co_filename:
            shown = f"line {frame.lineno - code.co_firstlineno + 1} of your function"
            return f" in {shown}, `{_short(frame.line)}`," if frame.line else f" in {shown}"
    return ""


def _plain(attempt: Attempt) -> Any:
    while isinstance(attempt, functools.partial):
        attempt = attempt.func
    if isinstance(attempt, torch.nn.Module):
        return type(attempt).forward
    if not hasattr(attempt, "__code__") and not isinstance(attempt, type):
        return type(attempt).__call__
    with contextlib.suppress(ValueError):
        attempt = inspect.unwrap(attempt)
    return attempt


def _short(text: str, limit: int = 90) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _as_values(returned: Any, parts: int) -> Outcome:
    if _is_unfinished(returned):
        return NOT_ATTEMPTED
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


def _is_unfinished(returned: Any) -> bool:
    """`return ...`, or a pair of which a part is still open."""
    inside = returned if type(returned) in (tuple, list) else (returned,)
    return any(part is Ellipsis or part is NotImplemented for part in inside)


def _as_tensor(x: Any) -> Tensor | Problem:
    if inspect.iscoroutine(x):
        x.close()  # or Python complains later that nobody awaited it
        return Problem("type", "Your function is `async`; a plain `def` is enough.")
    if inspect.isgenerator(x):
        return Problem("type", "Your function yields; it should return its result instead.")
    if x is None:
        return Problem("type", "Your function returned None. Is a `return` missing?")
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
