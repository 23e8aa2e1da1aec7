"""Exercise: sinusoidal positions."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.nets.attention import sinusoidal_positions


def _speeds(d, exponent=lambda i, d: 2 * i / d):
    i = torch.arange(d // 2, dtype=torch.float64)
    return 10_000 ** -exponent(i, d)


def _table(n, d, speed=_speeds, first=0):
    """Angles (n, d/2) as sines and cosines in turn."""
    angle = torch.arange(first, first + n, dtype=torch.float64)[:, None] * speed(d)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def _with(exponent):
    return lambda n, d: _table(n, d, lambda d: _speeds(d, exponent))


def _halves(n, d):
    table = _table(n, d)
    return torch.cat([table[:, 0::2], table[:, 1::2]], dim=1)


def _own_speed(n, d):
    """Element c has the exponent c/d, so that a sine and its cosine differ in speed."""
    c = torch.arange(d, dtype=torch.float64)
    angle = torch.arange(n, dtype=torch.float64)[:, None] * 10_000 ** (-c / d)
    return torch.where(c % 2 == 0, angle.sin(), angle.cos())


def _column_for_pair(n, d):
    """Column c has the exponent 2c/d, as if c counted pairs."""
    c = torch.arange(d, dtype=torch.float64)
    angle = torch.arange(n, dtype=torch.float64)[:, None] * 10_000 ** (-2 * c / d)
    return torch.where(c % 2 == 0, angle.sin(), angle.cos())


def _second(make):
    """The table with something else at the places of the cosines, made from the sines."""

    def table(n, d):
        sines = _table(n, d)[:, 0::2]
        return torch.stack([sines, make(sines)], dim=-1).flatten(1)

    return table


EXERCISE = Exercise(
    name="place_code",
    label="6.7",
    statement="place_code(n, d): the sinusoidal codes (n, d) of the positions 0 to n - 1.",
    reference=sinusoidal_positions,
    cases=lambda generator: [{"n": 9, "d": 12}, {"n": 14, "d": 6}, {"n": 5, "d": 16}],
    tolerance=FLOAT32,
    tested="three tables of up to 14 positions and 16 features.",
    misconceptions=(
        Misconception(
            "all sines first",
            _halves,
            "Your first half holds the sines and the second the cosines; in (6.7) they alternate.",
            "6.7",
        ),
        Misconception(
            "cosine first",
            lambda n, d: _table(n, d).view(n, -1, 2).flip(2).flatten(1),
            "In each pair the cosine comes first in yours; in (6.7) element 2i is the sine.",
            "6.7",
        ),
        Misconception(
            "factor 2 left out",
            _with(lambda i, d: i / d),
            "Your exponent is -i/d; in (6.7) it is -2i/d, with i counting pairs.",
            "6.7",
        ),
        Misconception(
            "factor 2 twice",
            _with(lambda i, d: 4 * i / d),
            "Your exponent falls twice as fast as -2i/d in (6.7): there i counts pairs, 0, 1, 2, "
            "and 2i is already the place of the sine.",
            "6.7",
        ),
        Misconception(
            "each element a speed of its own",
            _own_speed,
            "Sine and cosine of a pair turn at different speeds in yours; in (6.7) both have ω_i "
            "with i the number of the pair.",
            "6.7",
        ),
        Misconception(
            "speeds up to the end",
            _with(lambda i, d: i / (d / 2 - 1)),
            "Your slowest speed is exactly 1/10000; in (6.7) the exponent -2i/d does not quite "
            "reach -1.",
            "6.7",
        ),
        Misconception(
            "counted from 1",
            lambda n, d: _table(n, d, first=1),
            "Your first row is that of position 1; (6.7) is asked for p from 0 to n - 1.",
            "6.7",
        ),
        Misconception(
            "faster and faster",
            _with(lambda i, d: -2 * i / d),
            "Your speeds grow with i: the minus sign in the exponent of (6.7) is missing.",
            "6.7",
        ),
        Misconception(
            "one axis for the other",
            lambda n, d: _table(n, d).T,
            "Yours is (d, n); in (6.7) each position p has a row of d entries.",
            "6.7",
        ),
        Misconception(
            "column for pair",
            _column_for_pair,
            "You took the number of the column for i, and sine and cosine turn at different "
            "speeds; in (6.7) i counts the pairs, from 0 to d/2 - 1.",
            "6.7",
        ),
        Misconception(
            "all cosines first",
            lambda n, d: _halves(n, d).roll(d // 2, dims=1),
            "Your first half holds the cosines and the second the sines; in (6.7) they alternate, "
            "and a sine comes first.",
            "6.7",
        ),
        Misconception(
            "every sine twice",
            _second(lambda sines: sines),
            "Both elements of a pair are the sine in yours; in (6.7) element 2i + 1 is the cosine "
            "of the same angle.",
            "6.7",
        ),
        Misconception(
            "odd columns empty",
            _second(torch.zeros_like),
            "Your odd columns are 0; in (6.7) element 2i + 1 is the cosine of the same angle.",
            "6.7",
        ),
        Misconception(
            "sines only",
            lambda n, d: _table(n, d)[:, 0::2],
            "You returned d/2 columns, the sines; (6.7) has a sine and a cosine for each of the "
            "d/2 speeds.",
            "6.7",
        ),
        Misconception(
            "exponent rounded down",
            _with(lambda i, d: -(-2 * i // d)),
            "Your exponents are the whole numbers 0 and -1; -2i/d in (6.7) is a fraction.",
            "6.7",
        ),
        Misconception(
            "one speed for all",
            _with(lambda i, d: 2 * i // d),
            "All your pairs turn at the speed 1; in (6.7) the exponent -2i/d is a fraction, and "
            "not 0.",
            "6.7",
        ),
    ),
    together=(
        Both(
            "all sines first",
            "speeds up to the end",
            lambda n, d: _with(lambda i, d: i / (d / 2 - 1))(n, d).view(n, -1, 2).mT.flatten(1),
        ),
    ),
    hints=(
        "There are d/2 speeds. How many elements of a row share one of them?",
        "Compute all angles first: a table (n, d/2) of position times speed.",
        "Element 0 of a row is a sine, element 1 the cosine of the same angle.",
    ),
    where=at_entry,
)
