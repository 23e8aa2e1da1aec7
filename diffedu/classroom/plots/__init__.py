"""Figures: the only room with matplotlib. `figures` draws once, `live*` redraw for a widget."""

from diffedu.classroom.plots.attention import attention_frame, plot_attention, plot_map
from diffedu.classroom.plots.figures import (
    DATA,
    MODEL,
    NOISE,
    XT,
    Frame,
    as_frame,
    figure_html,
    new_axes,
    plot_bars,
    plot_bins,
    plot_density,
    plot_histogram,
    plot_images,
    plot_lines,
    plot_points,
    plot_schedules,
    png,
    show,
)
from diffedu.classroom.plots.live import NoiseFrames, PosteriorFrames, TourFrames
from diffedu.classroom.plots.live_attention import LookupFrames
from diffedu.classroom.plots.live_reverse import BoundFrames, TrajectoryFrames

__all__ = [
    "DATA",
    "MODEL",
    "NOISE",
    "XT",
    "BoundFrames",
    "Frame",
    "LookupFrames",
    "NoiseFrames",
    "PosteriorFrames",
    "TourFrames",
    "TrajectoryFrames",
    "as_frame",
    "attention_frame",
    "figure_html",
    "new_axes",
    "plot_attention",
    "plot_bars",
    "plot_bins",
    "plot_density",
    "plot_histogram",
    "plot_images",
    "plot_lines",
    "plot_map",
    "plot_points",
    "plot_schedules",
    "png",
    "show",
]
