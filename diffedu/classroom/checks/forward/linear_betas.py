"""Exercise: the linear schedule for any number of steps."""

import torch

from diffedu.classroom.checks.exercise import (
    FLOAT32,
    Both,
    Exercise,
    Misconception,
    at_step_from_1,
)
from diffedu.classroom.checks.forward.common import from_step_1

B1, BT = 1e-4, 0.02


def linear_betas(T):
    """beta_1, ..., beta_T on a straight line (1.7); fewer steps must each add more noise."""
    return torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T


def _line(count, first=B1, last=BT):
    return torch.linspace(first, last, count, dtype=torch.float64)


def _formula(T, t, rise=BT - B1):
    return 1000 / T * (B1 + t / (T - 1) * rise)


def _left(wrong):
    left, right = ((1 - line(100)).prod().item() for line in (wrong, linear_betas))
    if abs(left / right - 1) < 1e-6:
        raise ValueError("these numbers do not show it")
    return f"With T = 100 steps, alpha_bar ends at {left:.3g}; done right, at {right:.3g}."


EXERCISE = Exercise(
    name="linear_betas",
    label="1.7",
    statement=(
        "linear_betas(T): beta_1 to beta_T of the linear schedule, (T,), "
        "with DDPM's b_1 = .0001 and b_T = .02."
    ),
    reference=linear_betas,
    cases=lambda generator: [{"T": T} for T in (100, 1000, 250)],
    tolerance=FLOAT32,
    tested="100, 250 and 1000 steps.",
    misconceptions=(
        Misconception(
            "ends fixed",
            _line,
            "Your ends are the same for every T; .0001 and .02 belong to 1000 steps, see (1.7).",
            "1.7",
        ),
        Misconception(
            "scaled the wrong way",
            lambda T: _line(T) * T / 1000,
            "Your betas shrink when there are fewer steps; in (1.7) each must then add more noise.",
            "1.7",
        ),
        Misconception(
            "only b_T scaled",
            lambda T: _line(T, B1, BT * 1000 / T),
            "You rescale the last beta alone; in (1.7) the factor belongs to the whole line.",
            "1.7",
        ),
        Misconception(
            "line between roots",
            lambda T: _line(T, B1**0.5, BT**0.5) ** 2 * 1000 / T,
            "Your line runs between the roots, as in (1.8); that of (1.7) runs between the betas.",
            "1.7",
        ),
        Misconception(
            "begins too late",
            lambda T: _line(T + 1)[1:] * 1000 / T,
            "Your line has b_1 at t = 0; in (1.7) it has b_1 at t = 1, the first step.",
            "1.7",
        ),
        Misconception(
            "stops too early",
            lambda T: _line(T + 1)[:-1] * 1000 / T,
            "Your line does not reach b_T: from 1 to T there are T - 1 intervals, see (1.7).",
            "1.7",
        ),
        Misconception(
            "one step below b_1",
            lambda T: _formula(T, torch.arange(T) - 1),
            "Your t goes from 0 to T - 1, so the line starts below b_1; in (1.7) it goes from 1 to "
            "T.",
            "1.7",
        ),
        Misconception(
            "one step beyond b_T",
            lambda T: _formula(T, torch.arange(1, T + 1)),
            "Your line starts one step too high and ends beyond b_T; (1.7) counts from t = 1.",
            "1.7",
        ),
        Misconception(
            "b_T for the rise",
            lambda T: _formula(T, torch.arange(T), BT),
            "Your line ends at b_1 + b_T; in (1.7) it rises by their difference.",
            "1.7",
        ),
        Misconception(
            "the first of 1000",
            lambda T: _line(1000)[:T],
            "You took the first T of 1000 betas, the smallest ones; (1.7) has a line of its own "
            "for each T.",
            "1.7",
        ),
        Misconception(
            "some of 1000",
            lambda T: _line(1000)[:: 1000 // T],
            "You skip betas of the 1000, and their noise is lost; by (1.7), fewer steps each add "
            "more.",
            "1.7",
        ),
        Misconception(
            "index 0 included",
            lambda T: torch.cat([torch.zeros(1), _line(T) * 1000 / T]),
            "You returned T + 1 numbers, with 0 for the clean data; (1.7) has the betas of 1 to T.",
            "1.7",
        ),
        Misconception(
            "one line of T + 1",
            lambda T: _line(T + 1) * 1000 / T,
            "Your line has T + 1 points; (1.7) has one for each step from 1 to T.",
            "1.7",
        ),
    ),
    together=(Both("ends fixed", "line between roots", lambda T: _line(T, B1**0.5, BT**0.5) ** 2),),
    hints=(
        "A hundred steps must destroy as much as a thousand. What does each of them have to do?",
        "First the line for 1000 steps, with T points on it. Then the factor in front of (1.7).",
        "torch.linspace includes both ends. How many points do the steps 1 to T need?",
    ),
    consequence=_left,
    picture=from_step_1("beta"),
    where=at_step_from_1,
)
