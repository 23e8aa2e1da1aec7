"""Exercise: the betas of the cosine schedule."""

import math

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.exercise import at_step_from_1 as from_1
from diffedu.classroom.checks.forward.common import from_step_1


def cosine_betas(T):
    """beta_1, ..., beta_T that give alpha_bar the squared cosine of (1.9), at most .999."""
    time = torch.linspace(0, 1, T + 1, dtype=torch.float64)  # t/T
    f = torch.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2
    return (1 - f[1:] / f[:-1]).clamp(max=0.999)


def _cosine(T, offset=0.008):
    time = torch.linspace(0, 1, T + 1, dtype=torch.float64)
    return torch.cos((time + offset) / (1 + offset) * math.pi / 2)


def _betas(curve):
    return 1 - curve[1:] / curve[:-1]


def _of_angle(angle):
    """The betas if the cosine is taken of something else; a function of t/T."""

    def wrong(T):
        time = torch.linspace(0, 1, T + 1, dtype=torch.float64)
        return _betas(torch.cos(angle(time)) ** 2).clamp(max=0.999)

    return wrong


def _around_the_corner(T):
    curve = _cosine(T) ** 2
    return (1 - curve / curve.roll(1)).clamp(max=0.999)


def _not_far_below_0(values, case):
    """The curve ends in 0 up to rounding; a quotient by that is as good as chance, far below 0."""
    return tuple(part.clamp(min=-1) for part in values)


def _curve(wrong):
    beta = wrong(200)
    if len(beta) != 200:
        raise ValueError("not the betas of 200 steps")
    left = (1 - beta).cumprod(0)
    return f"{left[-101]:.4f} after half of the steps, and the largest beta is {beta.max():.4g}"


def _half_way(wrong):
    mine, right = _curve(wrong), _curve(cosine_betas)
    if mine == right:
        raise ValueError("these numbers do not show it")
    return f"With T = 200, alpha_bar is {mine}. Done right: {right}."


EXERCISE = Exercise(
    name="cosine_betas",
    label="1.9",
    statement=(
        "cosine_betas(T): beta_1 to beta_T of the cosine schedule, (T,), each at most .999."
    ),
    reference=cosine_betas,
    cases=lambda generator: [{"T": T} for T in (50, 20, 30)],
    tolerance=Tolerance(3e-4, 1e-5, "f(t) and f(t)/f(0) differ by 1.6e-4, and count as one curve"),
    tested="20, 30 and 50 steps, the last beta included.",
    misconceptions=(
        Misconception(
            "cosine not squared",
            lambda T: _betas(_cosine(T)).clamp(max=0.999),
            "Your curve is the cosine, or you took a root of the ratio; (1.9) has its square.",
            "1.9",
        ),
        Misconception(
            "not clipped",
            lambda T: _betas(_cosine(T) ** 2),
            "Your last beta is 1, which leaves nothing at all to undo; below (1.9) stands a limit.",
            "1.9",
        ),
        Misconception(
            "curve taken for beta",
            lambda T: (_cosine(T) ** 2)[1:].clamp(max=0.999),
            "You returned the curve; in (1.9) it is alpha_bar, and the betas follow from it.",
            "1.9",
        ),
        Misconception(
            "alpha_bar returned",
            lambda T: (_cosine(T) / _cosine(T)[0]) ** 2,
            "You returned alpha_bar, for t from 0 to T; (1.9) stops there, and the betas follow "
            "from it.",
            "1.9",
        ),
        Misconception(
            "1 minus alpha_bar",
            lambda T: (1 - (_cosine(T) / _cosine(T)[0]) ** 2)[1:].clamp(max=0.999),
            "You returned the noise of all steps so far, 1 minus the curve (1.9); beta is that of "
            "one step.",
            "1.4",
        ),
        Misconception(
            "no offset",
            lambda T: _betas(_cosine(T, 0) ** 2).clamp(max=0.999),
            "You left out the offset s of (1.9), which keeps the first betas from being too small.",
            "1.9",
        ),
        Misconception(
            "brackets missing",
            _of_angle(lambda time: time + 0.008 / 1.008 * math.pi / 2),
            "Your angle has t/T as it is, and ends near 1; in (1.9), t/T + s is divided and "
            "multiplied as a whole.",
            "1.9",
        ),
        Misconception(
            "half a turn",
            _of_angle(lambda time: (time + 0.008) / 1.008 * math.pi),
            "Your curve is down at T/2 and rises again, so betas are negative; in (1.9) it is at 0 "
            "at T only.",
            "1.9",
        ),
        Misconception(
            "difference for ratio",
            lambda T: ((_cosine(T)[:-1] ** 2 - _cosine(T)[1:] ** 2) / _cosine(T)[0] ** 2).clamp(
                max=0.999
            ),
            "You subtract neighbours of the curve (1.9); as they are products, a step is a ratio.",
            "1.4",
        ),
        Misconception(
            "ratio without 1 -",
            lambda T: (1 - _betas(_cosine(T) ** 2)).clamp(max=0.999),
            "You returned alpha, what a step keeps of the curve (1.9); beta is what it takes away.",
            "1.4",
        ),
        Misconception(
            "ratio upside down",
            lambda T: (1 - _cosine(T)[:-1] ** 2 / _cosine(T)[1:] ** 2).clamp(max=0.999),
            "Your ratio stands on its head, so the betas are negative: the curve of (1.9) falls.",
            "1.9",
        ),
        Misconception(
            "wraps around at t = 0",
            _around_the_corner,
            "At t = 0, your entry t - 1 of (1.9) is the last one of all, as Python counts; there "
            "is no step to 0.",
            "1.9",
        ),
        Misconception(
            "index 0 included",
            lambda T: torch.cat([torch.zeros(1), cosine_betas(T)]),
            "You returned T + 1 numbers, with 0 for the clean data; of (1.9), the betas of 1 to T "
            "are asked for.",
            "1.9",
        ),
    ),
    together=(
        Both(
            "1 minus alpha_bar",
            "not clipped",
            lambda T: (1 - (_cosine(T) / _cosine(T)[0]) ** 2)[1:],
        ),
        Both("cosine not squared", "not clipped", lambda T: _betas(_cosine(T))),
        Both("no offset", "not clipped", lambda T: _betas(_cosine(T, 0) ** 2)),
    ),
    hints=(
        "Which curve does (1.9) give, and how do the betas follow from it?",
        "alpha_bar[t] is alpha_bar[t-1] times one factor. What does this factor say about beta?",
        "T + 1 points of the curve, the ratio of each to the one before, and the limit at the end.",
    ),
    consequence=_half_way,
    measure=_not_far_below_0,
    picture=from_step_1("beta"),
    where=from_1,
)
