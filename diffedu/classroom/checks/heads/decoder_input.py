"""Exercise: what the decoder reads while it is taught."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance, at_entry
from diffedu.nets.seq2seq import shift_right


def _cases(generator):
    sizes = ((3, 7, 10), (5, 4, 26), (2, 6, 50))
    return [
        {"target": torch.randint(start, (b, n), generator=generator), "start": start}
        for b, n, start in sizes
    ]


def _with_column(column, *parts):
    return torch.cat([column, *parts], dim=1)


def _starts(target, start):
    return torch.full_like(target[:, :1], start)


EXERCISE = Exercise(
    name="decoder_input",
    label="7.3",
    statement=(
        "decoder_input(target, start): what the decoder reads for targets (B, n); as long as the "
        "target, with the number `start` in front of each sequence."
    ),
    reference=shift_right,
    cases=_cases,
    tolerance=Tolerance(0, 0.25, "symbols are whole numbers"),
    tested="three batches of different lengths and start symbols.",
    misconceptions=(
        Misconception(
            "not shifted",
            lambda target, start: target.clone(),
            "This is the target itself: at place j the decoder would read the y_j that (7.3) asks "
            "for, and learn to copy.",
            "7.3",
        ),
        Misconception(
            "first symbol replaced",
            lambda target, start: _with_column(_starts(target, start), target[:, 1:]),
            "The start symbol has replaced y_1, and the rest has not moved: place j still holds "
            "the y_j that (7.3) asks for.",
            "7.3",
        ),
        Misconception(
            "one too long",
            lambda target, start: _with_column(_starts(target, start), target),
            "This is one symbol longer than the target; nobody has to say anything after y_n, so "
            "by (7.3) it is never read.",
            "7.3",
        ),
        Misconception(
            "shifted to the left",
            lambda target, start: _with_column(target[:, 1:], _starts(target, start)),
            "You moved the target to the left: place j holds y_(j+1), the future; (7.3) gives the "
            "past.",
            "7.3",
        ),
        Misconception(
            "start at the end",
            lambda target, start: _with_column(target[:, :-1], _starts(target, start)),
            "The start symbol stands at the end and the target has not moved; at place 1 nothing "
            "has been written, so (7.3) begins with start.",
            "7.3",
        ),
        Misconception(
            "rolled round",
            lambda target, start: target.roll(1, dims=1),
            "roll brings the last symbol to the front: place 1 reads y_n, which (7.3) does not "
            "know yet, where start should be.",
            "7.3",
        ),
        Misconception(
            "0 for start",
            lambda target, start: shift_right(target, 0),
            "Moved correctly, but with 0 in front, which is a symbol; the beginning of (7.3), with "
            "nothing written, has a mark of its own.",
            "7.3",
        ),
        Misconception(
            "moved along the batch",
            lambda target, start: torch.cat([torch.full_like(target[:1], start), target[:-1]]),
            "You moved along the batch: each sequence reads its neighbour's answer. (7.3) is about "
            "one sequence at a time.",
            "7.3",
        ),
    ),
    together=(
        Both(
            "moved along the batch",
            "0 for start",
            lambda target, start: torch.cat([0 * target[:1], target[:-1]]),
        ),
    ),
    hints=(
        "At place j the decoder has to say y_j. What has it written by then?",
        "At place 1 nothing has been written. And is y_n ever read?",
        "For y = 5 6 7 2 the table in the text shows the row that is wanted.",
    ),
    where=at_entry,
)
