"""Figures of attention: who looks at whom, as maps in one sequential colour scale."""

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from torch import Tensor

from diffedu import expect
from diffedu.classroom.attention_tokens import Tokens, Words
from diffedu.classroom.attention_view import AttentionView
from diffedu.classroom.attention_words import number
from diffedu.classroom.plots.figures import Frame, as_frame, new_axes

MAP = "viridis"  # sequential, and told apart by colour-blind readers too
MARK = "#E69F00"  # the frame around the one who asks
GAP = 0.25  # in heights of the picture
CHIP = 1.2  # the width of a word with its weight, in inches
NARROW = 4.4  # inches of a frame without a picture: two columns of words and the colour bar


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


def attention_frame(
    view: AttentionView,
    query: int = 0,
    layer: str | None = None,
    head: int | None = None,
    call: int = 0,
    reverse: bool = False,
) -> Frame:
    """What the attention explorer shows for this question, as a still picture with its words."""
    width = NARROW if view.pictures is None else 8.0
    (ax,) = new_axes(1, height=0.4 + 1.25 * _unit(view, layer, reverse), width=width)
    plot_attention(view, ax, query, layer, head, call, reverse)
    return as_frame(ax, view.sentence(query, layer, head, call, reverse))


def plot_attention(
    view: AttentionView,
    ax: Axes,
    query: int = 0,
    layer: str | None = None,
    head: int | None = None,
    call: int = 0,
    reverse: bool = False,
) -> Axes:
    """Who asks, framed, and beside it the weight of each who answers, up to the largest.

    With `reverse`, `query` is a key, and the weights are what each query gives to it. Words are
    set for an axis about 7 inches wide.
    """
    chosen = view.layer(layer)
    asking, answering = (chosen.keys, chosen.queries) if reverse else (chosen.queries, chosen.keys)
    weights = (view.column if reverse else view.row)(query, layer, head, call)
    unit = _unit(view, layer, reverse)
    picture = None if view.pictures is None else view.pictures[min(call, len(view.pictures) - 1)]
    middle = GAP + _asking(ax, unit, asking, query, picture)
    edge = _answering(ax, middle, unit, answering, weights)
    title = "who looks at it" if reverse else "where it looks"
    for left, text in ((0, "asks"), (middle, title)):
        ax.text(left, 1.04, text, va="bottom", fontsize=10)
    scale = ScalarMappable(Normalize(0, weights.max().item()), MAP)
    ax.figure.colorbar(scale, ax=ax, label="weight", shrink=0.8)
    ax.set(xlim=(-0.03, edge + 0.03), ylim=(-0.03, 1.2), aspect="equal")
    ax.axis("off")
    return ax


def _asking(ax: Axes, unit: float, tokens: Tokens, query: int, picture: Tensor | None) -> float:
    """The picture (H, W, 3), height 1, and the words, the asker framed; returns the right edge."""
    edge = 0.0
    if picture is not None:
        edge = picture.shape[1] / picture.shape[0]
        ax.imshow(picture.numpy(), extent=(0, edge, 0, 1), interpolation="nearest")
        _frame(ax, tokens, query)
    return _chips(ax, edge, unit, tokens.words, marked=query - tokens.h * tokens.w)


def _answering(ax: Axes, left: float, unit: float, tokens: Tokens, weights: Tensor) -> float:
    """The weights of the cells as a map, and those of the words; returns the right edge."""
    cells, most = tokens.h * tokens.w, weights.max()
    if cells:
        right = left + tokens.w / tokens.h
        grid = weights[:cells].reshape(tokens.h, tokens.w).numpy()
        ax.imshow(grid, MAP, vmin=0, vmax=most.item(), extent=(left, right, 0, 1))
        left = right
    return _chips(ax, left, unit, tokens.words, weights[cells:], most)


def _frame(ax: Axes, tokens: Tokens, i: int) -> None:
    """Frame cell i in the picture; nothing if token i is a word."""
    if i >= tokens.h * tokens.w:
        return
    side = 1 / tokens.h
    corner = (i % tokens.w * side, 1 - (i // tokens.w + 1) * side)
    for colour, line in (("black", 4), (MARK, 2)):
        ax.add_patch(Rectangle(corner, side, side, fill=False, ec=colour, lw=line))


def _unit(view: AttentionView, layer: str | None, reverse: bool) -> float:
    """Inches that a picture's height gets, so that pictures and words fill 7 inches."""
    chosen = view.layer(layer)
    answering = chosen.queries if reverse else chosen.keys
    parts = [chosen.queries] * (view.pictures is not None) + [answering]
    pictures = GAP + sum(part.w / part.h for part in parts if part.h)
    columns = sum(bool(tokens.words) for tokens in (chosen.queries, chosen.keys))
    return min(2.2, (7 - (CHIP + 0.15) * columns) / pictures)


def _chips(
    ax: Axes,
    left: float,
    unit: float,
    words: Words,
    weights: Tensor | None = None,
    most: Tensor | None = None,
    marked: int = -1,
) -> float:
    """Words below each other, shaded by their weight if there is one; returns the right edge."""
    if not words:
        return left
    left, width, step = left + 0.1 / unit, CHIP / unit, 1 / max(len(words), 5)
    for k, word in enumerate(words):
        colour, text = (1.0, 1.0, 1.0), word
        if weights is not None:
            colour = colormaps[MAP]((weights[k] / most).item())[:3]
            text = f"{word}  {number(weights[k].item())}"
        bottom, edge = 1 - (k + 0.95) * step, MARK if k == marked else "0.7"
        box = Rectangle((left, bottom), width, 0.9 * step, fc=colour, ec=edge)
        box.set_linewidth(3 if k == marked else 1)
        ax.add_patch(box)
        style = {"color": _ink(colour), "fontsize": min(10, 55 * step * unit)}
        middle = left + width / 2, bottom + 0.42 * step
        ax.text(*middle, text, ha="center", va="center", **style)
    return left + width


def _ink(colour: tuple[float, ...]) -> str:
    """Black or white, whichever can be read on the colour (relative luminance of WCAG 2)."""
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if light > 0.179 else "white"
