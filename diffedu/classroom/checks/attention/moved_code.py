"""Exercise: a step along the positions, as a rotation."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.nets.attention import sinusoidal_positions


def moved_code(code, steps):
    """Every pair turned by steps times its own speed (6.8)."""
    d = code.shape[1]
    angle = steps * 10_000 ** (-torch.arange(0, d, 2) / d)
    sine, cosine = code[:, 0::2], code[:, 1::2]
    first = sine * angle.cos() + cosine * angle.sin()
    second = cosine * angle.cos() - sine * angle.sin()
    return torch.stack([first, second], dim=-1).flatten(1)


def _cases(generator):
    table = sinusoidal_positions(60, 12).double()
    places = [torch.randperm(60, generator=generator)[:n] for n in (5, 7, 4)]
    wide = sinusoidal_positions(60, 16).double()
    return [
        {"code": table[places[0]], "steps": 3},
        {"code": wide[places[1]], "steps": -2},
        {"code": sinusoidal_positions(60, 6).double()[places[2]], "steps": 11},
    ]


def _turned(code, angle, back=-1):
    """The rotation by these angles; `back` is the sign in its lower left corner."""
    sine, cosine = code[:, 0::2], code[:, 1::2]
    first = sine * angle.cos() + cosine * angle.sin()
    second = cosine * angle.cos() + back * sine * angle.sin()
    return torch.stack([first, second], dim=-1).flatten(1)


def _angle(code, steps, factor=2):
    d = code.shape[-1]
    i = torch.arange(d // 2, dtype=torch.float64)
    return steps * 10_000 ** (-factor * i / d)


def _by_halves(code, steps):
    half = code.shape[-1] // 2
    pairs = torch.stack([code[:, :half], code[:, half:]], dim=-1).flatten(1)
    turned = _turned(pairs, _angle(code, steps))
    return torch.cat([turned[:, 0::2], turned[:, 1::2]], dim=1)


def _added(code, steps):
    step = torch.full_like(_angle(code, 1), steps) * _angle(code, 1)
    return code + torch.stack([step.sin(), step.cos()], dim=-1).flatten()


def _sine_read_again(code, steps):
    """As an assignment in place does: the second line meets the sine of the first."""
    angle = _angle(code, steps)
    sine, cosine = code[:, 0::2], code[:, 1::2]
    first = sine * angle.cos() + cosine * angle.sin()
    return torch.stack([first, cosine * angle.cos() - first * angle.sin()], -1).flatten(1)


def _guessed(code, steps):
    """The codes of the positions steps, steps + 1, ... whatever the rows are."""
    places = steps + torch.arange(len(code), dtype=torch.float64)
    angle = places[:, None] * _angle(code, 1)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def _halves(code, steps):
    moved = _turned(code, _angle(code, steps))
    return torch.cat([moved[:, 0::2], moved[:, 1::2]], dim=1)


EXERCISE = Exercise(
    name="moved_code",
    label="6.8",
    statement=(
        "moved_code(code, steps): codes (n, d) of the positions that lie `steps` further on than "
        "those of the rows of code (n, d); which these are is not known. The codes are those of "
        "(6.7)."
    ),
    reference=moved_code,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three widths, places in no order, 3 and 11 steps on and 2 back.",
    misconceptions=(
        Misconception(
            "backwards",
            lambda code, steps: _turned(code, -_angle(code, steps)),
            "Your pairs turn the other way, towards smaller positions: compare the signs of the "
            "two sines in (6.8).",
            "6.8",
        ),
        Misconception(
            "a mirror for a rotation",
            lambda code, steps: _turned(code, _angle(code, steps), back=1),
            "Your matrix is symmetric; in (6.8) the two sines have opposite signs, which makes it "
            "a rotation.",
            "6.8",
        ),
        Misconception(
            "one speed for all",
            lambda code, steps: _turned(code, 0 * _angle(code, 1) + steps),
            "All your pairs turn by the same angle; in (6.8) pair i turns by the step times its "
            "own speed ω_i.",
            "6.8",
        ),
        Misconception(
            "factor 2 left out",
            lambda code, steps: _turned(code, _angle(code, steps, factor=1)),
            "Your speeds have the exponent -i/d; those of (6.7) have -2i/d, with i counting pairs.",
            "6.7",
        ),
        Misconception(
            "factor 2 twice",
            lambda code, steps: _turned(code, _angle(code, steps, factor=4)),
            "Your exponent falls twice as fast as -2i/d in (6.7): there i counts pairs, and 2i is "
            "already the place of the sine.",
            "6.7",
        ),
        Misconception(
            "code of the step added",
            _added,
            "You added the code of the step to each row; by (6.8) positions add up as angles, and "
            "the pairs turn.",
            "6.8",
        ),
        Misconception(
            "number of steps added",
            lambda code, steps: code + steps,
            "You added the number of steps to every entry; the entries are sines and cosines, and "
            "(6.8) turns each pair.",
            "6.8",
        ),
        Misconception(
            "rows moved",
            lambda code, steps: code.roll(-steps, dims=0),
            "You moved the rows; they stand in no order, and (6.8) changes each row by itself.",
            "6.8",
        ),
        Misconception(
            "rows moved the other way",
            lambda code, steps: code.roll(steps, dims=0),
            "You moved the rows by the number of steps; they stand in no order, and (6.8) changes "
            "each row by itself.",
            "6.8",
        ),
        Misconception(
            "new sine used for the cosine",
            _sine_read_again,
            "Your cosine is made with the new sine (was it written over the old one?); in (6.8) "
            "both come from the old pair.",
            "6.8",
        ),
        Misconception(
            "places guessed",
            _guessed,
            "You computed the codes of the places steps, steps + 1, ...; those of the rows are not "
            "known, and (6.8) does not need them.",
            "6.8",
        ),
        Misconception(
            "sines first in the result",
            _halves,
            "The pairs are turned rightly, and then all sines stand before all cosines; in (6.7) "
            "they alternate.",
            "6.7",
        ),
        Misconception(
            "always forward",
            lambda code, steps: _turned(code, _angle(code, abs(steps))),
            "Your pairs turn forward for negative steps, too; (6.8) holds for them with the sign "
            "that they have.",
            "6.8",
        ),
        Misconception(
            "halves for pairs",
            _by_halves,
            "You paired the first half of the features with the second; the pairs of (6.7) are "
            "neighbours.",
            "6.7",
        ),
        Misconception(
            "not turned",
            lambda code, steps: code.clone(),
            "You returned the codes as they were; (6.8) turns each pair by an angle that grows "
            "with the step.",
            "6.8",
        ),
    ),
    together=(
        Both(
            "backwards",
            "factor 2 left out",
            lambda code, steps: _turned(code, -_angle(code, steps, factor=1)),
        ),
    ),
    hints=(
        "Try it with one pair first: two numbers, a sine and a cosine of the same unknown angle.",
        "The new pair is made of the old one and of the sine and cosine of the step's angle.",
        "Each pair has its own angle, steps times ω_i; the sines stand at the even places.",
    ),
    where=at_entry,
)
