"""Whatever a learner hands over: a friendly verdict, and no traceback of ours."""

import re

import pytest
import torch

from diffedu.classroom.checks import attempt as attempt_room
from diffedu.classroom.checks import judge as judge_room
from diffedu.classroom.checks.course import EXERCISES, Check
from diffedu.classroom.checks.exercise import Prediction
from diffedu.classroom.checks.record import Record
from garbage import ATTEMPTS, RETURNS, VALUES

pytestmark = pytest.mark.usefixtures("own_record")

FUNCTIONS = [e for e in EXERCISES if not isinstance(e, Prediction)]
PREDICTIONS = [e for e in EXERCISES if isinstance(e, Prediction)]
OURS = re.compile(r"Traceback|jaxtyping|beartype|diffedu/classroom")


def verdict_of(exercise, attempt) -> str:
    """The card as text, after looking at what every card must hold."""
    result = Check(exercise, Record())(attempt)
    text, page = str(result), result._repr_html_()
    assert text.startswith(f"{exercise.name}: ")
    assert len(text.splitlines()) >= 2
    assert not OURS.search(text)
    assert "<script" not in page
    assert len(text) < 900
    return text


def test_there_are_forty_kinds():
    assert len(ATTEMPTS) + len(RETURNS) >= 40


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.name)
def test_whatever_is_handed_over_is_answered(exercise):
    for attempt in ATTEMPTS:
        assert ": right" not in verdict_of(exercise, attempt)


# one exercise of each notebook; the slow tests take the others
QUICK = [next(e for e in FUNCTIONS if e.notebook == number) for number in range(1, 11)]
RETURNED = [pytest.param(e, marks=[] if e in QUICK else pytest.mark.slow) for e in FUNCTIONS]


@pytest.mark.parametrize("exercise", RETURNED, ids=lambda e: e.name)
def test_whatever_is_returned_is_answered(exercise):
    dtype = torch.get_default_dtype()
    for attempt in RETURNS:
        assert ": right" not in verdict_of(exercise, attempt)
        assert torch.get_default_dtype() == dtype


@pytest.mark.parametrize("exercise", PREDICTIONS, ids=lambda e: e.name)
def test_whatever_is_guessed_is_answered(exercise):
    for guess in (*ATTEMPTS, *VALUES):
        verdict_of(exercise, guess)


def test_an_endless_loop_is_stopped(monkeypatch):
    monkeypatch.setattr(judge_room, "SECONDS", 0.2)

    def endless(*arguments):
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    text = verdict_of(FUNCTIONS[0], lambda *a: endless(*a))
    assert "still running after 0.2 s" in text


def test_the_time_box_leaves_an_alarm_that_was_set_before():
    import signal

    if not hasattr(signal, "setitimer"):
        pytest.skip("no such alarm on this system")
    signal.setitimer(signal.ITIMER_REAL, 100)
    try:
        with attempt_room.time_box(1.0):
            pass
        left, _ = signal.getitimer(signal.ITIMER_REAL)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert 90 < left <= 100


def test_an_error_is_shown_short_and_at_the_learners_line():
    def attempt(*arguments):
        x = arguments[0]
        return x.sqroot()

    text = verdict_of(FUNCTIONS[0], attempt)
    assert "in line 3 of your function, `return x.sqroot()`, with AttributeError" in text
