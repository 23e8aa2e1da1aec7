"""The pytest plugin behind `--fault NAME`: plant, run what should notice, say who noticed."""

import traceback

import pytest

from planting import Fault, plant

# Exit codes of a run with a fault. pytest itself uses 0 to 5; RED, "tests failed", is the good one.
RED = 1
IDENTITY_UNNOTICED = 10
FAULT_CRASHED = 11

# What a typing mistake in the fault raises. Other errors may be what a wrong result leads to.
MISTAKES = (NameError, AttributeError, TypeError, ImportError)


def labels_of(item: pytest.Item) -> set[str]:
    """The equations a test claims with `@pytest.mark.identity("2.7")`."""
    return {label for marker in item.iter_markers("identity") for label in marker.args}


class FaultRun:
    """A run that stops as soon as the fault has been noticed.

    Noticed: a test failed and, for each identity the fault names, a test that claims it did.
    """

    def __init__(self, fault: Fault):
        self.fault = fault
        self.unnoticed = set(fault.identities)
        self.crash = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session):
        _do_not_shrink()
        plant(self.fault.target, self.fault.replacement)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        wanted = [item for item in items if self._wants(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
        items[:] = wanted

    def _wants(self, item: pytest.Item) -> bool:
        """No browser, slow tests only by name; with identities, only the tests that claim them."""
        named = any("::" in test and item.nodeid.startswith(test) for test in self.fault.tests)
        slow = item.get_closest_marker("slow") and not named
        claims = not self.fault.identities or labels_of(item) & set(self.fault.identities)
        return bool(claims and not slow and not item.get_closest_marker("browser"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.failed:
            self.unnoticed -= labels_of(item)
            if _raised_in_a_fault(call.excinfo):
                self.crash = f"the fault itself crashed: {call.excinfo.exconly()}"
            if self.crash or not self.unnoticed:
                item.session.shouldfail = self.crash or "noticed"
        return report

    def pytest_sessionfinish(self, session, exitstatus):
        if exitstatus == RED and self.crash:
            session.exitstatus = FAULT_CRASHED
        elif exitstatus == RED and self.unnoticed:
            session.exitstatus = IDENTITY_UNNOTICED

    def pytest_terminal_summary(self, terminalreporter):
        for label in sorted(self.unnoticed):
            terminalreporter.write_line(f"no failing test claims ({label})")


def _raised_in_a_fault(excinfo: pytest.ExceptionInfo) -> bool:
    last = traceback.extract_tb(excinfo.tb)[-1]
    return isinstance(excinfo.value, MISTAKES) and "faults" in last.filename.rpartition("/")[2]


def _do_not_shrink() -> None:
    """One failing example is enough: looking for the smallest takes most of the time."""
    from hypothesis import Phase, settings

    settings.register_profile("fault", phases=(Phase.explicit, Phase.generate), database=None)
    settings.load_profile("fault")
