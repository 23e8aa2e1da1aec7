"""Exercise: cross-attention with given projections."""

from diffedu.classroom.checks.cross.common import (
    all_captions,
    captioned,
    cross_look,
    first_caption,
    hearing,
    look,
)
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry

# B, n_q, n_k, d_x, d_context, d, d_v: all differ; equal widths; everything square but the batch
SIZES = ((2, 7, 5, 4, 3, 6, 8), (3, 5, 4, 6, 6, 2, 2), (2, 4, 4, 5, 5, 5, 5))


CASES = captioned(SIZES)


def _from(ask="x", answer="context", say="context", **faults):
    """Queries, keys and values from these two."""

    def wrong(x, context, W_q, W_k, W_v):
        of = {"x": x, "context": context}
        return look(of[ask] @ W_q, of[answer] @ W_k, of[say] @ W_v, **faults)

    return wrong


def _qkv(combine):
    """What `combine` makes of the right queries, keys and values."""
    return lambda x, context, W_q, W_k, W_v: combine(x @ W_q, context @ W_k, context @ W_v)


def _keys_as_values(x, context, W_q, W_k, W_v):
    return look(x @ W_q, context @ W_k, context @ W_k)


def _root_after(q, k, v):
    return look(q, k, v, width=1, after=lambda weights: weights / q.shape[-1] ** 0.5)


def _shared(q, k, start):
    """Weights with one sum in common, over all axes from `start` on."""
    scores = q @ k.mT / q.shape[-1] ** 0.5
    return scores.flatten(start).softmax(dim=-1).view_as(scores)


EXERCISE = Exercise(
    name="cross_look",
    label="10.1",
    statement=(
        "cross_look(x, context, W_q, W_k, W_v): (10.1) with one head, without W_O. x is "
        "(B, n_q, d_x), context (B, n_k, d_context); multiply from the left, as in X W_Q."
    ),
    reference=cross_look,
    cases=CASES,
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
        Misconception(
            "divided by d",
            _qkv(lambda q, k, v: look(q, k, v, width=q.shape[-1] ** 2)),
            "You divided the scores by d; (10.1) divides them by the root of d.",
            "10.1",
        ),
        Misconception(
            "times the root",
            _qkv(lambda q, k, v: look(q, k, v, width=1 / q.shape[-1])),
            "You multiplied the scores by the root of d; (10.1) divides them by it.",
            "10.1",
        ),
        Misconception(
            "root of the context's width",
            lambda x, context, W_q, W_k, W_v: look(
                x @ W_q, context @ W_k, context @ W_v, width=context.shape[-1]
            ),
            "You divided by the root of the width of the context; d of (10.1) is the width of a "
            "query, after its projection.",
            "10.1",
        ),
        Misconception(
            "root of the number of words",
            _qkv(lambda q, k, v: look(q, k, v, width=k.shape[-2])),
            "You divided by the root of the number of tokens; d of (10.1) is the width of a query.",
            "10.1",
        ),
        Misconception(
            "root after the softmax",
            _qkv(_root_after),
            "You divided by the root of d after the softmax, so that the weights no longer sum "
            "to 1; in (10.1) the scores are divided, before it.",
            "10.1",
        ),
        Misconception(
            "no softmax",
            _qkv(lambda q, k, v: q @ k.mT / q.shape[-1] ** 0.5 @ v),
            "Your scores are used as weights; (10.1) has a softmax between them and the values.",
            "10.1",
        ),
        Misconception(
            "softmax over the batch",
            _from(axis=0),
            "Your weights sum to 1 over the samples of the batch (axis 0); in (10.1) each pixel "
            "shares out its own 1 among its tokens.",
            "10.1",
        ),
        Misconception(
            "softmax over pixels and words",
            _qkv(lambda q, k, v: _shared(q, k, 1) @ v),
            "All weights of a sample together sum to 1; in (10.1) each pixel has a 1 of its own "
            "to share out among the tokens.",
            "10.1",
        ),
        Misconception(
            "softmax over everything",
            _qkv(lambda q, k, v: _shared(q, k, 0) @ v),
            "All weights of the whole batch together sum to 1; in (10.1) each pixel has a 1 of "
            "its own to share out among the tokens.",
            "10.1",
        ),
        Misconception(
            "first caption for everyone",
            hearing(first_caption),
            "Every picture hears the first caption; (10.1) pairs each picture with its own.",
            "10.1",
        ),
        Misconception(
            "all captions for everyone",
            hearing(all_captions),
            "Every picture hears the words of all captions; in (10.1) the pixels of a sample "
            "look at its own n_k tokens.",
            "10.1",
        ),
        Misconception(
            "weights without values",
            _qkv(lambda q, k, v: (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)),
            "You returned the weights; (10.1) multiplies them by the values of the context.",
            "10.1",
        ),
        Misconception(
            "scores alone",
            _qkv(lambda q, k, v: q @ k.mT / q.shape[-1] ** 0.5),
            "You returned the scores; in (10.1) come a softmax and a product with the values "
            "after them.",
            "10.1",
        ),
    ),
    together=(
        Both("the text asks", "no root", _from("context", "x", "x", width=1)),
        Both("softmax over the queries", "no root", _from(axis=-2, width=1)),
        Both("no softmax", "no root", _qkv(lambda q, k, v: q @ k.mT @ v)),
    ),
    hints=(
        "The answer has one row for each pixel. So who makes the rows of the scores?",
        "Three projections: one of x, two of the context. The scores are (B, n_q, n_k).",
        "Softmax along the axis of the words, then a product with what the words say.",
    ),
    where=at_entry,
)
