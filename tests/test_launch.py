"""`python -m diffedu lab` as a reader runs it: a process of its own, on a copy of the course."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from diffedu import launch

ROOT = Path(__file__).parent.parent
SECONDS = 60
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/lab/tree/(\S+)\?token=(\w+)")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small course in a folder with a space in its name."""
    folder = tmp_path / "my clone"
    (folder / "diffedu").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "launch.py"):
        shutil.copy(ROOT / "diffedu" / name, folder / "diffedu")
    (folder / "notebooks").mkdir()
    shutil.copytree(ROOT / "tools/lab_settings", folder / "tools/lab_settings")
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / launch.START).write_text(json.dumps(empty))
    return folder


def environment(clone: Path, **extra: str) -> dict[str, str]:
    """No display, and no Jupyter settings of whoever runs the tests."""
    left_out = ("JUPYTER", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "PYTHON")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    return {**kept, "HOME": str(home), "PYTHONPATH": str(clone), **extra}


def diffedu(clone: Path, *arguments: str, python: tuple[str, ...] = ()):
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, *python, "-m", "diffedu", *arguments],
        cwd=clone.parent,
        env=environment(clone),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def as_in_a_terminal() -> None:
    """Tests in the background inherit an ignored Ctrl-C; the reader's terminal does not."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def running(clone: Path, *arguments: str, **extra: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """The command at work, and what it had printed when it was ready."""
    output = clone.parent / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "diffedu", "lab", *arguments],
            cwd=clone.parent,
            env=environment(clone, **extra),
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=as_in_a_terminal,
        )
    try:
        deadline = time.monotonic() + SECONDS
        while not ADDRESS.search(output.read_text()):
            assert process.poll() is None and time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        yield process, output.read_text()
    finally:
        process.terminate()
        process.wait(SECONDS)


def answer(address: str, data: bytes | None = None) -> tuple[int, bytes]:
    """Status and body; a proxy of this machine is not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(address, data), timeout=SECONDS) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def free_port() -> int:
    return launch.listen_once(0, "127.0.0.1")


@pytest.mark.parametrize("arguments", [(), ("lob",), ("lab", "--port", "0"), ("lab", "--prot")])
def test_a_wrong_command_gets_a_short_usage(clone, arguments):
    done = diffedu(clone, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m diffedu")
    assert len(done.stderr.splitlines()) == 2


def test_a_taken_port_is_one_line_that_names_a_free_one(clone):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        done = diffedu(clone, "lab", "--port", str(taken))
    wanted = rf"Port {taken} is taken\. Choose another: make lab PORT=(\d+)\n"
    found = re.fullmatch(wanted, done.stderr)
    assert found, done.stderr
    assert done.returncode == 1 and done.stdout == ""
    with socket.create_server(("127.0.0.1", int(found[1]))):
        pass


def test_an_address_of_another_machine_is_one_line(clone):
    done = diffedu(clone, "lab", "--ip", "192.0.2.1")
    assert done.returncode == 1
    assert re.fullmatch(r"Cannot listen on 192\.0\.2\.1: .*\n", done.stderr)


def test_a_python_without_jupyterlab_is_one_line(clone):
    done = diffedu(clone, "lab", python=("-S",))  # -S: without the installed packages
    assert done.returncode == 1
    assert done.stderr == "JupyterLab is not installed for this Python. Say: make lab\n"


def test_a_folder_without_the_notebooks_is_one_line(clone):
    (clone / launch.START).unlink()
    done = diffedu(clone, "lab")
    assert done.returncode == 1
    assert (
        done.stderr == f"{launch.START} is not in {clone}. Run this from a clone of the course.\n"
    )


@pytest.mark.parametrize(
    ("system", "release", "variables", "expected"),
    [
        ("linux", "6.1.0-amd64", {}, False),
        ("linux", "6.1.0-amd64", {"DISPLAY": ":0"}, True),
        ("linux", "6.1.0-amd64", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", "5.15.90.1-microsoft-standard-WSL2", {}, True),
        ("darwin", "24.1.0", {}, True),
        ("win32", "11", {}, True),
    ],
)
def test_a_display_is_looked_for_on_linux_only(monkeypatch, system, release, variables, expected):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(
        launch.platform, "uname", lambda: os.uname_result(("", "", release, "", ""))
    )
    assert launch.has_display() is expected


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_without_a_display_it_prints_the_address_and_ends_with_all_its_processes(clone, number):
    port = free_port()
    with running(clone, "--port", str(port)) as (process, printed):
        last = printed.splitlines()[-1]
        assert last.startswith("No display found. Open this address in a browser: http://")
        found = ADDRESS.search(last)
        assert found.end() == len(last)
        assert found.group(1, 2) == (str(port), launch.START)

        assert answer(found[0])[0] == 200
        base = f"http://127.0.0.1:{port}/api"
        assert answer(f"{base}/contents")[0] == 403  # nobody without the token
        _, listing = answer(f"{base}/contents?token={found[3]}")
        assert {entry["name"] for entry in json.loads(listing)["content"]} == {
            *("diffedu", "notebooks", "tools")
        }
        assert answer(f"{base}/kernels?token={found[3]}", b"{}")[0] == 201  # starts a kernel

        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2  # the server and the kernel
        process.send_signal(number)
        time.sleep(0.2)
        process.send_signal(number)  # impatience does no harm
        assert process.wait(SECONDS) == 0
        assert psutil.wait_procs(family, timeout=SECONDS)[1] == []
    assert "Traceback" not in (clone.parent / "output.txt").read_text()


@pytest.mark.slow
def test_jupyterlab_neither_fetches_news_nor_asks_whether_it_may(clone):
    port = free_port()
    with running(clone, "--port", str(port)) as (_, printed):
        token = ADDRESS.search(printed)[3]
        plugin = "@jupyterlab/apputils-extension:notification"
        _, body = answer(f"http://127.0.0.1:{port}/lab/api/settings/{plugin}?token={token}")
    settings = json.loads(body)["schema"]["properties"]
    assert settings["fetchNews"]["default"] == "false"
    assert settings["checkForUpdates"]["default"] is False


@pytest.mark.slow
def test_with_a_display_the_first_notebook_opens_in_the_browser(clone, tmp_path):
    opened = tmp_path / "opened.txt"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n')
    browser.chmod(0o755)
    port = free_port()
    with running(clone, "--port", str(port), DISPLAY=":9", BROWSER=f"{browser} %s") as (_, printed):
        last = printed.splitlines()[-1]
        assert last.startswith("The course opens in your browser. If it does not, open: http://")
        deadline = time.monotonic() + SECONDS
        while not (opened.exists() and opened.read_text().endswith("\n")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        page = urllib.request.url2pathname(opened.read_text().strip().removeprefix("file://"))
        assert f"/lab/tree/{launch.START}?token=" in Path(page).read_text()


@pytest.mark.slow
def test_no_browser_only_prints_the_address_even_with_a_display(clone):
    arguments = ("--port", str(free_port()), "--ip", "0.0.0.0", "--no-browser")
    with running(clone, *arguments, DISPLAY=":9", BROWSER="false %s") as (_, printed):
        last = printed.splitlines()[-1]
        assert last.startswith("Open this address in a browser: http://127.0.0.1:")
        assert answer(ADDRESS.search(last)[0])[0] == 200
