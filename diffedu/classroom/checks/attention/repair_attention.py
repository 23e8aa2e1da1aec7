"""Find the bug: attention whose weights are shared out along the wrong axis."""

import torch
from einops import einsum

from diffedu.classroom.checks.attention.common import queries_and_keys, raw_scores, scaled
from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal


def repair_attention(q, k, v):
    """The softmax over the keys, the last axis of the scores (6.4)."""
    scores = einsum(q, k, "b i d, b j d -> b i j")
    weights = (scores / q.shape[-1] ** 0.5).softmax(dim=-1)
    return einsum(weights, v, "b i j, b j e -> b i e")


def _cases(generator):
    widths = (7, 2, 8)
    return [
        {**case, "v": normal((*case["k"].shape[:2], d_v), generator)}
        for case, d_v in zip(queries_and_keys(generator), widths, strict=True)
    ]


def _with(weights):
    """The layer with other weights, made from q and k."""
    return lambda q, k, v: weights(q, k) @ v


def _divided_afterwards(q, k):
    wrong = scaled(q, k).softmax(1)
    return wrong / wrong.sum(-1, keepdim=True)


def _on_ones_and_on_noise(function):
    """What becomes of values that are all 1, and how far other values are led astray."""
    g = torch.Generator().manual_seed(6)
    q, k, v = torch.randn(3, 4, 12, 64, generator=g, dtype=torch.float64)
    ones, right = function(q, k, torch.ones_like(v)), repair_attention(q, k, v)
    off = (function(q, k, v) - right).norm() / right.norm()
    return (
        f"For 12 random queries and keys, values that are all 1 give answers from {ones.min():.2f} "
        f"to {ones.max():.2f} (right: 1); with random values the answers are off by "
        f"{100 * off:.0f} %."
    )


EXERCISE = Exercise(
    name="repair_attention",
    label="6.4",
    statement=(
        "repair_attention(q, k, v): attention (B, n_q, d_v) for a batch. One line of this code is "
        "wrong."
    ),
    reference=repair_attention,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches with more, fewer and as many queries as keys.",
    misconceptions=(
        Misconception(
            "softmax over the queries",
            _with(lambda q, k: scaled(q, k).softmax(1)),
            "The softmax ran over the queries, which then compete for each key; by (6.4) the "
            "shares of one query sum to 1.",
            "6.4",
        ),
        Misconception(
            "softmax over the batch",
            _with(lambda q, k: scaled(q, k).softmax(0)),
            "The softmax now runs over the batch and mixes samples; by (6.4) the shares of one "
            "query sum to 1.",
            "6.4",
        ),
        Misconception(
            "divided by the row afterwards",
            _with(_divided_afterwards),
            "The rows sum to 1 now, but a softmax over the queries came before; (6.4) shares out "
            "the exponentials of one query, nothing else.",
            "6.4",
        ),
        Misconception(
            "one softmax after the other",
            _with(lambda q, k: scaled(q, k).softmax(1).softmax(2)),
            "There are two softmaxes in a row now; (6.2) has one, over the keys.",
            "6.2",
        ),
        Misconception(
            "softmax over both axes",
            _with(lambda q, k: scaled(q, k).flatten(1).softmax(-1).view_as(raw_scores(q, k))),
            "All weights of a sample now sum to 1 together; by (6.4) those of each query do.",
            "6.4",
        ),
        Misconception(
            "no softmax",
            _with(scaled),
            "The softmax is gone, and the values are weighted with the scores; (6.2) needs it, "
            "over the keys.",
            "6.2",
        ),
        Misconception(
            "scale lost",
            _with(lambda q, k: raw_scores(q, k).softmax(-1)),
            "The axis is right now, and the division by √d got lost; (6.2) has both.",
            "6.2",
        ),
        Misconception(
            "divided by d",
            _with(lambda q, k: (raw_scores(q, k) / q.shape[-1]).softmax(-1)),
            "The axis is right now, and the scale was right before: (6.2) divides by √d, not by d.",
            "6.2",
        ),
        Misconception(
            "times the root",
            _with(lambda q, k: (raw_scores(q, k) * q.shape[-1] ** 0.5).softmax(-1)),
            "The axis is right now, and the scale was right before: (6.2) divides by √d, and you "
            "multiply.",
            "6.2",
        ),
        Misconception(
            "root of the number of keys",
            _with(lambda q, k: (raw_scores(q, k) / k.shape[1] ** 0.5).softmax(-1)),
            "The axis is right now, and the scale was right before: in (6.2) d is the width of one "
            "query, not the number of keys.",
            "6.2",
        ),
        Misconception(
            "softmax of the answer",
            lambda q, k, v: (scaled(q, k) @ v).softmax(-1),
            "The softmax now acts on the answer; in (6.2) it acts on the scores, before they meet "
            "V.",
            "6.2",
        ),
    ),
    hints=(
        "Put in values that are all 1. Which answers must come out, and which do?",
        "The mistake lies in an axis. Which letter of b i j counts what a query chooses from?",
        "Sum the weights over each axis in turn. Which of the sums are 1, and which should be?",
    ),
    bug="softmax over the queries",
    consequence=_on_ones_and_on_noise,
    where=at_entry,
)
