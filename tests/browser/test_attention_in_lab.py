"""The attention explorer in JupyterLab: what pointer and keys ask, and what it answers."""

import numpy as np
import pytest
from attention import MAP, PICTURE, at_cells, viridis

from attention_samples import CAPTION, TARGET

pytestmark = pytest.mark.browser


def test_setting_traits_in_python_redraws(shown):
    one = shown["from_python"]
    one.box.scroll_into_view_if_needed()
    one.says(query=30, layer="middle.attention", head=1)
    row = one.view.row(30, "middle.attention", 1)[:48].reshape(4, 12)
    assert np.abs(at_cells(one.canvas(MAP), 4, 12) - viridis(row)).max() <= 8


def test_hover_asks_and_leaving_changes_nothing(over_time):
    for i in (0, 77, 191):
        over_time.cell(PICTURE, i, 8, 24)
        over_time.says(query=i)
    over_time.page.mouse.move(2, 2)
    over_time.says(query=191)


def test_click_pins_and_a_second_click_or_escape_lets_go(over_time):
    for let_go in ("click", "Escape"):
        over_time.cell(PICTURE, 30, 8, 24)
        over_time.page.mouse.down()
        over_time.page.mouse.up()
        over_time.cell(PICTURE, 100, 8, 24)
        over_time.says(query=30)
        assert "Pinned" in over_time.box.inner_text()
        if let_go == "click":
            over_time.cell(PICTURE, 30, 8, 24)
            over_time.page.mouse.down()
            over_time.page.mouse.up()
        else:
            over_time.page.keyboard.press("Escape")
        over_time.cell(PICTURE, 101, 8, 24)
        over_time.says(query=101)
        assert "Pinned" not in over_time.box.inner_text()


def test_arrow_keys_move_the_query_and_stop_at_the_rim(over_time):
    canvas = over_time.box.locator(PICTURE)
    canvas.press("Home")
    for keys, i in [
        ("ArrowLeft ArrowUp", 0),
        ("ArrowRight ArrowRight ArrowDown", 26),
        ("ArrowUp ArrowUp ArrowLeft", 1),
        ("End ArrowDown ArrowRight", 191),
    ]:
        for key in keys.split():
            canvas.press(key)
        over_time.says(query=i)
    assert canvas.evaluate("canvas => canvas === document.activeElement")


def test_keys_reach_every_layer_head_and_call(over_time):
    box, view = over_time.box, over_time.view
    for layer in view.layers.values():
        box.get_by_label("layer").focus()
        box.get_by_label("layer").select_option(label=layer.name)
        box.locator(PICTURE).press("Home")
        for key, head in [("Home", None), ("ArrowDown", 0), ("End", layer.heads - 1)]:
            box.get_by_label("head").press(key)
            for step, call in [("End", 2), ("ArrowLeft", 1), ("Home", 0)]:
                box.get_by_label("call").press(step)
                over_time.says(query=0, layer=layer.name, head=head, call=call)
    assert box.get_by_label("call").get_attribute("aria-valuetext") == "t = 900"


def test_another_layer_keeps_the_place(over_time):
    over_time.cell(PICTURE, 3 * 24 + 10, 8, 24)
    over_time.box.get_by_label("layer").select_option(label="middle.attention")
    over_time.says(query=1 * 12 + 5, layer="middle.attention")
    over_time.box.get_by_label("head").select_option(label="head 1")
    over_time.cell(PICTURE, 47, 4, 12)
    over_time.says(query=47, layer="middle.attention", head=1)


def test_the_picture_of_the_call_is_shown(over_time):
    over_time.box.locator(PICTURE).press("End")
    for k, key in enumerate(("Home", "ArrowRight", "End")):
        over_time.box.get_by_label("call").press(key)
        seen = at_cells(over_time.canvas(PICTURE), 8, 24)[:7]  # the last row has the frame
        np.testing.assert_array_equal(seen, over_time.view.pictures[k][:7])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("layer", "h", "w"), [("down.0.attention", 8, 24), ("middle.attention", 4, 12)]
)
def test_the_colours_are_the_weights_up_to_the_largest(over_time, layer, h, w, reverse):
    box, view = over_time.box, over_time.view
    box.get_by_label("layer").select_option(label=layer)
    box.get_by_label("head").select_option(label="head 1")
    if reverse:
        box.get_by_label("who looks at me?").check()
    for i in (0, h * w // 2 + 3, h * w - 1):
        over_time.cell(PICTURE, i, h, w)
        over_time.says(query=i, layer=layer, head=1, reverse=reverse)
        weights = (view.column if reverse else view.row)(i, layer, 1)[: h * w].reshape(h, w)
        expected = viridis(weights)
        off = np.abs(at_cells(over_time.canvas(MAP), h, w) - expected)
        assert off.max() <= 8  # sixteen colours stand for 256


def test_the_reverse_question_by_keyboard(over_time):
    over_time.box.locator(PICTURE).press("End")
    over_time.box.get_by_label("who looks at me?").press(" ")
    over_time.says(query=191, reverse=True)
    over_time.box.locator(PICTURE).press("ArrowLeft")
    over_time.says(query=190, reverse=True)


def test_the_time_token_can_be_asked_who_looks_at_it(over_time):
    over_time.chips("keys").first.hover()
    over_time.says(query=192, reverse=True)
    over_time.cell(PICTURE, 9, 8, 24)
    over_time.says(query=9)


def test_words_of_a_caption_show_their_weight_and_ask_back(caption):
    caption.cell(PICTURE, 40, 8, 24)
    caption.says(query=40, layer="cross")
    weights = caption.view.row(40, "cross").tolist()
    for k, (word, weight) in enumerate(zip(CAPTION, weights, strict=True)):
        chip = caption.chips("keys").nth(k)
        shown = chip.inner_text().split()
        assert shown[0] == word and float(shown[1]) == pytest.approx(weight, rel=0.06)
        colour = chip.evaluate("chip => getComputedStyle(chip).backgroundColor")
        rgb = [int(part) for part in colour.strip("rgb()").split(",")]
        assert np.abs(rgb - viridis(weights)[k]).max() <= 8
    assert not caption.box.locator(MAP).is_visible()
    caption.chips("keys").nth(2).hover()
    caption.says(query=2, layer="cross", reverse=True)
    assert caption.box.locator(MAP).is_visible()
    column = caption.view.column(2, "cross").reshape(8, 24)
    expected = viridis(column)
    assert np.abs(at_cells(caption.canvas(MAP), 8, 24) - expected).max() <= 8


def test_chips_are_walked_by_arrow_keys_and_pinned_by_enter(caption):
    caption.chips("keys").first.focus()
    for key, k in [("ArrowRight", 1), ("End", 4), ("ArrowRight", 4), ("Home", 0)]:
        caption.page.keyboard.press(key)
        caption.says(query=k, layer="cross", reverse=True)
    caption.page.keyboard.press("Enter")
    assert "Pinned" in caption.box.inner_text()
    caption.cell(PICTURE, 3, 8, 24)
    caption.says(query=0, layer="cross", reverse=True)


def test_a_tick_turns_to_the_strongest_word_and_back_to_its_strongest_pixel(caption):
    caption.cell(PICTURE, 40, 8, 24)
    best = int(caption.view.row(40, "cross").argmax())
    caption.box.get_by_label("who looks at me?").check()
    caption.says(query=best, layer="cross", reverse=True)
    caption.box.get_by_label("who looks at me?").uncheck()
    caption.says(query=int(caption.view.column(best, "cross").argmax()), layer="cross")


def test_two_views_of_one_explorer_agree_and_others_are_left_alone(shown, caption):
    before = shown["sequence"].sentence(), shown["over_time"].sentence()
    caption.cell(PICTURE, 77, 8, 24)
    caption.says(query=77, layer="cross")
    shown["again"].says(query=77, layer="cross")
    assert (shown["sequence"].sentence(), shown["over_time"].sentence()) == before


def test_a_sequence_asks_by_its_words_and_shows_the_whole_map(sequence):
    matrix = sequence.view.matrix()
    for i in (0, 4):
        sequence.chips("queries").nth(i).hover()
        sequence.says(query=i)
        assert sequence.chips("queries").nth(i).get_attribute("aria-pressed") == "true"
    sequence.chips("keys").nth(1).hover()
    sequence.says(query=1, reverse=True)
    expected = viridis(matrix)
    assert np.abs(at_cells(sequence.canvas(MAP), len(TARGET), 6) - expected).max() <= 8
    sequence.chips("queries").first.focus()
    sequence.page.keyboard.press("End")
    sequence.says(query=5)
