"""What an exercise is: data and functions, nothing that acts. `attempt` and `judge` do the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Attempt = Callable[..., Any]
Case = Mapping[str, Any]  # the arguments of one call, by name and in order
Values = tuple[Tensor, ...]  # what a call returned, each part float64 on the CPU


@dataclass(frozen=True)
class Tolerance:
    """Two numbers count as equal if they differ by at most absolute + relative * |right one|."""

    relative: float | int
    absolute: float | int
    because: str


FLOAT32 = Tolerance(
    1e-4, 1e-5, "a right formula in float32 strays by 1e-6; the smallest mistake here by far more"
)


@dataclass(frozen=True, eq=False)
class Misconception:
    """A wrong answer with a name: `wrong` behaves as someone's code does who believes it.

    `diagnosis` is one sentence: what was done, and what the equation `label` asks for instead. It
    does not say what to type.
    """

    name: str
    wrong: Attempt
    diagnosis: str
    label: str


@dataclass(frozen=True, eq=False)
class Both:
    """Two misconceptions at once, by their names, and how both together behave."""

    first: str
    second: str
    wrong: Attempt


def at_t(case: Case, index: tuple[int, ...]) -> str:
    """Where an entry of the result is, in words, if its first axis is the batch."""
    t = case.get("t")
    if isinstance(t, Tensor) and t.ndim == 1 and index and index[0] < len(t):
        later = case.get("t_next")
        jump = f", t_next = {later[index[0]].item()}" if isinstance(later, Tensor) else ""
        return f"at t = {t[index[0]].item()}{jump}"
    return at_entry(case, index)


def at_step(case: Case, index: tuple[int, ...]) -> str:
    """The same if the result has one entry per step, with the clean data at index 0."""
    return f"at t = {index[0]}" if index else ""


def at_step_from_1(case: Case, index: tuple[int, ...]) -> str:
    """The same if the result has one entry for each of the steps 1..T."""
    return f"at t = {index[0] + 1}" if index else ""


def at_entry(case: Case, index: tuple[int, ...]) -> str:
    """The same if the axes have no name."""
    if not index:
        return ""
    return f"at index {index[0]}" if len(index) == 1 else f"at index {index}"


def as_returned(values: Values, case: Case) -> Values:
    """What is compared: by default the returned numbers themselves."""
    return values


@dataclass(frozen=True, eq=False)
class Exercise:
    """One task; the package's docstring shows how to write one.

    `reference` takes the arguments that the learner's function gets, and is the answer key.
    `cases(generator)` makes the inputs anew at each call. `tested` completes "Right. Tested:".
    `bug` names the misconception that a find-the-bug cell comes with. `consequence(function)` says
    in a sentence with numbers what a wrong function would do. `measure` turns what was returned
    into what is compared, for answers that draw random numbers. `picture(yours, target)` draws.
    `built_on` are functions that the solution shows besides the reference. `objection(returned,
    case)` looks at the very object that came back when its numbers are right, and says what is
    wrong with it all the same (a lost gradient, floats for indices), or "".
    """

    name: str
    label: str
    statement: str
    reference: Attempt
    cases: Callable[[torch.Generator], list[Case]]
    tolerance: Tolerance
    tested: str
    misconceptions: tuple[Misconception, ...]
    hints: tuple[str, ...]
    together: tuple[Both, ...] = ()
    bug: str = ""
    consequence: Callable[[Attempt], str] | None = None
    measure: Callable[[Values, Case], Values] = as_returned
    picture: Callable[[Values, Values], Any] | None = None
    where: Callable[[Case, tuple[int, ...]], str] = at_t
    built_on: tuple[Attempt, ...] = ()
    objection: Callable[[Any, Case], str] | None = None

    @property
    def notebook(self) -> int:
        """The number of its notebook."""
        return int(self.label.split(".")[0])

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return tuple(self.cases(torch.Generator().manual_seed(0))[0])

    def named(self, name: str) -> Misconception:
        """The misconception of this name."""
        return next(wrong for wrong in self.misconceptions if wrong.name == name)


@dataclass(frozen=True, eq=False)
class Prediction(Exercise):
    """A guess instead of a function: a number, or a list of numbers for a sketched curve.

    `reference()` computes the truth; `wrong()` of a misconception gives the guess that it leads to.
    """


def no_arguments(generator: torch.Generator) -> list[Case]:
    """The one case of a prediction."""
    return [{}]
