"""Exercise: the attention weights of a batch."""

from einops import einsum

from diffedu.classroom.checks.attention.common import (
    DIVIDED_BY_D,
    TIMES_THE_ROOT,
    queries_and_keys,
    raw_scores,
    row_sums,
    scaled,
    unit,
)
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry


def scaled_weights(q, k):
    """Scores over the root of the width, then the softmax over the keys (6.2)."""
    scores = einsum(q, k, "b i d, b j d -> b i j")
    return (scores / q.shape[-1] ** 0.5).softmax(dim=-1)


def _over_the_sum_of_the_batch(q, k):
    shares = scaled(q, k).exp()
    return shares / shares.sum()


def _reshaped(q, k):
    return (q @ k.reshape(len(k), k.shape[2], k.shape[1]) / q.shape[-1] ** 0.5).softmax(-1)


EXERCISE = Exercise(
    name="scaled_weights",
    label="6.2",
    statement=(
        "scaled_weights(q, k): the attention weights (B, n_q, n_k), for q (B, n_q, d) and "
        "k (B, n_k, d)."
    ),
    reference=scaled_weights,
    cases=queries_and_keys,
    tolerance=FLOAT32,
    tested="three batches with more, fewer and as many queries as keys.",
    misconceptions=(
        Misconception(
            "no scale",
            lambda q, k: raw_scores(q, k).softmax(-1),
            "The scores are not scaled; (6.2) divides them by √d, so that their variance is 1.",
            "6.2",
        ),
        Misconception(
            "divided by d",
            lambda q, k: (raw_scores(q, k) / q.shape[-1]).softmax(-1),
            DIVIDED_BY_D,
            "6.3",
        ),
        Misconception(
            "times the root",
            lambda q, k: (raw_scores(q, k) * q.shape[-1] ** 0.5).softmax(-1),
            TIMES_THE_ROOT,
            "6.2",
        ),
        Misconception(
            "root of the number of keys",
            lambda q, k: (raw_scores(q, k) / k.shape[-2] ** 0.5).softmax(-1),
            "You divided by the root of the number of keys; in (6.2) d is the width of one query.",
            "6.2",
        ),
        Misconception(
            "root of the number of queries",
            lambda q, k: (raw_scores(q, k) / q.shape[-2] ** 0.5).softmax(-1),
            "You divided by the root of the number of queries; in (6.2) d is the width of one.",
            "6.2",
        ),
        Misconception(
            "softmax over the queries",
            lambda q, k: scaled(q, k).softmax(-2),
            "Each of your columns sums to 1, so the queries compete for a key; by (6.4) each row "
            "does, the shares of one query.",
            "6.4",
        ),
        Misconception(
            "softmax over the batch",
            lambda q, k: scaled(q, k).softmax(0),
            "Your softmax runs over the samples of the batch, and mixes them; by (6.4) it runs "
            "over the keys of one query.",
            "6.4",
        ),
        Misconception(
            "softmax over everything",
            lambda q, k: scaled(q, k).flatten(1).softmax(-1).view_as(raw_scores(q, k)),
            "In your result a whole sample sums to 1; by (6.4) each query has shares of its own.",
            "6.4",
        ),
        Misconception(
            "scores for weights",
            scaled,
            "These are the scaled scores; (6.2) has a softmax that makes shares of them.",
            "6.2",
        ),
        Misconception(
            "scaled after the softmax",
            lambda q, k: raw_scores(q, k).softmax(-1) / q.shape[-1] ** 0.5,
            "You divided the finished weights by √d, and the rows no longer sum to 1; (6.2) scales "
            "the scores.",
            "6.2",
        ),
        Misconception(
            "queries and keys exchanged",
            lambda q, k: scaled(k, q).softmax(-1),
            "In your result the keys look at the queries; in (6.2) there is one row for each query "
            "and one column for each key.",
            "6.2",
        ),
        Misconception(
            "cosine for dot product",
            lambda q, k: raw_scores(unit(q), unit(k)).softmax(-1),
            "You compare directions only; (6.2) takes the dot product and divides by √d, not by "
            "the two lengths.",
            "6.2",
        ),
        Misconception(
            "divided by the sum of the batch",
            _over_the_sum_of_the_batch,
            "Your exponentials are divided by the sum of the whole batch, so that all weights "
            "together sum to 1; by (6.4) those of each query do.",
            "6.4",
        ),
        Misconception(
            "exponentials not divided",
            lambda q, k: scaled(q, k).exp(),
            "These are the exponentials alone; the softmax of (6.2) divides them by the sum of "
            "their row.",
            "6.2",
        ),
        Misconception(
            "reshape for a transpose",
            _reshaped,
            "You gave K the shape of Kᵀ by a reshape, which tears the keys apart; in (6.2) each "
            "column of Kᵀ is one whole key.",
            "6.2",
        ),
        Misconception(
            "sigmoid for softmax",
            lambda q, k: scaled(q, k).sigmoid(),
            "Each of your weights knows its own score only; by (6.4) those of one query are shares "
            "that sum to 1.",
            "6.4",
        ),
    ),
    together=(
        Both("no scale", "softmax over the queries", lambda q, k: raw_scores(q, k).softmax(-2)),
        Both("no scale", "softmax over the batch", lambda q, k: raw_scores(q, k).softmax(0)),
    ),
    hints=(
        "Which shape must the scores have? One row for each query, one column for each key.",
        "Every row of the result must sum to 1. Which axis of the scores is that?",
        "Two of the three sizes of q do not enter the scale. Which one does?",
    ),
    consequence=row_sums,
    where=at_entry,
)
