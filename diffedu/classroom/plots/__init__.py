"""Figures: the only room with matplotlib. `figures` draws once, `live` redraws for a widget."""

from diffedu.classroom.plots.figures import (
    DATA,
    MODEL,
    NOISE,
    XT,
    Frame,
    new_axes,
    plot_density,
    plot_histogram,
    plot_images,
    plot_lines,
    plot_schedules,
    png,
    show,
)
from diffedu.classroom.plots.live import NoiseFrames, PosteriorFrames, TourFrames

__all__ = [
    "DATA",
    "MODEL",
    "NOISE",
    "XT",
    "Frame",
    "NoiseFrames",
    "PosteriorFrames",
    "TourFrames",
    "new_axes",
    "plot_density",
    "plot_histogram",
    "plot_images",
    "plot_lines",
    "plot_schedules",
    "png",
    "show",
]
