"""One JupyterLab and one Chromium for all browser tests; each notebook is opened and run once."""

from dataclasses import dataclass

import attention
import lab
import pytest
from playwright.sync_api import Page, sync_playwright

from attention_samples import VIEWS

WINDOW = {"width": 1280, "height": 900}


@dataclass
class Opened:
    """A notebook whose cells have all been run in the browser."""

    name: str
    page: Page
    heard: lab.Heard


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = lab.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(chromium, tmp_path_factory):
    with lab.jupyterlab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module", params=lab.NOTEBOOKS)
def opened(request, chromium, server):
    context = chromium.new_context(viewport=WINDOW)
    page, heard = context.new_page(), lab.Heard()
    heard.listen(page)
    lab.run_all_cells(page, server, request.param)
    yield Opened(request.param, page, heard)
    context.close()
    for session in server.sessions(request.param):
        server.ask("DELETE", f"/api/sessions/{session['id']}")


@pytest.fixture(scope="session")
def attention_page(chromium, server):
    """The page, and what was heard, of a notebook with five attention explorers."""
    (server.folder / attention.NAME).write_text(attention.notebook(attention.CELLS))
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page, heard = context.new_page(), lab.Heard()
    heard.listen(page)
    lab.run_all_cells(page, server, attention.NAME)
    assert lab.errors_on(page) == []
    boxes = page.locator(attention.BOX)
    lab.wait_until(lambda: boxes.count() == 5, 20, lambda: f"{boxes.count()} explorers")
    yield page, heard
    context.close()


@pytest.fixture(scope="session")
def shown(attention_page):
    """The explorers by name; "again" is "caption" once more, "from_python" no test moves."""
    page, _ = attention_page
    boxes = page.locator(attention.BOX)
    views = {name: make() for name, make in VIEWS.items()}
    views |= {"again": views["caption"], "from_python": views["over_time"]}
    made = enumerate(views.items())
    return {name: attention.Shown(page, boxes.nth(k), view) for k, (name, view) in made}


@pytest.fixture
def over_time(shown):
    return attention.fresh(shown["over_time"])


@pytest.fixture
def caption(shown):
    return attention.fresh(shown["caption"])


@pytest.fixture
def sequence(shown):
    return attention.fresh(shown["sequence"])


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
