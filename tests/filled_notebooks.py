"""The notebooks as somebody else would leave them: every stub solved, or every stub wrong."""

import ast
import copy
import re
from collections.abc import Callable

from diffedu.classroom.checks.course import EXERCISES
from diffedu.classroom.checks.exercise import Exercise, Prediction

CALL = re.compile(r"^check\.(\w+)\((\w+)\)$", re.MULTILINE)
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}


def checks_in(source: str) -> list[tuple[str, str]]:
    """(exercise, name of the attempt) of each check that a cell makes."""
    return CALL.findall(source)


def exercise_cells(notebook: dict) -> list[tuple[Exercise, str, dict]]:
    """Each exercise of a notebook with the name of its stub, which is its own, and its cell."""
    return [
        (BY_NAME[exercise], attempt, cell)
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        for exercise, attempt in checks_in("".join(cell["source"]))
        if attempt == exercise  # notebook 00 shows what a check says to somebody else's answer
    ]


def solution(exercise: Exercise, attempt: str) -> str:
    """What stands in a teacher's copy in place of the stub."""
    if isinstance(exercise, Prediction):
        return f"{attempt} = check.{exercise.name}.exercise.reference()"
    reference = exercise.reference
    return f"from {reference.__module__} import {reference.__name__} as {attempt}"


def mistake(exercise: Exercise, attempt: str) -> str:
    """What stands in the copy of somebody who holds the first misconception."""
    call = "()" if isinstance(exercise, Prediction) else ""
    return f"{attempt} = check.{exercise.name}.exercise.misconceptions[0].wrong{call}"


def filled(notebook: dict, answer: Callable[[Exercise, str], str], must_pass: bool) -> dict:
    """A copy with this answer in place of each stub; `must_pass` adds an assert to each check."""
    notebook = copy.deepcopy(notebook)
    for exercise, attempt, cell in exercise_cells(notebook):
        source = replaced("".join(cell["source"]), attempt, answer(exercise, attempt))
        if must_pass:
            call = f"check.{exercise.name}({attempt})"
            source = source.replace(call, f"result = {call}\nassert result.passed, result\nresult")
        cell["source"] = source
    return notebook


def replaced(source: str, name: str, new: str) -> str:
    """The source with the definition of `name`, or the assignment to it, replaced."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if _defines(node, name):
            lines[node.lineno - 1 : node.end_lineno] = [new]
            return "\n".join(lines)
    raise AssertionError(f"the cell does not define {name}:\n{source}")


def _defines(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == name
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
