"""Run notebooks from top to bottom in a fresh kernel each and store their outputs.

    python tools/execute_notebooks.py            all of them
    python tools/execute_notebooks.py 01 05      those with these numbers
    python tools/execute_notebooks.py --check    only tell the seconds, write nothing

If any notebook fails, none is written. An exception inside a widget's callback counts as a failure,
though Jupyter shows it only inside the widget; so let a cell move every control.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
CELL_TIMEOUT = 300  # seconds; only a cell that hangs takes so long
KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET_MIMES = (
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.jupyter.widget-state+json",
)


class Client(NotebookClient):
    """Notes every error message of the kernel.

    A widget's callback that raises sends one to the widget's own output. nbclient leaves it there,
    and the next move of the control clears it.
    """

    def __init__(self, nb: nbformat.NotebookNode):
        super().__init__(
            nb,
            kernel_name="python3",
            timeout=CELL_TIMEOUT,
            record_timing=False,
            resources={"metadata": {"path": str(NOTEBOOKS)}},
        )
        self.errors: list[str] = []

    def create_kernel_manager(self):
        """The interpreter that runs this file, whatever kernels are installed on the machine."""
        manager = super().create_kernel_manager()
        spec = manager.kernel_spec
        # ERROR: ipykernel warns about every kernel that talks over TCP, as this one does locally
        spec.argv = [sys.executable, *spec.argv[1:], "--log-level=ERROR"]
        return manager

    def process_message(self, msg: dict, cell: dict, cell_index: int):
        if msg["msg_type"] == "error":
            words = f"{msg['content']['ename']}: {msg['content']['evalue']}"
            self.errors.append(f"cell {cell_index}: {words.splitlines()[0]}")
        return super().process_message(msg, cell, cell_index)


def main() -> int:
    """Run what is asked for; the exit code is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", metavar="NN", help="numbers of notebooks, as in 01")
    parser.add_argument("--check", action="store_true", help="run, tell the seconds, write nothing")
    options = parser.parse_args()
    prepare_environment()
    done, failures = {}, []
    for path in chosen(options.numbers):
        start = time.monotonic()
        notebook = read(path)
        errors = execute(notebook)
        print(f"{path.name}: {time.monotonic() - start:.1f} s", flush=True)
        failures += [f"{path.name}: {error}" for error in errors]
        done[path] = notebook
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    if not failures and not options.check:
        for path, notebook in done.items():
            nbformat.write(normalise(notebook), path)
    return 1 if failures else 0


def chosen(numbers: list[str]) -> list[Path]:
    """The notebooks with these numbers, or all; a number that does not exist ends the program."""
    every = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    wanted = {f"{int(n):02d}" if n.isdigit() else n for n in numbers}
    if missing := wanted - {path.name[:2] for path in every}:
        sys.exit(f"no notebook with the number {', '.join(sorted(missing))}")
    return [path for path in every if not wanted or path.name[:2] in wanted]


def prepare_environment() -> None:
    """The kernel uses this checkout, and nobody's IPython settings or list of exercises done."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="ipython")
    os.environ["DIFFEDU_PROGRESS"] = str(Path(tempfile.mkdtemp(prefix="diffedu")) / "progress")


def read(path: Path) -> nbformat.NotebookNode:
    """Read without validation: ids that are missing or double are mended here, not by chance."""
    notebook = nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen = set()
    for position, cell in enumerate(notebook.cells):
        cell.source = "".join(cell.source)
        if cell.get("id", "") in seen | {""}:
            cell.id = hashlib.sha256(f"{position} {cell.source}".encode()).hexdigest()[:8]
        seen.add(cell.id)
    return notebook


def execute(notebook: nbformat.NotebookNode) -> list[str]:
    """Fill in the outputs; return what went wrong."""
    client = Client(notebook)
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        if not client.errors:  # an error in a cell has been noted with its cell
            client.errors.append(str(error).splitlines()[0])
    return client.errors


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave only what belongs in the repository: the same run gives the same file."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.kernelspec = nbformat.from_dict(KERNELSPEC)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.source = tidy(cell.source, hard_breaks=cell.cell_type == "markdown")
        if cell.cell_type == "code":
            cell.outputs = merged([out for out in cell.outputs if not shows_a_widget(out)])
    return notebook


def tidy(text: str, hard_breaks: bool = False) -> str:
    """No spaces at the ends of lines, except the two that break a line in markdown."""
    lines = [
        line.rstrip() + "  " * (hard_breaks and bool(re.search(r"\S {2,}$", line)))
        for line in text.split("\n")
    ]
    return "\n".join(lines).strip("\n").rstrip()


def shows_a_widget(output: dict) -> bool:
    """Without its kernel a widget is an error message; the static figure above it stands in."""
    return any(mime in output.get("data", {}) for mime in WIDGET_MIMES)


def merged(outputs: list[dict]) -> list[dict]:
    """Neighbouring pieces of one stream in one output: where a stream is cut is chance."""
    result = []
    for output in outputs:
        last = result[-1] if result else {}
        if output.output_type == "stream" and output.name == last.get("name"):
            last.text += output.text
        else:
            result.append(output)
    for output in result:
        if output.output_type == "stream":
            output.text = "\n".join(line.rstrip() for line in output.text.split("\n"))
    return result


if __name__ == "__main__":
    sys.exit(main())
