"""What the exercises on heads share: the pieces of many-headed attention, to be got wrong."""

from collections.abc import Callable

import torch
from einops import rearrange
from torch import Tensor

from diffedu.nets.attention import attention, merge_heads, split_heads

Look = Callable[[Tensor, Tensor, Tensor], Tensor]
Split = Callable[[Tensor, int], Tensor]
Merge = Callable[[Tensor], Tensor]


def only_cut(x: Tensor, n_heads: int) -> Tensor:
    """The last axis cut in two, and nothing moved: (B, n, heads, d)."""
    return rearrange(x, "b n (h d) -> b n h d", h=n_heads)


def cut_anywhere(x: Tensor, n_heads: int) -> Tensor:
    """The right shape (B, heads, n, d), filled in reading order: tokens and features mixed up."""
    B, n, D = x.shape
    return x.reshape(B, n_heads, n, D // n_heads)


def interleaved(x: Tensor, n_heads: int) -> Tensor:
    """Head i takes every n_heads-th feature."""
    return rearrange(x, "b n (d h) -> b h n d", h=n_heads)


def only_glued(x: Tensor) -> Tensor:
    """(B, heads, n, d) poured into (B, n, heads * d) in reading order."""
    B, h, n, d = x.shape
    return x.reshape(B, n, h * d)


def moved_at_the_end(x: Tensor) -> Tensor:
    """The end of the famous bug: (B, n, heads, d), the heads moved in front, into (B, n, D)."""
    return x.transpose(1, 2).reshape(len(x), x.shape[1], -1)


def glued_in_turns(x: Tensor) -> Tensor:
    """The features of the heads alternate."""
    return rearrange(x, "b h n d -> b n (d h)")


def with_scores(scale: Callable[[int, int], float], dim: int = -1) -> Look:
    """Attention that multiplies its scores by scale(d, heads), with a softmax over axis `dim`."""

    def look(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        scores = q @ k.mT * scale(q.shape[-1], q.shape[1])
        return scores.softmax(dim=dim) @ v

    return look


def many(
    x: Tensor,
    context: Tensor,
    weights: tuple[Tensor, Tensor, Tensor, Tensor],
    n_heads: int,
    split: Split = split_heads,
    look: Look = attention,
    merge: Merge = merge_heads,
) -> Tensor:
    """(7.1) with a part to exchange."""
    W_Q, W_K, W_V, W_O = weights
    parts = (split(y, n_heads) for y in (x @ W_Q, context @ W_K, context @ W_V))
    return merge(look(*parts)) @ W_O


def touched(program: Callable[[Tensor], Tensor], n: int, D: int, token: int) -> list[int]:
    """Which of n tokens of the output notice a change of one token of the input."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(1, n, D, generator=g, dtype=torch.float64)
    changed = x.clone()
    changed[:, token] += 1
    difference = (program(changed) - program(x)).abs().amax((0, 2))
    return (difference > 1e-9).nonzero().flatten().tolist()
