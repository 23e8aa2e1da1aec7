"""Shared set-up of the tests: `pytest --fault NAME` plants a fault (see faults.py)."""

from pathlib import Path

import pytest
import torch

# The tests' tensors are small: a second thread costs more than it does.
torch.set_num_threads(1)


@pytest.fixture
def own_record(tmp_path, monkeypatch):
    """The list of exercises done lies in a folder of the test's own, and not in the reader's."""
    monkeypatch.setenv("DIFFEDU_PROGRESS", str(tmp_path / "progress.jsonl"))


def pytest_addoption(parser):
    explained = "plant the fault NAME of tests/faults.py and run the tests that should notice it"
    parser.addoption("--fault", metavar="NAME", help=explained)


def pytest_configure(config):
    name = config.getoption("--fault")
    if name is None:
        return
    # Imported only here, so that an ordinary run does not pay for it.
    from fault_run import FaultRun
    from faults import FAULTS

    known = {fault.name: fault for fault in FAULTS}
    if name not in known:
        raise pytest.UsageError(f"--fault: expected one of {sorted(known)}, got {name!r}")
    config.pluginmanager.register(FaultRun(known[name]))
    config.option.markexpr = ""  # FaultRun chooses; see there for the slow tests
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        root = Path(__file__).parent.parent
        config.args = [str(root / test) for test in known[name].tests]
