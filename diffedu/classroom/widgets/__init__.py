"""Controls around pure functions: the only room that imports ipywidgets and anywidget."""

from diffedu.classroom.widgets.attention import AttentionExplorer, attention_explorer
from diffedu.classroom.widgets.explorers import (
    Explorer,
    bound_explorer,
    noise_explorer,
    posterior_explorer,
    tour_explorer,
    trajectory_explorer,
)
from diffedu.classroom.widgets.explorers_attention import lookup_explorer

__all__ = [
    "AttentionExplorer",
    "Explorer",
    "attention_explorer",
    "bound_explorer",
    "lookup_explorer",
    "noise_explorer",
    "posterior_explorer",
    "tour_explorer",
    "trajectory_explorer",
]
