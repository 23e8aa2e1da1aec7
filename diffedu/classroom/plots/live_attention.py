"""Figures behind the widget of the soft look-up: three keys, three values, one query.

As in `live`, a function of its settings alone.
"""

import math

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from diffedu import expect
from diffedu.classroom.plots.figures import (
    DATA,
    MODEL,
    NOISE,
    OTHERS,
    Frame,
    _rgb,
    freeze,
    new_axes,
)

SCALES = ("divided by √d", "as they are")


class LookupFrames:
    r"""Three keys and a query in the plane, the weights, and the answer among three values.

    The plane is that of the query in d dimensions, in units that make an entry of variance 1 a
    step of 1: the query is $\sqrt d\,(q_1 e_1 + q_2 e_2)$, and a key with d such entries has the
    component $k_{j1} e_1 + k_{j2} e_2$ in it, of a size that does not depend on d. So the score
    is $\sqrt d\,(q_1 k_{j1} + q_2 k_{j2})$.
    """

    KEYS = torch.tensor([[1.2, 0.4], [-0.3, 1.3], [-0.8, -0.9]], dtype=torch.float64)
    VALUES = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.5, -1.0]], dtype=torch.float64)
    TEMPERATURES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    D_CHOICES = (2, 8, 32, 128, 512)

    def __init__(self) -> None:
        """Lay out the plane of keys, the bars, and the triangle of values."""
        plane, bars, triangle = new_axes(3, height=2.8, width=8.6)
        for k, (x, y) in enumerate(self.KEYS.tolist()):
            _arrow(plane, x, y, DATA)
            plane.text(1.25 * x, 1.25 * y, f"$k_{k + 1}$", ha="center", va="center")
        self._query = _arrow(plane, 1, 0, NOISE)
        (self._tip,) = plane.plot([0], [0], "o", color=NOISE, ms=5)
        plane.set(
            xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", title="query $q$ (dot) and keys"
        )
        self._bars = bars.bar(range(3), 0.0, 0.7, color=MODEL)
        bars.set_xticks(range(3), [f"$A_{k}$" for k in (1, 2, 3)])
        bars.set(ylim=(0, 1), title="weights")
        triangle.fill(*self.VALUES.T.numpy(), color="0.93")
        for k, (x, y) in enumerate(self.VALUES.tolist()):
            triangle.plot([x], [y], "s", color=DATA, ms=6)
            triangle.text(x + 0.15, y, f"$v_{k + 1}$", va="center")
        (self._answer,) = triangle.plot([0], [0], "o", color=OTHERS[1], ms=9)
        triangle.set(
            xlim=(-2, 2), ylim=(-1.5, 2.5), aspect="equal", title="answer $o$ (dot), values"
        )
        freeze(plane.figure)

    def weights(
        self, q1: float | int, q2: float | int, temperature: float | int, d: int, scale: str
    ) -> Float[Tensor, "3"]:
        """The softmax of the scores, divided by the temperature and, if so chosen, by the root."""
        for name, value, known in (
            ("temperature", temperature, self.TEMPERATURES),
            ("d", d, self.D_CHOICES),
            ("scale", scale, SCALES),
        ):
            if value not in known:
                expect.fail(name, f"one of {known}", value)
        length = 1.0 if scale == SCALES[0] else math.sqrt(d)
        scores = length * self.KEYS @ torch.tensor([q1, q2], dtype=torch.float64)
        return (scores / temperature).softmax(0)

    def __call__(
        self, q1: float | int, q2: float | int, temperature: float | int, d: int, scale: str
    ) -> Frame:
        """The picture for these settings."""
        weights = self.weights(q1, q2, temperature, d, scale)
        answer = (weights @ self.VALUES).tolist()
        self._query.set_data([0, q1], [0, q2])
        self._tip.set_data([q1], [q2])
        for bar, weight in zip(self._bars, weights.tolist(), strict=True):
            bar.set_height(weight)
        self._answer.set_data(*([number] for number in answer))
        words = (
            f"q = ({_listed([q1, q2], 1)}), temperature {temperature:g}, d = {d}, scores {scale}: "
            f"the weights are {_listed(weights.tolist(), 3)}, the answer is ({_listed(answer, 2)})."
        )
        return Frame(_rgb(self._answer.figure), words)


def _arrow(ax: Axes, x: float | int, y: float | int, colour: str) -> Line2D:
    """A line from the origin; its end carries the name or a dot."""
    (line,) = ax.plot([0, x], [0, y], color=colour, lw=2)
    return line


def _listed(numbers: list[float | int], digits: int) -> str:
    return ", ".join(f"{round(x, digits) + 0.0:.{digits}f}" for x in numbers)  # not "-0.0"
