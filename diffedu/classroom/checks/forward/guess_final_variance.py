"""A guess: where the variance ends if the root on the noise is forgotten."""

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.schedules import linear


def _below_0(values, case):
    """All negative guesses count as -1: they are one mistake."""
    return tuple(part.where(part >= 0, -1) for part in values)


def guess_final_variance():
    """The variance at T by (1.2), with β² in place of β: the noise has no root."""
    variance = 1.0
    for beta in linear(1000).beta[1:].tolist():
        variance = (1 - beta) * variance + beta**2
    return variance


EXERCISE = Prediction(
    name="guess_final_variance",
    label="1.2",
    statement=(
        "guess_final_variance: the variance after DDPM's 1000 steps, from variance 1, if the noise "
        "is multiplied by β and not by its root. One number."
    ),
    reference=guess_final_variance,
    cases=no_arguments,
    tolerance=Tolerance(0.2, 0.003, "a guess: the right size is what counts"),
    tested=(
        "Within 20 %: the old variance is gone after 1000 steps, and what little noise comes in "
        "balances what (1.2) takes away."
    ),
    misconceptions=(
        Misconception(
            "as with the root",
            lambda: 1.0,
            "You expect the variance to be kept; for that, (1.2) needs all of β to come in.",
            "1.2",
        ),
        Misconception(
            "half",
            lambda: 0.5,
            "One half is where it ends if the root on x is missing, and not the one on the noise "
            "(1.1).",
            "1.1",
        ),
        Misconception(
            "nothing at all",
            lambda: 0.0,
            "The old variance does go to 0, but every step of (1.1) brings in a little noise.",
            "1.2",
        ),
        Misconception(
            "below 0",
            lambda: -1.0,
            "A variance is never below 0: (1.2) shrinks what is there, and then adds.",
            "1.2",
        ),
        Misconception(
            "sum of the squares",
            lambda: linear(1000).beta.square().sum().item(),
            "You added up what 1000 steps bring in; by (1.2) each step also shrinks what is there.",
            "1.2",
        ),
        Misconception(
            "sum of the betas",
            lambda: 1 + linear(1000).beta.sum().item(),
            "You expect it to grow by β at each step; by (1.2) a step also shrinks what is there.",
            "1.2",
        ),
    ),
    hints=(
        "Near the end β is .02. What does one step take away from a variance of 1, and what does "
        "it add?",
        "At which variance do taking away and adding balance?",
        "Write (1.2) with the square of β as the last term and set v_t = v_{t-1}.",
    ),
    measure=_below_0,
    where=at_entry,
)
