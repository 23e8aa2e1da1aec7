"""Exercise: from wide tokens to several heads."""

import torch
from einops import rearrange

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.heads.common import cut_anywhere, interleaved, only_cut
from diffedu.classroom.checks.inputs import normal


def heads_apart(x, n_heads):
    """Cut the features into heads, and move the heads in front of the tokens."""
    return rearrange(x, "b n (h d) -> b h n d", h=n_heads)


def _cases(generator):
    """In the last case as many tokens as heads, so that exchanging the two keeps the shape."""
    sizes = ((2, 5, 3, 4), (4, 7, 2, 3), (3, 4, 4, 2))
    return [{"x": normal((b, n, h * d), generator), "n_heads": h} for b, n, h, d in sizes]


def _transposed_and_poured(x, n_heads):
    B, n, D = x.shape
    return x.transpose(1, 2).reshape(B, n_heads, n, D // n_heads)


def _one_slice(x, n_heads):
    return torch.stack([x[..., : x.shape[-1] // n_heads]] * n_heads, dim=1)


def _turned(pattern):
    return lambda x, n_heads: rearrange(x, pattern, h=n_heads)


EXERCISE = Exercise(
    name="heads_apart",
    label="7.1",
    statement=(
        "heads_apart(x, n_heads): from (B, n, D) to (B, n_heads, n, d) with d = D / n_heads; head "
        "i has the features i d to (i+1) d of every token."
    ),
    reference=heads_apart,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches with 2 to 4 heads of different widths.",
    misconceptions=(
        Misconception(
            "cut, not moved",
            only_cut,
            "The features are cut, but the heads stand behind the tokens, (B, n, h, d): attention "
            "as in (7.1) would compare heads inside one token.",
            "7.1",
        ),
        Misconception(
            "poured into shape",
            cut_anywhere,
            "The shape is right and the content is not: a view in the final shape fills it in "
            "reading order, so a head gets parts of other tokens; see (7.1).",
            "7.1",
        ),
        Misconception(
            "heads take turns",
            interleaved,
            "Head i got every h-th feature; in (7.1) the columns of one head stand side by side.",
            "7.1",
        ),
        Misconception(
            "tokens last",
            _turned("b n (h d) -> b h d n"),
            "Tokens and features of each head are exchanged; attention in (7.1) takes tokens as "
            "rows and features as columns.",
            "7.1",
        ),
        Misconception(
            "heads before the batch",
            _turned("b n (h d) -> h b n d"),
            "The heads stand in front of the batch; asked is (B, heads, n, d), samples first.",
            "7.1",
        ),
        Misconception(
            "heads in the batch",
            _turned("b n (h d) -> (b h) n d"),
            "Batch and heads are glued into one axis; that can work, but (7.1) needs to find its "
            "heads again, and asked are four axes.",
            "7.1",
        ),
        Misconception(
            "features divided by the heads' width",
            lambda x, n_heads: rearrange(x, "b n (d h) -> b d n h", h=n_heads),
            "You made heads of width n_heads; n_heads is how many there are, and D / n_heads is "
            "the width d of (7.1).",
            "7.1",
        ),
        Misconception(
            "transposed, then poured",
            _transposed_and_poured,
            "The shape is right and the content is not: tokens and features were exchanged before "
            "the cut, which then mixes tokens. By (7.1) a head is a slice of the features.",
            "7.1",
        ),
        Misconception(
            "one slice for all",
            _one_slice,
            "All heads have the same slice, the first d features; in (7.1) head i has columns of "
            "its own.",
            "7.1",
        ),
        Misconception(
            "always four heads",
            lambda x, n_heads: heads_apart(x, 4),
            "It always makes 4 heads, as in the notebook's example; here their number is n_heads.",
            "7.1",
        ),
    ),
    together=(Both("cut, not moved", "heads take turns", _turned("b n (d h) -> b n h d")),),
    hints=(
        "Take one token of 12 numbers and 3 heads. Which four numbers belong to head 1?",
        "Two steps: cut the last axis in two, then move one of the parts in front of the tokens.",
        "After the cut the axes are (B, n, h, d). Which two have to change places?",
    ),
    where=at_entry,
)
