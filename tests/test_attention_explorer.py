"""The explorer's Python half: what it sends to the browser, and its state."""

import json
import re

import numpy as np
import pytest
import torch

from attention_samples import VIEWS
from diffedu.classroom import widgets
from diffedu.classroom.attention_view import attention_view
from diffedu.classroom.widgets.attention import AttentionExplorer, payload, spec

SYNCED = ("layer", "head", "call", "query", "reverse")


@pytest.fixture(scope="module", params=VIEWS)
def view(request):
    return VIEWS[request.param]()


def unpacked(view):
    """What a reader of the bytes finds with the help of the spec alone: {layer: weights}."""
    sheet, data = json.loads(json.dumps(spec(view))), payload(view)
    size = lambda side: side["h"] * side["w"] + len(side["words"])  # noqa: E731
    shapes = {
        layer["name"]: (len(sheet["calls"]), layer["heads"], size(layer["queries"]))
        for layer in sheet["layers"]
    }
    at, most, found = 0, {}, {}
    for name, shape in shapes.items():
        n = int(np.prod(shape))
        most[name] = np.frombuffer(data, "<f4", n, at).reshape(shape).astype(float)
        at += 4 * n
    for layer in sheet["layers"]:
        shape = (*shapes[layer["name"]], size(layer["keys"]))
        n = int(np.prod(shape))
        levels = np.frombuffer(data, np.uint8, n, at).reshape(shape)
        found[layer["name"]] = levels * most[layer["name"]][..., None] / 255
        at += n
    rest = np.frombuffer(data, np.uint8, offset=at)
    return found, rest.reshape((*sheet["pictures"], 3)) if sheet["pictures"] else rest


def test_the_bytes_hold_every_weight_of_every_head_and_call_and_the_pictures(view):
    weights, pictures = unpacked(view)
    assert list(weights) == list(view.layers)
    for name, found in weights.items():
        for call, head in np.ndindex(found.shape[:2]):
            np.testing.assert_array_equal(found[call, head], view.matrix(name, head, call))
    expected = np.zeros(0, np.uint8) if view.pictures is None else view.pictures
    np.testing.assert_array_equal(pictures, expected)


def test_it_starts_with_the_first_layer_the_mean_over_the_heads_and_query_0(view):
    explorer = widgets.attention_explorer(view)
    first = next(iter(view.layers))
    state = {"query": 0, "layer": first, "head": None, "call": 0, "reverse": False}
    assert explorer.state == state
    assert explorer.sentence == view.sentence(0, first)


def test_state_and_data_go_to_the_browser_together():
    explorer = widgets.attention_explorer(VIEWS["caption"]())
    sent = explorer.get_state()
    assert {"spec", "data", *SYNCED} <= set(sent)
    assert sent["data"] == payload(explorer.view) and sent["spec"] == spec(explorer.view)
    json.dumps(sent["spec"])


def test_the_sentence_is_that_of_the_view_for_the_state():
    view = VIEWS["over_time"]()
    explorer = widgets.attention_explorer(view)
    explorer.layer, explorer.head, explorer.call, explorer.query = "middle.attention", 1, 2, 40
    assert explorer.sentence == view.sentence(40, "middle.attention", 1, 2)
    explorer.reverse, explorer.query = True, 48
    assert explorer.sentence == view.sentence(48, "middle.attention", 1, 2, reverse=True)


def test_a_smaller_layer_takes_the_last_token_and_the_mean_if_the_head_is_missing():
    explorer = widgets.attention_explorer(VIEWS["over_time"]())
    explorer.head, explorer.query = 2, 190
    explorer.layer = "middle.attention"
    assert (explorer.head, explorer.query) == (None, 47)
    explorer.reverse, explorer.query = True, 48
    explorer.reverse = False
    assert explorer.query == 47


def test_a_change_of_many_things_at_once_as_the_browser_sends_it_arrives_whole():
    explorer = widgets.attention_explorer(VIEWS["caption"]())
    explorer.set_state({"layer": "cross", "query": 150, "head": 3})
    explorer.set_state({"query": 4, "reverse": True})
    assert explorer.state == {
        "query": 4,
        "layer": "cross",
        "head": 3,
        "call": 0,
        "reverse": True,
    }
    explorer.set_state({"query": 191, "layer": "self", "reverse": True, "head": None})
    assert explorer.state["query"] == 191


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layer", "up", "layer: expected one of ['cross', 'self'], got 'up'"),
        ("head", 4, "head: expected 0..3, got 4"),
        ("head", -1, "head: expected 0..3, got -1"),
        ("call", 1, "call: expected 0..0, got 1"),
        ("query", 192, "query: expected 0..191, got 192"),
        ("query", -1, "query: expected 0..191, got -1"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(name, value, message):
    explorer = widgets.attention_explorer(VIEWS["caption"]())
    before = explorer.state
    with pytest.raises(ValueError, match=re.escape(message)):
        setattr(explorer, name, value)
    assert explorer.state == before


def test_maps_that_are_no_attention_maps_are_refused_before_anything_is_drawn():
    weights = torch.full((1, 2, 3, 4), 0.25)
    weights[0, 1, 2] *= 0.8
    with pytest.raises(ValueError) as caught:
        attention_view({"down.1": [weights]}, ["a", "b", "c"], list("wxyz"))
    expected = "maps['down.1']: expected rows that sum to 1, got 0.8 in row 2 of head 1"
    assert str(caught.value) == expected


def test_explorers_do_not_share_their_state():
    one, other = (widgets.attention_explorer(VIEWS["sequence"]()) for _ in range(2))
    one.head, one.query = 1, 3
    assert (other.head, other.query) == (None, 0)


def test_the_module_is_one_text_that_asks_nothing_of_other_machines():
    esm = str(AttentionExplorer._esm)
    assert esm.count("export default") == 1
    assert not re.search(r"\bimport\b|\bfetch\b|https?:|//[a-z]+\.[a-z]|XMLHttp|WebSocket", esm)


def test_the_files_of_the_module_are_short_and_read_without_scrolling_sideways():
    for name in ("canvas", "attention_data", "attention_panels", "attention"):
        lines = widgets.attention.module(name).splitlines()
        assert len(lines) <= 250 and max(map(len, lines)) <= 100, name


def test_a_picture_of_wide_rows_weighs_what_the_view_says():
    view = VIEWS["over_time"]()
    size = sum(layer.size for layer in view.layers.values()) + view.pictures.numel()
    assert len(payload(view)) == size
    assert torch.equal(view.pictures.flatten()[-9:], torch.tensor(list(payload(view)[-9:])))
