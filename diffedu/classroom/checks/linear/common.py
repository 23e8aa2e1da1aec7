"""For the authors of this room: inputs of many sizes, and what a hidden matrix is like."""

import torch
from torch import Tensor

from diffedu.classroom.checks.inputs import normal

FEATURES, TOKENS = -1, -2
# (leading axes), n_q, n_k, d, d_v. In the last one several sizes agree on purpose: a softmax over
# the wrong axis then meets no error.
SIZES = (((2, 3), 7, 6, 5, 4), ((), 9, 11, 4, 3), ((6,), 6, 6, 6, 6))


def queries_keys_values(generator: torch.Generator) -> list[dict[str, Tensor]]:
    """Three inputs with every leading axis that is promised: two, none, one."""
    return [
        {
            "q": normal((*lead, n_q, d), generator),
            "k": normal((*lead, n_k, d), generator),
            "v": normal((*lead, n_k, d_v), generator),
        }
        for lead, n_q, n_k, d, d_v in SIZES
    ]


def queries_and_keys(generator: torch.Generator) -> list[dict[str, Tensor]]:
    """The same without values."""
    return [{"q": c["q"], "k": c["k"]} for c in queries_keys_values(generator)]


def hidden(of_q: int = FEATURES, of_k: int = TOKENS, scale=lambda d: 1.0):
    """The matrix of (9.2) with softmaxes over other axes, times a factor."""

    def matrix(q, k):
        return scale(q.shape[-1]) * q.softmax(of_q) @ k.softmax(of_k).mT

    return matrix


def matrix_told(matrix) -> str:
    """Row sums, rank and error of a matrix made from 64 queries and keys of width 8."""
    q, k, _ = _example()
    A, right = matrix(q, k), hidden()(q, k)
    sums = _range(*(x.item() for x in A.sum(1).aminmax()))
    rank, off = torch.linalg.matrix_rank(A).item(), (A - right).abs().sum(1).mean()
    return (
        f"For 64 tokens and a head of width 8 the rows sum to {sums}, the rank is {rank}, "
        f"and the weights of a row are off by {off:.2g} in all; by (9.3) and (9.4) rows sum to 1, "
        "and the rank is at most 8."
    )


def look_told(look) -> str:
    """What comes back of ones, and how far off it is for random values."""
    q, k, v = _example()
    ones = _range(*(x.item() for x in look(q, k, torch.ones_like(v)).aminmax()))
    right = hidden()(q, k) @ v
    off, size = (x.square().mean().sqrt() for x in (look(q, k, v) - right, right))
    return (
        f"With 64 tokens and a head of width 8 a value of 1 at every token comes back as {ones}, "
        f"and random values are off by {off:.2g} on average, where right ones have size "
        f"{size:.2g}; by (9.3) ones come back as ones."
    )


def _example() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 64, 8, generator=generator, dtype=torch.float64).unbind()


def _range(low: float, high: float) -> str:
    return f"{low:.3g}" if high - low < 1e-6 else f"{low:.3g} to {high:.3g}"
