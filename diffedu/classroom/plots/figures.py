"""Figures of the notebooks: `plot_x(arrays, ax) -> ax`.

One colour each for data, noise, model and x_t, everywhere.
"""

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from IPython.display import display
from jaxtyping import Float, UInt8
from matplotlib import image
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from diffedu import expect
from diffedu.classroom.views import Curve, density_histogram
from diffedu.data import Images
from diffedu.diffusion.schedules import Schedule

# Okabe and Ito's colours, told apart by colour-blind readers too
DATA, NOISE, MODEL, XT = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
OTHERS = ("#000000", "#E69F00", "#56B4E9")
DPI = 100


@dataclass(frozen=True, eq=False)
class Frame:
    """A finished picture (H, W, 3) and what it shows, in words."""

    rgb: UInt8[np.ndarray, " h w 3"]
    words: str


def new_axes(columns: int = 1, height: float = 2.6, width: float = 8.0) -> list[Axes]:
    """A new figure with one row of axes; no global state: the caller shows it with `show`."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, columns, squeeze=False)[0])
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return axes


def show(picture: Axes | Frame, alt: str = "") -> None:
    """Display a figure with its alternative text, which a plain inline figure would lose."""
    frame = picture if isinstance(picture, Frame) else as_frame(picture, alt)
    words = alt or frame.words
    if not words:
        expect.fail("alt", "words that say what the figure shows", repr(alt))
    display({"text/html": figure_html(Frame(frame.rgb, words)), "text/plain": words}, raw=True)


def as_frame(ax: Axes, words: str) -> Frame:
    """The finished picture of a figure that will not change any more."""
    return Frame(_rgb(ax.figure), words)


def figure_html(frame: Frame) -> str:
    """A picture as HTML that needs no other file."""
    data = base64.b64encode(png(frame.rgb)).decode()
    source, style = f"data:image/png;base64,{data}", "max-width:100%"
    tag = f'<img alt="{html.escape(frame.words)}" src="{source}" style="{style}">'
    return f"<figure>{tag}</figure>"


def png(rgb: UInt8[np.ndarray, " h w 3"]) -> bytes:
    """Encode a picture losslessly, without a date or a program name in the file."""
    buffer = io.BytesIO()
    image.imsave(
        buffer, rgb, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 6}
    )
    return buffer.getvalue()


def plot_images(images: Images, ax: Axes, titles: list[str] | None = None) -> Axes:
    """Images (N, C, H, W) in [-1, 1] side by side; values outside are cut off, not rescaled."""
    gap = 0.08
    for k, picture in enumerate(images):
        left = k * (1 + gap)
        ax.imshow(to_pixels(picture), extent=(left, left + 1, 0, 1), interpolation="nearest")
        if titles:
            ax.text(left + 0.5, 1.04, titles[k], ha="center", va="bottom", fontsize=10)
    ax.set(xlim=(0, len(images) * (1 + gap) - gap), ylim=(0, 1.15 if titles else 1), aspect="equal")
    ax.axis("off")
    return ax


def plot_lines(
    x: Curve, curves: Mapping[str, Curve], ax: Axes, colours: tuple[str, ...] = ()
) -> Axes:
    """One line per entry of `curves`, named in a legend; without `colours` black, orange, blue."""
    colours = colours or OTHERS
    if len(curves) > len(colours):
        expect.fail("curves", f"at most {len(colours)}, one for each colour", len(curves))
    for (name, y), colour in zip(curves.items(), colours, strict=False):
        ax.plot(x.numpy(), y.numpy(), color=colour, label=name)
    ax.legend(frameon=False)
    return ax


def plot_histogram(values: Tensor, ax: Axes, colour: str = XT) -> Axes:
    """The values' histogram as a density, under the standard normal's curve."""
    edges = np.linspace(-4, 4, 41)
    heights = density_histogram(values.flatten().double())
    ax.stairs(heights.numpy(), edges, fill=True, color=colour, alpha=0.6, label="pixels")
    ax.plot(edges, standard_normal(edges), color=NOISE, label="N(0, 1)")
    ax.set(xlim=(-4, 4), xlabel="pixel value", ylabel="density")
    ax.legend(frameon=False)
    return ax


def plot_density(grid: Curve, density: Curve, ax: Axes, colour: str, name: str) -> Axes:
    """A density with the area under it tinted."""
    ax.plot(grid.numpy(), density.numpy(), color=colour, label=name)
    ax.fill_between(grid.numpy(), density.numpy(), color=colour, alpha=0.2)
    return ax


def plot_points(
    points: Float[Tensor, " n 2"], ax: Axes, colour: str = DATA, name: str = ""
) -> Axes:
    """Points in the plane, with equal scales on both axes."""
    x, y = points.detach().numpy().T
    ax.scatter(x, y, s=4, color=colour, alpha=0.5, linewidths=0, label=name or None)
    ax.set(aspect="equal")
    return ax


def plot_bars(bars: Mapping[str, float], ax: Axes, colour: str = MODEL) -> Axes:
    """One bar for each entry, with its name under it."""
    ax.bar(range(len(bars)), list(bars.values()), color=colour, width=0.7)
    ax.set_xticks(range(len(bars)), list(bars))
    ax.axhline(0, color="black", lw=0.8)
    return ax


def plot_bins(levels: int, mean: float, sigma: float, level: int, ax: Axes) -> Axes:
    """The normal density cut into the bins of `levels` values; the bin of `level` is filled.

    The bins of the first and of the last level have no outer edge: they reach beyond the axes.
    """
    expect.integer("levels", levels, 2)
    expect.integer("level", level, 0, levels - 1)
    expect.positive("sigma", sigma)
    edges = (np.arange(1, levels) * 2 - levels) / (levels - 1)
    x = np.linspace(-1.6, 1.6, 1601)
    density = standard_normal((x - mean) / sigma) / sigma
    ax.plot(x, density, color=MODEL)
    inside = np.searchsorted(edges, x) == level
    ax.fill_between(x, density, where=inside, color=MODEL, alpha=0.4)
    ax.vlines(edges, 0, density.max(), color="0.7", lw=0.8)
    ax.plot([2 * level / (levels - 1) - 1], [0], "o", color=DATA, clip_on=False)
    ax.set(xlim=(-1.6, 1.6), ylim=(0, None), xlabel="$x_0$")
    return ax


def plot_schedules(schedules: Mapping[str, Schedule], axes: list[Axes]) -> list[Axes]:
    """alpha_bar and log-SNR over t/T: two axes."""
    styles = (("-", DATA), ("--", NOISE), ("-.", MODEL), (":", XT))
    if len(schedules) > len(styles):
        expect.fail("schedules", f"at most {len(styles)}, one for each colour", len(schedules))
    for (name, s), (style, colour) in zip(schedules.items(), styles, strict=False):
        time = torch.arange(s.T + 1) / s.T
        axes[0].plot(time, s.alpha_bar, style, color=colour, label=name)
        axes[1].plot(time[1:], s.snr[1:].log(), style, color=colour, label=name)
    axes[0].set(xlabel="t / T", ylabel=r"$\bar\alpha_t$")
    axes[1].set(xlabel="t / T", ylabel=r"$\log\,\mathrm{SNR}(t)$")
    axes[0].legend(frameon=False)
    return axes


def to_pixels(picture: Float[Tensor, " c h w"]) -> Float[np.ndarray, " h w 3"]:
    """(C, H, W) in [-1, 1] to (H, W, 3) in [0, 1]; grey pictures get three equal channels."""
    pixels = ((picture.float().clamp(-1, 1) + 1) / 2).expand(3, -1, -1)
    return pixels.permute(1, 2, 0).numpy()


def standard_normal(x: np.ndarray) -> np.ndarray:
    """The density of N(0, 1)."""
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def freeze(figure: Figure) -> None:
    """Lay the panels out once: doing it again at every move would cost more than the drawing."""
    figure.canvas.draw()
    figure.set_layout_engine("none")


def _rgb(figure: Figure) -> UInt8[np.ndarray, " h w 3"]:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
