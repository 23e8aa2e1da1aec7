"""What a function expects of its arguments, in one form: ValueError("name: expected X, got Y")."""

import math
from numbers import Integral, Real
from typing import NoReturn

import torch
from torch import Tensor


def fail(name: str, expected: str, got: object) -> NoReturn:
    """Raise the one kind of error this package raises about arguments."""
    raise ValueError(f"{name}: expected {expected}, got {got}")


def integer(name: str, value: object, low: int, high: int | None = None) -> None:
    """An int from `low` to `high`, both included (no upper limit if `high` is None)."""
    wanted = f"an integer >= {low}" if high is None else f"{low}..{high}"
    inside = isinstance(value, Integral) and not isinstance(value, bool) and value >= low
    if not inside or (high is not None and value > high):
        fail(name, wanted, value)


def real(
    name: str, value: object, low: float | int, high: float | int = math.inf, *, wanted: str
) -> None:
    """A finite number with low <= value <= high; `wanted` is how the message says it."""
    inside = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not inside or not low <= value <= high:
        fail(name, wanted, value)


def tensor(name: str, x: object) -> None:
    """A tensor, not a number, a list or an array."""
    if not isinstance(x, Tensor):
        fail(name, "a tensor", type(x).__name__)


def finite(name: str, x: Tensor) -> None:
    """No NaN and no infinity anywhere."""
    bad = ~torch.isfinite(x)
    if x.device.type != "meta" and bad.any():  # a meta tensor holds no values to look at
        fail(name, "finite values", x[bad][0].item())


def batch(name: str, x: object) -> None:
    """A floating-point tensor (B, ...) with at least one sample and only finite values."""
    tensor(name, x)
    if not x.is_floating_point():
        fail(name, "a floating-point tensor", x.dtype)
    if x.ndim == 0:
        fail(name, "shape (B, ...)", "a single number")
    if x.shape[0] == 0:
        fail(name, "at least one sample", f"shape {tuple(x.shape)}")
    finite(name, x)


def like(name: str, x: object, reference: Tensor) -> None:
    """A finite tensor with the shape, dtype and device of `reference`."""
    tensor(name, x)
    for what in ("shape", "dtype", "device"):
        wanted, got = getattr(reference, what), getattr(x, what)
        if wanted != got:
            shown = (tuple(wanted), tuple(got)) if what == "shape" else (wanted, got)
            fail(name, f"{what} {shown[0]}", shown[1])
    finite(name, x)


def steps(name: str, t: object, T: int, x: Tensor, low: int = 1) -> None:
    """A long tensor (B,) with values low..T, beside the batch `x`."""
    step_index(name, t, T, low)
    if t.shape != x.shape[:1]:
        fail(name, f"shape ({x.shape[0]},)", tuple(t.shape))
    if t.device != x.device:
        fail(name, f"device {x.device}", t.device)


def step_index(name: str, t: object, T: int, low: int = 1) -> None:
    """A long tensor (B,) with values low..T."""
    tensor(name, t)
    if t.dtype != torch.long:
        fail(name, "dtype torch.int64", t.dtype)
    if t.ndim != 1 or len(t) == 0:
        fail(name, "shape (B,)", tuple(t.shape))
    if t.device.type == "meta":
        return
    outside = t[(t < low) | (t > T)]
    if len(outside):
        fail(name, f"{low}..{T}", outside[0].item())


def variances(name: str, variance: object, T: int) -> None:
    """One reverse variance per step, (T+1,) float64, none of them negative."""
    tensor(name, variance)
    if variance.shape != (T + 1,):
        fail(name, f"shape ({T + 1},)", tuple(variance.shape))
    if variance.dtype != torch.float64:
        fail(name, "dtype torch.float64", variance.dtype)
    finite(name, variance)
    if (variance < 0).any():
        fail(name, "values >= 0", variance.min().item())


def positive(name: str, x: object) -> None:
    """A finite number or a tensor of finite numbers, all above zero."""
    if not isinstance(x, Tensor | Real):
        fail(name, "a tensor or a number", type(x).__name__)
    values = x if isinstance(x, Tensor) else torch.tensor(x, dtype=torch.float64)
    finite(name, values)
    if values.device.type != "meta" and (values <= 0).any():
        fail(name, "values > 0", values.min().item())


def generator(name: str, value: object) -> None:
    """A torch.Generator: randomness is an argument here, never a global."""
    if not isinstance(value, torch.Generator):
        fail(name, "a torch.Generator", type(value).__name__)


def function(name: str, value: object) -> None:
    """Something that can be called."""
    if not callable(value):
        fail(name, "a function", type(value).__name__)


def schedule(name: str, value: object) -> None:
    """Something with the arrays of a Schedule (that class lives a floor higher)."""
    if not hasattr(value, "alpha_bar"):
        fail(name, "a Schedule", type(value).__name__)


def broadcastable(name: str, value: object, x: Tensor) -> None:
    """A number, or a tensor whose shape broadcasts to that of x without enlarging it."""
    if isinstance(value, Tensor):
        sizes = zip(reversed(value.shape), reversed(x.shape), strict=False)
        if value.ndim > x.ndim or any(mine not in (1, yours) for mine, yours in sizes):
            fail(name, f"a shape that broadcasts to {tuple(x.shape)}", tuple(value.shape))
