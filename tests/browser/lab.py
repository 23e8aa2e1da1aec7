"""JupyterLab on a copy of the notebooks, and what a reader does with it in Chromium.

Every wait here polls for what it waits for, and says what was missing when it gives up.
"""

import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Nothing but our own machine can be reached, and Chromium does not try to.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-proxy-server"),
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}

PIXELS = """async img => {
    await img.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    pen.drawImage(img, 0, 0);
    const rgba = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = '';
    for (let i = 0; i < rgba.length; i += 32768)
        text += String.fromCharCode(...rgba.subarray(i, i + 32768));
    return [canvas.height, canvas.width, btoa(text)];
}"""


def wait_until(holds: Callable[[], bool], seconds: float, missing: Callable[[], str]) -> None:
    """Poll; AssertionError with what is missing when the time is up."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds} s: {missing()}"
        time.sleep(0.05)


@dataclass
class Server:
    """A running JupyterLab."""

    port: int
    token: str
    folder: Path  # where its notebooks lie

    def ask(self, method: str, path: str) -> object:
        """The server's JSON answer; None if it does not answer yet, or has nothing to say."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, headers={"Authorization": f"token {self.token}"})
                text = connection.getresponse().read()
            except OSError:
                return None
        return json.loads(text) if text else None

    def sessions(self, name: str) -> list[dict]:
        return [s for s in self.ask("GET", "/api/sessions") if Path(s["path"]).name == name]

    def is_idle(self, name: str) -> bool:
        """A kernel for this notebook runs, the page is connected to it, and it waits for work."""
        kernels = [session["kernel"] for session in self.sessions(name)]
        return any(k["execution_state"] == "idle" and k["connections"] for k in kernels)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/lab/tree/{quote(name)}?reset&token={self.token}"


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[Server]:
    """JupyterLab on a copy of the notebooks in `folder`, with nobody's own settings."""
    for name in ("notebooks", "data"):  # a notebook may read what is stored in data/
        shutil.copytree(ROOT / name, folder / name)
    for name in NOTEBOOKS:
        forget_outputs(folder / "notebooks" / name)
    notification = folder / "settings/@jupyterlab/apputils-extension"
    notification.mkdir(parents=True)
    (notification / "notification.jupyterlab-settings").write_text(json.dumps(NO_NEWS))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = probe.getsockname()[1], secrets.token_hex(16)
    server = Server(*address, folder / "notebooks")
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        f"--ServerApp.root_dir={server.folder}",
        *(f"--ServerApp.port={server.port}", "--ServerApp.port_retries=0"),
        *("--ServerApp.ip=127.0.0.1", "--LabApp.extension_manager=readonly"),
        *("--LabApp.news_url=None", "--Application.log_level=WARN"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (folder / "server.log").open("w+") as log:
        process = subprocess.Popen(
            command, env=environment(folder, server.token), stdout=log, stderr=log
        )
        try:
            up = lambda: process.poll() is not None or server.ask("GET", "/api/status")  # noqa: E731
            wait_until(up, 90, lambda: "JupyterLab does not answer")
            assert process.poll() is None, (folder / "server.log").read_text()[-2000:]
            yield server
        finally:
            process.terminate()  # ends the kernels too
            process.wait(30)


def forget_outputs(path: Path) -> None:
    """So that every output and every number beside a cell on the page is of this run."""
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    path.write_text(json.dumps(notebook))


def code_of(name: str, folder: Path = ROOT / "notebooks") -> list[str]:
    """The source of each code cell of a notebook."""
    cells = json.loads((folder / name).read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def environment(folder: Path, token: str) -> dict[str, str]:
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return {
        **os.environ,
        **{name: str(folder / name.lower()) for name in own},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_TOKEN": token,
        "PYTHONPATH": str(ROOT),  # the kernels import this clone
    }


def launch(playwright: Playwright) -> Browser:
    """Chromium; one clear line where there is none."""
    if not Path(CHROMIUM).is_file():
        pytest.fail(f"no Chromium at {CHROMIUM}: apt install chromium, or set CHROMIUM", False)
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@dataclass
class Heard:
    """What a page asked of other machines, and what it complained about."""

    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.context.on("request", lambda request: self.note(request.url))
        page.on("websocket", lambda socket: self.note(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self.hear)

    def note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.foreign.append(url)

    def hear(self, message) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url')})")


def run_all_cells(page: Page, server: Server, name: str) -> None:
    """Open a notebook, wait for its kernel, choose Run All Cells, and wait until all have run."""
    page.goto(server.address(name))
    # The toolbar says "idle" before there is a kernel; the server knows better.
    wait_until(lambda: server.is_idle(name), 60, lambda: f"{name} has no idle kernel")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    all_run = [f"[{k + 1}]:" for k in range(len(code_of(name, server.folder)))]

    def finished() -> bool:
        # not the inner texts: they are empty for what lies outside the window
        done = prompts.all_text_contents() == all_run and server.is_idle(name)
        return done or bool(errors_on(page))

    wait_until(finished, 240, lambda: f"{name}: cells are at {prompts.all_text_contents()}")


def errors_on(page: Page) -> list[str]:
    """Every error a reader would see."""
    mimes = ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr")
    shown = page.locator(", ".join(f'.jp-OutputArea [data-mime-type="{mime}"]' for mime in mimes))
    broken = page.locator(".jp-OutputArea").filter(has_text="Error displaying widget")
    return [*shown.all_text_contents(), *broken.all_text_contents()]


def pixels(image: Locator) -> np.ndarray:
    """What the browser made of an <img>, (H, W, 4)."""
    height, width, data = image.evaluate(PIXELS)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)
