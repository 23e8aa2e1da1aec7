"""One JupyterLab and one Chromium for all browser tests; each notebook is opened and run once."""

from dataclasses import dataclass

import lab
import pytest
from playwright.sync_api import Page, sync_playwright

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


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
