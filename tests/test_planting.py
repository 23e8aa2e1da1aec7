"""The machinery of the planted faults, tried on a toy package."""

import functools
import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fault_run import FAULT_CRASHED, IDENTITY_UNNOTICED, RED
from planting import Fault, _exchange, locate

HERE = Path(__file__).parent


def test_the_faulty_function_replaces_the_right_one_wherever_it_is_held():
    def right(x):
        return x

    def with_default(x, f=right):
        return f(x)

    def closure(x):
        return right(x)

    table, row, thing = {"right": right}, [right], SimpleNamespace(f=right)
    nested = {"pair": (1, (right, 2))}
    _exchange(gc.get_referrers(right), right, lambda x: -x)
    functions = (with_default, closure, table["right"], row[0], thing.f, nested["pair"][1][0])
    assert [f(3) for f in functions] == [-3] * 6


def test_a_target_may_be_a_function_a_method_or_a_property():
    assert locate("pathlib.Path.exists") == (Path, "exists")
    assert locate("os.path.join")[1] == "join"
    with pytest.raises(AttributeError, match="no_such_thing"):
        locate("pathlib.Path.no_such_thing")
    with pytest.raises(ModuleNotFoundError, match=r"os\.no_such_module"):
        locate("os.no_such_module.f")


def test_a_fault_says_what_is_wrong_with_its_own_description():
    make = functools.partial(Fault, "name", "diffedu.f", lambda original: original)
    with pytest.raises(TypeError, match=r"tests: expected a tuple of strings, got 'test_a\.py'"):
        make("test_a.py")
    with pytest.raises(ValueError, match="tests: expected at least one, got none"):
        make(())


TOY = {
    "diffedu/__init__.py": "",
    "diffedu/toy.py": """
        class Box:
            @classmethod
            def of(cls, x):
                return [x]
        def double(x):
            return 2 * x
        TABLE = {"double": double}""",
    "diffedu/user.py": """
        from diffedu.toy import double
        def quadruple(x):
            return double(double(x))""",
    "tests/test_toy.py": """
        import pytest
        from diffedu.toy import TABLE, Box
        from diffedu.user import quadruple
        @pytest.mark.identity("1.1")
        def test_quadruple():
            assert quadruple(3) == 12
        @pytest.mark.identity("1.2")
        def test_always_green():
            assert quadruple(0) == 0
        @pytest.mark.slow
        def test_slow():
            assert TABLE["double"](2) == 4
        def test_box():
            assert Box.of(1) == [1]""",
    "tests/faults.py": """
        from planting import Fault
        FILE = ("tests/test_toy.py",)
        SLOW = ("tests/test_toy.py::test_slow",)
        def triple(original):
            return lambda x: 3 * x
        FAULTS = (
            Fault("noticed", "diffedu.toy.double", triple, FILE, ("1.1",)),
            Fault("in a method", "diffedu.toy.Box.of", lambda of: lambda cls, x: [-x], FILE),
            Fault("by another test", "diffedu.toy.double", triple, FILE, ("1.1", "1.2")),
            Fault("unnoticed", "diffedu.toy.double", lambda double: lambda x: double(x), FILE),
            Fault("mistyped", "diffedu.toy.double", lambda double: lambda x: duoble(x), FILE),
            Fault("slow and named", "diffedu.toy.double", triple, SLOW),
        )""",
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    """A package of three lines with its own faults, and our machinery."""
    folder = tmp_path_factory.mktemp("toy")
    for name, text in TOY.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.replace("\n        ", "\n"))
    for name in ("conftest.py", "fault_run.py", "planting.py"):
        shutil.copy(HERE / name, folder / "tests")
    return folder


@pytest.mark.parametrize(
    "name, code, said",
    [
        ("noticed", RED, "1 failed"),
        ("in a method", RED, "assert [-1] == [1]"),
        ("by another test", IDENTITY_UNNOTICED, "no failing test claims (1.2)"),
        ("unnoticed", 0, "3 passed"),
        ("mistyped", FAULT_CRASHED, "the fault itself crashed: NameError"),
        ("slow and named", RED, "1 failed"),
    ],
)
def test_a_run_with_a_fault_tells_how_it_ended(toy, name, code, said):
    options = ["-p", "no:cacheprovider", "-W", "ignore", "--fault", name]
    command = [sys.executable, "-m", "pytest", *options]
    quick = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(command, cwd=toy, env=quick, capture_output=True, text=True)
    assert (run.returncode, said in run.stdout) == (code, True), run.stdout + run.stderr
