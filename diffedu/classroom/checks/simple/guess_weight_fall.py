"""Prediction: how far the weight of the bound falls."""

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.gaussian import fixed_large
from diffedu.diffusion.losses import l_simple_weight
from diffedu.diffusion.schedules import linear


def guess_weight_fall():
    """How many times the smallest weight of (4.2) fits into the first, for σ² = β."""
    s = linear(1000)
    weight = l_simple_weight(s, fixed_large(s))[1:]
    return (weight[0] / weight.min()).item()


def _from_end_to_end():
    s = linear(1000)
    weight = l_simple_weight(s, fixed_large(s))
    return (weight[1] / weight[s.T]).item()


EXERCISE = Prediction(
    name="guess_weight_fall",
    label="4.2",
    statement=(
        "guess_weight_fall: how many times larger is w_1 than the smallest w_t? For 1000 linear "
        "steps with σ² = β; one number, for instance 5."
    ),
    reference=guess_weight_fall,
    cases=no_arguments,
    tolerance=Tolerance(0.3, 0, "a guess by eye: within 30 %"),
    tested="Within 30 %: beta_t grows more slowly than 1 - alpha_bar_t, until that is nearly 1.",
    misconceptions=(
        Misconception(
            "no fall",
            lambda: 1.0,
            "That is the flat weight of L_simple (4.3); the bound's weight (4.2) depends on t.",
            "4.2",
        ),
        Misconception(
            "ratio of the betas",
            lambda: 200.0,
            "By about this factor beta grows from t = 1 to T; in (4.2) it stands above the line, "
            "and 1 - alpha_bar below it.",
            "4.2",
        ),
        Misconception(
            "first against last",
            _from_end_to_end,
            "About this is w_1 over w_T; the smallest weight of (4.2) lies in between.",
            "4.2",
        ),
        Misconception(
            "fall of 1 / (1 - alpha_bar)",
            lambda: 1e4,
            "By about this factor 1 - alpha_bar grows; beta_t above the line of (4.2) makes "
            "up for a part of it.",
            "4.2",
        ),
        Misconception(
            "as 1 / t",
            lambda: 1000.0,
            "About this would be a fall as 1/t up to the end; the weight of (4.2) stops falling "
            "when alpha_bar is small.",
            "4.2",
        ),
        Misconception(
            "share instead of factor",
            lambda: 1 / guess_weight_fall(),
            "About this share of the weight is left; asked is how many times larger the first of "
            "(4.2) is.",
            "4.2",
        ),
    ),
    hints=(
        "At t = 1 it is about one half. How small may β_t / (1 - alpha_bar_t) become?",
        "In the middle of the schedule beta is near .01. How large is 1 - alpha_bar there?",
        "Put t = 350 into (4.2): beta is .007, alpha is nearly 1, and alpha_bar is near .3.",
    ),
    where=at_entry,
)
