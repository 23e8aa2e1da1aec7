"""Controls around pure functions: the only room that imports ipywidgets."""

from diffedu.classroom.widgets.explorers import (
    Explorer,
    noise_explorer,
    posterior_explorer,
    tour_explorer,
)

__all__ = ["Explorer", "noise_explorer", "posterior_explorer", "tour_explorer"]
