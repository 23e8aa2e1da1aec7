"""From an attempt to a verdict: run it beside the reference, and find out what it believes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from diffedu.classroom.checks import habits
from diffedu.classroom.checks.attempt import (
    SECONDS,
    OutOfTimeError,
    call,
    is_stub,
    mismatch,
    time_box,
)
from diffedu.classroom.checks.compare import agrees, same_outcome
from diffedu.classroom.checks.exercise import (
    Attempt,
    Both,
    Case,
    Exercise,
    Misconception,
    Prediction,
    Values,
)
from diffedu.classroom.checks.outcome import NOT_ATTEMPTED, Outcome, Problem, kind_of
from diffedu.classroom.checks.wording import by_a_factor, difference, inputs

SEED = 0  # of every input: the same attempt always gets the same verdict


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was found. `found` is the misconception, or the two of them."""

    status: str  # "not attempted", "passed" or "wrong"
    words: tuple[str, ...] = ()
    found: tuple[Misconception, ...] = ()
    called: bool = True
    yours: Values | None = None
    target: Values | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """One function on every input: the outcomes, and which argument it changed, if any."""

    cases: list[Case]
    outcomes: list[Outcome]
    changed: str


def judge(exercise: Exercise, attempt: Any) -> Verdict:
    """Say whether an attempt is right; if not, which misconception it shows or where it differs."""
    if isinstance(exercise, Prediction) and attempt is None:
        return Verdict("not attempted")
    if words := refusal(exercise, attempt):
        return Verdict("wrong", (words,), called=False)
    function = as_function(exercise, attempt)
    if is_stub(function):
        return Verdict("not attempted")
    try:
        with time_box(SECONDS), torch.random.fork_rng(devices=[]):
            return _tried(exercise, function)
    except OutOfTimeError:
        words = f"It was still running after {SECONDS:g} s."
        return Verdict("wrong", (f"{words} Is there a loop without an end, or far too much work?",))


def _tried(exercise: Exercise, function: Attempt) -> Verdict:
    right, mine = known_run(exercise, exercise.reference), run(exercise, function)
    if mine.outcomes[-1] is NOT_ATTEMPTED:
        return Verdict("not attempted")
    bad = next(differing(exercise, mine, right), None)
    if bad is not None:
        return _wrong(exercise, function, mine, right, bad)
    if mine.changed:
        words = f"The numbers are right. {habits.CHANGED.format(mine.changed)}"
        return Verdict("wrong", (words,))
    if words := _objection(exercise, function):
        return Verdict("wrong", (words,))
    return Verdict("passed", yours=mine.outcomes[0], target=right.outcomes[0])


def _objection(exercise: Exercise, function: Attempt) -> str:
    """What is wrong with a result although its numbers are right, or ""."""
    if exercise.objection is None:
        return ""
    case, returned = exercise.cases(torch.Generator().manual_seed(SEED))[0], []
    call(lambda *arguments: returned.append(function(*arguments)), case, 1)
    return exercise.objection(returned[0], case) if returned else ""


def refusal(exercise: Exercise, attempt: Any) -> str:
    """Why an attempt cannot even be called, or ""."""
    if isinstance(exercise, Prediction):
        return ""
    if attempt is None or attempt is Ellipsis:
        return f"Hand over your function by its name, without brackets: check.{exercise.name}(…)"
    if not callable(attempt):
        kind = kind_of(attempt)
        return f"A function was expected, and {kind} came. Hand over its name, without brackets."
    return mismatch(attempt, exercise.arguments)


def as_function(exercise: Exercise, attempt: Any) -> Attempt:
    """A guess becomes the function that returns it."""
    return (lambda: attempt) if isinstance(exercise, Prediction) else attempt


def run(exercise: Exercise, function: Attempt) -> Run:
    """Call a function on inputs of its own, made anew."""
    cases, untouched = (exercise.cases(torch.Generator().manual_seed(SEED)) for _ in range(2))
    parts = exercise.reference(*untouched[0].values())
    count = len(parts) if isinstance(parts, tuple) else 1
    outcomes = []
    for case in cases:
        outcome = call(function, case, count)
        outcomes.append(_measured(exercise, outcome, case))
        if outcome is NOT_ATTEMPTED:
            break
    return Run(cases, outcomes, habits.changed_argument(cases, untouched))


@cache
def known_run(exercise: Exercise, function: Attempt) -> Run:
    """The same for a function of ours, whose outcomes never change: run once in a kernel's life."""
    return run(exercise, function)


def _measured(exercise: Exercise, outcome: Outcome, case: Case) -> Outcome:
    if isinstance(outcome, Problem):
        return outcome
    try:
        return exercise.measure(outcome, case)
    except Exception:  # what was returned does not even have the form to be measured
        shape = tuple(outcome[0].shape)
        return Problem("shape", f"A result of shape {shape} cannot be right here.")


def differing(exercise: Exercise, mine: Run, right: Run) -> Iterator[int]:
    """The numbers of the inputs on which the two disagree."""
    for k, (one, other) in enumerate(zip(mine.outcomes, right.outcomes, strict=True)):
        if not agrees(one, other, exercise.tolerance):
            yield k


def recognise(exercise: Exercise, mine: Run, right: Run) -> tuple[Misconception, ...]:
    """The misconception, or the two at once, that behaves like this attempt on every input.

    At least one result must be a wrong number: two crashes of the same kind prove nothing.
    """
    if not any(_is_wrong_number(mine.outcomes[k]) for k in differing(exercise, mine, right)):
        return ()
    for candidate in (*exercise.misconceptions, *exercise.together):
        theirs = known_run(exercise, candidate.wrong)
        pairs = zip(mine.outcomes, theirs.outcomes, strict=True)
        if all(same_outcome(one, other, exercise.tolerance) for one, other in pairs):
            return _members(exercise, candidate)
    return ()


def _is_wrong_number(outcome: Outcome) -> bool:
    return not isinstance(outcome, Problem)


def _members(exercise: Exercise, found: Misconception | Both) -> tuple[Misconception, ...]:
    if isinstance(found, Both):
        return exercise.named(found.first), exercise.named(found.second)
    return (found,)


def _wrong(exercise: Exercise, function: Attempt, mine: Run, right: Run, bad: int) -> Verdict:
    yours, target = mine.outcomes[bad], right.outcomes[bad]
    found = recognise(exercise, mine, right)
    if isinstance(yours, Problem):
        shown, drawn = yours.words, None
        if yours.kind == "raised":
            shown += _at_input(mine.cases[bad])
    else:
        shown, drawn = difference(exercise, mine.cases[bad], yours, target), yours
    if found:
        says = [wrong.diagnosis for wrong in found]
        says = ["Two things at once. " + says[0], says[1]] if len(found) == 2 else says
        shown = shown if drawn is not None else ""
    else:
        says = [_habit(exercise, function, mine, right)]
    words = tuple(sentence for sentence in (*says, shown) if sentence)
    return Verdict("wrong", words, found, yours=drawn, target=target)


def _at_input(case: Case) -> str:
    words = inputs(case)
    return f" The input: {words}." if words else ""


def _habit(exercise: Exercise, function: Attempt, mine: Run, right: Run) -> str:
    """What can be said without a catalogue."""
    numbers = [outcome for outcome in mine.outcomes if not isinstance(outcome, Problem)]
    if len(numbers) < len(mine.outcomes) or isinstance(exercise, Prediction):
        return ""
    if mine.changed:
        return habits.CHANGED.format(mine.changed)
    if name := habits.returned_argument(mine.cases, numbers):
        return f"Your function gives back the numbers of {name}, unchanged."
    if habits.is_random(numbers, run(exercise, function).outcomes):
        return habits.random_words(mine.cases[0])
    if habits.exchanged(numbers, right.outcomes, exercise.tolerance):
        return "Your two results are right, and in the wrong order."
    if habits.grown(numbers, right.outcomes):
        return habits.grown_words(mine.cases[0])
    factor = habits.one_factor(numbers, right.outcomes, exercise.tolerance)
    if factor is not None:
        return by_a_factor(factor)
    if habits.same_for_all(numbers):
        return "It gives the same number for every input."
    if exercise.tolerance.relative and habits.only_rounded(numbers, right.outcomes):
        return (
            "It is right to two or three digits only. Is something rounded, or in half precision?"
        )
    return ""
