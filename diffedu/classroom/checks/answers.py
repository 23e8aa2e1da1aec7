"""What each verdict says: the card for it. Every sentence a learner reads is put together here."""

import torch

from diffedu.classroom.checks.card import Card
from diffedu.classroom.checks.compare import same_shape
from diffedu.classroom.checks.consequence import consequence_of
from diffedu.classroom.checks.exercise import Exercise, Misconception, Prediction
from diffedu.classroom.checks.judge import Verdict
from diffedu.classroom.plots import Frame

LATER = "Go on: the notebook computes it below."


def card_of(exercise: Exercise, verdict: Verdict) -> Card:
    """The card for a verdict."""
    if isinstance(exercise, Prediction):
        return _guessed(exercise, verdict)
    if verdict.status == "not attempted":
        return _open(exercise)
    if verdict.status == "passed":
        return _right(exercise, verdict)
    if is_untouched_bug(exercise, verdict):
        return _unrepaired(exercise)
    return _wrong(exercise, verdict)


def is_untouched_bug(exercise: Exercise, verdict: Verdict) -> bool:
    """Whether a find-the-bug cell still behaves as it was given."""
    return bool(exercise.bug) and [wrong.name for wrong in verdict.found] == [exercise.bug]


def explanation(exercise: Exercise, wrong: Misconception) -> Card:
    """A misconception, and what it does in numbers."""
    words = (wrong.diagnosis, consequence_of(exercise, wrong.wrong))
    return Card(f"{exercise.name}: {wrong.name}", tuple(filter(None, words)))


def _open(exercise: Exercise) -> Card:
    step = f"Write it, then run the cell again. A first push: `check.{exercise.name}.hint()`"
    return Card(f"{exercise.name}: not attempted yet", (exercise.statement,), "not attempted", step)


def _right(exercise: Exercise, verdict: Verdict) -> Card:
    words = [f"Tested: {exercise.tested}"]
    for yours, target in zip(verdict.yours or (), verdict.target or (), strict=True):
        if yours.shape != target.shape and target.ndim:
            words.append(f"Your shape {tuple(yours.shape)} passed; {tuple(target.shape)} is usual.")
    if exercise.bug:
        bug = exercise.named(exercise.bug)
        done = consequence_of(exercise, bug.wrong)
        words += ["The bug was this. " + bug.diagnosis, f"What it did: {done}"]
    step = f"The package's version: `check.{exercise.name}.solution()`"
    title = f"{exercise.name}: {'repaired' if exercise.bug else 'right'}"
    return Card(title, tuple(words), "passed", step)


def _unrepaired(exercise: Exercise) -> Card:
    words = (exercise.statement, consequence_of(exercise, exercise.named(exercise.bug).wrong))
    step = f"Compare each line with ({exercise.label}). A push: `check.{exercise.name}.hint()`"
    return Card(f"{exercise.name}: not repaired yet", words, "not attempted", step)


def _wrong(exercise: Exercise, verdict: Verdict) -> Card:
    name, labels = exercise.name, [wrong.label for wrong in verdict.found] or [exercise.label]
    read = " and ".join(f"({label})" for label in dict.fromkeys(labels))
    step = f"Next: look at {read}, change your function, run the cell again."
    if verdict.found:
        step += f' What it would do: `check.{name}.explain("{verdict.found[0].name}")`'
    else:
        step += f" A push: `check.{name}.hint()`"
    return Card(f"{name}: not yet", verdict.words, "wrong", step, _picture(exercise, verdict))


def _guessed(exercise: Exercise, verdict: Verdict) -> Card:
    name = exercise.name
    if verdict.status == "not attempted":
        step = "Put your guess in place of `...` and run the cell again."
        return Card(f"{name}: no guess yet", (exercise.statement,), "not attempted", step)
    picture = _picture(exercise, verdict)
    step = LATER if picture is None else "The picture has both."
    if verdict.status == "passed":
        words = (exercise.tested,)
        return Card(f"{name}: a good guess", words, "passed", step, picture)
    if has_the_form(verdict):
        title, words = "noted, and off", verdict.words
    else:
        title, words = "not a guess", (exercise.statement,)
        step = "Try again with what is asked: numbers, without quotes."
    return Card(f"{name}: {title}", words, "wrong", step, picture)


def has_the_form(verdict: Verdict) -> bool:
    """Whether a prediction has the form that is asked for: a number, or so many numbers."""
    if verdict.yours is None or verdict.target is None:
        return False
    return all(same_shape(a, b) for a, b in zip(verdict.yours, verdict.target, strict=True))


def _picture(exercise: Exercise, verdict: Verdict) -> Frame | None:
    """Yours beside the target, if there is something to draw."""
    if exercise.picture is None or verdict.yours is None or verdict.target is None:
        return None
    drawable = has_the_form(verdict) and all(bool(torch.isfinite(a).all()) for a in verdict.yours)
    return exercise.picture(verdict.yours, verdict.target) if drawable else None
