"""A wrong answer typed into a real notebook: the card comes, can be read, and leads to (2.7)."""

import os
from pathlib import Path

import lab
import pytest

pytestmark = pytest.mark.browser
NAME = "02_the_posterior.ipynb"
WRONG = """def posterior_variance(t, s):
    ratio = (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])
    return (ratio * s.beta[t]).sqrt()


check.posterior_variance(posterior_variance)"""
# relative luminance of WCAG 2, of the text and of the first background that is not transparent
CONTRAST = """element => {
    const parts = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
    let behind = element;
    while (behind.parentElement && parts(getComputedStyle(behind).backgroundColor)[3] === 0)
        behind = behind.parentElement;
    const colours = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
    const [low, high] = colours.map(parts).map(light).sort((a, b) => a - b);
    return (high + .05) / (low + .05);
}"""


@pytest.fixture(scope="module")
def notebook(chromium, server):
    """The notebook, its first cell run; each test goes on where the one before it stopped."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(server.address(NAME))
    lab.wait_until(lambda: server.is_idle(NAME), 60, lambda: "no idle kernel")
    run(page, page.locator(".jp-CodeCell").first)
    yield page
    context.close()
    for session in server.sessions(NAME):
        server.ask("DELETE", f"/api/sessions/{session['id']}")


def run(page, cell):
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def exercise(page):
    """The cell of the exercise, which may have to be scrolled to before it is there."""
    cell = page.locator(".jp-CodeCell").filter(has_text="check.posterior_variance(")
    panel = page.locator(".jp-WindowedPanel-outer").first
    for _ in range(80):
        if cell.count() and cell.first.locator(".cm-content").is_visible():
            break
        panel.evaluate("panel => { panel.scrollTop += 600; }")
        page.wait_for_timeout(100)
    cell.first.scroll_into_view_if_needed()
    return cell.first


def card(page):
    return exercise(page).locator(".jp-RenderedHTMLCommon > div").first


def test_the_untouched_stub_is_not_attempted(notebook):
    run(notebook, exercise(notebook))
    card(notebook).wait_for(timeout=60_000)
    assert card(notebook).inner_text().startswith("posterior_variance: not attempted yet")


def test_the_wrong_answer_is_named(notebook):
    cell = exercise(notebook)
    cell.locator(".cm-content").click()
    notebook.keyboard.press("Control+a")
    notebook.keyboard.insert_text(WRONG)
    notebook.keyboard.press("Control+Enter")
    seen = lambda: "standard deviation" in card(notebook).inner_text()  # noqa: E731
    lab.wait_until(seen, 30, lambda: card(notebook).inner_text())
    text = card(notebook).inner_text()
    assert "posterior_variance: not yet" in text
    assert "You returned the standard deviation; (2.7) asks for its square." in text
    assert "First clear difference: T = 1000, at t = " in text


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_the_card_can_be_read_in_both_themes(notebook, theme):
    notebook.get_by_role("menuitem", name="Settings", exact=True).click()
    menu = notebook.locator(".lm-Menu-itemLabel")
    menu.get_by_text("Theme", exact=True).hover()
    menu.get_by_text(theme, exact=True).click()
    is_light = "true" if theme.endswith("Light") else "false"
    notebook.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(state="attached")
    lines = card(notebook).locator("div, a, code")
    contrasts = [lines.nth(k).evaluate(CONTRAST) for k in range(lines.count())]
    assert min(contrasts) >= 4.5, contrasts
    if folder := os.environ.get("DIFFEDU_SCREENSHOTS"):
        exercise(notebook).screenshot(path=Path(folder) / f"card {theme}.png")


def test_the_label_leads_to_its_equation(notebook):
    anchor = notebook.locator('[data-jupyter-id="eq-2-7"]')  # what JupyterLab makes of an id
    card(notebook).get_by_role("link", name="(2.7)").first.click()

    def arrived():
        return anchor.count() == 1 and anchor.evaluate(
            "a => { const y = a.getBoundingClientRect().top; return y > 0 && y < innerHeight; }"
        )

    lab.wait_until(arrived, 20, lambda: "(2.7) is not in sight")
    assert len(notebook.context.pages) == 1, "the link opened another page"
