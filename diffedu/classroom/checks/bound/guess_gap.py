"""Prediction: what is left of beta-tilde's gap with ten times more steps."""

from functools import cache

import torch

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.exact import Mixture
from diffedu.diffusion.exact_bound import (
    bound_terms,
    negative_log_likelihood,
    unavoidable_error,
)
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.schedules import cosine


@cache
def gap_of_beta_tilde(T: int) -> float:
    """The bound with beta-tilde minus the exact NLL, for the two peaks of the notebook."""
    half = torch.full((2,), 0.5, dtype=torch.float64)
    data = Mixture(half, torch.tensor([[-1.0], [1.0]], dtype=torch.float64), 0.6 * half)
    s = cosine(T)
    error = unavoidable_error(data, s, points=101)
    terms = bound_terms(data, s, fixed_small(s), error)
    return terms.sum().item() - negative_log_likelihood(data)


def guess_gap():
    """The gap at T = 1000 as a share of the gap at T = 100, each term by (3.12)."""
    return gap_of_beta_tilde(1000) / gap_of_beta_tilde(100)


EXERCISE = Prediction(
    name="guess_gap",
    label="3.12",
    statement=(
        "guess_gap: the gap of β̃ with T = 1000 divided by its gap with T = 100. One number: 1 "
        "means that nothing changes, .1 that a tenth is left."
    ),
    reference=guess_gap,
    cases=no_arguments,
    tolerance=Tolerance(0.15, 0.02, "a guess by eye"),
    tested="Within 15 %: a bit is gained, and most of the gap stays. Why, you will see at (3.14).",
    misconceptions=(
        Misconception(
            "falls as 1/T",
            lambda: 0.1,
            "You let the gap fall as 1/T. Do finer steps help the first few, see (3.13)?",
            "3.13",
        ),
        Misconception(
            "falls as the root of T",
            lambda: 0.1**0.5,
            "You let the gap fall as one over the root of T. Which steps lose most, see (3.13)?",
            "3.13",
        ),
        Misconception(
            "nothing left",
            lambda: 0.0,
            "Small steps are nearly Gaussian, yes. But is β̃ their variance, see (3.13)?",
            "3.13",
        ),
        Misconception(
            "does not change",
            lambda: 1.0,
            "You expect no gain at all. The steps in the middle do gain, see (3.13).",
            "3.13",
        ),
        Misconception(
            "grows with T",
            lambda: 10.0,
            "You let each step lose what it lost before. Most of them lose less now, see (3.13).",
            "3.13",
        ),
    ),
    hints=(
        "Ten times more steps: is each of them a tenth as bad, or less, or more?",
        "For the step t only the ratio of the best variance to β̃_t counts, and t is small near 0.",
        "Between .5 and 1 you have most of it.",
    ),
    where=at_entry,
    built_on=(gap_of_beta_tilde,),
)
