"""Every wrong argument gets its complete message, and it is ours, with no shape checker to help."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bad_input_more
from bad_input import CASES
from diffedu.diffusion import decoder, exact, gaussian, losses, samplers, schedules

ROOT = Path(__file__).parent.parent
MODULES = (schedules, decoder, gaussian, losses, samplers, exact, *bad_input_more.MODULES)
# Two take a Schedule alone; the third takes functions, and looks at nothing else.
NOTHING_TO_CHECK = {"fixed_small", "fixed_large", "chain_moments"}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    """What each expression raised in a plain Python process."""
    finished = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "bad_input.py")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    expressions = [expression for expression, _ in CASES]
    return dict(zip(expressions, json.loads(finished.stdout), strict=True))


@pytest.mark.parametrize(("expression", "message"), CASES, ids=[case[0] for case in CASES])
def test_the_message_names_the_argument_what_was_expected_and_what_came(
    outcomes, expression, message
):
    assert outcomes[expression] == f"ValueError: {message}"


def test_no_case_is_there_twice():
    assert len({expression for expression, _ in CASES}) == len(CASES)


def test_every_public_function_is_given_something_wrong():
    """`normal` is what the table calls exact.gaussian."""
    called = set(re.findall(r"\w+(?=\()", " ".join(expression for expression, _ in CASES)))
    called = {"gaussian" if name == "normal" else name for name in called}
    public = {
        name
        for module in MODULES
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_"
    }
    assert public - called == NOTHING_TO_CHECK
