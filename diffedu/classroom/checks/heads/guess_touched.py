"""Prediction: how far a change travels through the silent bug."""

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.classroom.checks.heads.common import only_cut, touched
from diffedu.nets.operators import attention

TOKENS, HEADS, WIDTH = 10, 4, 20


def guess_touched():
    """Run the buggy program twice, without projections, and count the outputs that differ."""

    def program(x):
        q = only_cut(x, HEADS)
        answers = attention(q, q, q)  # (B, n, h, d): heads look at heads
        return answers.transpose(1, 2).reshape(x.shape)

    return len(touched(program, TOKENS, WIDTH, 7))


EXERCISE = Prediction(
    name="guess_touched",
    label="7.1",
    statement=(
        "guess_touched: how many of the 10 outputs of the printed program, with 4 heads, change "
        "if token 7 of the input changes? One number."
    ),
    reference=guess_touched,
    cases=no_arguments,
    tolerance=Tolerance(0, 0.3, "outputs are counted"),
    tested="Four, [1, 4, 6, 9]: token 7 is heard by nobody, and its four heads land in four rows.",
    misconceptions=(
        Misconception(
            "all",
            lambda: 10,
            "That is right attention (7.1); here q, k and v keep the heads behind the tokens, and "
            "what looks at what is decided by the last two axes.",
            "7.1",
        ),
        Misconception(
            "only itself",
            lambda: 1,
            "Right as far as the look goes. But the last line still exchanges tokens and heads, "
            "although nothing was exchanged before. Where do token 7's heads land, unlike (7.1)?",
            "7.1",
        ),
        Misconception(
            "all others stay silent",
            lambda: 0,
            "Something must change: the heads of token 7 still look at each other, and their "
            "answers are in the output somewhere; follow them through the last line, as in (7.1).",
            "7.1",
        ),
        Misconception(
            "itself and where its heads land",
            lambda: 5,
            "One too many: there is no residual path in (7.1), so token 7 stays only if one of its "
            "heads lands there.",
            "7.1",
        ),
        Misconception(
            "half",
            lambda: 2,
            "Fewer than there are heads? Each head of token 7 is d numbers that go somewhere in "
            "the last line; in (7.1) they would stay together.",
            "7.1",
        ),
        Misconception(
            "the number of the token",
            lambda: 7,
            "7 is the number of a token, and asked is a count: how many outputs change. In right "
            "attention (7.1) it would be all of them.",
            "7.1",
        ),
    ),
    hints=(
        "Write down the shape of q, and of the scores. Which axis is looked along?",
        "The answers are (B, 10, 4, d), and token 7's are the four rows [7, 0..3]. The last line "
        "exchanges axes 1 and 2.",
        "Then 40 rows of d numbers are poured into 10 rows of 4 d. In which does row 10 g + 7 end?",
    ),
    where=at_entry,
)
