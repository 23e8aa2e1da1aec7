"""Each exercise: the right pass, the wrong are named, no two wrong ones are alike."""

import dataclasses
import itertools
import re
import time
from collections import Counter

import pytest
import torch

from diffedu.classroom.checks.compare import same_outcome
from diffedu.classroom.checks.consequence import consequence_of
from diffedu.classroom.checks.course import EXERCISES, Check
from diffedu.classroom.checks.exercise import Exercise, Prediction
from diffedu.classroom.checks.judge import judge, known_run, run
from diffedu.classroom.checks.record import Record
from label_rules import labels_in
from right_answers import RIGHT
from test_layout import NOTEBOOKS, ROOT

pytestmark = pytest.mark.usefixtures("own_record")

SECONDS = 1.0  # a learner waits no longer
by_name = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
WRONG = [(e, wrong) for e in EXERCISES for wrong in e.misconceptions]
TOGETHER = [(e, both) for e in EXERCISES for both in e.together]
ANSWERS = [(e, answer) for e in EXERCISES for answer in RIGHT.get(e.name, ())]
LABELS = {label for notebook in NOTEBOOKS.values() for label in labels_in(notebook)}


def attempt_of(exercise: Exercise, function):
    """A prediction is handed over as the value."""
    return function() if isinstance(exercise, Prediction) else function


def answer_id(pair) -> str:
    exercise, answer = pair
    return f"{exercise.name}-{getattr(answer, '__name__', answer)}"


@by_name
def test_the_reference_passes(exercise):
    verdict = judge(exercise, attempt_of(exercise, exercise.reference))
    assert verdict.status == "passed", verdict.words


@pytest.mark.parametrize("pair", ANSWERS, ids=map(answer_id, ANSWERS))
def test_a_right_answer_written_differently_passes(pair):
    exercise, answer = pair
    verdict = judge(exercise, answer)
    assert verdict.status == "passed", verdict.words


@by_name
def test_there_are_three_right_answers(exercise):
    assert len(RIGHT.get(exercise.name, ())) >= 3


@pytest.mark.parametrize("pair", WRONG, ids=[f"{e.name}-{w.name}" for e, w in WRONG])
def test_a_misconception_is_recognised_under_its_own_name(pair):
    exercise, wrong = pair
    result = Check(exercise, Record())(attempt_of(exercise, wrong.wrong))
    assert (result.passed, result.misconception) == (False, wrong.name)
    if exercise.bug != wrong.name:
        assert wrong.diagnosis in result.message


@pytest.mark.parametrize("pair", TOGETHER, ids=[f"{e.name}-{b.first}" for e, b in TOGETHER])
def test_two_misconceptions_at_once_are_both_named(pair):
    exercise, both = pair
    result = Check(exercise, Record())(both.wrong)
    assert result.misconception == f"{both.first} and {both.second}"
    for name in (both.first, both.second):
        assert exercise.named(name).diagnosis in result.message


@by_name
def test_no_two_wrong_answers_behave_alike(exercise):
    everyone = [(w.name, w.wrong) for w in exercise.misconceptions]
    everyone += [(f"{b.first} and {b.second}", b.wrong) for b in exercise.together]
    runs = {name: run(exercise, wrong).outcomes for name, wrong in everyone}
    assert len(runs) == len(everyone), "two entries have one name"
    for (one, mine), (other, theirs) in itertools.combinations(runs.items(), 2):
        alike = all(
            same_outcome(a, b, exercise.tolerance) for a, b in zip(mine, theirs, strict=True)
        )
        assert not alike, f"{one} and {other} cannot be told apart"


def untouched():
    def dots(*arguments): ...

    def only_pass(*arguments):
        """What is asked for."""

    def raises(*arguments):
        raise NotImplementedError

    def returns_dots(*arguments):
        return ...

    return dots, only_pass, raises, returns_dots


@by_name
def test_an_untouched_stub_is_not_attempted(exercise):
    stubs = (..., None) if isinstance(exercise, Prediction) else untouched()
    for stub in stubs:
        result = Check(exercise, Record())(stub)
        assert not result.passed
        assert result.card.kind == "not attempted", result


@pytest.mark.slow
@by_name
def test_a_check_takes_less_than_a_second(exercise):
    slowest = 0.0
    for function in (exercise.reference, *(w.wrong for w in exercise.misconceptions)):
        judge(exercise, attempt_of(exercise, function))
        known_run.cache_clear()  # as at a learner's first call
        start = time.process_time()
        judge(exercise, attempt_of(exercise, function))
        slowest = max(slowest, time.process_time() - start)
    assert slowest < SECONDS


@by_name
def test_what_is_said_is_complete(exercise):
    assert exercise.label in LABELS
    assert 1 <= len(exercise.hints) <= 3
    assert exercise.statement.startswith(f"{exercise.name}")
    assert len(exercise.misconceptions) >= 4
    for text in (exercise.tested, *exercise.hints, exercise.statement):
        assert text[-1] in ".?", text
    for wrong in exercise.misconceptions:
        assert wrong.label in LABELS, wrong.name
        assert wrong.diagnosis[-1] in ".?", wrong.name
        assert len(wrong.diagnosis) <= 170, wrong.name


@pytest.mark.slow  # the exact chain has 1000 steps
@by_name
def test_every_consequence_is_a_sentence_with_a_number(exercise):
    if isinstance(exercise, Prediction):
        return
    check = Check(exercise, Record())
    for wrong in exercise.misconceptions:
        text = str(check.explain(wrong.name))
        assert wrong.diagnosis in text
        rest = text.split(wrong.diagnosis)[1]
        assert any(letter.isdigit() for letter in rest), rest


@pytest.mark.slow
@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.consequence], ids=lambda e: e.name)
def test_an_own_consequence_says_something_of_its_own(exercise):
    """Where it raises, a generic sentence stands in: that must not hide a mistake of ours."""
    generic = dataclasses.replace(exercise, consequence=None)
    said = [consequence_of(exercise, wrong.wrong) for wrong in exercise.misconceptions]
    plain = [consequence_of(generic, wrong.wrong) for wrong in exercise.misconceptions]
    own = sum(one != other for one, other in zip(said, plain, strict=True))
    assert own >= 0.5 * len(said)


@by_name
def test_inputs_are_made_anew_and_alike_each_time(exercise):
    first, second = (exercise.cases(torch.Generator().manual_seed(0)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert list(one) == list(other)
        for name, value in one.items():
            if isinstance(value, torch.Tensor):
                assert value is not other[name]
                torch.testing.assert_close(value, other[name], rtol=0, atol=0)


def test_the_readme_counts_right():
    text = (ROOT / "README.md").read_text()
    count, mistakes = map(int, re.search(r"(\d+) exercises know more than (\d+)", text).groups())
    assert count == len(EXERCISES)
    assert mistakes < len(WRONG) < mistakes + 50


def test_there_are_enough_of_each_kind():
    notebooks = Counter(exercise.notebook for exercise in EXERCISES)
    assert set(notebooks) == set(range(1, 11))
    assert min(notebooks.values()) >= 6
    assert len(WRONG) >= 4 * len(EXERCISES)
    assert {e.notebook for e in EXERCISES if isinstance(e, Prediction)} == set(notebooks)
    assert {e.notebook for e in EXERCISES if e.bug} == set(notebooks)
    assert len({exercise.name for exercise in EXERCISES}) == len(EXERCISES)
