"""The exercises where they stand: a teacher's copy passes, a wrong one shows every diagnosis.

The student's copy, with untouched stubs, is what `make test` runs.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from diffedu.classroom.checks.course import EXERCISES, Check
from diffedu.classroom.checks.exercise import Prediction
from diffedu.classroom.checks.judge import judge
from diffedu.classroom.checks.record import Record
from filled_notebooks import exercise_cells, filled, mistake, solution
from golden_messages import same_text
from test_layout import NOTEBOOKS

pytestmark = pytest.mark.usefixtures("own_record")

ROOT = Path(__file__).parent.parent
WITH_EXERCISES = {name: nb for name, nb in NOTEBOOKS.items() if exercise_cells(nb)}
CELLS = [(name, *found) for name, nb in NOTEBOOKS.items() for found in exercise_cells(nb)]
by_cell = pytest.mark.parametrize("cell", CELLS, ids=[found[1].name for found in CELLS])
by_notebook = pytest.mark.parametrize("name", WITH_EXERCISES)


def test_every_exercise_stands_in_its_notebook_once_in_the_order_of_the_list():
    found = [(exercise.name, int(name[:2])) for name, exercise, _, _ in CELLS]
    assert found == [(e.name, e.notebook) for e in EXERCISES]


@by_cell
def test_the_name_of_a_stub_means_nothing_else_in_its_notebook(cell):
    name, _, attempt, _ = cell
    texts = ["".join(c["source"]) for c in NOTEBOOKS[name]["cells"] if c["cell_type"] == "code"]
    bound = [found for text in texts for found in _bound_names(text)]
    assert bound.count(attempt) == 1, f"{attempt} is given another meaning in {name}"


def _bound_names(source: str) -> list[str]:
    """Names that a cell defines, assigns or imports, wherever."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append(node.id)
        elif isinstance(node, ast.alias):
            found.append(node.asname or node.name)
    return found


@by_cell
def test_the_stub_as_it_stands_is_not_attempted(cell):
    name, exercise, attempt, found = cell
    space = {}
    for other in NOTEBOOKS[name]["cells"]:
        if other is found:
            break
        _run_imports("".join(other["source"]), other, space)
    source = "".join(found["source"]).split("\ncheck.")[0]
    exec(compile(source, "<cell>", "exec"), space)
    result = Check(exercise, Record())(space[attempt])
    assert result.card.kind == "not attempted", result
    if exercise.bug:
        assert result.misconception == exercise.bug
    elif not isinstance(exercise, Prediction):
        arguments = space[attempt].__code__.co_varnames[: space[attempt].__code__.co_argcount]
        assert arguments == exercise.arguments


def _run_imports(source: str, cell: dict, space: dict) -> None:
    if cell["cell_type"] == "code":
        body = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(body, type_ignores=[]), "<imports>", "exec"), space)


ONE_FAST = [
    pytest.param(name, marks=[] if name.startswith("02") else pytest.mark.slow)
    for name in WITH_EXERCISES
]


@pytest.mark.parametrize("name", ONE_FAST)
def test_a_copy_with_wrong_answers_shows_every_diagnosis(name, tmp_path, monkeypatch):
    """Only the cells with exercises run: they need nothing from the others but `check`."""
    notebook = filled(WITH_EXERCISES[name], mistake, must_pass=False)
    kept = [cell for _, _, cell in exercise_cells(notebook)]
    head = "import torch\nfrom diffedu.classroom.checks import check"
    cells = [nbformat.v4.new_code_cell(head)]
    cells += [nbformat.v4.new_code_cell("".join(cell["source"])) for cell in kept]
    small = nbformat.v4.new_notebook(cells=cells)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    _client(small, tmp_path).execute()
    for cell, (exercise, _, _) in zip(small.cells[1:], exercise_cells(notebook), strict=True):
        shown = [out["data"] for out in cell.outputs if "data" in out]
        wrong = exercise.misconceptions[0]
        call = wrong.wrong() if isinstance(exercise, Prediction) else wrong.wrong
        expected = str(Check(exercise, Record())(call))
        assert same_text(shown[-1]["text/plain"], expected)
        assert "<div" in shown[-1]["text/html"]


def _client(notebook, folder: Path) -> NotebookClient:
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    manager = client.create_kernel_manager()
    manager.kernel_spec.argv = [
        sys.executable,
        *manager.kernel_spec.argv[1:],
        "--log-level=ERROR",
    ]
    return client


@pytest.mark.slow
@by_notebook
def test_a_teachers_copy_passes_from_top_to_bottom(name, tmp_path):
    notebook = filled(WITH_EXERCISES[name], solution, must_pass=True)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / name).write_text(json.dumps(notebook))
    (tmp_path / "data").symlink_to(ROOT / "data")
    options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "filterwarnings="]
    options += ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "120"]
    options += ["--nbval-sanitize-with", str(ROOT / "tests" / "sanitize.cfg"), "--rootdir", "."]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder / name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-4000:]


def test_a_prediction_is_right_with_its_own_truth():
    for exercise in EXERCISES:
        if isinstance(exercise, Prediction):
            assert judge(exercise, exercise.reference()).status == "passed"
