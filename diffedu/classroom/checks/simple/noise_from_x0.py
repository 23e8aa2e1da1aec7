"""Exercise: the noise that belongs to a clean x_0."""

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.simple import common
from diffedu.diffusion.gaussian import eps_from_x0, x0_from_eps
from diffedu.shapes import per_sample


def _solved(xt, x0, signal, noise):
    return (xt - per_sample(signal, xt) * x0) / per_sample(noise, xt)


def _of(alpha_bar):
    return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()


def _in_line(xt, t, x0, s):
    alpha_bar = s.alpha_bar[t]
    return (xt - alpha_bar.sqrt() * x0) / (1 - alpha_bar).sqrt()


def _without_brackets(xt, t, x0, s):
    signal, noise = (per_sample(factor, xt) for factor in _of(s.alpha_bar[t]))
    return xt - signal * x0 / noise


def _consequence(wrong):
    return common.sample_story(
        lambda xt, t, eps_hat, s: wrong(xt, t, x0_from_eps(xt, t, eps_hat, s), s)
    )


EXERCISE = Exercise(
    name="noise_from_x0",
    label="4.9",
    statement=(
        "noise_from_x0(xt, t, x0, s): the noise eps that leads from x_0 to x_t in one jump. "
        "Samples are points (B, D) or pictures (B, C, H, W)."
    ),
    reference=eps_from_x0,
    cases=cases_of("xt", "t", "x0", "s"),
    tolerance=Tolerance(2e-3, 1e-5, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, points and pictures, t from 1 to T.",
    misconceptions=(
        Misconception(
            "variance used as std",
            lambda xt, t, x0, s: _solved(xt, x0, s.alpha_bar[t].sqrt(), 1 - s.alpha_bar[t]),
            "You divided by the variance of the noise; in (1.5) eps is multiplied by its "
            "standard deviation.",
            "1.5",
        ),
        Misconception(
            "no root on the signal",
            lambda xt, t, x0, s: _solved(xt, x0, s.alpha_bar[t], (1 - s.alpha_bar[t]).sqrt()),
            "You took alpha_bar itself as the share of x_0; in (1.5) the share is its root.",
            "1.5",
        ),
        Misconception(
            "x_0 not scaled",
            lambda xt, t, x0, s: _solved(xt, x0, 1 + s.beta[t] * 0, (1 - s.alpha_bar[t]).sqrt()),
            "You took away all of x_0; (1.5) leaves only a share of it in x_t.",
            "1.5",
        ),
        Misconception(
            "not divided",
            lambda xt, t, x0, s: _solved(xt, x0, s.alpha_bar[t].sqrt(), 1 + s.beta[t] * 0),
            "You returned the noise as it stands in x_t, with its factor; (1.5) has a bare eps of "
            "variance 1 beside that factor.",
            "1.5",
        ),
        Misconception(
            "brackets missing",
            _without_brackets,
            "You divided only the part of x_0; to solve (1.5) for eps, the whole difference is "
            "divided.",
            "1.5",
        ),
        Misconception(
            "alpha for alpha_bar",
            lambda xt, t, x0, s: _solved(xt, x0, *_of(s.alpha[t])),
            "You took alpha, the share of one step; the jump (1.5) has alpha_bar, the product of "
            "all so far.",
            "1.4",
        ),
        Misconception(
            "roots swapped",
            lambda xt, t, x0, s: _solved(xt, x0, *reversed(_of(s.alpha_bar[t]))),
            "Your two factors changed places: in (1.5) alpha_bar goes with x_0 and 1 - alpha_bar "
            "with eps.",
            "1.5",
        ),
        Misconception(
            "wrong sign",
            lambda xt, t, x0, s: -eps_from_x0(xt, t, x0, s),
            "Your sign is the wrong way round: (1.5) adds eps to x_0, so x_t comes first in the "
            "difference.",
            "1.5",
        ),
        Misconception(
            "index off by one",
            lambda xt, t, x0, s: _solved(xt, x0, *_of(s.alpha_bar[t - 1])),
            "You took alpha_bar of the step before; index 0 is the clean data, so alpha_bar_t of "
            "(1.4) stands at index t.",
            "1.4",
        ),
        Misconception(
            "one factor per column",
            _in_line,
            "Your factors have the shape (B,) and meet the last axis of x_t; (1.5) has one factor "
            "for each sample.",
            "1.5",
        ),
    ),
    together=(
        Both(
            "variance used as std",
            "no root on the signal",
            lambda xt, t, x0, s: _solved(xt, x0, s.alpha_bar[t], 1 - s.alpha_bar[t]),
        ),
        Both(
            "variance used as std",
            "alpha for alpha_bar",
            lambda xt, t, x0, s: _solved(xt, x0, s.alpha[t].sqrt(), s.beta[t]),
        ),
    ),
    hints=(
        "Nothing new is needed: write down (1.5) and ask which letter is the unknown.",
        "Take the part of x_0 out of x_t. What is left is the noise times a number; which one?",
        "Both factors come from alpha_bar at index t, and each is a root. Shape them like (4.9) "
        "asks: one number for each sample, not for each column.",
    ),
    consequence=_consequence,
)
