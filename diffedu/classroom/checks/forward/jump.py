"""Exercise: the jump from x_0 to x_t."""

from functools import partial

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception
from diffedu.classroom.checks.forward.common import (
    NOISING,
    factors,
    mixed,
    noising_cases,
    told,
)
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def _with(alpha_bar, x0, eps):
    return mixed(x0, alpha_bar.sqrt(), eps, (1 - alpha_bar).sqrt())


def _four_axes(x0, t, eps, s):
    alpha_bar = s.alpha_bar[t].view(-1, 1, 1, 1)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps


def _kept(jump):
    signal, noise = factors(jump, linear(1000))
    return f"{signal[499]:.4f} of x_0 and noise of variance {noise[499] ** 2:.4f}"


def _at_500(wrong):
    mine, right = _kept(wrong), _kept(q_sample)
    if mine == right:
        raise ValueError("these numbers do not show it")
    return f"At t = 500 of DDPM's 1000 steps it has {mine}; done right, {right}."


EXERCISE = Exercise(
    name="jump",
    label="1.5",
    statement="jump(x0, t, eps, s): x_t for each picture of a batch, straight from x_0.",
    reference=q_sample,
    cases=noising_cases("x0"),
    tolerance=NOISING,
    tested="points and pictures, four schedules, t from 1 to T.",
    misconceptions=(
        Misconception(
            "alpha for alpha_bar",
            lambda x0, t, eps, s: _with(s.alpha[t], x0, eps),
            "You took alpha, what one step keeps; (1.5) has alpha_bar, what all t steps keep.",
            "1.4",
        ),
        Misconception(
            "no roots",
            lambda x0, t, eps, s: mixed(x0, s.alpha_bar[t], eps, 1 - s.alpha_bar[t]),
            "You multiply by shares of the variance; the factors in (1.5) are their roots.",
            "1.5",
        ),
        Misconception(
            "noise without root",
            lambda x0, t, eps, s: mixed(x0, s.alpha_bar[t].sqrt(), eps, 1 - s.alpha_bar[t]),
            "Your factor of eps is the variance of the noise; (1.5) has the standard deviation.",
            "1.5",
        ),
        Misconception(
            "signal without root",
            lambda x0, t, eps, s: mixed(x0, s.alpha_bar[t], eps, (1 - s.alpha_bar[t]).sqrt()),
            "Your factor of x_0 is the share of the variance that is left; (1.5) has its root.",
            "1.5",
        ),
        Misconception(
            "1 minus the factor",
            lambda x0, t, eps, s: mixed(x0, s.alpha_bar[t].sqrt(), eps, 1 - s.alpha_bar[t].sqrt()),
            "Your two factors add up to 1; in (1.5) their squares do.",
            "1.5",
        ),
        Misconception(
            "noise subtracted",
            lambda x0, t, eps, s: mixed(
                x0, s.alpha_bar[t].sqrt(), eps, -(1 - s.alpha_bar[t]).sqrt()
            ),
            "You subtract the noise; -eps is as likely as eps, but (1.5) adds eps itself.",
            "1.5",
        ),
        Misconception(
            "noise of one step",
            lambda x0, t, eps, s: mixed(x0, s.alpha_bar[t].sqrt(), eps, s.beta[t].sqrt()),
            "Your noise is that of the last step alone; (1.5) has the noise of all t steps.",
            "1.5",
        ),
        Misconception(
            "factors swapped",
            lambda x0, t, eps, s: _with(1 - s.alpha_bar[t], x0, eps),
            "Your two factors changed places: at small t, (1.5) is nearly all picture.",
            "1.5",
        ),
        Misconception(
            "one step early",
            lambda x0, t, eps, s: _with(s.alpha_bar[t - 1], x0, eps),
            "You took alpha_bar one step before t; here index t is step t, and index 0 is 1 (1.4).",
            "1.4",
        ),
        Misconception(
            "table from 0",
            lambda x0, t, eps, s: _with(s.alpha_bar[1:][t], x0, eps),
            "You took alpha_bar one step after t, and at T there is none; (1.5) has step t.",
            "1.5",
        ),
        Misconception(
            "the first t for all",
            lambda x0, t, eps, s: _with(s.alpha_bar[t[:1]].expand(len(t)), x0, eps),
            "All your pictures get the factors of the first t; in (1.5) each has its own step.",
            "1.5",
        ),
        Misconception(
            "bare (B,)",
            lambda x0, t, eps, s: s.alpha_bar[t].sqrt() * x0 + (1 - s.alpha_bar[t]).sqrt() * eps,
            "Your factors (B,) line up with the width of x_0; (1.5) has one per picture.",
            "1.5",
        ),
        Misconception(
            "always four axes",
            _four_axes,
            "Your factors have four axes, whatever x_0 has; (1.5) holds for points (B, D) as well.",
            "1.5",
        ),
    ),
    together=(
        Both(
            "alpha for alpha_bar",
            "no roots",
            lambda x0, t, eps, s: mixed(x0, s.alpha[t], eps, 1 - s.alpha[t]),
        ),
        Both(
            "no roots",
            "one step early",
            lambda x0, t, eps, s: mixed(x0, s.alpha_bar[t - 1], eps, 1 - s.alpha_bar[t - 1]),
        ),
    ),
    hints=(
        "How much of x_0 is left after t steps, not after one?",
        "Signal and noise share a variance of 1. Which two numbers are the shares at step t?",
        "Two roots of (1.5), each with as many axes as x_0, as in per_picture; then one sum.",
    ),
    consequence=partial(told, _at_500),
    built_on=(per_sample,),
)
