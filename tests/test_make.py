"""The Makefile: which Python it takes, when it installs, and what it says when it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OLD_PYTHON = "#!/bin/sh\necho 3.9.2\n"
# Answers as .venv/bin/python and notes each pip install; PIP_STATUS makes it fail.
FAKE_VENV_PYTHON = """#!/bin/sh
case "$*" in
    *"pip install"*) echo "$*" >> pip_calls.txt; exit ${PIP_STATUS:-0} ;;
    -c*) echo 3.11.7 ;;
esac
"""
OFFLINE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",  # the discard port: nobody listens
    "PIP_RETRIES": "0",
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What make needs of the course, in a folder with a space in its name."""
    folder = tmp_path / "my clone"
    (folder / "diffedu").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "LICENSE", "diffedu/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "tools", folder / "tools")
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder whose programs come before all others."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def make(clone: Path, *arguments: str, first: Path | None = None, **extra: str):
    """Run make as a reader would: nothing of the make or pip that runs the tests reaches it."""
    left_out = ("PIP_", "MAKE", "MFLAGS", "PYTHON", "CPU", "CHROMIUM", "PORT", "IP")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    path = os.pathsep.join(filter(None, [str(first or ""), kept["PATH"]]))
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env={**kept, "PATH": path, **extra},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def pip_calls(clone: Path) -> list[str]:
    file = clone / "pip_calls.txt"
    return file.read_text().splitlines() if file.exists() else []


def test_make_alone_lists_every_target(clone):
    targets = {"help", "lab", "test", "test-all", "install", "notebooks", "format", "clean"}
    listed = {line.split()[0] for line in make(clone).stdout.splitlines() if line.startswith("  ")}
    assert targets <= listed


def test_the_port_and_the_address_reach_the_launcher(clone):
    recipe = make(clone, "--dry-run", "lab", "PORT=8890", "IP=0.0.0.0").stdout
    assert '-m diffedu lab --port "8890" --ip "0.0.0.0"' in recipe


def test_pythons_that_are_all_too_old_are_one_line(clone, programs):
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        write_program(programs / name, OLD_PYTHON)
    done = make(clone, "lab", first=programs)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "diffedu needs Python 3.11 or newer; `python3` is 3.9.2. "
        "Install a newer one or say: make lab PYTHON=/path/to/python3.12"
    )
    assert not (clone / ".venv").exists()


def test_a_python_that_was_asked_for_is_the_only_one_tried(clone, programs):
    old = programs / "my_python"
    write_program(old, OLD_PYTHON)
    done = make(clone, "lab", f"PYTHON={old}")
    assert f"`{old}` is 3.9.2." in done.stderr.splitlines()[0]
    done = make(clone, "lab", "PYTHON=no_such_python")
    assert "`no_such_python` was not found." in done.stderr.splitlines()[0]
    assert not (clone / ".venv").exists()


def test_a_python_without_venv_is_one_line(clone, programs):
    no_venv = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; *) echo 3.11.2 ;; esac\n'
    write_program(programs / "my_python", no_venv)
    done = make(clone, "lab", f"PYTHON={programs / 'my_python'}")
    assert done.stderr.splitlines()[0].endswith("On Debian or Ubuntu: apt install python3-venv")
    assert not (clone / ".venv").exists()


def test_pip_runs_once_until_something_changes(clone):
    write_program(clone / ".venv/bin/python", FAKE_VENV_PYTHON)
    for _ in range(2):
        assert make(clone, "install").returncode == 0
        assert len(pip_calls(clone)) == 1
    with (clone / "pyproject.toml").open("a") as file:
        file.write("# another line\n")
    make(clone, "install")
    assert len(pip_calls(clone)) == 2
    moved = clone.rename(clone.parent / "moved clone")
    make(moved, "install")
    assert len(pip_calls(moved)) == 3


def test_the_tools_of_the_developers_are_an_addition(clone):
    write_program(clone / ".venv/bin/python", FAKE_VENV_PYTHON)
    make(clone, "install")
    make(clone, "format")
    assert [call.split()[-1] for call in pip_calls(clone)] == [".", ".[dev]"]
    make(clone, "install")
    assert len(pip_calls(clone)) == 2


def test_the_small_torch_comes_from_its_own_index_and_nothing_else_does(clone):
    write_program(clone / ".venv/bin/python", FAKE_VENV_PYTHON)
    make(clone, "install", "CPU=1")
    first, second = pip_calls(clone)
    assert "--extra-index-url https://download.pytorch.org/whl/cpu torch==" in first
    assert "index" not in second


def test_a_failed_install_is_not_taken_for_complete(clone):
    write_program(clone / ".venv/bin/python", FAKE_VENV_PYTHON)
    make(clone, "install")
    with (clone / "pyproject.toml").open("a") as file:
        file.write("# another line\n")
    done = make(clone, "install", PIP_STATUS="1")
    assert done.returncode != 0
    assert done.stderr.startswith("Could not install the packages with Python 3.11.7:")
    make(clone, "install")
    assert len(pip_calls(clone)) == 3


@pytest.mark.slow
def test_without_a_network_one_line_says_so_each_time(clone, programs):
    write_program(programs / "python3", OLD_PYTHON)  # and the next name is tried
    write_program(programs / "python3.13", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for _ in range(2):
        done = make(clone, "lab", first=programs, **OFFLINE)
        assert done.returncode != 0
        assert done.stderr.splitlines()[0] == (
            "Could not install the packages: is this machine online? "
            "The first install needs the network; the full pip log is in .venv/install.log"
        )
        assert "Starting JupyterLab" not in done.stdout
        assert (clone / ".venv/install.log").exists()
    assert "Making .venv" not in done.stdout  # the empty .venv was good enough to go on with
