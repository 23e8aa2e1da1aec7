"""Find the bug: heads that attend to each other instead of tokens."""

import torch
from einops import rearrange

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.heads import common
from diffedu.classroom.checks.inputs import normal
from diffedu.nets.attention import attention, merge_heads, split_heads


def repair_heads(x, W_Q, W_K, W_V, W_O, n_heads):
    """(7.1) with C = X: cut and move, look, move back and glue."""
    q, k, v = (rearrange(x @ W, "b n (h d) -> b h n d", h=n_heads) for W in (W_Q, W_K, W_V))
    scores = q @ k.mT / q.shape[-1] ** 0.5
    answers = scores.softmax(dim=-1) @ v
    return rearrange(answers, "b h n d -> b n (h d)") @ W_O


def _given(x, W_Q, W_K, W_V, W_O, n_heads):
    B, n, D = x.shape
    d = D // n_heads
    q = (x @ W_Q).view(B, n, n_heads, d)
    k = (x @ W_K).view(B, n, n_heads, d)
    v = (x @ W_V).view(B, n, n_heads, d)
    scores = q @ k.mT / d**0.5
    answers = scores.softmax(dim=-1) @ v
    return answers.transpose(1, 2).reshape(B, n, D) @ W_O


def _cases(generator):
    sizes = ((2, 10, 4, 5), (3, 5, 2, 4), (1, 7, 3, 2))
    cases = []
    for b, n, h, d in sizes:
        matrices = {
            name: normal((h * d, h * d), generator) / (h * d) ** 0.5
            for name in ("W_Q", "W_K", "W_V", "W_O")
        }
        cases.append({"x": normal((b, n, h * d), generator), **matrices, "n_heads": h})
    return cases


def _with(**parts):
    """The same with a wrong part."""

    def wrong(x, W_Q, W_K, W_V, W_O, n_heads):
        return common.many(x, x, (W_Q, W_K, W_V, W_O), n_heads, **parts)

    return wrong


def _scaled(scale, dim=-1):
    return _with(look=common.with_scores(scale, dim))


def _root(d, heads):
    return d**-0.5


def _cut_the_wrong_way(x, W_Q, W_K, W_V, W_O, n_heads):
    """view(B, n, d, heads), with nothing moved before the scores."""
    q, k, v = (rearrange(x @ W, "b n (d h) -> b n d h", h=n_heads) for W in (W_Q, W_K, W_V))
    scores = q @ k.mT / q.shape[2] ** 0.5
    return (scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(x.shape) @ W_O


def _values_poured(x, W_Q, W_K, W_V, W_O, n_heads):
    """Queries and keys moved; the values given the shape that fits."""
    q, k = (split_heads(x @ W, n_heads) for W in (W_Q, W_K))
    v = common.cut_anywhere(x @ W_V, n_heads)
    return merge_heads(attention(q, k, v)) @ W_O


def _consequence(program):
    """Not which tokens it reaches: the next exercise asks for that."""
    case = _cases(torch.Generator().manual_seed(1))[0]
    right = repair_heads(**case)
    far = ((program(**case) - right).norm() / right.norm()).item()
    return f"On random tokens and matrices, its result is {far:.0%} of the right one's size away."


EXERCISE = Exercise(
    name="repair_heads",
    label="7.1",
    statement=(
        "repair_heads(x, W_Q, W_K, W_V, W_O, n_heads): self-attention with several heads for a "
        "batch (B, n, D). It runs, with the right shape; its numbers are wrong."
    ),
    reference=repair_heads,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches with 2 to 4 heads; every token hears every other.",
    misconceptions=(
        Misconception(
            "heads attend to heads",
            _given,
            "The scores are (B, n, h, h): in each token the heads look at each other. (7.1) needs "
            "(B, h, n, n), tokens that look at tokens.",
            "7.1",
        ),
        Misconception(
            "heads still attend to heads",
            _with(split=common.only_cut, merge=lambda x: x.flatten(2)),
            "Now the answers go back to their own tokens, but the scores are still (B, n, h, h): "
            "in (7.1) tokens look at tokens.",
            "7.1",
        ),
        Misconception(
            "poured into shape",
            _with(split=common.cut_anywhere),
            "The scores have the right shape now, but a view fills it in reading order: a head "
            "holds pieces of several tokens. In (7.1) head i has columns of all tokens.",
            "7.1",
        ),
        Misconception(
            "glued, not moved",
            _with(merge=common.only_glued),
            "The heads look at the right tokens now, but the way back lost its move: the answers "
            "of one head to several tokens fill a row that (7.1) gives to one token.",
            "7.1",
        ),
        Misconception(
            "softmax over queries",
            _scaled(_root, -2),
            "The softmax now runs over the queries; each row of weights in (7.1) belongs to one "
            "query and sums to 1 over the keys.",
            "6.4",
        ),
        Misconception(
            "softmax over heads",
            _scaled(_root, 1),
            "The softmax now runs over the heads; in (7.1) each head has weights of its own, which "
            "sum to 1 over the keys.",
            "6.4",
        ),
        Misconception(
            "scaled by the whole width",
            _scaled(lambda d, heads: (d * heads) ** -0.5),
            "The scores are divided by √D now; each head of (7.1) is an attention of its own, of "
            "width d = D / h.",
            "6.2",
        ),
        Misconception(
            "not scaled",
            _scaled(lambda d, heads: 1.0),
            "The scores are no longer divided by √d, which was right: each head is the attention "
            "of (6.2).",
            "6.2",
        ),
        Misconception(
            "one wide head",
            lambda x, W_Q, W_K, W_V, W_O, n_heads: repair_heads(x, W_Q, W_K, W_V, W_O, 1),
            "The heads are gone: all D features make one score. (7.1) has h scores for each pair "
            "of tokens, one a head.",
            "7.1",
        ),
        Misconception(
            "cut the wrong way",
            _cut_the_wrong_way,
            "view(B, n, d, heads) has cut the other way, and still nothing is moved: in each token "
            "the features look at each other. In (7.1) tokens look at tokens.",
            "7.1",
        ),
        Misconception(
            "heads take turns",
            _with(split=common.interleaved),
            "Tokens look at tokens now, but head i has every h-th column; by (7.1) the columns of "
            "one head stand side by side.",
            "7.1",
        ),
        Misconception(
            "values poured into shape",
            _values_poured,
            "Queries and keys are right now. The values have the right shape by a reshape, which "
            "mixes tokens: in (7.1) they are cut and moved like the others.",
            "7.1",
        ),
    ),
    together=(
        Both(
            "poured into shape",
            "glued, not moved",
            _with(split=common.cut_anywhere, merge=common.only_glued),
        ),
    ),
    hints=(
        "Print the shape of the scores. Which two axes should be compared with each other?",
        "view cuts an axis; it does not move one. The last line moves: is there something to undo?",
        "The product at the scores works on the last two axes of q and k. Which ones are they, and "
        "which should they be?",
    ),
    bug="heads attend to heads",
    consequence=_consequence,
    where=at_entry,
)
