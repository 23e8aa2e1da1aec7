"""What exercises of notebook 10 share: inputs of sizes that differ, looks and masks with faults."""

from collections.abc import Callable

import torch
from torch import Tensor

from diffedu.classroom.checks.inputs import normal


def matrix(rows: int, columns: int, generator) -> Tensor:
    """A projection (rows, columns) that keeps the size of what goes through it."""
    return normal((rows, columns), generator) / (1.5 * rows**0.5)


def look(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    axis: int = -1,
    width: float | int = 0,
    after: Callable[[Tensor], Tensor] = lambda weights: weights,
) -> Tensor:
    """Attention with the softmax along `axis`, another `width` under the root, changed weights."""
    scores = q @ k.mT / (width or q.shape[-1]) ** 0.5
    return after(scores.softmax(dim=axis)) @ v


def cross_look(x, context, W_q, W_k, W_v):
    """(10.1) with one head: the pixels x ask, the tokens of the context answer."""
    q, k, v = x @ W_q, context @ W_k, context @ W_v
    scores = q @ k.mT / q.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ v


def captioned(sizes):
    """Cases of (10.1) for each (B, n_q, n_k, d_x, d_context, d, d_v)."""

    def cases(generator):
        return [
            {
                "x": normal((b, n_q, d_x), generator),
                "context": normal((b, n_k, d_context), generator),
                "W_q": matrix(d_x, d, generator),
                "W_k": matrix(d_context, d, generator),
                "W_v": matrix(d_context, d_v, generator),
            }
            for b, n_q, n_k, d_x, d_context, d, d_v in sizes
        ]

    return cases


def hearing(words: Callable[[Tensor], Tensor]):
    """(10.1) with something else for each sample's own caption."""
    return lambda x, context, W_q, W_k, W_v: cross_look(x, words(context), W_q, W_k, W_v)


def all_captions(context: Tensor) -> Tensor:
    """For each sample the words of all captions, one after another."""
    return context.flatten(0, 1).expand(len(context), -1, -1)


def first_caption(context: Tensor) -> Tensor:
    """The first caption for each sample."""
    return context[:1].expand_as(context)


def real_words(k, lengths):
    """True for the first lengths[i] tokens of sample i, (B, 1, n_k)."""
    return (torch.arange(k.shape[1]) < lengths.view(-1, 1))[:, None]


def infinite(scores, real):
    """As it should be."""
    return scores.masked_fill(~real, -torch.inf)


def large(scores, real):
    """As good as infinite, unless a whole row is hidden."""
    return scores.masked_fill(~real, -1e9)


def masked(real=real_words, hide=infinite, root=0.5, axis=-1, after=lambda weights: weights):
    """The right lines with another mask, another way to use it, another axis."""

    def wrong(q, k, v, lengths):
        scores = hide(q @ k.mT / q.shape[-1] ** root, real(k, lengths))
        return after(scores.softmax(dim=axis)) @ v

    return wrong


def masked_after(start=lambda scores, real: scores, axis=-1):
    """Weights that are masked when they already sum to 1."""

    def wrong(q, k, v, lengths):
        real = real_words(k, lengths)
        scores = start(q @ k.mT / q.shape[-1] ** 0.5, real)
        return (scores.softmax(dim=axis) * real) @ v

    return wrong


def rms(x: Tensor) -> float:
    """The root of the mean square."""
    return x.square().mean().sqrt().item()
