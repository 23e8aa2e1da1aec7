"""The explorer of notebook 06: one query, three keys, three values."""

from ipywidgets import FloatSlider, SelectionSlider

from diffedu.classroom.plots import LookupFrames
from diffedu.classroom.plots.live_attention import SCALES
from diffedu.classroom.widgets.explorers import Explorer, wide


def lookup_explorer() -> Explorer:
    """A query in the plane, temperature, d and scale -> three weights and the answer."""
    frames = LookupFrames()
    temperatures, widths = frames.TEMPERATURES, frames.D_CHOICES
    controls = {
        "q1": wide(FloatSlider(value=1.0, min=-2, max=2, step=0.1, description="q_1")),
        "q2": wide(FloatSlider(value=0.5, min=-2, max=2, step=0.1, description="q_2")),
        "temperature": wide(
            SelectionSlider(options=temperatures, value=1.0, description="temp. τ")
        ),
        "d": wide(SelectionSlider(options=widths, value=32, description="width d")),
        "scale": wide(SelectionSlider(options=SCALES, description="scores")),
    }
    return Explorer("lookup-explorer", frames, controls)
