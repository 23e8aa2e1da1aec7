"""Attention maps made small for a browser: one byte a weight, and one maximum a row."""

from dataclasses import dataclass

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from diffedu import expect

TOLERANCE = 0.005  # in bfloat16 a softmax is right to about .004


@dataclass(frozen=True, eq=False)
class RowMaps:
    """Weights as levels 0..255 of the maximum of their row.

    weight = level * most / 255, off by at most most / 510; a row's sum by n_k times that. Levels of
    one scale for all would lose the rows whose weights are all small.
    """

    levels: UInt8[Tensor, " calls heads n_q n_k"]
    most: Float32[Tensor, " calls heads n_q"]

    def matrix(self, head: int | None, call: int) -> Float64[Tensor, " n_q n_k"]:
        """The whole map of one head, or the mean over the heads (None)."""
        heads = range(self.levels.shape[1]) if head is None else [head]
        total = torch.zeros(self.levels.shape[2:], dtype=torch.float64)
        for k in heads:  # one after the other, as the browser adds: the same last digit
            total += self.levels[call, k].double() * self.most[call, k, :, None].double() / 255
        return total / len(heads)


def quantise(weights: Float32[Tensor, " calls heads n_q n_k"]) -> RowMaps:
    """Round every weight to the nearest of 256 levels between 0 and its row's maximum."""
    most = weights.amax(-1)
    return RowMaps((weights / most[..., None] * 255).round().to(torch.uint8), most)


def read_maps(name: str, entries: object, sample: int) -> Float32[Tensor, " calls heads n_q n_k"]:
    """One sample of a layer's maps, all calls, once it is known that they are attention maps."""
    where = f"maps[{name!r}]"
    if not isinstance(entries, list | tuple) or not entries:
        expect.fail(where, "a list with a tensor for each call", _seen(entries))
    for entry in entries:
        expect.tensor(where, entry)
        if entry.ndim != 4 or 0 in entry.shape:
            expect.fail(where, "shape (B, heads, n_q, n_k)", tuple(entry.shape))
        if entry.shape[1:] != entries[0].shape[1:]:
            expected = f"the same heads, n_q, n_k in each call, {tuple(entries[0].shape[1:])}"
            expect.fail(where, expected, tuple(entry.shape[1:]))
        expect.integer("sample", sample, 0, len(entry) - 1)
    weights = torch.stack([entry[sample].detach().float().cpu() for entry in entries])
    _weights(where, weights)
    return weights


def _weights(where: str, weights: Tensor) -> None:
    """Finite, not negative, and every row sums to 1."""
    expect.finite(where, weights)
    if (weights < 0).any():
        call, head, row, _ = (weights < 0).nonzero()[0].tolist()
        lowest = f"{weights[call, head, row].min():.3g}"
        expect.fail(where, "weights >= 0", f"{lowest} in {_place(weights, call, head, row)}")
    sums = weights.sum(-1)
    wrong = ((sums - 1).abs() > TOLERANCE).nonzero()
    if len(wrong):
        call, head, row = wrong[0].tolist()
        got = f"{sums[call, head, row]:.3g} in {_place(weights, call, head, row)}"
        expect.fail(where, "rows that sum to 1", got)


def _place(weights: Tensor, call: int, head: int, row: int) -> str:
    place = f"row {row} of head {head}"
    return place if len(weights) == 1 else f"{place}, call {call}"


def _seen(entries: object) -> str:
    return "none" if isinstance(entries, list | tuple) else type(entries).__name__
