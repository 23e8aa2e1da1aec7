"""Every attention explorer of the course: its controls to their extremes, by keyboard alone."""

import re

import lab
import pytest
from attention import BOX, PICTURE

pytestmark = pytest.mark.browser
MADE = r"\battention_explorer\([^)]"
NOTEBOOKS = [name for name in lab.NOTEBOOKS if re.search(MADE, "\n".join(lab.code_of(name)))]
SENTENCE = re.compile(r"Layer .+: .+ (looks|is looked) .*\(weight \d+\.\d+( each)?\).*")


@pytest.fixture
def opened(request, chromium, server):
    """The name, the page and what was heard of one of these notebooks, run from top to bottom."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page, heard = context.new_page(), lab.Heard()
    heard.listen(page)
    lab.run_all_cells(page, server, request.param)
    yield request.param, page, heard
    context.close()
    for session in server.sessions(request.param):
        server.ask("DELETE", f"/api/sessions/{session['id']}")


@pytest.mark.parametrize("opened", NOTEBOOKS, indirect=True)
def test_every_explorer_answers_at_the_ends_of_its_controls(opened):
    name, page, heard = opened
    assert lab.errors_on(page) == []
    boxes = page.locator(BOX)
    made = len(re.findall(MADE, "\n".join(lab.code_of(name))))
    lab.wait_until(lambda: boxes.count() >= made, 30, lambda: f"{boxes.count()} of {made} shown")
    for box in boxes.all():
        drive(box)
    assert heard.foreign == [] and heard.complaints == []


def drive(box):
    """Every layer, the ends of heads and calls, both questions, and the ends of the queries."""
    layers, heads, calls = (box.get_by_label(label) for label in ("layer", "head", "call"))
    said = set()
    for layer in layers.locator("option").all_text_contents():
        layers.select_option(label=layer)
        for control, name in ((heads, "head"), (calls, "call")):
            for key in ("Home", "End") if control.is_visible() else ():
                control.press(key)
                said.add(read(box, layer))
                assert control.evaluate("it => it === document.activeElement"), name
        asker = box.locator(PICTURE)
        if not asker.is_visible():
            asker = box.get_by_role("group", name="queries").get_by_role("button").first
        for key in ("Home", "End", "ArrowLeft"):
            asker.press(key)
            said.add(read(box, layer))
        for _ in range(2):
            box.get_by_role("checkbox").press(" ")
            said.add(read(box, layer))
    assert len(said) >= 3


def read(box, layer):
    sentence = box.get_by_role("status").text_content()
    assert SENTENCE.fullmatch(sentence) and f"Layer {layer}, " in sentence, sentence
    return sentence
