"""Small pictures for a card: yours beside the target, where a picture says more than a number."""

from collections.abc import Callable

import torch
from torch import Tensor

from diffedu.classroom.checks.exercise import Values
from diffedu.classroom.plots import Frame, as_frame, new_axes, plot_lines

Picture = Callable[[Values, Values], Frame]


def curves(xlabel: str, ylabel: str, x: Tensor | None = None) -> Picture:
    """Your curve over the target's, for results that are one row of numbers.

    `x` are the places of the numbers; without it they are counted from 0.
    """

    def draw(yours: Values, target: Values) -> Frame:
        places = torch.arange(target[0].numel(), dtype=torch.float64) if x is None else x
        ax = beside(places, yours[0].flatten(), target[0].flatten())
        ax.set(xlabel=xlabel, ylabel=ylabel)
        return as_frame(ax, f"{ylabel} over {xlabel}: your curve beside the dashed target.")

    return draw


def beside(places: Tensor, yours: Tensor, target: Tensor):
    """Two lines: the target dashed, yours in colour."""
    (ax,) = new_axes(width=4.6, height=2.0)
    plot_lines(places, {"target": target, "yours": yours}, ax, ("#000000", "#E69F00"))
    ax.lines[0].set(linestyle="--")
    ax.legend(frameon=False)  # once more: it copies the style of the lines
    return ax
