"""The attention explorer as a page: names, themes, a narrow window, speed, and no other machine."""

import os
from pathlib import Path

import attention
import numpy as np
import pytest
from attention import MAP, PICTURE
from test_cards import CONTRAST

from attention_samples import CAPTION

pytestmark = pytest.mark.browser


def test_every_control_has_a_name(shown):
    for one in shown.values():
        for role, name in [("combobox", "layer"), ("combobox", "head"), ("status", None)]:
            assert one.box.get_by_role(role, name=name).count() == 1
        assert one.box.get_by_role("checkbox", name="who looks at me?").count() == 1
    box = shown["over_time"].box
    assert box.get_by_role("slider", name="call").count() == 1
    label = "picture, 8 rows and 24 columns of pixels: arrow keys move, Enter pins"
    assert box.get_by_role("application", name=label).count() == 1
    assert box.get_by_role("img", name="map of 8 rows and 24 columns: where it looks").count() == 1
    names = [chip.get_attribute("aria-label") for chip in shown["caption"].chips("keys").all()]
    assert [name.split(",")[0] for name in names] == CAPTION


def test_a_key_changes_the_picture_within_a_frame(over_time, record_property):
    """The best of three rounds: what else this machine does is not what is measured."""
    over_time.box.locator(MAP).evaluate(attention.STOPWATCH)
    rounds = [latencies(over_time) for _ in range(3)]
    p50, p95 = min((np.percentile(each, [50, 95]) for each in rounds), key=lambda pair: pair[1])
    record_property("attention_explorer", f"key to picture p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    assert p95 <= 20


def latencies(one):
    """Milliseconds from each of forty keys to the changed picture."""
    one.box.locator(PICTURE).press("Home")
    one.page.wait_for_timeout(100)
    one.page.evaluate("window.latencies = []")
    for k in range(40):
        one.page.keyboard.press("ArrowRight" if k < 20 else "ArrowLeft")
        one.page.wait_for_function(f"window.latencies.length > {k}")
    return one.page.evaluate("window.latencies")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_it_can_be_read_in_both_themes(shown, theme):
    page = shown["over_time"].page
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    menu = page.locator(".lm-Menu-itemLabel")
    menu.get_by_text("Theme", exact=True).hover()
    menu.get_by_text(theme, exact=True).click()
    is_light = "true" if theme.endswith("Light") else "false"
    page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(state="attached")
    for name, one in shown.items():
        one.box.scroll_into_view_if_needed()
        texts = one.box.locator("p, label span, select, output, button, small, .small, .title")
        contrasts = {
            text.text_content(): text.evaluate(CONTRAST)
            for text in texts.all()
            if text.is_visible() and text.text_content().strip()
        }
        assert min(contrasts.values()) >= 4.5, contrasts
        if folder := os.environ.get("DIFFEDU_SCREENSHOTS"):
            one.box.screenshot(path=Path(folder) / f"attention {name} {theme}.png")


def test_nothing_sticks_out_of_a_narrow_window(shown):
    page = shown["over_time"].page
    page.keyboard.press("Control+b")  # the list of files would leave no room for the notebook
    page.set_viewport_size({"width": 360, "height": 800})
    try:
        for name, one in shown.items():
            one.box.scroll_into_view_if_needed()
            box = one.box.bounding_box()
            assert box["width"] > 200 and box["x"] + box["width"] <= 360
            assert one.box.evaluate("box => box.scrollWidth <= box.clientWidth"), name
            if folder := os.environ.get("DIFFEDU_SCREENSHOTS"):
                one.box.screenshot(path=Path(folder) / f"attention {name} narrow.png")
    finally:
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.keyboard.press("Control+b")


def test_it_asks_nothing_of_other_machines_and_the_console_stays_silent(attention_page):
    _, heard = attention_page
    assert heard.foreign == [] and heard.complaints == []
