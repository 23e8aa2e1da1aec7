"""Replay many planted faults quickly: import the heavy libraries once, fork one pytest per fault.

    python tests/fault_server.py < jobs.json

reads {"typecheck": "diffedu,beartype.beartype", "faults": {NAME: [TEST, ...]}} and writes a line
of JSON per fault: {"name", "code", "seconds", "output"}. A negative code is a signal that ended it.
One more run, named "no fault", shows which of the test files are red anyway.
"""

import ast
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).parent.parent
NO_FAULT = "no fault"
TIME_LIMIT = 120  # seconds for one fault: an endless loop must not hang the others
OPTIONS = [
    *("-q", "--tb=short"),
    "--jaxtyping-packages=",  # the warm-up has the package checked; the hook cannot come twice
    *("-p", "no:unraisableexception"),  # half a second of garbage collection at the end
    # The plugins are imported already, too late for pytest to rewrite their asserts: no matter.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
]


def main() -> None:
    jobs = json.load(sys.stdin)
    warm_up(jobs)
    running = {}
    files = sorted({test.split("::")[0] for tests in jobs["faults"].values() for test in tests})
    for name in [NO_FAULT, *jobs["faults"]]:
        if len(running) == (os.cpu_count() or 1):
            report_one(running)
        log = tempfile.TemporaryFile()  # noqa: SIM115 (read when the child has ended)
        pid = os.fork()
        if pid == 0:
            run(["--tb=no", *files] if name == NO_FAULT else ["--fault", name], log)
        running[pid] = (name, log, time.monotonic())
    while running:
        report_one(running)


def warm_up(jobs: dict) -> None:
    """Import what the test files import, and the package with its shapes checked, once for all."""
    os.environ["OMP_NUM_THREADS"] = "1"  # one process per core; and a thread pool dies in a fork
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    if jobs["typecheck"]:
        from jaxtyping import install_import_hook

        install_import_hook(*jobs["typecheck"].split(",", maxsplit=1))
    files = {test.split("::")[0] for tests in jobs["faults"].values() for test in tests}
    with warnings.catch_warnings(action="ignore"):
        for plugin in entry_points(group="pytest11"):
            plugin.load()
        for file in sorted(files):
            import_what_it_imports(ROOT / file)
        import hypothesis  # noqa: F401 (every run sets its profile)

        import faults  # noqa: F401
        from planting import modules_of

        modules_of("diffedu")
    import torch

    torch.set_num_threads(1)
    torch.testing.assert_close(torch.ones(1), torch.ones(1))  # its first call imports for a second


def import_what_it_imports(file: Path) -> None:
    """Import the libraries of a test file and of its helpers; those themselves are pytest's."""
    for node in ast.parse(file.read_text()).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        from_ = isinstance(node, ast.ImportFrom)
        for name in [node.module] if from_ else [alias.name for alias in node.names]:
            helper = ROOT / "tests" / f"{name}.py"
            if helper.exists():
                import_what_it_imports(helper)
                continue
            library = importlib.import_module(name)
            for alias in node.names if from_ else ():
                getattr(library, alias.name, None)  # a lazy library imports at this moment


def run(arguments: list[str], log) -> None:
    """In the child: run the tests that should notice, and leave with pytest's exit code."""
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    if "--fault" in arguments:
        signal.alarm(TIME_LIMIT)
    import pytest

    code = 3
    try:
        code = pytest.main([*OPTIONS, *arguments])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def report_one(running: dict) -> None:
    """Wait for any child to end and print its line."""
    pid, status = os.wait()
    name, log, start = running.pop(pid)
    log.seek(0)
    output = log.read().decode(errors="replace")
    seconds = round(time.monotonic() - start, 2)
    code = os.waitstatus_to_exitcode(status)
    line = {"name": name, "code": code, "seconds": seconds, "output": output}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
