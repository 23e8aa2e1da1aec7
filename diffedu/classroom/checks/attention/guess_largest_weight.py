"""Prediction: how hard a softmax over unscaled scores chooses."""

import torch

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)

D, KEYS, ROUNDS = 512, 16, 20_000


def guess_largest_weight():
    """Given q, the scores of independent keys are independent N(0, |q|^2), as in (6.3)."""
    g = torch.Generator().manual_seed(0)
    length = torch.randn(ROUNDS, D, generator=g).norm(dim=1, keepdim=True)
    scores = length * torch.randn(ROUNDS, KEYS, generator=g)
    return scores.softmax(dim=1).amax(dim=1).mean().item()


EXERCISE = Prediction(
    name="guess_largest_weight",
    label="6.3",
    statement=(
        "guess_largest_weight: queries and keys of 512 independent entries with variance 1, 16 "
        "keys, no scaling. The largest weight of a query, on average. One number."
    ),
    reference=guess_largest_weight,
    cases=no_arguments,
    tolerance=Tolerance(0.06, 0, "nearly everything is the point"),
    tested=(
        "Within 6 %. By (6.3), which is derived below, the scores have a spread of √512 = 22.6, so "
        "the best key is mostly ahead of the second by several units; e to that power leaves the "
        "others nothing."
    ),
    misconceptions=(
        Misconception(
            "all alike",
            lambda: 1.02 / KEYS,  # so that 6 % around it hold all from .06 to .067
            "You expect a fair share for each key; but the scores are spread by √d, which is "
            "derived below (6.3), and their exponentials are far from fair.",
            "6.3",
        ),
        Misconception(
            "as if scaled",
            lambda: 0.25,
            "That is about what scores of variance 1 give; these have variance d, which is derived "
            "below (6.3), and nothing divides them.",
            "6.3",
        ),
        Misconception(
            "a clear favourite",
            lambda: 0.5,
            "Too fair. Scores differ by about √512 = 22.6, which is derived below (6.3); even a "
            "lead of 5 leaves the second e^-5 = .007 of the first.",
            "6.3",
        ),
        Misconception(
            "three quarters",
            lambda: 0.75,
            "Harder than that: the gap between the best score and the second grows with √d, which "
            "is derived below (6.3), and enters an exponent.",
            "6.3",
        ),
        Misconception(
            "a share of the width",
            lambda: 1 / D,
            "The weights are shared among the 16 keys, not among the 512 entries; the width enters "
            "through the size of the scores, derived below (6.3).",
            "6.3",
        ),
        Misconception(
            "a score for a weight",
            lambda: D**0.5,
            "That is the size of a typical score, which is derived below (6.3); a weight is what "
            "the softmax makes of it, between 0 and 1.",
            "6.3",
        ),
        Misconception(
            "in per cent",
            lambda: 95,
            "A weight is a share in (6.1), between 0 and 1: 95 % is .95.",
            "6.1",
        ),
    ),
    hints=(
        "How large is a typical score, a sum of 512 products of size 1 and of either sign?",
        "The softmax sees differences only. How much larger is the largest of 16 such scores than "
        "the second largest, roughly?",
        "If the best is ahead by 5, the second gets e^-5 of its weight: less than a hundredth.",
    ),
    where=at_entry,
)
