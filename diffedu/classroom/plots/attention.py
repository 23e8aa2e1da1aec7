"""Figures of attention: who looks at whom, as maps in one sequential colour scale."""

from matplotlib.axes import Axes
from torch import Tensor

from diffedu import expect

MAP = "viridis"  # sequential, and told apart by colour-blind readers too


def plot_map(
    weights: Tensor, ax: Axes, rows: list[str] | None = None, columns: list[str] | None = None
) -> Axes:
    """A whole attention map (n_q, n_k): one row a query, one column a key, brighter is more.

    `rows` and `columns` name the queries and keys; the colour bar starts at 0.
    """
    if weights.ndim != 2:
        expect.fail("weights", "two axes (n_q, n_k)", tuple(weights.shape))
    shown = ax.imshow(weights.detach().float().cpu().numpy(), cmap=MAP, vmin=0, aspect="auto")
    ax.figure.colorbar(shown, ax=ax, label="weight")
    ax.spines[:].set_visible(False)
    for name, words, n, axis in (
        ("rows", rows, weights.shape[0], ax.yaxis),
        ("columns", columns, weights.shape[1], ax.xaxis),
    ):
        if words is None:
            continue
        if len(words) != n:
            expect.fail(name, f"{n} words, one for each", len(words))
        axis.set_ticks(range(n), words)
    ax.set(xlabel="key j", ylabel="query i")
    return ax
