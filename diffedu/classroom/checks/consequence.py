"""What a wrong function does, in numbers that are computed and not remembered."""

import torch

from diffedu.classroom.checks.compare import same_shape
from diffedu.classroom.checks.exercise import Attempt, Exercise, Prediction
from diffedu.classroom.checks.judge import Run, run
from diffedu.classroom.checks.outcome import Problem


def consequence_of(exercise: Exercise, wrong: Attempt) -> str:
    """The exercise's own sentence; without one, how far the results are off on its inputs."""
    if exercise.consequence is not None:
        try:
            return exercise.consequence(wrong)
        except Exception:  # a wrong function may not survive where a right one does
            return _on_inputs(exercise, wrong)
    return "" if isinstance(exercise, Prediction) else _on_inputs(exercise, wrong)


def _on_inputs(exercise: Exercise, wrong: Attempt) -> str:
    theirs, right = run(exercise, wrong), run(exercise, exercise.reference)
    stops = [outcome.words for outcome in theirs.outcomes if isinstance(outcome, Problem)]
    if stops:
        count = f"{len(stops)} of {len(theirs.outcomes)}"
        reason = stops[0].rpartition(" with ")[2]  # without the line: it is one of ours
        return f"On {count} of the check's inputs it does not get through: {reason}"
    return _sizes(theirs, right)


def _sizes(theirs: Run, right: Run) -> str:
    pairs = [
        pair
        for one, other in zip(theirs.outcomes, right.outcomes, strict=True)
        for pair in zip(one, other, strict=True)
    ]
    if not all(same_shape(one, other) for one, other in pairs):
        one, other = next(pair for pair in pairs if not same_shape(*pair))
        return f"It returns the shape {tuple(one.shape)} instead of {tuple(other.shape)}."
    off = torch.cat([(one.reshape(other.shape) - other).flatten() for one, other in pairs])
    size = torch.cat([other.flatten() for _, other in pairs])
    if not torch.isfinite(off).all():
        share = (~torch.isfinite(off)).double().mean().item()
        return f"{100 * share:.0f} % of its results are not finite numbers."
    return (
        f"On the check's inputs its results are off by {_rms(off):.2g} on average "
        f"(root mean square), where right ones have size {_rms(size):.2g}."
    )


def _rms(x: torch.Tensor) -> float:
    return x.square().mean().sqrt().item()
