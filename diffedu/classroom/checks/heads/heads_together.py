"""Exercise: the heads' answers side by side again."""

from einops import rearrange

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.heads.common import glued_in_turns, only_glued
from diffedu.classroom.checks.inputs import normal
from diffedu.nets.heads import merge_heads


def _cases(generator):
    sizes = ((2, 3, 5, 4), (4, 2, 7, 3), (3, 4, 4, 2))
    return [{"x": normal(size, generator)} for size in sizes]


EXERCISE = Exercise(
    name="heads_together",
    label="7.1",
    statement=(
        "heads_together(x): from (B, h, n, d) to (B, n, h d); for each token the answers of all "
        "heads side by side, head 0 first."
    ),
    reference=merge_heads,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches with 2 to 4 heads of different widths.",
    misconceptions=(
        Misconception(
            "glued, not moved",
            only_glued,
            "The shape is right and the content is not: the heads must be moved behind the tokens "
            "first, or one row holds several tokens of one head. (7.1) puts heads side by side.",
            "7.1",
        ),
        Misconception(
            "heads take turns",
            glued_in_turns,
            "The features of the heads alternate; (7.1) puts whole heads side by side, and the "
            "rows of W_O count on it.",
            "7.1",
        ),
        Misconception(
            "mean over heads",
            lambda x: x.mean(dim=1),
            "You averaged the heads; (7.1) puts them side by side and leaves the mixing to W_O.",
            "7.1",
        ),
        Misconception(
            "sum over heads",
            lambda x: x.sum(dim=1),
            "You added the heads up; the sum of (7.2) comes after each head's own block of W_O, "
            "and here they stand side by side.",
            "7.2",
        ),
        Misconception(
            "tokens of all heads in a row",
            lambda x: rearrange(x, "b h n d -> b (h n) d"),
            "You glued heads and tokens: h n rows of width d. In (7.1) each token keeps its row "
            "and gets wider.",
            "7.1",
        ),
        Misconception(
            "tokens and heads in a row",
            lambda x: rearrange(x, "b h n d -> b (n h) d"),
            "Each token became h rows of width d; in (7.1) it has one row of width h d.",
            "7.1",
        ),
        Misconception(
            "not glued",
            lambda x: rearrange(x, "b h n d -> b n h d"),
            "The heads are back behind the tokens, but still apart: (7.1) makes one row of h d "
            "numbers out of them.",
            "7.1",
        ),
        Misconception(
            "features before tokens",
            lambda x: rearrange(x, "b h n d -> b (h d) n"),
            "Features and tokens are exchanged; in (7.1) each token is a row.",
            "7.1",
        ),
        Misconception(
            "features moved, then glued",
            lambda x: x.transpose(2, 3).reshape(len(x), x.shape[2], -1),
            "You exchanged tokens and features; the heads must move behind the tokens, so that "
            "(7.1) finds the heads of one token side by side.",
            "7.1",
        ),
        Misconception(
            "all in a row",
            lambda x: x.flatten(1),
            "Everything of one sample is in a single row; in (7.1) each token keeps a row of its "
            "own, (B, n, h d).",
            "7.1",
        ),
    ),
    hints=(
        "It is the way back: heads_together(heads_apart(x, h)) must be x.",
        "Two steps, in the other order: move the heads behind the tokens, then glue.",
        "Between the steps the axes are (B, n, h, d). Only then can two neighbours become one.",
    ),
    where=at_entry,
)
