"""The answer key: the package's own source, with the private helpers it calls."""

import inspect
from collections.abc import Iterator
from types import FunctionType

from diffedu.classroom.checks.exercise import Exercise

NOT_SHOWN = "_check"  # how arguments are checked is no part of the answer


def solution_of(exercise: Exercise) -> str:
    """The source of the reference, of its private helpers, and of what the exercise names."""
    functions = [inspect.unwrap(f) for f in (exercise.reference, *exercise.built_on)]
    for function in functions:  # grows while it is walked
        functions += [helper for helper in _helpers(function) if helper not in functions]
    return "\n\n".join(inspect.getsource(function) for function in functions)


def _helpers(function: FunctionType) -> Iterator[FunctionType]:
    """The private functions of its own module that a function calls."""
    for name in function.__code__.co_names:
        value = inspect.unwrap(function.__globals__.get(name))
        private = name.startswith("_") and not name.startswith(NOT_SHOWN)
        if private and inspect.isfunction(value) and value.__module__ == function.__module__:
            yield value
