"""An explorer on the page, driven by keyboard and read by eye, beside its twin in this process."""

import re
from dataclasses import dataclass

import ipywidgets
import numpy as np
import pytest
from lab import code_of, pixels, wait_until
from playwright.sync_api import Locator, Page

from diffedu.classroom import widgets

HANDLE = ".noUi-handle"  # what the Tab key reaches: sliders, since Lab takes the keys of menus
# Watches what is drawn, frame by frame: from the key press to the first other picture.
STOPWATCH = """img => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    const look = () => {
        pen.drawImage(img, 0, 0);
        const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
        return new Uint32Array(data.buffer).reduce((sum, word) => (31 * sum + word) | 0, 7);
    };
    window.latencies = [];
    document.addEventListener('keydown', pressed => {
        const [source, before] = [img.src, look()];
        const sample = now => {
            if (img.src !== source && img.complete && img.naturalWidth && look() !== before)
                window.latencies.push(now - pressed.timeStamp);
            else
                requestAnimationFrame(sample);
        };
        requestAnimationFrame(sample);
    }, {capture: true});
}"""


def explorers_in(name: str) -> list[str]:
    """The explorers a notebook makes, in their order."""
    return re.findall(r"^.*?\b([a-z]+_explorer)\(\)", "\n".join(code_of(name)), re.MULTILINE)


@dataclass
class OnPage:
    """One explorer in the browser; `twin` is made by the same function, but here."""

    page: Page
    box: Locator
    twin: widgets.Explorer

    @property
    def image(self) -> Locator:
        return self.box.locator("img")

    def row(self, name: str) -> Locator:
        """The row on the page that holds the control with the twin's description."""
        text = self.twin.controls[name].description
        label = self.page.locator(".widget-label", has_text=re.compile(f"^{re.escape(text)}$"))
        return self.box.locator(".widget-inline-hbox").filter(has=label)

    def shown(self, name: str) -> object:
        """The value that a reader sees beside the control."""
        control = self.twin.controls[name]
        # not the inner text: that is empty for what lies outside the window
        text = self.row(name).locator(".widget-readout").text_content()
        return type(control.value)(text.replace("\N{MINUS SIGN}", "-"))

    def sentence(self) -> str:
        return self.box.get_by_role("status").text_content()

    def assert_true(self) -> None:
        """The sentence and every pixel are those of the function for the values on the page."""
        frame = self.twin.frames(**{name: self.shown(name) for name in self.twin.controls})
        wait_until(
            lambda: self.sentence() == frame.words,
            20,
            lambda: f"the sentence is {self.sentence()!r}, not {frame.words!r}",
        )
        wait_until(
            lambda: np.array_equal(pixels(self.image)[..., :3], frame.rgb),
            20,
            lambda: f"{frame.words}: other pixels{self.difference(frame.rgb)}",
        )

    def difference(self, expected: np.ndarray) -> str:
        shown = pixels(self.image)[..., :3]
        if shown.shape != expected.shape:
            return f", in shape {shown.shape}, not {expected.shape}"
        off = np.abs(shown.astype(int) - expected)
        return f" at {(off.max(-1) > 0).mean():.1%}, by up to {off.max()}"

    def press(self, name: str, *keys: str) -> None:
        """Focus a control and type."""
        self.row(name).locator(HANDLE).focus()
        for key in keys:
            self.page.keyboard.press(key)

    def go(self, name: str, target: object, keys: list[str]) -> None:
        """Type, and wait until the control shows where that should lead."""
        self.press(name, *keys)
        wait_until(
            lambda: self.shown(name) == pytest.approx(target),
            10,
            lambda: f"{name} shows {self.shown(name)} after {keys}, not {target}",
        )

    def moves(self, name: str) -> list[tuple[object, list[str]]]:
        """Where a reader should get to, and by which keys: every option, or ends and middle."""
        control = self.twin.controls[name]
        if isinstance(control, ipywidgets.SelectionSlider):
            first, *others = control.options
            return [(first, ["Home"]), *[(other, ["ArrowRight"]) for other in others]]
        pages, steps = divmod(round((control.max - control.min) / control.step) // 2, 5)
        middle = control.min + (5 * pages + steps) * control.step
        return [
            (control.max, ["End"]),
            (control.max - control.step, ["ArrowLeft"]),
            (control.min, ["Home"]),
            (middle, ["PageUp"] * pages + ["ArrowRight"] * steps),
        ]

    def latencies(self, name: str, n: int = 20) -> list[float]:
        """Milliseconds from key to picture, n times, one after another."""
        self.image.evaluate(STOPWATCH)
        for k in range(n):
            self.press(name, "ArrowRight" if k % 2 else "ArrowLeft")
            self.page.wait_for_function(f"window.latencies.length > {k}")
        self.assert_true()
        return self.page.evaluate("window.latencies")
