"""The shapes of the course, written once, and the one way a per-step number meets a batch.

`b` is the batch axis; `*dims` are the axes of one sample, whatever they are: (2,) for points, (1,
8, 8) for digits.
"""

from collections.abc import Callable

from jaxtyping import Float, Float64, Int64
from torch import Tensor

Batch = Float[Tensor, " b *dims"]
Steps = Int64[Tensor, " b"]
PerSample = Float[Tensor, " b"]
PerStep = Float64[Tensor, " steps"]  # T + 1 entries, the clean data at index 0
EpsModel = Callable[[Tensor, Tensor], Tensor]  # model(x, t) -> eps_hat, shaped like x


def per_sample(coefficient: PerSample, x: Batch) -> Float[Tensor, " b *ones"]:
    r"""Shape one number per sample to multiply whole samples: (B,) becomes (B, 1, ..., 1).

    The result has the dtype and the device of `x`. Compute in float64 first and cast here, last.
    Multiplying by the bare (B,) instead would line the numbers up with the *last* axis of `x`.
    """
    return coefficient.to(x).view(-1, *(1,) * (x.ndim - 1))


def sum_over_sample(x: Batch) -> PerSample:
    r"""Add up everything but the batch axis: (B, ...) becomes (B,)."""
    return x.flatten(1).sum(1) if x.ndim > 1 else x


def mean_over_sample(x: Batch) -> PerSample:
    r"""Average everything but the batch axis: (B, ...) becomes (B,)."""
    return x.flatten(1).mean(1) if x.ndim > 1 else x
