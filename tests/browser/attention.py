"""An attention explorer on a page: what a reader does with it, and what the reader then sees."""

import base64
import json
import re
from dataclasses import dataclass

import numpy as np
from lab import ROOT, code_of, wait_until
from matplotlib import colormaps
from playwright.sync_api import Locator, Page

from attention_samples import VIEWS
from diffedu.classroom.attention_view import AttentionView

NAME = "attention_of_the_tests.ipynb"
FIRST = f"""import sys

sys.path.insert(0, {str(ROOT / "tests")!r})
import attention_samples as samples
from diffedu.classroom.widgets import attention_explorer"""
CELLS = [
    FIRST,
    *[f"{name} = attention_explorer(samples.{name}())\n{name}" for name in VIEWS],
    "caption",  # once more
    "from_python = attention_explorer(samples.over_time())\nfrom_python",
    "from_python.layer, from_python.head, from_python.query = 'middle.attention', 1, 30",
]
BOX = ".diffedu-attention-explorer"
MAP = "canvas[role=img]"
PICTURE = "canvas[role=application]"
SENTENCE = re.compile(r"Layer .+: .+ (looks|is looked) .*\(weight \d+\.\d+( each)?\).*")
# The canvas as it is, (rows, columns, RGBA)
CANVAS = """canvas => {
    const {width, height} = canvas;
    const rgba = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    let text = '';
    for (let i = 0; i < rgba.length; i += 32768)
        text += String.fromCharCode(...rgba.subarray(i, i + 32768));
    return [height, width, btoa(text)];
}"""
# From the key to the first frame whose picture differs, seen as the browser paints it
STOPWATCH = """canvas => {
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    const look = () => {
        const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
        return new Uint32Array(data.buffer).reduce((sum, word) => (31 * sum + word) | 0, 7);
    };
    window.latencies = [];
    document.addEventListener('keydown', pressed => {
        const before = look();
        const sample = now => {
            if (look() !== before) window.latencies.push(now - pressed.timeStamp);
            else requestAnimationFrame(sample);
        };
        requestAnimationFrame(sample);
    }, {capture: true});
}"""


@dataclass
class Shown:
    """One explorer on the page, and the view it was made from."""

    page: Page
    box: Locator
    view: AttentionView

    def sentence(self) -> str:
        return self.box.get_by_role("status").text_content()

    def canvas(self, selector: str) -> np.ndarray:
        height, width, data = self.box.locator(selector).evaluate(CANVAS)
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]

    def cell(self, selector: str, i: int, h: int, w: int) -> None:
        """Move the pointer to the middle of a cell."""
        canvas = self.box.locator(selector)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        x = box["x"] + (i % w + 0.5) / w * box["width"]
        self.page.mouse.move(x, box["y"] + (i // w + 0.5) / h * box["height"])

    def says(self, **question) -> None:
        """The sentence on the page is that of the view for this question."""
        expected = self.view.sentence(**question)
        wait_until(
            lambda: self.sentence() == expected, 5, lambda: f"{self.sentence()!r}, not {expected!r}"
        )

    def chips(self, group: str) -> Locator:
        return self.box.get_by_role("group", name=group).get_by_role("button")


def at_cells(picture: np.ndarray, h: int, w: int) -> np.ndarray:
    """The colour in the middle of each of h x w cells."""
    rows, columns = (
        ((np.arange(n) + 0.5) / n * size).astype(int)
        for n, size in zip((h, w), picture.shape, strict=False)
    )
    return picture[rows][:, columns]


def viridis(weights: object) -> np.ndarray:
    """The colours, 0..255, of weights up to the largest."""
    weights = np.asarray(weights)
    return 255 * colormaps["viridis"](weights / weights.max())[..., :3]


def fresh(one: Shown) -> Shown:
    """First layer, mean over the heads, first call, the box not ticked, nothing pinned."""
    one.box.scroll_into_view_if_needed()
    one.page.mouse.move(2, 2)
    for label in ("layer", "head"):
        one.box.get_by_label(label).select_option(index=0)
    one.box.get_by_label("who looks at me?").uncheck()
    one.box.get_by_label("layer").press("Escape")
    if one.box.get_by_label("call").is_visible():
        one.box.get_by_label("call").press("Home")
    return one


def attention_explorers_in(name: str) -> int:
    """How many attention explorers a notebook makes."""
    return len(re.findall(r"\battention_explorer\([^)]", "\n".join(code_of(name))))


def drive(box: Locator) -> None:
    """Every layer, the ends of heads and calls, the ends of the queries, and both questions."""
    layers, *others = (box.get_by_label(label) for label in ("layer", "head", "call"))
    said = set()
    for layer in layers.locator("option").all_text_contents():
        layers.select_option(label=layer)
        asker = box.locator(PICTURE)
        if not asker.is_visible():
            asker = box.get_by_role("group", name="queries").get_by_role("button").first
        tick = box.get_by_role("checkbox")
        controls = [control for control in others if control.is_visible()]
        moves = [(control, key) for control in controls for key in ("Home", "End")]
        moves += [(asker, key) for key in ("Home", "End", "ArrowLeft")] + [(tick, " ")] * 2
        for control, key in moves:
            control.press(key)
            words = box.get_by_role("status").text_content()
            assert SENTENCE.fullmatch(words) and f"Layer {layer}, " in words, words
            said.add(words)
    assert len(said) >= 3


def notebook(cells: list[str]) -> str:
    """A notebook with these code cells."""
    rest = {"metadata": {}, "outputs": [], "execution_count": None, "cell_type": "code"}
    made = [{"id": f"cell-{k}", "source": source, **rest} for k, source in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole)
