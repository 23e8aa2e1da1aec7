"""The tool that runs the notebooks stores what obeys the rules, and nothing after a failure."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import notebook_rules

ROOT = Path(__file__).parent.parent
TOOL = ROOT / "tools" / "execute_notebooks.py"
IMPORTS = "import sys\nfrom ipywidgets import IntSlider, interact, interactive_output, Output"
RAISING = """def f(x):
    print(1 / x)
slider = IntSlider(1, 0, 2)
out = interactive_output(f, {"x": slider})
for x in (0, 2):
    slider.value = x
out"""
PRINTING = """print("a  ")
print("b", end="")
print("c")
print("warned", file=sys.stderr)
slider = IntSlider(1)
slider   """


def notebook(*sources: str) -> dict:
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "id": "same"}
        for source in sources
    ]
    prose = {"cell_type": "markdown", "metadata": {}, "source": "a  \nbreak \n \n"}
    cells = [{**cell, "execution_count": None} for cell in cells]
    return {"cells": [prose, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


@pytest.fixture
def run(tmp_path):
    """Store notebooks beside a copy of the tool and run it on them."""

    def run(*options: str, **notebooks: dict) -> subprocess.CompletedProcess:
        for folder in ("tools", "notebooks"):
            (tmp_path / folder).mkdir()
        shutil.copy(TOOL, tmp_path / "tools")
        for name, content in notebooks.items():
            path = tmp_path / "notebooks" / f"{name.lstrip('_')}.ipynb"
            path.write_text(json.dumps(content))
        command = [sys.executable, str(tmp_path / "tools" / TOOL.name), *options]
        return subprocess.run(command, capture_output=True, text=True)

    return run


def stored(tmp_path: Path, name: str) -> dict:
    return json.loads((tmp_path / "notebooks" / f"{name}.ipynb").read_text())


@pytest.mark.slow
def test_outputs_are_stored_and_tidied(run, tmp_path):
    done = run(_01_a=notebook(IMPORTS, PRINTING))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("01_a.ipynb: ")
    nb = stored(tmp_path, "01_a")
    for rule in (notebook_rules.execution_complaints, notebook_rules.widget_complaints):
        assert rule("01_a.ipynb", nb) == []
    prose, imports, printing = nb["cells"]
    assert "".join(prose["source"]) == "a  \nbreak"
    assert "".join(printing["source"]).endswith("\nslider")
    texts = [(out["name"], "".join(out["text"])) for out in printing["outputs"]]
    assert texts == [("stdout", "a\nbc\n"), ("stderr", "warned\n")]
    assert imports["id"] == "same"
    assert len({cell["id"] for cell in nb["cells"]}) == 3
    assert nb["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in nb["metadata"]["language_info"]
    again = (tmp_path / "notebooks" / "01_a.ipynb").read_bytes()
    command = [sys.executable, str(tmp_path / "tools" / TOOL.name)]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "notebooks" / "01_a.ipynb").read_bytes() == again


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0", "cell 2: ZeroDivisionError: division by zero"),
        (RAISING, "cell 2: ZeroDivisionError: division by zero"),
        ("import os\nos._exit(1)", "Kernel died"),
    ],
    ids=["in a cell", "in a widget", "of the kernel"],
)
def test_after_an_error_nothing_is_written(run, tmp_path, source, said):
    good = notebook("1")
    done = run(_01_a=good, _02_b=notebook(IMPORTS, source))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("FAILED 02_b.ipynb: ")
    assert said in done.stderr
    assert stored(tmp_path, "01_a") == good


@pytest.mark.slow
def test_check_runs_the_chosen_notebooks_and_writes_nothing(run, tmp_path):
    good = notebook("1")
    done = run("--check", "2", _01_a=notebook("1 / 0"), _02_b=good)
    assert done.returncode == 0
    assert done.stdout.startswith("02_b.ipynb: ")
    assert stored(tmp_path, "02_b") == good


def test_a_number_that_does_not_exist_is_refused(run):
    done = run("07", _01_a=notebook("1"))
    assert (done.returncode, done.stderr) == (1, "no notebook with the number 07\n")
