"""The explorers of part I: controls over a function from settings to picture and sentence."""

import html
from collections.abc import Callable, Mapping

from ipywidgets import (
    HTML,
    FloatSlider,
    Image,
    IntSlider,
    Layout,
    SelectionSlider,
    ValueWidget,
    VBox,
)

from diffedu.classroom.plots import (
    BoundFrames,
    Frame,
    NoiseFrames,
    PosteriorFrames,
    TourFrames,
    TrajectoryFrames,
    png,
)


class Explorer(VBox):
    """Controls, a picture and a sentence that says what it shows; every change redraws both.

    `controls` maps the argument names of `frames` to ipywidgets, which are reached as
    `explorer.controls["t"]`. The sentence is a live region: a screen reader speaks it when it
    changes.
    """

    def __init__(
        self, name: str, frames: Callable[..., Frame], controls: Mapping[str, ValueWidget]
    ) -> None:
        """`name` becomes the CSS class diffedu-<name>, by which a page finds the explorer."""
        self.frames = frames
        self.controls = dict(controls)
        self.picture = Image(format="png", layout=Layout(max_width="100%", align_self="flex-start"))
        self.words = HTML()
        super().__init__([*self.controls.values(), self.picture, self.words])
        self.add_class(f"diffedu-{name}")
        for control in self.controls.values():
            control.observe(lambda _: self.draw(), names="value")
        self.draw()

    @property
    def settings(self) -> dict[str, object]:
        """The value of every control, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def draw(self) -> None:
        """Show the picture and the sentence for the present settings."""
        frame = self.frames(**self.settings)
        self.picture.value = png(frame.rgb)
        self.words.value = f'<p role="status" aria-live="polite">{html.escape(frame.words)}</p>'


def noise_explorer() -> Explorer:
    """t, schedule and picture -> x_t, its histogram and its signal-to-noise ratio."""
    frames = NoiseFrames()
    controls = {
        "t": wide(IntSlider(value=100, min=0, max=1000, step=10, description="step t")),
        # not menus: in JupyterLab the arrow keys leave an ipywidgets Dropdown for the next cell
        "schedule": wide(SelectionSlider(options=list(frames.schedules), description="schedule")),
        "image": wide(SelectionSlider(options=list(frames.images), description="picture")),
    }
    return Explorer("noise-explorer", frames, controls)


def posterior_explorer() -> Explorer:
    """x_0, x_t and t -> prior, likelihood and posterior over x_{t-1}."""
    controls = {
        "x0": wide(FloatSlider(value=1.0, min=-2, max=2, step=0.1, description="x_0")),
        "xt": wide(FloatSlider(value=-0.5, min=-3, max=3, step=0.1, description="x_t")),
        "t": wide(IntSlider(value=8, min=1, max=20, description="step t")),
    }
    return Explorer("posterior-explorer", PosteriorFrames(), controls)


def tour_explorer() -> Explorer:
    """A moment 0..100 -> eight digits, into noise and back."""
    controls = {"moment": wide(IntSlider(value=0, min=0, max=100, description="moment"))}
    return Explorer("tour-explorer", TourFrames(), controls)


def bound_explorer() -> Explorer:
    """T and the choice of variance -> the bound term by term, and its gap."""
    frames = BoundFrames()
    controls = {
        "T": wide(SelectionSlider(options=frames.T_CHOICES, value=100, description="steps T")),
        "variance": wide(SelectionSlider(options=frames.choices, description="variance")),
    }
    return Explorer("bound-explorer", frames, controls)


def trajectory_explorer() -> Explorer:
    """t and sampler -> where the points are, and where they are predicted to end."""
    frames = TrajectoryFrames()
    controls = {
        "t": wide(IntSlider(value=frames.T, min=0, max=frames.T, description="step t")),
        "sampler": wide(SelectionSlider(options=list(frames.views), description="sampler")),
    }
    return Explorer("trajectory-explorer", frames, controls)


def wide(slider: ValueWidget) -> ValueWidget:
    """Wide enough to aim at single steps from a lectern."""
    slider.layout = Layout(width="min(36em, 100%)")
    return slider
