"""Prediction: how much the posterior mean listens to the clean picture."""

import torch

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.gaussian import posterior
from diffedu.diffusion.schedules import linear


def guess_weight_of_x0():
    """c_0 of (2.8) at t = 500 of 1000: the mean for x_0 = 1 and x_t = 0."""
    one = torch.ones(1, 1, dtype=torch.float64)
    return posterior(one, 0 * one, torch.tensor([500]), linear(1000))[0][0, 0]


def _signal_left():
    return linear(1000).alpha_bar[500].sqrt().item()


EXERCISE = Prediction(
    name="guess_weight_of_x0",
    label="2.8",
    statement=(
        "guess_weight_of_x0: the weight c_0 of the clean picture in (2.8) at t = 500, for DDPM's "
        "1000 linear steps, as one number."
    ),
    reference=guess_weight_of_x0,
    cases=no_arguments,
    tolerance=Tolerance(0.3, 0, "the right order of magnitude is the point"),
    tested=(
        "Within 30 %. One step is short: x_t is almost x_{t-1}, and x_0 can pull by the step's "
        "own β_t at most, times the little signal that is left."
    ),
    misconceptions=(
        Misconception(
            "an equal say",
            lambda: 0.5,
            "A half would be for two sources that know equally much; by (2.4) x_t, a single short "
            "step away, knows x_{t-1} far better.",
            "2.4",
        ),
        Misconception(
            "the signal that is left",
            _signal_left,
            "That is about the share of x_0 left in x_t, the root of alpha_bar; c_0 of (2.8) "
            "multiplies it by something small as well.",
            "2.8",
        ),
        Misconception(
            "the step's share",
            lambda: linear(1000).beta[500].item(),
            "That is about β_t, the variance that this step added; in (2.8) it is multiplied by "
            "the little signal that is left.",
            "2.8",
        ),
        Misconception(
            "the step's standard deviation",
            lambda: linear(1000).beta[500].sqrt().item(),
            "That is about the root of β_t, a standard deviation; (2.8) has the variance, much "
            "smaller.",
            "2.8",
        ),
        Misconception(
            "settled in twenty steps",
            lambda: 0.05,
            "With about .05, twenty steps would be enough to reach x_0; five hundred are left, and "
            "each pulls by about β_t, (2.8).",
            "2.8",
        ),
        Misconception(
            "one in a thousand",
            lambda: 0.001,
            "About an equal share for each of 1000 steps? They are not alike: c_0 of (2.8) falls "
            "from 1 at t = 1 to almost nothing at t = 1000.",
            "2.8",
        ),
        Misconception(
            "x_0 decides",
            lambda: 1.0,
            "All or nearly all the weight on x_0: that is (2.10), the last step only.",
            "2.10",
        ),
    ),
    hints=(
        "Which of the two is closer to x_{t-1}: the picture one step later, or the clean one, 499 "
        "steps earlier?",
        "In (2.8) c_0 is a product of two factors over something near 1. Which size has each?",
        "β_t rises on a line from .0001 to .02. Of x_0, less than a third is left at t = 500.",
    ),
    where=at_entry,
)
