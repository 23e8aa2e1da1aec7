"""Exercise: how far apart two rows of weights are."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal


def row_distance(a, b):
    """Total variation (9.8): half the sum of the absolute differences of a row."""
    return (a - b).abs().sum(dim=-1) / 2


def _cases(generator):
    shapes = ((2, 3, 7, 5), (6, 9), (4, 5, 5))
    return [{name: normal(shape, generator).softmax(-1) for name in ("a", "b")} for shape in shapes]


EXERCISE = Exercise(
    name="row_distance",
    label="9.8",
    statement=(
        "row_distance(a, b): the total variation distance of each row of a from the same row of "
        "b, (..., n_q); a and b are weights (..., n_q, n_k) whose rows sum to one."
    ),
    reference=row_distance,
    cases=_cases,
    tolerance=FLOAT32,
    tested="two leading axes, one and none.",
    misconceptions=(
        Misconception(
            "half forgotten",
            lambda a, b: 2 * row_distance(a, b),
            "Your distance goes up to 2: weight that moves is counted where it leaves and where it "
            "arrives, so (9.8) halves the sum.",
            "9.8",
        ),
        Misconception(
            "mean for sum",
            lambda a, b: (a - b).abs().mean(-1),
            "You took the mean over the keys; then rows of many keys always look close, and (9.8) "
            "has half the sum.",
            "9.8",
        ),
        Misconception(
            "half the mean",
            lambda a, b: (a - b).abs().mean(-1) / 2,
            "You halved the mean over the keys; (9.8) halves the sum, however many keys there are.",
            "9.8",
        ),
        Misconception(
            "largest difference",
            lambda a, b: (a - b).abs().amax(-1),
            "You took the largest difference at a single key; (9.8) adds up those of all keys.",
            "9.8",
        ),
        Misconception(
            "largest signed difference",
            lambda a, b: (a - b).amax(-1),
            "You took the largest difference at a single key, with its sign; (9.8) adds up the "
            "sizes of those of all keys.",
            "9.8",
        ),
        Misconception(
            "what they share",
            lambda a, b: torch.minimum(a, b).sum(-1),
            "This is the weight that the two rows share; (9.8) measures the rest, and is 0 for "
            "equal rows.",
            "9.8",
        ),
        Misconception(
            "half of the euclidean",
            lambda a, b: (a - b).square().sum(-1).sqrt() / 2,
            "This is half of the Euclidean distance; (9.8) adds absolute values, not squares.",
            "9.8",
        ),
        Misconception(
            "euclidean",
            lambda a, b: (a - b).square().sum(-1).sqrt(),
            "This is the Euclidean distance; (9.8) adds absolute values, not squares.",
            "9.8",
        ),
        Misconception(
            "squares",
            lambda a, b: (a - b).square().sum(-1) / 2,
            "You added squares; (9.8) adds absolute values, so that it counts moved weight.",
            "9.8",
        ),
        Misconception(
            "signs kept",
            lambda a, b: (a - b).sum(-1) / 2,
            "Without absolute values the differences of a row cancel: both rows of (9.8) sum to "
            "one.",
            "9.8",
        ),
        Misconception(
            "columns for rows",
            lambda a, b: (a - b).abs().sum(-2) / 2,
            "You summed over the queries, one number for each key; (9.8) compares the rows, so the "
            "sum runs over the keys.",
            "9.8",
        ),
        Misconception(
            "one number for all rows",
            lambda a, b: row_distance(a, b).mean(),
            "You averaged over all rows; asked for is (9.8) for each row of its own.",
            "9.8",
        ),
        Misconception(
            "Kullback-Leibler",
            lambda a, b: (a * (a / b).log()).sum(-1),
            "This is the Kullback-Leibler divergence, which is not symmetric and has no largest "
            "value; (9.8) is between 0 and 1.",
            "9.8",
        ),
    ),
    together=(
        Both(
            "half forgotten",
            "columns for rows",
            lambda a, b: (a - b).abs().sum(-2),
        ),
        Both(
            "half forgotten",
            "one number for all rows",
            lambda a, b: 2 * row_distance(a, b).mean(),
        ),
    ),
    hints=(
        "Two rows that have no key in common must have the distance 1. What do you get?",
        "Along which axis do the weights of one row lie?",
        "Differences, absolute values, the sum over the last axis, and a half.",
    ),
    where=at_entry,
)
