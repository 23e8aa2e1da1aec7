"""Prediction: how fast the true reverse step becomes Gaussian."""

import torch

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion import exact
from diffedu.diffusion.schedules import cosine


def _distance(T: int) -> torch.Tensor:
    """Total variation from q(x_{t-1} | x_t = .1) at t = T/2 to its Gaussian, by (2.14)."""
    s, t = cosine(T), T // 2
    half = torch.full((2,), 0.5, dtype=torch.float64)
    data = exact.Mixture(half, torch.stack([-2 * half[:1], 2 * half[:1]]), half / 5)
    grid = torch.linspace(-3, 3, 6001, dtype=torch.float64)
    likelihood = -((0.1 - s.alpha[t].sqrt() * grid) ** 2) / (2 * s.beta[t])
    prior = exact.log_density(exact.noised(data, t - 1, s), grid[:, None])
    true = torch.softmax(prior + likelihood, 0)
    mean = (true * grid).sum()
    variance = (true * (grid - mean) ** 2).sum()
    twin = torch.softmax(-((grid - mean) ** 2) / (2 * variance), 0)
    return (true - twin).abs().sum() / 2


def guess_tenfold():
    """The distance to the Gaussian at T = 100, divided by that at T = 1000 (2.14)."""
    return _distance(100) / _distance(1000)


EXERCISE = Prediction(
    name="guess_tenfold",
    label="2.14",
    statement=(
        "guess_tenfold: by which factor the total variation distance between q(x_{t-1} | x_t) and "
        "its Gaussian falls from T = 100 to T = 1000, as one number (10 if a tenth is left)."
    ),
    reference=guess_tenfold,
    cases=no_arguments,
    tolerance=Tolerance(0.3, 0, "between a tenth and a hundredth is the point"),
    tested=(
        "Within 30 %. A Gaussian follows height, slope and curvature of the prior's logarithm. "
        "Only what comes after them is left over, and that shrinks faster than β_t."
    ),
    misconceptions=(
        Misconception(
            "nothing left to gain",
            lambda: 1.0,
            "A picture that looks perfect still has a distance; (2.14) gets closer with every "
            "smaller β_t.",
            "2.14",
        ),
        Misconception(
            "like the step's width",
            lambda: 10**0.5,
            "The likelihood in (2.14) does get narrower by the root of ten; what is left beside "
            "the Gaussian falls by a higher power of that width.",
            "2.14",
        ),
        Misconception(
            "like the step's variance",
            lambda: 10.0,
            "Ten times the steps make β_t ten times smaller; but the Gaussian twin of (2.14) takes "
            "along all that is of this order.",
            "2.14",
        ),
        Misconception(
            "like beta squared",
            lambda: 100.0,
            "That is about right where the prior is symmetric; around x_t = .1 the one in (2.14) "
            "is lopsided, and what this leaves over has a lower power of β_t.",
            "2.14",
        ),
        Misconception(
            "a thousandth",
            lambda: 1000.0,
            "That is about the third power of β_t; what no Gaussian can follow in the prior of "
            "(2.14) begins at a lower one.",
            "2.14",
        ),
    ),
    hints=(
        "With ten times the steps, how much smaller is β_t, and how much narrower the likelihood?",
        "Take the prior's logarithm as a power series across the likelihood. Which terms of it "
        "can a Gaussian follow?",
        "The first term that it cannot follow is the cubic one: the third power of the width.",
    ),
    where=at_entry,
    built_on=(_distance,),
)
