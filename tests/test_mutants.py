"""Every mechanical mutation of a reference is rejected by its check, or listed with a reason."""

import pytest

from diffedu.classroom.checks.compare import agrees
from diffedu.classroom.checks.course import EXERCISES
from diffedu.classroom.checks.exercise import Prediction
from diffedu.classroom.checks.judge import run
from equivalent_mutants import EQUIVALENT
from mutants import mutants_of

FUNCTIONS = [e for e in EXERCISES if not isinstance(e, Prediction)]


def passes(exercise, right, function) -> bool:
    """What `judge` asks, without finding out which misconception it is."""
    mine = run(exercise, function)
    if len(mine.outcomes) < len(right.outcomes) or mine.changed:
        return False
    pairs = zip(mine.outcomes, right.outcomes, strict=True)
    return all(agrees(one, other, exercise.tolerance) for one, other in pairs)


@pytest.mark.slow  # some 1400 mutants
@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.name)
def test_every_mutant_is_rejected_or_known_to_be_equivalent(exercise):
    right = run(exercise, exercise.reference)
    mutants = list(mutants_of(exercise.reference))
    assert mutants
    alive = {m.name for m in mutants if passes(exercise, right, m.function)}
    known = set(EQUIVALENT.get(exercise.name, {}))
    assert alive - known == set(), f"of {len(mutants)} mutants these pass"
    assert known - alive == set(), "listed as equivalent, and rejected or gone"


def test_only_known_exercises_are_listed():
    assert set(EQUIVALENT) <= {exercise.name for exercise in FUNCTIONS}
