"""Prediction: the lead in score that gives one token half of the weight."""

import math

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)


def guess_lead():
    """1 + n exp(-delta) = 2, solved for delta, at n = 4096."""
    return math.log(4096)


EXERCISE = Prediction(
    name="guess_lead",
    label="10.3",
    statement=(
        "guess_lead: 4096 pixels have equal scores. By how much must the score of the time token "
        "lead theirs to get half of all weight? One number."
    ),
    reference=guess_lead,
    cases=no_arguments,
    tolerance=Tolerance(0.06, 1e-3, "ln(2n) and ln(n/2) are 8 percent off"),
    tested="Within 6 %: (10.3) is one half where e to the lead is n, so at ln n.",
    misconceptions=(
        Misconception(
            "as many as there are",
            lambda: 4096.0,
            "You want the score itself to balance 4096; its exponential does, see (10.3).",
            "10.3",
        ),
        Misconception(
            "root of n",
            lambda: 64.0,
            "You took the root of n; inverting the exponential of (10.3) takes a logarithm.",
            "10.3",
        ),
        Misconception(
            "powers of two",
            lambda: 12.0,
            "You took the logarithm to base 2; the softmax of (10.3) has base e.",
            "10.3",
        ),
        Misconception(
            "powers of ten",
            lambda: 3.612,
            "You took the logarithm to base 10; the softmax of (10.3) has base e.",
            "10.3",
        ),
        Misconception(
            "one is enough",
            lambda: 1.0,
            "A lead of 1 makes one token worth 2.7 others by (10.3), and there are 4096.",
            "10.3",
        ),
        Misconception(
            "against one other",
            lambda: 0.0,
            "Equal scores give half of the weight beside one other token; in (10.3) there are n.",
            "10.3",
        ),
        Misconception(
            "behind, not ahead",
            lambda: -math.log(4096),
            "With that the time is behind the pixels and gets even less; by (10.3) a positive "
            "lead raises its weight.",
            "10.3",
        ),
        Misconception(
            "twice n",
            lambda: math.log(2 * 4096),
            "That is ln(2n), where the time gets two thirds; by (10.3) half of the weight means "
            "that it balances the n others.",
            "10.3",
        ),
        Misconception(
            "half of n",
            lambda: math.log(4096 / 2),
            "That is ln(n/2), where the time gets one third; by (10.3) half of the weight means "
            "that it balances all n others.",
            "10.3",
        ),
    ),
    hints=(
        "Half of the weight: the token alone weighs as much as all 4096 others together.",
        "A token with lead delta weighs e to the delta, each of the others 1.",
        "Which power of e is 4096?",
    ),
    where=at_entry,
)
