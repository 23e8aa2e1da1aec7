"""Exercise: cross-attention over captions of different lengths."""

import torch

from diffedu.classroom.checks.cross.common import (
    infinite,
    large,
    look,
    masked,
    masked_after,
    real_words,
)
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal

# n_q, n_k, d, d_v and the lengths. In the second no caption fills all places, so that a mask the
# wrong way round gives numbers; in none is a single word, which one too few would leave with NaN
CASES = ((4, 6, 5, 2, (6, 2, 3)), (2, 7, 3, 6, (4, 2, 5, 3)))


def look_at_words(q, k, v, lengths):
    """(10.5): attention over the first lengths[i] tokens of caption i, the real ones."""
    real = torch.arange(k.shape[1]) < lengths[:, None]
    scores = q @ k.mT / q.shape[-1] ** 0.5
    return scores.masked_fill(~real[:, None], -torch.inf).softmax(dim=-1) @ v


def _cases(generator):
    return [
        {
            "q": normal((len(lengths), n_q, d), generator),
            "k": normal((len(lengths), n_k, d), generator),
            "v": normal((len(lengths), n_k, d_v), generator),
            "lengths": torch.tensor(lengths),
        }
        for n_q, n_k, d, d_v, lengths in CASES
    ]


def _queries_hidden(hide):
    def wrong(q, k, v, lengths):
        return masked(lambda k, lengths: real_words(q, lengths).mT, hide)(q, k, v, lengths)

    return wrong


def _times(scores, real):
    return scores * real


EXERCISE = Exercise(
    name="look_at_words",
    label="10.5",
    statement=(
        "look_at_words(q, k, v, lengths): attention in which sample i looks only at its first "
        "lengths[i] tokens; the others fill up. q is (B, n_q, d), k (B, n_k, d), v (B, n_k, d_v), "
        "lengths a tensor (B,) of whole numbers."
    ),
    reference=look_at_words,
    cases=_cases,
    tolerance=FLOAT32,
    tested="two batches with captions of 2 to 6 words, one of them without any padding.",
    misconceptions=(
        Misconception(
            "padding is heard",
            lambda q, k, v, lengths: look(q, k, v),
            "Every pixel hears the padding, too; by (10.5) a caption counts its real tokens alone.",
            "10.5",
        ),
        Misconception(
            "mask after the softmax",
            masked_after(),
            "You took the padding out after the softmax (or set its values to 0), so your weights "
            "sum to less than 1; in (10.5) the real ones share all of it.",
            "10.5",
        ),
        Misconception(
            "score 0 for padding",
            masked(hide=_times),
            "Your padding gets the score 0 (times the mask, keys of 0, or -1e-9), whose weight "
            "e^0 is not 0; (10.5) sets it to minus infinity.",
            "10.5",
        ),
        Misconception(
            "mask the wrong way round",
            masked(hide=lambda scores, real: scores.masked_fill(real, -torch.inf)),
            "You hid the real words and left the padding; (10.5) does the opposite.",
            "10.5",
        ),
        Misconception(
            "one word too many",
            masked(real=lambda k, lengths: real_words(k, lengths + 1)),
            "Your mask lets one token of the padding through: counted from 0, the last real one of "
            "(10.5) has the index lengths - 1.",
            "10.5",
        ),
        Misconception(
            "one length for all",
            masked(real=lambda k, lengths: real_words(k, lengths.max().expand(len(k)))),
            "You cut every caption at the longest one; in (10.5) each sample has a length of its "
            "own.",
            "10.5",
        ),
        Misconception(
            "shortest length for all",
            masked(real=lambda k, lengths: real_words(k, lengths.min().expand(len(k)))),
            "You cut every caption at the shortest one, and real words are lost; in (10.5) each "
            "sample has a length of its own.",
            "10.5",
        ),
        Misconception(
            "no root",
            masked(root=0),
            "Your mask is right, and your scores are bare products; (10.1) divides by the root "
            "of d.",
            "10.1",
        ),
        Misconception(
            "mask the wrong way round, large number",
            masked(hide=lambda scores, real: scores.masked_fill(real, -1e9)),
            "You hid the real words (with a large negative number) and left the padding; (10.5) "
            "does the opposite.",
            "10.5",
        ),
        Misconception(
            "mask the wrong way round, added",
            masked(hide=lambda scores, real: scores - 1e9 * real),
            "You pushed the real words down and left the padding; (10.5) does the opposite.",
            "10.5",
        ),
        Misconception(
            "mask the wrong way round, empty rows 0",
            masked(
                hide=lambda scores, real: scores.masked_fill(real, -torch.inf),
                after=torch.nan_to_num,
            ),
            "You hid the real words and left the padding; to torch's attention True means `look "
            "here`, and R of (10.5) are the real ones.",
            "10.5",
        ),
        Misconception(
            "one word too few",
            masked(real=lambda k, lengths: real_words(k, lengths - 1)),
            "Your mask hides the last real token, too: counted from 0, it has the index lengths "
            "- 1 and belongs to R of (10.5).",
            "10.5",
        ),
        Misconception(
            "last words",
            masked(real=lambda k, lengths: real_words(k, lengths).flip(-1)),
            "You kept the last lengths[i] tokens; here the first ones are real and make up R of "
            "(10.5).",
            "10.5",
        ),
        Misconception(
            "first length for all",
            masked(real=lambda k, lengths: real_words(k, lengths[:1].expand(len(k)))),
            "You cut every caption at the length of the first; in (10.5) each sample has a "
            "length of its own.",
            "10.5",
        ),
        Misconception(
            "mask added as a number",
            masked(hide=lambda scores, real: scores + real),
            "You added the mask itself, 1 and 0, to the scores; in (10.5) padding has the weight "
            "0, which takes minus infinity.",
            "10.5",
        ),
        Misconception(
            "-1 for padding",
            masked(hide=lambda scores, real: scores.masked_fill(~real, -1.0)),
            "Your padding gets the score -1, a score like any other; the weight 0 of (10.5) takes "
            "minus infinity.",
            "10.5",
        ),
        Misconception(
            "answers of pixels set to 0",
            lambda q, k, v, lengths: look(q, k, v) * real_words(q, lengths).mT,
            "Your mask silences pixels that ask; in (10.5) it is tokens of the caption that are "
            "left out, for every pixel.",
            "10.5",
        ),
        Misconception(
            "0 times infinity",
            masked(hide=lambda scores, real: scores + torch.where(real, 0.0, 1.0) * -torch.inf),
            "All is NaN: 0 times infinity is no number, or some row has no word left; (10.5) "
            "leaves the scores of real words as they are.",
            "10.5",
        ),
        Misconception(
            "queries hidden",
            _queries_hidden(infinite),
            "Your mask runs along the pixels that ask; in (10.5) it is tokens of the caption "
            "that are left out, for every pixel.",
            "10.5",
        ),
        Misconception(
            "queries hidden, large number",
            _queries_hidden(large),
            "Your mask runs along the pixels that ask (with a large negative number); in (10.5) "
            "tokens of the caption are left out.",
            "10.5",
        ),
        Misconception(
            "softmax over the queries",
            masked(axis=-2),
            "Your weights sum to 1 over the pixels, and hidden columns become NaN; in (10.5) "
            "each pixel shares out its own 1 among the real tokens.",
            "10.5",
        ),
        Misconception(
            "softmax over the queries, large number",
            masked(hide=large, axis=-2),
            "Your weights sum to 1 over the pixels that ask, so padding counts again; in (10.5) "
            "each pixel shares out its own 1 among the real tokens.",
            "10.5",
        ),
    ),
    together=(
        Both("score 0 for padding", "mask after the softmax", masked_after(_times)),
        Both(
            "padding is heard",
            "softmax over the queries",
            lambda q, k, v, lengths: look(q, k, v, axis=-2),
        ),
        Both("mask after the softmax", "softmax over the queries", masked_after(axis=-2)),
    ),
    hints=(
        "Compare with a caption that never had padding. What must the weights sum to?",
        "Compare positions 0, 1, 2, ... with lengths, one row for each sample: (B, n_k).",
        "A score of minus infinity becomes the weight 0, and the others share the rest.",
    ),
    where=at_entry,
)
