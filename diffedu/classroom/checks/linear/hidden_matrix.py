"""Exercise: the matrix that linear attention never makes."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, at_entry
from diffedu.classroom.checks.linear.common import (
    FEATURES,
    MATRICES,
    TOKENS,
    example,
    hidden,
    in_words,
    queries_keys_values,
)
from diffedu.nets.attention import linear_attention_weights


def _cases(generator):
    return [{"q": c["q"], "k": c["k"]} for c in queries_keys_values(generator)]


def _told(matrix) -> str:
    """Row sums, rank and error of a matrix made from 64 queries and keys of width 8."""
    q, k, _ = example()
    A, right = matrix(q, k), hidden()(q, k)
    sums = in_words(*(x.item() for x in A.sum(1).aminmax()))
    rank, off = torch.linalg.matrix_rank(A).item(), (A - right).abs().sum(1).mean()
    return (
        f"For 64 tokens and a head of width 8 the rows sum to {sums}, the rank is {rank}, "
        f"and the weights of a row are off by {off:.2g} in all; by (9.3) and (9.4) rows sum to 1, "
        "and the rank is at most 8."
    )


EXERCISE = Exercise(
    name="hidden_matrix",
    label="9.2",
    statement=(
        "hidden_matrix(q, k): the matrix A of linear attention, (..., n_q, n_k), from q "
        "(..., n_q, d) and k (..., n_k, d); any leading axes."
    ),
    reference=linear_attention_weights,
    cases=_cases,
    tolerance=FLOAT32,
    tested="two leading axes, one and none; as many keys as queries, more, and fewer.",
    misconceptions=MATRICES,
    together=(
        Both(
            "both over features",
            "q scaled after the softmax",
            hidden(FEATURES, FEATURES, lambda d: d**-0.5),
        ),
        Both(
            "axes exchanged",
            "q scaled after the softmax",
            hidden(TOKENS, FEATURES, lambda d: d**-0.5),
        ),
    ),
    hints=(
        "Two softmaxes and one product. Which of them comes first?",
        "Each spotlight is a distribution over the tokens; each query mixes the spotlights.",
        "Q: over the last axis, its features. K: over the last axis but one, its tokens. Then one "
        "product, queries by keys.",
    ),
    consequence=_told,
    where=at_entry,
)
