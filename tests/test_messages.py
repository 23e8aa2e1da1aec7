"""What the exercises say, word for word, is stored; a change of wording is a decision."""

import pytest

from diffedu.classroom.checks.course import EXERCISES
from golden_messages import messages, same_text, stored

pytestmark = pytest.mark.usefixtures("own_record")


# one exercise of each notebook; the slow tests take the others
QUICK = [next(e for e in EXERCISES if e.notebook == number) for number in range(1, 6)]
ALL = [pytest.param(e, marks=[] if e in QUICK else pytest.mark.slow) for e in EXERCISES]


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)
def test_the_messages_are_the_stored_ones(exercise):
    now = messages(exercise)
    assert same_text(now, stored()[exercise.name]), now


def test_no_message_is_stored_for_an_exercise_that_is_gone():
    assert list(stored()) == [exercise.name for exercise in EXERCISES]


def test_texts_are_the_same_up_to_the_last_digit_shown():
    assert same_text("off by 0.21 at t = 7", "off by 0.22 at t = 7")
    assert not same_text("off by 0.21", "off by 0.31")
    assert not same_text("off by 0.21", "away by 0.21")
    assert not same_text("see (2.7)", "see (2.8)")
