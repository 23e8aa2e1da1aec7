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


def _first_everywhere(target, start):
    """What copying within one tensor, from left to right, leaves behind."""
    return _with_column(_starts(target, start), target[:, :1].expand_as(target[:, 1:]))


def _start_everywhere(target, start):
    return torch.full_like(target, start)


def _start_then_rolled(target, start):
    return _with_column(_starts(target, start), target[:, 1:]).roll(1, dims=1)


def _rolled_back_behind_start(target, start):
    return _with_column(_starts(target, start), target.roll(-1, dims=1)[:, 1:])


def _as_read(rows):
    """Rows of symbols in words; 50 is the start symbol."""
    return " and ".join(
        " ".join("start" if symbol == 50 else str(symbol) for symbol in row)
        for row in rows.tolist()
    )


def _consequence(wrong):
    target = torch.tensor([[5, 6, 7, 2], [1, 9, 4, 3]])
    mine, right = (_as_read(shift(target, 50)) for shift in (wrong, shift_right))
    return f"For {_as_read(target)} the decoder reads {mine}; right is {right}."


SMEARED = (
    "Every place repeats one symbol: you copied within one tensor, and read places you had already "
    "overwritten. (7.3) needs the original."
)


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
        Misconception(
            "smeared",
            _first_everywhere,
            SMEARED,
            "7.3",
        ),
        Misconception(
            "smeared from the start",
            _start_everywhere,
            SMEARED,
            "7.3",
        ),
        Misconception(
            "start rolled along",
            _start_then_rolled,
            "The start symbol was written over y_1 and then moved along: y_1 is lost, and place 1 "
            "reads y_n. In (7.3) start comes in front of y_1.",
            "7.3",
        ),
        Misconception(
            "rolled back behind start",
            _rolled_back_behind_start,
            "Start is in its place, but the rest has moved to the left: place 2 holds y_3, the "
            "future; by (7.3) it reads y_1.",
            "7.3",
        ),
        Misconception(
            "10 for start",
            lambda target, start: shift_right(target, 10),
            "Moved correctly, but with 10 in front, the notebook's own start symbol; asked is the "
            "argument `start`, which need not be 10. See (7.3).",
            "7.3",
        ),
        Misconception(
            "rolled through the batch",
            lambda target, start: target.roll(1),
            "roll without an axis runs through the whole batch: a sequence begins with the last "
            "symbol of the one before, and not with the start of (7.3).",
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
    consequence=_consequence,
    where=at_entry,
)
