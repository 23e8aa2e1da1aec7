"""Exercise: linear attention, with the brackets moved."""

from dataclasses import replace

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.linear.common import (
    FEATURES,
    MATRICES,
    hidden,
    look_told,
    queries_keys_values,
)
from diffedu.nets.attention import linear_attention


def _by(matrix):
    """What a look with this matrix brings back."""
    return lambda q, k, v: matrix(q, k) @ v


EXERCISE = Exercise(
    name="look_linearly",
    label="9.1",
    statement=(
        "look_linearly(q, k, v): what linear attention brings back, (..., n_q, d_v), from q "
        "(..., n_q, d), k (..., n_k, d) and v (..., n_k, d_v); any leading axes. Both sides of "
        "(9.1) are right; its right side is the fast one."
    ),
    reference=linear_attention,
    cases=queries_keys_values,
    tolerance=FLOAT32,
    tested="two leading axes, one and none; widths of keys and values that differ.",
    misconceptions=(
        *(replace(one, wrong=_by(one.wrong)) for one in MATRICES),
        Misconception(
            "softmax on the summary",
            lambda q, k, v: q.softmax(-1) @ (k.mT @ v).softmax(-2),
            "A softmax acts on the product of K and V; in (9.1) values are never softmaxed, only "
            "K alone, over its tokens.",
            "9.1",
        ),
        Misconception(
            "softmax on the summary, over the values",
            lambda q, k, v: q.softmax(-1) @ (k.mT @ v).softmax(-1),
            "A softmax acts on the product of K and V, over the features of the values; in (9.1) "
            "K alone has one, over its tokens.",
            "9.1",
        ),
        Misconception(
            "one more softmax on the summary",
            lambda q, k, v: q.softmax(-1) @ (k.softmax(-2).mT @ v).softmax(-1),
            "There is one more softmax, on the summary; in (9.1) it is a bare product of ρ_k(K) "
            "and V.",
            "9.1",
        ),
        Misconception(
            "one more softmax on the summary, over its rows",
            lambda q, k, v: q.softmax(-1) @ (k.softmax(-2).mT @ v).softmax(-2),
            "There is one more softmax, on the summary and over the spotlights; in (9.1) it is a "
            "bare product of ρ_k(K) and V.",
            "9.1",
        ),
        Misconception(
            "softmax of the values",
            lambda q, k, v: linear_attention(q, k, v.softmax(-1)),
            "The values have a softmax, too, over their features; in (9.1) they come in as they "
            "are.",
            "9.1",
        ),
        Misconception(
            "softmax of the values over tokens",
            lambda q, k, v: linear_attention(q, k, v.softmax(-2)),
            "The values have a softmax, too, over the tokens; in (9.1) they come in as they are.",
            "9.1",
        ),
        Misconception(
            "a softmax on the output",
            lambda q, k, v: linear_attention(q, k, v).softmax(-1),
            "There is a softmax on the result; by (9.1) a look is linear in the values.",
            "9.1",
        ),
        Misconception(
            "result transposed",
            lambda q, k, v: linear_attention(q, k, v).mT,
            "Rows and columns of the result are exchanged; in (9.1) a row belongs to a query, and "
            "has the width of the values.",
            "9.1",
        ),
        Misconception(
            "the matrix alone",
            lambda q, k, v: hidden()(q, k),
            "This is the matrix A of (9.2); in (9.1) it still meets the values.",
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
            "divided by n",
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
