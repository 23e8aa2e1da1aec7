"""Exercise: the whole of multi-head attention, for a batch and a context."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.heads import common
from diffedu.classroom.checks.inputs import normal


def many_heads(x, context, W_Q, W_K, W_V, W_O, n_heads):
    """(7.1), read literally: one head after the other, side by side, then W_O."""
    d = W_K.shape[1] // n_heads
    heads = []
    for i in range(n_heads):
        mine = slice(i * d, (i + 1) * d)
        q, k, v = x @ W_Q[:, mine], context @ W_K[:, mine], context @ W_V[:, mine]
        scores = q @ k.mT / d**0.5
        heads.append(scores.softmax(dim=-1) @ v)
    return torch.cat(heads, dim=-1) @ W_O


def _cases(generator):
    """The last context is as large as x: exchanging the two then makes no error."""
    cases = []
    for b, n, m, h, d, e in ((2, 5, 7, 3, 4, 6), (4, 6, 3, 2, 5, 9), (3, 4, 4, 4, 2, 8)):
        D = h * d
        cases.append(
            {
                "x": normal((b, n, D), generator),
                "context": normal((b, m, e), generator),
                "W_Q": normal((D, D), generator) / D**0.5,
                "W_K": normal((e, D), generator) / e**0.5,
                "W_V": normal((e, D), generator) / e**0.5,
                "W_O": normal((D, D), generator) / D**0.5,
                "n_heads": h,
            }
        )
    return cases


def _with(**parts):
    def wrong(x, context, W_Q, W_K, W_V, W_O, n_heads):
        return common.many(x, context, (W_Q, W_K, W_V, W_O), n_heads, **parts)

    return wrong


def _scaled(scale, dim=-1):
    return _with(look=common.with_scores(scale, dim))


def _called(change):
    """The right program with other arguments."""
    return lambda *arguments: many_heads(*change(*arguments))


def _without_mixing(x, c, W_Q, W_K, W_V, W_O, h):
    return x, c, W_Q, W_K, W_V, torch.eye(len(W_O)).to(W_O), h


def _whole_width(d, heads):
    return (d * heads) ** -0.5


def _overlapping(x, context, W_Q, W_K, W_V, W_O, n_heads):
    """Columns i to i + d for head i."""

    def split(y, h):
        return y.unfold(-1, y.shape[-1] // h, 1)[..., :h, :].transpose(1, 2)

    return common.many(x, context, (W_Q, W_K, W_V, W_O), n_heads, split=split)


EXERCISE = Exercise(
    name="many_heads",
    label="7.1",
    statement=(
        "many_heads(x, context, W_Q, W_K, W_V, W_O, n_heads): MultiHead(X, C) for x (B, n, D) and "
        "a context (B, m, E); head i owns the columns i d to (i+1) d of W_Q, W_K and W_V."
    ),
    reference=many_heads,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches with 2 to 4 heads, contexts longer, shorter and wider than x.",
    misconceptions=(
        Misconception(
            "cut, not moved",
            _with(split=common.only_cut, merge=lambda x: x.flatten(2)),
            "Heads attend to heads inside a token, or clash if n and m differ: (7.1) needs scores "
            "(B, h, n, m).",
            "7.1",
        ),
        Misconception(
            "poured into shape",
            _with(split=common.cut_anywhere),
            "The heads were made by a view in their final shape, which mixes tokens; in (7.1) a "
            "head has its own columns of every token.",
            "7.1",
        ),
        Misconception(
            "glued, not moved",
            _with(merge=common.only_glued),
            "The heads' answers were glued without moving the heads behind the tokens; (7.1) puts "
            "the heads of one token side by side.",
            "7.1",
        ),
        Misconception(
            "heads take turns",
            _with(split=common.interleaved),
            "Head i took every h-th column; by (7.1) its columns stand side by side.",
            "7.1",
        ),
        Misconception(
            "scaled by the whole width",
            _scaled(_whole_width),
            "You divided by √D; each head of (7.1) is an attention of width d = D / h.",
            "6.2",
        ),
        Misconception(
            "not scaled",
            _scaled(lambda d, heads: 1.0),
            "The scores are not divided by √d; each head of (7.1) is the attention of (6.2).",
            "6.2",
        ),
        Misconception(
            "softmax over queries",
            _scaled(lambda d, heads: d**-0.5, -2),
            "The softmax runs over the queries; in each head of (7.1) the weights of one query "
            "sum to 1 over the keys.",
            "6.4",
        ),
        Misconception(
            "without W_O",
            _called(_without_mixing),
            "The heads stand side by side, and W_O of (7.1) is missing: they have not been mixed.",
            "7.1",
        ),
        Misconception(
            "one wide head",
            _called(lambda x, c, q, k, v, o, h: (x, c, q, k, v, o, 1)),
            "This is one head of width D; (7.1) has h of them, each with scores of its own.",
            "7.1",
        ),
        Misconception(
            "keys for values",
            _called(lambda x, c, q, k, v, o, h: (x, c, q, k, k, o, h)),
            "The values were made with W_K; in (7.1) they have W_V, a matrix of their own.",
            "7.1",
        ),
        Misconception(
            "asked by the context",
            _called(lambda x, c, q, k, v, o, h: (c, x, q, k, v, o, h)),
            "Your queries come from the context (where sizes differ, the shapes then clash): in "
            "(7.1) they come from X, keys and values from C.",
            "7.1",
        ),
        Misconception(
            "the famous bug",
            _with(split=common.only_cut, merge=common.moved_at_the_end),
            "The notebook's silent bug: heads look at heads inside a token (or clash if n and m "
            "differ), and the end moves axes nobody moved. (7.1) needs scores (B, h, n, m).",
            "7.1",
        ),
        Misconception(
            "x looks at itself",
            _called(lambda x, c, q, k, v, o, h: (x, x, q, k, v, o, h)),
            "Keys and values were made from x, which clashes if the context has another width; in "
            "(7.1) they come from C.",
            "7.1",
        ),
        Misconception(
            "W_O transposed",
            _called(lambda x, c, q, k, v, o, h: (x, c, q, k, v, o.T, h)),
            "W_O is transposed here, as nn.Linear stores it; in (7.1) the heads side by side are "
            "multiplied by W_O itself.",
            "7.1",
        ),
        Misconception(
            "softmax over heads",
            _scaled(lambda d, heads: d**-0.5, 1),
            "The softmax runs over the heads; in (7.1) each head has weights of its own, which sum "
            "to 1 over the keys.",
            "6.4",
        ),
        Misconception(
            "divided by d",
            _scaled(lambda d, heads: 1 / d),
            "The scores are divided by d; each head of (7.1) is the attention of (6.2), which "
            "divides by √d.",
            "6.2",
        ),
        Misconception(
            "heads take turns, back too",
            _with(split=common.interleaved, merge=common.glued_in_turns),
            "Head i took every h-th column, and gave its answers back the same way; by (7.1) its "
            "columns stand side by side.",
            "7.1",
        ),
        Misconception(
            "heads take turns in the glue",
            _with(merge=common.glued_in_turns),
            "The features of the heads alternate at the end; (7.1) puts whole heads side by side, "
            "and the rows of W_O count on it.",
            "7.1",
        ),
        Misconception(
            "mean of the heads",
            _called(lambda x, c, q, k, v, o, h: (x, c, q, k, v, o / h, h)),
            "The result is a mean over the heads; (7.1) puts them side by side, and W_O adds up "
            "what each has to say.",
            "7.1",
        ),
        Misconception(
            "overlapping slices",
            _overlapping,
            "Head i took the columns i to i + d, which overlap; in (7.1) they begin at i d.",
            "7.1",
        ),
        Misconception(
            "W_K and W_V exchanged",
            _called(lambda x, c, q, k, v, o, h: (x, c, q, v, k, o, h)),
            "W_K and W_V have changed places; in (7.1) the keys are C W_K, and the values C W_V.",
            "7.1",
        ),
        Misconception(
            "one wide head, narrow root",
            _called(
                lambda x, c, q, k, v, o, h: (x, c, q * h**0.5, k, v, o, 1)
            ),  # turns √D into √(D / h)
            "All D columns make one score, divided by √(D/h); (7.1) has h heads, each with scores "
            "of its own.",
            "7.1",
        ),
    ),
    together=(
        Both(
            "scaled by the whole width",
            "without W_O",
            lambda *arguments: _scaled(_whole_width)(*_without_mixing(*arguments)),
        ),
    ),
    hints=(
        "The loop of the text does it for one sentence that looks at itself. What is new here?",
        "Queries from x, keys and values from the context; n and m differ. Which shape must the "
        "scores have?",
        "x @ W works for batches as it is, and attention takes leading axes. Only the cut and the "
        "glue need care.",
    ),
    where=at_entry,
)
