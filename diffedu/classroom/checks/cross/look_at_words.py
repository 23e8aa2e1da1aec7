"""Exercise: cross-attention over captions of different lengths."""

import torch

from diffedu.classroom.checks.cross.common import look
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal

# n_q, n_k, d, d_v and the lengths; in the second no caption fills all places
CASES = ((4, 6, 5, 2, (6, 1, 3)), (2, 7, 3, 6, (4, 2, 5, 1)))


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


def _real(k, lengths):
    return (torch.arange(k.shape[1]) < lengths.view(-1, 1))[:, None]


def _masked(real=_real, hide=lambda scores, real: scores.masked_fill(~real, -torch.inf), root=0.5):
    """The right lines with another mask, or another way to use it."""

    def wrong(q, k, v, lengths):
        scores = q @ k.mT / q.shape[-1] ** root
        return hide(scores, real(k, lengths)).softmax(dim=-1) @ v

    return wrong


def _after(start=lambda scores, real: scores):
    def wrong(q, k, v, lengths):
        real = _real(k, lengths)
        scores = start(q @ k.mT / q.shape[-1] ** 0.5, real)
        return (scores.softmax(dim=-1) * real) @ v

    return wrong


def _times(scores, real):
    return scores * real


EXERCISE = Exercise(
    name="look_at_words",
    label="10.5",
    statement=(
        "look_at_words(q, k, v, lengths): attention in which sample i looks only at its first "
        "lengths[i] tokens; the others fill up. q is (B, n_q, d), k (B, n_k, d), v (B, n_k, d_v)."
    ),
    reference=look_at_words,
    cases=_cases,
    tolerance=FLOAT32,
    tested="two batches with captions of 1 to 6 words, also one without any padding.",
    misconceptions=(
        Misconception(
            "padding is heard",
            lambda q, k, v, lengths: look(q, k, v),
            "Every pixel hears the padding, too; by (10.5) a caption counts its real tokens alone.",
            "10.5",
        ),
        Misconception(
            "mask after the softmax",
            _after(),
            "You took the padding out after the softmax (or set its values to 0), so your weights "
            "sum to less than 1; in (10.5) the real ones share all of it.",
            "10.5",
        ),
        Misconception(
            "score 0 for padding",
            _masked(hide=_times),
            "Your padding gets the score 0 (times the mask, keys of 0, or -1e-9), whose weight "
            "e^0 is not 0; (10.5) sets it to minus infinity.",
            "10.5",
        ),
        Misconception(
            "mask the wrong way round",
            _masked(hide=lambda scores, real: scores.masked_fill(real, -torch.inf)),
            "You hid the real words and left the padding; (10.5) does the opposite.",
            "10.5",
        ),
        Misconception(
            "one word too many",
            _masked(real=lambda k, lengths: _real(k, lengths + 1)),
            "Your mask lets one token of the padding through: counted from 0, the last real one of "
            "(10.5) has the index lengths - 1.",
            "10.5",
        ),
        Misconception(
            "one length for all",
            _masked(real=lambda k, lengths: _real(k, lengths.max().expand(len(k)))),
            "You cut every caption at the longest one; in (10.5) each sample has a length of its "
            "own.",
            "10.5",
        ),
        Misconception(
            "shortest length for all",
            _masked(real=lambda k, lengths: _real(k, lengths.min().expand(len(k)))),
            "You cut every caption at the shortest one, and real words are lost; in (10.5) each "
            "sample has a length of its own.",
            "10.5",
        ),
        Misconception(
            "no root",
            _masked(root=0),
            "Your mask is right, and your scores are bare products; (10.1) divides by the root "
            "of d.",
            "10.1",
        ),
    ),
    together=(Both("score 0 for padding", "mask after the softmax", _after(_times)),),
    hints=(
        "Compare with a caption that never had padding. What must the weights sum to?",
        "Compare positions 0, 1, 2, ... with lengths, one row for each sample: (B, n_k).",
        "A score of minus infinity becomes the weight 0, and the others share the rest.",
    ),
    where=at_entry,
)
