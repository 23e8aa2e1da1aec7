"""Find the bug: linear attention moved to another layout, without its axes."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal
from diffedu.classroom.checks.linear.common import look_told
from diffedu.nets.attention import attention


def repair_pixels_last(q, k, v):
    """(9.1) with tokens on the last axis: features are the last but one."""
    q = q.softmax(dim=2)  # b, heads, features, tokens
    k = k.softmax(dim=3)
    summary = torch.einsum("bhdn,bhen->bhde", k, v)
    return torch.einsum("bhdn,bhde->bhen", q, summary)


def _cases(generator):
    sizes = ((2, 3, 5, 7, 4), (3, 2, 6, 6, 6))  # B, heads, d, n, d_v
    return [
        {
            "q": normal((b, h, d, n), generator),
            "k": normal((b, h, d, n), generator),
            "v": normal((b, h, d_v, n), generator),
        }
        for b, h, d, n, d_v in sizes
    ]


def _with(of_q=-2, of_k=-1, scale=lambda d, n: 1.0):
    """The code with softmaxes over these axes and a factor on the result."""

    def wrong(q, k, v):
        summary = k.softmax(of_k) @ v.mT
        return scale(*q.shape[-2:]) * (summary.mT @ q.softmax(of_q))

    return wrong


def _normalised(q, k, v):
    """The given code, divided by its own row sums."""
    given = _with(-1, -2)
    return given(q, k, v) / given(q, k, torch.ones_like(v))


def _told(wrong) -> str:
    """In the layout of the notebook, with one sample and one head."""
    return look_told(lambda *qkv: wrong(*(x.mT[None, None] for x in qkv))[0, 0].mT)


EXERCISE = Exercise(
    name="repair_pixels_last",
    label="9.2",
    statement=(
        "repair_pixels_last(q, k, v): linear attention, (B, heads, d_v, n), for q and k "
        "(B, heads, d, n) and v (B, heads, d_v, n): features first, tokens last."
    ),
    reference=repair_pixels_last,
    cases=_cases,
    tolerance=FLOAT32,
    tested="several samples and heads, as many tokens as features, and more.",
    misconceptions=(
        Misconception(
            "axes of the old layout",
            _with(-1, -2),
            "Q is softmaxed over tokens and K over features: the axes were right with features "
            "last; (9.2) speaks of what an axis means.",
            "9.2",
        ),
        Misconception(
            "only q repaired",
            _with(-2, -2),
            "Q is right now; K is still softmaxed over its features, so step 3 of (9.3) fails.",
            "9.3",
        ),
        Misconception(
            "only k repaired",
            _with(-1, -1),
            "K is right now; Q is still softmaxed over the tokens, so step 4 of (9.3) fails.",
            "9.3",
        ),
        Misconception(
            "row sums divided out",
            _normalised,
            "Ones come back as ones now, but by force: the softmaxes still run over the wrong "
            "axes, so the weights are not those of (9.2).",
            "9.2",
        ),
        Misconception(
            "q scaled after the softmax",
            _with(scale=lambda d, n: d**-0.5),
            "The axes are right now, and a factor 1/√d is new; (9.3) has no room for it.",
            "9.3",
        ),
        Misconception(
            "values divided by n",
            _with(scale=lambda d, n: 1 / n),
            "The axes are right now, and a division by the number of tokens is new; by (9.3) the "
            "rows sum to one without it.",
            "9.3",
        ),
        Misconception(
            "given code divided by n",
            _with(-1, -2, lambda d, n: 1 / n),
            "A division by the number of tokens is new, and the softmaxes are as given: (9.3) "
            "still fails, at the same steps.",
            "9.3",
        ),
        Misconception(
            "q scaled before the softmax",
            lambda q, k, v: repair_pixels_last(q / q.shape[-2] ** 0.5, k, v),
            "The axes are right now, and Q is divided by √d before its softmax, as scores are in "
            "(6.2); (9.2) has no such factor.",
            "9.2",
        ),
        Misconception(
            "q without softmax",
            lambda q, k, v: (k.softmax(-1) @ v.mT).mT @ q,
            "K is right now, and Q has lost its softmax; (9.2) has one on each of the two.",
            "9.2",
        ),
        Misconception(
            "k without softmax",
            lambda q, k, v: (k @ v.mT).mT @ q.softmax(-2),
            "Q is right now, and K has lost its softmax; (9.2) has one on each of the two.",
            "9.2",
        ),
        Misconception(
            "tokens first",
            lambda q, k, v: repair_pixels_last(q, k, v).mT,
            "The numbers are right, and the tokens stand before the features; (9.1) is asked for "
            "in the layout of the input.",
            "9.1",
        ),
        Misconception(
            "softmax over heads",
            _with(1, -1),
            "Q is softmaxed over the heads now, as if axis 1 were the features; in this layout "
            "ρ_q of (9.2) runs over the last axis but one.",
            "9.2",
        ),
        Misconception(
            "softmax attention",
            lambda q, k, v: attention(q.mT, k.mT, v.mT).mT,
            "This is softmax attention (6.2) now, with its n × n matrix; asked for is (9.1) with "
            "the two softmaxes of (9.2).",
            "9.2",
        ),
    ),
    together=(
        Both(
            "only k repaired",
            "q scaled after the softmax",
            _with(-1, -1, lambda d, n: d**-0.5),
        ),
        Both(
            "only q repaired",
            "values divided by n",
            _with(-2, -2, lambda d, n: 1 / n),
        ),
    ),
    hints=(
        "Say for each line what its axis number means in this layout: batch, heads, features, "
        "tokens?",
        "(9.2): over what does Q get its softmax, and over what K? Which axes are these here?",
        "In the usual layout features are the last axis and tokens the last but one. Here it is "
        "the other way round, and the axis numbers have not followed.",
    ),
    bug="axes of the old layout",
    consequence=_told,
    where=at_entry,
)
