"""Exercise: one noising step."""

from functools import partial

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception
from diffedu.classroom.checks.forward.common import (
    NOISING,
    factors,
    mixed,
    noising_cases,
    told,
)
from diffedu.diffusion.gaussian import q_step
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def _with_beta(beta, x, eps):
    return mixed(x, (1 - beta).sqrt(), eps, beta.sqrt())


def _bare(x, t, eps, s):
    return (1 - s.beta[t]).sqrt() * x + s.beta[t].sqrt() * eps


def _four_axes(x, t, eps, s):
    beta = s.beta[t].view(-1, 1, 1, 1)
    return (1 - beta).sqrt() * x + beta.sqrt() * eps


def _end(step):
    signal, noise = (factor.tolist() for factor in factors(step, linear(1000)))
    variance, left = 1.0, 1.0
    for a, b in zip(signal, noise, strict=True):
        variance, left = a**2 * variance + b**2, a**2 * left
    return f"{variance:.4f}, of which {left:.3g} comes from the picture"


def _after_1000_steps(wrong):
    mine, right = _end(wrong), _end(q_step)
    if mine == right:
        raise ValueError("these numbers do not show it")
    return f"From variance 1, DDPM's 1000 steps lead to the variance {mine}; done right, {right}."


EXERCISE = Exercise(
    name="one_step",
    label="1.1",
    statement="one_step(x_prev, t, eps, s): x_t from x_{t-1}; each sample has its own step t (B,).",
    reference=q_step,
    cases=noising_cases("x_prev"),
    tolerance=NOISING,
    tested="points and pictures, four schedules, t from 1 to T.",
    misconceptions=(
        Misconception(
            "variance for std",
            lambda x, t, eps, s: mixed(x, (1 - s.beta[t]).sqrt(), eps, s.beta[t]),
            "You multiply eps by the variance β_t; (1.1) needs the standard deviation there.",
            "1.1",
        ),
        Misconception(
            "signal without root",
            lambda x, t, eps, s: mixed(x, 1 - s.beta[t], eps, s.beta[t].sqrt()),
            "You multiply the picture by 1 - β_t; in (1.1) that happens to its variance.",
            "1.1",
        ),
        Misconception(
            "picture not shrunk",
            lambda x, t, eps, s: x + mixed(x, 0 * s.beta[t], eps, s.beta[t].sqrt()),
            "You add noise and keep the whole picture, so the variance grows; (1.1) shrinks it.",
            "1.1",
        ),
        Misconception(
            "alpha_bar for alpha",
            lambda x, t, eps, s: _with_beta(1 - s.alpha_bar[t], x, eps),
            "Your factors are those of the jump from x_0; (1.1) goes one step, from x_{t-1}.",
            "1.1",
        ),
        Misconception(
            "factors swapped",
            lambda x, t, eps, s: _with_beta(1 - s.beta[t], x, eps),
            "Your two factors changed places: (1.1) keeps most of the picture at each step.",
            "1.1",
        ),
        Misconception(
            "one step early",
            lambda x, t, eps, s: _with_beta(s.beta[t - 1], x, eps),
            "You took the β of step t - 1; here index t is step t, and index 0 is clean (1.4).",
            "1.4",
        ),
        Misconception(
            "table from 0",
            lambda x, t, eps, s: _with_beta(s.beta[1:][t], x, eps),
            "You took the β of step t + 1, and at T there is none; (1.1) has the β of step t.",
            "1.1",
        ),
        Misconception(
            "noise subtracted",
            lambda x, t, eps, s: mixed(x, (1 - s.beta[t]).sqrt(), eps, -s.beta[t].sqrt()),
            "You subtract the noise; -eps is as likely as eps, but (1.1) adds eps itself.",
            "1.1",
        ),
        Misconception(
            "the first t for all",
            lambda x, t, eps, s: _with_beta(s.beta[t[:1]].expand(len(t)), x, eps),
            "All your samples get the β of the first t; in (1.1) each has its own step.",
            "1.1",
        ),
        Misconception(
            "bare (B,)",
            _bare,
            "Your factors (B,) line up with the last axis of x; (1.1) has one per sample.",
            "1.1",
        ),
        Misconception(
            "always four axes",
            _four_axes,
            "Your factors have four axes, whatever x has; (1.1) holds for points (B, D) as well.",
            "1.1",
        ),
    ),
    together=(
        Both(
            "variance for std",
            "signal without root",
            lambda x, t, eps, s: mixed(x, 1 - s.beta[t], eps, s.beta[t]),
        ),
        Both(
            "variance for std",
            "one step early",
            lambda x, t, eps, s: mixed(x, (1 - s.beta[t - 1]).sqrt(), eps, s.beta[t - 1]),
        ),
    ),
    hints=(
        "If x_{t-1} has variance 1 and eps has variance 1, x_t should have variance 1 again.",
        "A factor multiplies a variance by its square. Which two squares add up to 1 in (1.1)?",
        "Read β at all t at once, a (B,), and give it as many axes as x before you multiply.",
    ),
    consequence=partial(told, _after_1000_steps),
    built_on=(per_sample,),
)
