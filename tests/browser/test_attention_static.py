"""The attention explorer in a plain file: no server, no kernel, no library, no request."""

import base64
import json

import lab
import pytest
from attention import BOX, MAP, PICTURE, Shown, at_cells, viridis

from attention_samples import VIEWS
from diffedu.classroom.widgets import attention_explorer

pytestmark = pytest.mark.browser
# what a widget asks of its model, and no more
SHIM = """
const heard = {}, tell = name => (heard[name] ?? []).forEach(act => act());
const model = state => ({get: name => state[name], save_changes() {},
  set(name, value) { state[name] = value; tell(`change:${name}`); },
  on(name, act) { (heard[name] ??= []).push(act); },
  off(name, act) { heard[name] = heard[name].filter(other => other !== act); }});
const bytes = text => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
"""
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>explorer</title><main></main><script type="module">{esm}
{shim}
const state = {state};
state.data = bytes(state.data);
window.stop = render({{model: model(state), el: document.querySelector('main')}});
window.heard = heard;
</script>"""


@pytest.fixture(params=VIEWS)
def static(request, chromium, tmp_path):
    """The explorer of a view in a file, in a window as wide as a phone's."""
    explorer = attention_explorer(VIEWS[request.param]())
    state = {name: getattr(explorer, name) for name in ("spec", *explorer.state)}
    state["data"] = base64.b64encode(explorer.data).decode()
    esm = str(explorer._esm).replace("export default {render};", "")
    path = tmp_path / "explorer.html"
    path.write_text(PAGE.format(esm=esm, shim=SHIM, state=json.dumps(state)))
    context = chromium.new_context(viewport={"width": 360, "height": 800}, has_touch=True)
    page, heard = context.new_page(), lab.Heard()
    page.on("pageerror", lambda error: heard.complaints.append(str(error)))
    page.on("console", heard.hear)
    page.on("request", lambda request: heard.foreign.append(request.url))
    page.goto(path.as_uri())
    yield Shown(page, page.locator(BOX), explorer.view), heard
    context.close()
    assert heard.complaints == []
    assert heard.foreign == [path.as_uri()]


def test_it_lives_in_a_file(static):
    one, _ = static
    one.says(query=0)
    one.box.get_by_label("head").select_option(label="head 1")
    one.says(query=0, head=1)
    if one.view.pictures is None:
        one.chips("queries").first.focus()
    else:
        one.box.locator(PICTURE).focus()
    one.page.keyboard.press("ArrowRight")
    one.says(query=1, head=1)
    one.box.get_by_label("who looks at me?").check()
    if one.view.layer().keys.h:
        one.says(query=1, head=1, reverse=True)
        column = one.view.column(1, head=1).reshape(8, 24)
        assert abs(at_cells(one.canvas(MAP), 8, 24) - viridis(column)).max() <= 8


def test_nothing_sticks_out_on_a_phone(static):
    one, _ = static
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert one.box.bounding_box()["width"] > 300


def test_a_tap_pins(static):
    one, _ = static
    if one.view.pictures is None:
        one.chips("queries").nth(3).tap()
        one.says(query=3)
    else:
        one.box.locator(PICTURE).tap(position={"x": 3, "y": 3})
        one.says(query=0)
    assert "Pinned" in one.box.inner_text()


def test_its_end_leaves_no_listener(static):
    one, _ = static
    assert one.page.evaluate("Object.values(heard).flat().length") == 5
    one.page.evaluate("stop()")
    assert one.page.evaluate("Object.values(heard).flat().length") == 0
