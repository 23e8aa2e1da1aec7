"""The tests are tested: planted faults turn them red, and nothing public is without a fault."""

import inspect
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fault_run import FAULT_CRASHED, IDENTITY_UNNOTICED, RED
from fault_server import NO_FAULT
from faults import FAULTS
from label_rules import claims_in
from planting import locate, modules_of

ROOT = Path(__file__).parent.parent
# every public function in these has a fault
COVERED = ("diffedu.diffusion", "diffedu.nets", "diffedu.data", "diffedu.train", "diffedu.recipes")
MEANING = {
    0: "no test noticed",
    IDENTITY_UNNOTICED: "no test that claims the identity noticed",
    FAULT_CRASHED: "the fault itself crashed",
    5: "none of its tests was collected",
    -14: "the run took too long and was stopped",
}


@pytest.fixture(scope="session")
def runs(request) -> dict:
    """Replay every selected fault, all cores busy, and say how each run ended."""
    asked = [item.callspec.params["fault"] for item in request.session.items if _replays(item)]
    jobs = {
        "typecheck": request.config.getoption("--jaxtyping-packages", None),
        "faults": {fault.name: fault.tests for fault in asked},
    }
    server = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "fault_server.py")],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
    )
    assert server.returncode == 0, server.stderr[-4000:]
    return {run["name"]: run for run in map(json.loads, server.stdout.splitlines())}


def _replays(item) -> bool:
    return "runs" in getattr(item, "fixturenames", ())


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="replaying needs os.fork")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_planted_fault_is_noticed(fault, runs):
    before = [line for line in runs[NO_FAULT]["output"].splitlines() if "tests/" in line]
    red = [line for line in before if any(test.split("::")[0] in line for test in fault.tests)]
    assert not red, "\n".join(["red without any fault:", *red])
    run = runs[fault.name]
    meaning = MEANING.get(run["code"], "the harness broke")
    assert run["code"] == RED, f"exit code {run['code']}: {meaning}\n{run['output'][-4000:]}"


def test_fault_names_are_unique():
    names = Counter(fault.name for fault in FAULTS)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_has_a_target_and_tests_that_exist(fault):
    locate(fault.target)
    files = {test.split("::")[0] for test in fault.tests}
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_every_public_function_has_a_fault():
    wanted = {name for package in COVERED for name in public_functions(package)}
    missing = sorted(wanted - {fault.target for fault in FAULTS})
    assert not missing, "\n".join(["no fault for", *missing])


def test_every_identity_claimed_by_a_test_has_a_fault():
    claimed = {
        label for file in ROOT.glob("tests/**/*.py") for label in claims_in(file.read_text())
    }
    missing = sorted(claimed - {label for fault in FAULTS for label in fault.identities})
    assert not missing, f"no fault for {missing}"


def public_functions(package: str) -> set[str]:
    """Dotted names of a package's functions and of its classes' methods and properties."""
    found = set()
    for module in modules_of(package):
        for name, value in _defined_in(module):
            if inspect.isfunction(value):
                found.add(f"{module.__name__}.{name}")
            elif inspect.isclass(value):
                found |= {f"{module.__name__}.{name}.{method}" for method in _public_methods(value)}
    return found


def _defined_in(module) -> list[tuple[str, object]]:
    return [
        (name, value)
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def _public_methods(cls: type) -> list[str]:
    kinds = (classmethod, staticmethod, property)
    return [
        name
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds))
    ]
