"""Exercise: the matrix that linear attention never makes."""

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.linear.common import (
    FEATURES,
    TOKENS,
    hidden,
    matrix_told,
    queries_and_keys,
)
from diffedu.nets.attention import attention_weights, linear_attention_weights

EXERCISE = Exercise(
    name="hidden_matrix",
    label="9.2",
    statement=(
        "hidden_matrix(q, k): the matrix A of linear attention, (..., n_q, n_k), from q "
        "(..., n_q, d) and k (..., n_k, d); any leading axes."
    ),
    reference=linear_attention_weights,
    cases=queries_and_keys,
    tolerance=FLOAT32,
    tested="two leading axes, one and none; as many keys as queries, more, and fewer.",
    misconceptions=(
        Misconception(
            "softmax attention",
            attention_weights,
            "This is softmax attention (6.2): its softmax acts after Q and K have met; in (9.2) "
            "each gets one of its own, before.",
            "9.2",
        ),
        Misconception(
            "one softmax after the product",
            lambda q, k: (q @ k.mT).softmax(-1),
            "One softmax acts on the product of Q and K; (9.2) has two, on Q and on K, before "
            "they meet.",
            "9.2",
        ),
        Misconception(
            "no softmax",
            lambda q, k: q @ k.mT,
            "The bare product of Q and K: its rows can be negative and sum to anything; (9.2) has "
            "a softmax on each of the two.",
            "9.2",
        ),
        Misconception(
            "axes exchanged",
            hidden(TOKENS, FEATURES),
            "Q is softmaxed over tokens and K over features; (9.2) has them the other way round, "
            "and (9.3) needs it.",
            "9.3",
        ),
        Misconception(
            "both over features",
            hidden(FEATURES, FEATURES),
            "Both softmaxes run over features; then the columns of ρ_k(K) do not sum to one over "
            "the tokens, and step 3 of (9.3) fails.",
            "9.3",
        ),
        Misconception(
            "both over tokens",
            hidden(TOKENS, TOKENS),
            "Both softmaxes run over tokens; then the rows of ρ_q(Q) do not sum to one, and step 4 "
            "of (9.3) fails.",
            "9.3",
        ),
        Misconception(
            "q scaled after the softmax",
            hidden(scale=lambda d: d**-0.5),
            "There is a factor 1/√d on the result, so every row sums to less than one; (9.2) has "
            "none.",
            "9.3",
        ),
        Misconception(
            "q scaled before the softmax",
            lambda q, k: hidden()(q / q.shape[-1] ** 0.5, k),
            "Q is divided by √d before its softmax, as scores are in (6.2); (9.2) has no dot "
            "product there, and no such factor.",
            "9.2",
        ),
        Misconception(
            "keys by queries",
            lambda q, k: hidden()(q, k).mT,
            "Rows and columns are exchanged: in A of (9.2) a row belongs to a query.",
            "9.2",
        ),
        Misconception(
            "k without softmax",
            lambda q, k: q.softmax(FEATURES) @ k.mT,
            "Only Q has its softmax; without ρ_k the spotlights of (9.2) are no distributions over "
            "tokens.",
            "9.2",
        ),
        Misconception(
            "axes counted from the front",
            lambda q, k: q.softmax(-1) @ k.softmax(1).mT,
            "K is softmaxed over axis 1, which are the tokens of (B, n, d) only; ρ_k of (9.2) runs "
            "over the last axis but one, whatever stands before it.",
            "9.2",
        ),
        Misconception(
            "a third softmax",
            lambda q, k: hidden()(q, k).softmax(-1),
            "There is one more softmax on the product; by (9.3) its rows sum to one already, and "
            "the third one spoils (9.1).",
            "9.3",
        ),
    ),
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
    consequence=matrix_told,
    where=at_entry,
)
