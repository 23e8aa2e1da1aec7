"""Exercise: linear attention, with the brackets moved."""

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.linear.common import (
    FEATURES,
    TOKENS,
    hidden,
    look_told,
    queries_keys_values,
)
from diffedu.nets.attention import attention, linear_attention


def _by(matrix):
    """What a look with this matrix brings back."""
    return lambda q, k, v: matrix(q, k) @ v


EXERCISE = Exercise(
    name="look_linearly",
    label="9.1",
    statement=(
        "look_linearly(q, k, v): what linear attention brings back, (..., n_q, d_v), from q "
        "(..., n_q, d), k (..., n_k, d) and v (..., n_k, d_v); any leading axes."
    ),
    reference=linear_attention,
    cases=queries_keys_values,
    tolerance=FLOAT32,
    tested="two leading axes, one and none; widths of keys and values that differ.",
    misconceptions=(
        Misconception(
            "softmax attention",
            attention,
            "This is softmax attention, (6.1) with (6.2): right answers to another question; (9.1) "
            "has the two softmaxes of (9.2).",
            "9.2",
        ),
        Misconception(
            "no softmax",
            lambda q, k, v: q @ (k.mT @ v),
            "The brackets are moved, but ρ_q and ρ_k of (9.2) are missing: the weights can be "
            "negative and sum to anything.",
            "9.2",
        ),
        Misconception(
            "axes exchanged",
            _by(hidden(TOKENS, FEATURES)),
            "Q is softmaxed over tokens and K over features; (9.2) has them the other way round, "
            "and (9.3) needs it.",
            "9.3",
        ),
        Misconception(
            "both over features",
            _by(hidden(FEATURES, FEATURES)),
            "Both softmaxes run over features; then a value that is one everywhere comes back "
            "larger or smaller, as step 3 of (9.3) fails.",
            "9.3",
        ),
        Misconception(
            "both over tokens",
            _by(hidden(TOKENS, TOKENS)),
            "Both softmaxes run over tokens; then the mixture of spotlights does not sum to one, "
            "and step 4 of (9.3) fails.",
            "9.3",
        ),
        Misconception(
            "q scaled after the softmax",
            _by(hidden(scale=lambda d: d**-0.5)),
            "There is a factor 1/√d on the result: the rows of the hidden matrix must sum to one, "
            "(9.3), and now sum to that factor.",
            "9.3",
        ),
        Misconception(
            "q scaled before the softmax",
            lambda q, k, v: linear_attention(q / q.shape[-1] ** 0.5, k, v),
            "Q is divided by √d before its softmax, as scores are in (6.2); (9.2) has no such "
            "factor.",
            "9.2",
        ),
        Misconception(
            "values divided by n",
            lambda q, k, v: linear_attention(q, k, v / v.shape[-2]),
            "The values are divided by the number of keys; ρ_k sums to one over them already, so "
            "(9.3) leaves nothing to divide.",
            "9.3",
        ),
        Misconception(
            "softmax on the summary",
            lambda q, k, v: q.softmax(-1) @ (k.mT @ v).softmax(-2),
            "A softmax acts on the product of K and V; in (9.1) values are never softmaxed, only "
            "K alone, over its tokens.",
            "9.1",
        ),
        Misconception(
            "k without softmax",
            lambda q, k, v: q.softmax(-1) @ (k.mT @ v),
            "Only Q has its softmax; without ρ_k of (9.2) the summary is a sum with any signs, not "
            "a set of means.",
            "9.2",
        ),
        Misconception(
            "axes counted from the front",
            lambda q, k, v: q.softmax(-1) @ (k.softmax(1).mT @ v),
            "K is softmaxed over axis 1, which are the tokens of (B, n, d) only; ρ_k of (9.2) runs "
            "over the last axis but one, whatever stands before it.",
            "9.2",
        ),
        Misconception(
            "a softmax on the output",
            lambda q, k, v: linear_attention(q, k, v).softmax(-1),
            "There is a softmax on the result; by (9.1) a look is linear in the values.",
            "9.1",
        ),
    ),
    together=(
        Both(
            "both over features",
            "q scaled after the softmax",
            _by(hidden(FEATURES, FEATURES, lambda d: d**-0.5)),
        ),
        Both(
            "q scaled after the softmax",
            "values divided by n",
            lambda q, k, v: linear_attention(q, k, v / v.shape[-2]) * q.shape[-1] ** -0.5,
        ),
    ),
    hints=(
        "Which two of the three matrices meet first on the right side of (9.1)?",
        "Make the summary of all keys and values, (d, d_v); then let each query read it.",
        "ρ_k over the tokens (last axis but one), ρ_q over the features (last axis), and no factor "
        "anywhere.",
    ),
    consequence=look_told,
    where=at_entry,
)
