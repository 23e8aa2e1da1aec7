"""`check` and `progress`, as a notebook uses them."""

import difflib
from dataclasses import dataclass, field
from typing import Any

from diffedu import expect
from diffedu.classroom.checks import (
    attention,
    bound,
    cross,
    forward,
    heads,
    images,
    linear,
    posterior,
    sampling,
    simple,
)
from diffedu.classroom.checks.answers import card_of, explanation, has_the_form, is_untouched_bug
from diffedu.classroom.checks.card import Card
from diffedu.classroom.checks.exercise import Exercise, Prediction
from diffedu.classroom.checks.judge import Verdict, judge
from diffedu.classroom.checks.record import Record
from diffedu.classroom.checks.solution import solution_of

EXERCISES = (
    *forward.EXERCISES,
    *posterior.EXERCISES,
    *bound.EXERCISES,
    *simple.EXERCISES,
    *sampling.EXERCISES,
    *attention.EXERCISES,
    *heads.EXERCISES,
    *images.EXERCISES,
    *linear.EXERCISES,
    *cross.EXERCISES,
)
RECORD = Record()


class Shown:
    """Something with a card: HTML in Jupyter, plain text elsewhere."""

    card: Card

    def __repr__(self) -> str:
        """The card as text."""
        return str(self.card)

    def _repr_html_(self) -> str:
        return self.card.html()


@dataclass(frozen=True, eq=False, repr=False)
class Note(Shown):
    """A hint, a solution, an explanation, the list of what is done."""

    card: Card


@dataclass(frozen=True, eq=False, repr=False)
class Result(Shown):
    """What a check found. `misconception` is a name, two names with " and ", or None."""

    passed: bool
    misconception: str | None
    message: str
    card: Card


@dataclass(eq=False, repr=False)
class Check:
    """One exercise, ready to be called with an attempt."""

    exercise: Exercise
    record: Record
    hints_given: int = field(default=0, init=False)

    def __call__(self, attempt: Any = None) -> Result:
        """Judge an attempt: your function, or your guess."""
        verdict = judge(self.exercise, attempt)
        if _is_tried(self.exercise, verdict):
            self.record.add(self.exercise.name, "tried")
        if _is_done(self.exercise, verdict):
            self.record.add(self.exercise.name, "done")
        card = card_of(self.exercise, verdict)
        names = " and ".join(wrong.name for wrong in verdict.found) or None
        return Result(verdict.status == "passed", names, "\n".join(card.words), card)

    def hint(self) -> Note:
        """The next hint, from gentle to concrete; the last one again when there are no more."""
        hints = self.exercise.hints
        self.hints_given = min(self.hints_given + 1, len(hints))
        title = f"{self.exercise.name}: hint {self.hints_given} of {len(hints)}"
        return Note(Card(title, (hints[self.hints_given - 1],)))

    def solution(self, tried: bool = False) -> Note:
        """The package's own source, once you have tried; `solution(tried=True)` if you say so."""
        name, reference = self.exercise.name, self.exercise.reference
        attempts = {exercise for exercise, _ in self.record.events()[0]}
        if not (tried or name in attempts):
            words = "Try it first: a wrong answer teaches more than a copied one."
            step = f"The answer anyway: `check.{name}.solution(tried=True)`"
            return Note(Card(f"{name}: the solution waits", (words,), next_step=step))
        where = f"From `{reference.__module__}`, for ({self.exercise.label}):"
        return Note(Card(f"{name}: a solution", (where,), listing=solution_of(self.exercise)))

    def explain(self, misconception: Any = "") -> Note:
        """What a misconception would do, in numbers."""
        known = {wrong.name: wrong for wrong in self.exercise.misconceptions}
        if misconception not in known:
            near = difflib.get_close_matches(str(misconception), known, n=1) or list(known)
            words = "There is no entry of this name. Did you mean: " + ", ".join(near)
            return Note(Card(f"{self.exercise.name}: nothing to explain", (words,)))
        return Note(explanation(self.exercise, known[misconception]))

    def __repr__(self) -> str:
        """What the exercise asks."""
        return f"check.{self.exercise.name}: {self.exercise.statement}"


class Checks:
    """`check.<name>(attempt)` for every exercise of the course."""

    def __init__(self, exercises: tuple[Exercise, ...], record: Record) -> None:
        """One Check each."""
        self._checks = {exercise.name: Check(exercise, record) for exercise in exercises}

    def __getattr__(self, name: str) -> Check:
        """The check of this name; an unknown name is answered with the nearest one."""
        checks = self.__dict__.get("_checks", {})
        if name in checks:
            return checks[name]
        near = difflib.get_close_matches(name, checks, n=1)
        meant = f"; did you mean check.{near[0]}?" if near else ""
        raise AttributeError(f"no exercise is called {name}{meant}")

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse `check.jump = jump`, which would put the check out of reach."""
        if name != "_checks":
            raise AttributeError(f"hand your answer over with check.{name}(...), without =")
        super().__setattr__(name, value)

    def __call__(self, *attempts: object) -> None:
        """Say what is missing: the name of the exercise."""
        raise TypeError("which exercise? check.NAME(your_function)")

    def __dir__(self) -> list[str]:
        """For the Tab key."""
        return sorted(self._checks)

    def __repr__(self) -> str:
        """All names, for a look."""
        return "check.NAME(your_function), with NAME one of: " + ", ".join(self._checks)


def progress(notebook: int | None = None) -> Note:
    """Which exercises are done (✓), tried (…) or open (·): of one notebook, or of all."""
    numbers = sorted({exercise.notebook for exercise in EXERCISES})
    if notebook is not None and notebook not in numbers:
        expect.fail("notebook", f"one of {numbers}", notebook)
    events, trouble = RECORD.events()
    done = {name for name, event in events if event == "done"}
    tried = {name for name, _ in events}
    lines = []
    for number in numbers:
        here = [exercise.name for exercise in EXERCISES if exercise.notebook == number]
        count = sum(name in done for name in here)
        names = ", ".join(f"{_mark(name, done, tried)}\N{NO-BREAK SPACE}{name}" for name in here)
        shown = f" {names}" if notebook in (None, number) else ""
        lines.append(f"Notebook {number:02d}: {count} of {len(here)} done.{shown}")
    words = (*([trouble] if trouble else []), *lines)
    total = sum(exercise.name in done for exercise in EXERCISES)
    return Note(Card(f"Exercises done: {total} of {len(EXERCISES)}", words))


def _is_tried(exercise: Exercise, verdict: Verdict) -> bool:
    """A stub, a bug as it was given and what cannot even be called are no attempts."""
    ran = verdict.status != "not attempted" and verdict.called
    return ran and not is_untouched_bug(exercise, verdict)


def _is_done(exercise: Exercise, verdict: Verdict) -> bool:
    """A guess is done when it is made: it need not be right."""
    guessed = isinstance(exercise, Prediction) and has_the_form(verdict)
    return verdict.status == "passed" or guessed


def _mark(name: str, done: set[str], tried: set[str]) -> str:
    return "✓" if name in done else "…" if name in tried else "·"


check = Checks(EXERCISES, RECORD)
