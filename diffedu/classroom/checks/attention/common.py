"""For the authors of this room: inputs of many sizes, and what wrong weights do to a mean."""

import math
from collections.abc import Callable

import torch
from einops import einsum
from torch import Tensor

from diffedu.classroom.checks.inputs import normal

# (B, n_q, n_k, d); in the last one a softmax over the wrong axis keeps the shape
SIZES = ((2, 5, 3, 4), (3, 4, 7, 6), (2, 6, 6, 5))
Weights = Callable[..., Tensor]
# said by several exercises
DIVIDED_BY_D = "You divided by d, the variance of (6.3); (6.2) divides by its root."
TIMES_THE_ROOT = (
    "You multiplied by √d; (6.2) divides by it, because wide vectors have large scores."
)


def queries_and_keys(generator: torch.Generator) -> list[dict[str, Tensor]]:
    """q (B, n_q, d) and k (B, n_k, d) in several sizes."""
    return [
        {"q": normal((b, n_q, d), generator), "k": normal((b, n_k, d), generator)}
        for b, n_q, n_k, d in SIZES
    ]


def raw_scores(q: Tensor, k: Tensor) -> Tensor:
    """Q K^T, not scaled."""
    return einsum(q, k, "... i d, ... j d -> ... i j")


def scaled(q: Tensor, k: Tensor) -> Tensor:
    """Q K^T / sqrt(d)."""
    return raw_scores(q, k) / math.sqrt(q.shape[-1])


def unit(x: Tensor) -> Tensor:
    """Rows of length 1."""
    return x / x.norm(dim=-1, keepdim=True)


def row_sums(weights: Weights) -> str:
    """What random queries and keys get, in one sentence."""
    g = torch.Generator().manual_seed(6)
    q, k = torch.randn(2, 4, 12, 64, generator=g, dtype=torch.float64)
    found = weights(q, k)
    sums = found.sum(-1)
    largest = found.amax(-1).mean()
    return (
        f"For 12 random queries and keys of width 64, its rows sum to {sums.min():.2f} at least "
        f"and {sums.max():.2f} at most (right: 1), and their largest entry is {largest:.2f} on "
        f"average (right: {scaled(q, k).softmax(-1).amax(-1).mean():.2f})."
    )
