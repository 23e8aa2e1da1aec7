"""Exercise: cross-attention with given projections."""

from diffedu.classroom.checks.cross.common import cross_look, look, matrix
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal

# B, n_q, n_k, C, d_context, d, d_v: all differ; equal widths; everything square but the batch
SIZES = ((2, 7, 5, 4, 3, 6, 8), (3, 5, 4, 6, 6, 2, 2), (2, 4, 4, 5, 5, 5, 5))


def _cases(generator):
    return [
        {
            "x": normal((b, n_q, c), generator),
            "context": normal((b, n_k, d_context), generator),
            "W_q": matrix(c, d, generator),
            "W_k": matrix(d_context, d, generator),
            "W_v": matrix(d_context, d_v, generator),
        }
        for b, n_q, n_k, c, d_context, d, d_v in SIZES
    ]


def _from(ask="x", answer="context", say="context", **faults):
    """Queries, keys and values from these two."""

    def wrong(x, context, W_q, W_k, W_v):
        of = {"x": x, "context": context}
        return look(of[ask] @ W_q, of[answer] @ W_k, of[say] @ W_v, **faults)

    return wrong


def _keys_as_values(x, context, W_q, W_k, W_v):
    return look(x @ W_q, context @ W_k, context @ W_k)


EXERCISE = Exercise(
    name="cross_look",
    label="10.1",
    statement=(
        "cross_look(x, context, W_q, W_k, W_v): (10.1) with one head, without W_O. x is "
        "(B, n_q, C), context (B, n_k, d_context); multiply from the left, as in X W_Q."
    ),
    reference=cross_look,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches; pixels and words that differ in number and width, and once agree.",
    misconceptions=(
        Misconception(
            "the text asks",
            _from("context", "x", "x"),
            "Your queries come from the context and your keys and values from the image; in (10.1) "
            "the image asks and the context answers.",
            "10.1",
        ),
        Misconception(
            "the image answers itself",
            _from("x", "x", "x"),
            "Queries, keys and values all come from x: self-attention, which never sees the "
            "context that answers in (10.1).",
            "10.1",
        ),
        Misconception(
            "values from the image",
            _from(say="x"),
            "Your values come from the image; in (10.1) keys and values are both made from the "
            "context, so that each weight meets its own word.",
            "10.1",
        ),
        Misconception(
            "keys from the image",
            _from(answer="x"),
            "Your keys come from the image; in (10.1) keys and values are both made from the "
            "context, so that each weight meets its own word.",
            "10.1",
        ),
        Misconception(
            "keys as values",
            _keys_as_values,
            "You averaged the keys; (10.1) averages the values, which have a projection of their "
            "own.",
            "10.1",
        ),
        Misconception(
            "softmax over the queries",
            _from(axis=-2),
            "Your weights sum to 1 over the pixels that ask; in (10.1) each pixel shares out its "
            "own 1 among the tokens of the context.",
            "10.1",
        ),
        Misconception(
            "no root",
            _from(width=1),
            "Your scores are the bare products; (10.1) divides them by the root of d.",
            "10.1",
        ),
        Misconception(
            "root of the image's width",
            lambda x, context, W_q, W_k, W_v: look(
                x @ W_q, context @ W_k, context @ W_v, width=x.shape[-1]
            ),
            "You divided by the root of the width of x; d of (10.1) is the width of a query, after "
            "its projection.",
            "10.1",
        ),
        Misconception(
            "matrices turned over",
            lambda x, context, W_q, W_k, W_v: look(x @ W_q.T, context @ W_k.T, context @ W_v.T),
            "Your matrices are transposed, as nn.Linear stores them; (10.1) has X W_Q, one row "
            "of W_Q for each feature of x.",
            "10.1",
        ),
    ),
    together=(
        Both("the text asks", "no root", _from("context", "x", "x", width=1)),
        Both("softmax over the queries", "no root", _from(axis=-2, width=1)),
    ),
    hints=(
        "The answer has one row for each pixel. So who makes the rows of the scores?",
        "Three projections: one of x, two of the context. The scores are (B, n_q, n_k).",
        "Softmax along the axis of the words, then a product with what the words say.",
    ),
    where=at_entry,
)
