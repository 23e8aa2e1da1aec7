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
from typing import Any

import numpy as np
import torch

from diffedu.classroom.checks.exercise import Attempt, Case
from diffedu.classroom.checks.outcome import NOT_ATTEMPTED, Outcome, Problem, as_values

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


# what torch says, and what a beginner should make of it
_ONE_NUMBER = " (functions of `math` take one number; torch has the same for tensors)"
TORCH_SAYS = {
    "only one element tensors": _ONE_NUMBER,
    "only length-1 arrays": _ONE_NUMBER,
    "Boolean value of Tensor": " (`if` decides once; a batch needs torch.where, or a product)",
}


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
            return as_values(returned, parts)
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
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        takes = signature.replace(parameters=bare, return_annotation=signature.empty)
        wanted = ", ".join(arguments)
        return f"Your function takes {takes}; it is called by position with ({wanted})."
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
    hint = next((words for part, words in TORCH_SAYS.items() if part in message), "")
    return Problem("raised", f"Your code stopped{_place(error, attempt)} with {said}{hint}")


def _place(error: BaseException, attempt: Attempt) -> str:
    """The learner's own line: in the function itself, or where it called a helper of theirs."""
    code = getattr(_plain(attempt), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if code is not None and f.filename == code.co_filename]
    own = [frame for frame in theirs if frame.name == code.co_name]
    if not own:
        return ""
    last, helper = own[-1], theirs[-1]
    number = last.lineno - code.co_firstlineno + 1
    shown = f"line {number} of your function" if number > 0 else "your function"
    line = f", `{_short(last.line)}`," if last.line else ""
    inside = "" if helper.name == code.co_name else f" (inside `{helper.name}`)"
    return f" in {shown}{line}{inside}"


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
