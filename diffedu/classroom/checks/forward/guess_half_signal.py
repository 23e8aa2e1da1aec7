"""A guess: when half of the signal's variance is gone."""

import math

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.schedules import linear


def guess_half_signal():
    """The first step at which alpha_bar (1.4) is below one half."""
    return (linear(1000).alpha_bar >= 0.5).sum().item()


def _beyond(values, case):
    """All guesses above 1000 count as 2000: they are one mistake."""
    return tuple(part.where(part <= 1000, 2000) for part in values)


def _all_betas_alike(beta):
    return math.log(2) / -math.log(1 - beta)


EXERCISE = Prediction(
    name="guess_half_signal",
    label="1.4",
    statement=(
        "guess_half_signal: the step t of DDPM's 1000 (β from .0001 to .02 on a line) at which "
        "alpha_bar falls below one half. One number."
    ),
    reference=guess_half_signal,
    cases=no_arguments,
    tolerance=Tolerance(0.15, 0, "a guess: the right part of the walk is what counts"),
    tested=(
        "Within 15 %: the first betas are tiny, so it takes a while to start; then (1.4) "
        "multiplies, and half is lost long before the middle."
    ),
    misconceptions=(
        Misconception(
            "a straight line",
            lambda: 500.0,
            "You expect alpha_bar to fall in a straight line; but (1.4) is a product.",
            "1.4",
        ),
        Misconception(
            "all betas alike",
            lambda: _all_betas_alike(linear(1000).beta[1:].mean().item()),
            "You took the mean beta from the start; the first factors of (1.4) are closer to 1.",
            "1.4",
        ),
        Misconception(
            "the last beta from the start",
            lambda: _all_betas_alike(0.02),
            "You took β = .02 for all steps; only the last one has it, and (1.4) starts at .0001.",
            "1.4",
        ),
        Misconception(
            "half of the amplitude",
            lambda: (linear(1000).alpha_bar >= 0.25).sum().item(),
            "Here the factor of x_0 in (1.5) is one half; its square, alpha_bar, is a quarter.",
            "1.5",
        ),
        Misconception(
            "beyond the last step",
            lambda: 2000.0,
            "There are 1000 steps, and by (1.4) half is lost on the way.",
            "1.4",
        ),
        Misconception(
            "only at the end",
            lambda: 1000.0,
            "You expect half of the signal to last to the end; by (1.4) almost nothing does.",
            "1.4",
        ),
    ),
    hints=(
        "A product of factors just below 1: the exponential of minus the sum of the betas, nearly.",
        "One half is reached where the betas so far add up to the logarithm of 2, about .69.",
        "β_t is about .00002 t, so the sum up to t is the area of a triangle.",
    ),
    measure=_beyond,
    where=at_entry,
)
