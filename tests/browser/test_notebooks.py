"""Every notebook in a real browser: it runs, stays at home, and its explorers show the truth."""

import os
from pathlib import Path

import attention
import lab
import numpy as np
import pytest
from explorers import HANDLE, OnPage, explorers_in

from diffedu.classroom import widgets

pytestmark = pytest.mark.browser
EXPLORERS = [(name, made) for name in lab.NOTEBOOKS for made in explorers_in(name)]


@pytest.fixture(scope="module")
def twins():
    """Each explorer once more, in this process."""
    return {made: getattr(widgets, made)() for made in {made for _, made in EXPLORERS}}


@pytest.fixture
def explorers(opened, twins):
    found = {}
    for made in explorers_in(opened.name):
        box = opened.page.locator(f".diffedu-{made.replace('_', '-')}")
        assert box.count() == 1, f"{made} is on the page {box.count()} times"
        box.scroll_into_view_if_needed()
        found[made] = OnPage(opened.page, box, twins[made])
    return found


def test_it_runs_from_top_to_bottom_without_an_error(opened):
    assert lab.errors_on(opened.page) == []


def test_every_explorer_shows_what_its_function_says_wherever_the_keys_lead(explorers):
    for explorer in explorers.values():
        explorer.assert_true()
        for name in explorer.twin.controls:
            for target, keys in explorer.moves(name):
                explorer.go(name, target, keys)
                explorer.assert_true()


def test_the_arrow_keys_stay_with_the_control(explorers):
    for explorer in explorers.values():
        for name in explorer.twin.controls:
            explorer.press(name, "Home")
            before = explorer.shown(name)
            explorer.press(name, "ArrowDown", "ArrowUp", "ArrowRight")
            assert explorer.row(name).locator(":focus").count() == 1, f"{name} loses the focus"
            assert explorer.shown(name) != before
        explorer.assert_true()  # also after keys faster than the kernel


def test_every_control_has_a_description_that_can_be_read(explorers):
    for explorer in explorers.values():
        for name, control in explorer.twin.controls.items():
            label = explorer.row(name).locator(".widget-label")
            assert label.is_visible() and label.inner_text() == control.description
            assert label.evaluate("label => label.scrollWidth <= label.clientWidth")
            handle = explorer.row(name).locator(HANDLE)
            assert handle.evaluate("handle => handle.tabIndex") == 0  # the Tab key gets there


def test_the_whole_picture_is_in_sight_with_its_sentence(explorers):
    for made, explorer in explorers.items():
        assert explorer.image.is_visible() and explorer.box.get_by_role("status").is_visible()
        picture, box = explorer.image.bounding_box(), explorer.box.bounding_box()
        height, width, _ = lab.pixels(explorer.image).shape
        assert picture["width"] <= box["width"] <= opened_width(explorer)
        assert picture["width"] / picture["height"] == pytest.approx(width / height, rel=0.02)
        if folder := os.environ.get("DIFFEDU_SCREENSHOTS"):
            explorer.box.screenshot(path=Path(folder) / f"{made}.png")


def opened_width(explorer):
    return explorer.page.viewport_size["width"]


def test_a_key_changes_the_picture_at_once(explorers, record_property):
    for made, explorer in explorers.items():
        first, *_ = explorer.twin.controls
        p50, p95 = np.percentile(explorer.latencies(first), [50, 95])
        record_property(made, f"key to picture p50 {p50:.0f} ms, p95 {p95:.0f} ms")
        assert p95 < 500


def test_every_attention_explorer_answers_at_the_ends_of_its_controls(opened):
    boxes, made = opened.page.locator(attention.BOX), attention.attention_explorers_in(opened.name)
    lab.wait_until(lambda: boxes.count() >= made, 30, lambda: f"{boxes.count()} of {made} shown")
    for box in boxes.all():
        attention.drive(box)


def test_it_asks_nothing_of_other_machines(opened):
    assert opened.heard.foreign == []


def test_the_console_stays_silent(opened):
    assert opened.heard.complaints == []


def test_every_explorer_is_met_in_a_notebook():
    """But for attention_explorer(view), which is driven above wherever it is made."""
    offered = {name for name in widgets.__all__ if name.endswith("_explorer")}
    assert {made for _, made in EXPLORERS} == offered - {"attention_explorer"}
