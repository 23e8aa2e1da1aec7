"""Controls around pure functions: the only room that imports ipywidgets."""

from diffedu.classroom.widgets.explorers import (
    Explorer,
    bound_explorer,
    noise_explorer,
    posterior_explorer,
    tour_explorer,
    trajectory_explorer,
)

__all__ = [
    "Explorer",
    "bound_explorer",
    "noise_explorer",
    "posterior_explorer",
    "tour_explorer",
    "trajectory_explorer",
]
