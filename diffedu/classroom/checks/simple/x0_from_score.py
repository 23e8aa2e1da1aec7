"""Exercise: Tweedie's formula."""

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.simple import common
from diffedu.shapes import per_sample


def x0_from_score(xt, t, score, s):
    """Tweedie's formula: the mean of x_0 given x_t, from the score of q(x_t) (4.11)."""
    alpha_bar = per_sample(s.alpha_bar[t], xt)
    return (xt + (1 - alpha_bar) * score) / alpha_bar.sqrt()


def _cleaned(xt, score, step, divisor):
    return (xt + per_sample(step, xt) * score) / per_sample(divisor, xt)


def _without_brackets(xt, t, score, s):
    alpha_bar = per_sample(s.alpha_bar[t], xt)
    return xt + (1 - alpha_bar) * score / alpha_bar.sqrt()


def _consequence(wrong):
    def read(xt, t, eps_hat, s):
        score = -eps_hat / per_sample((1 - s.alpha_bar[t]).sqrt(), xt)
        return wrong(xt, t, score, s)

    return common.x0_story(read)


def _ones(s, t):
    return 1 + 0 * s.beta[t]


EXERCISE = Exercise(
    name="x0_from_score",
    label="4.11",
    statement=(
        "x0_from_score(xt, t, score, s): the mean of x_0 given x_t, from the score at x_t. "
        "Samples are points (B, D) or pictures (B, C, H, W)."
    ),
    reference=x0_from_score,
    cases=cases_of("xt", "t", "score", "s"),
    tolerance=FLOAT32,
    tested="three schedules, points and pictures, t from 1 to T.",
    misconceptions=(
        Misconception(
            "not divided",
            lambda xt, t, score, s: _cleaned(xt, score, 1 - s.alpha_bar[t], _ones(s, t)),
            "You found the clean point as it stands in x_t, shrunk; (4.11) undoes the shrinking as "
            "well.",
            "4.11",
        ),
        Misconception(
            "brackets missing",
            _without_brackets,
            "You divided only the step; in (4.11) x_t and the step uphill are both enlarged again.",
            "4.11",
        ),
        Misconception(
            "wrong sign",
            lambda xt, t, score, s: x0_from_score(xt, t, -score, s),
            "You stepped downhill; in (4.11) a point is cleaned by a step uphill on the density.",
            "4.11",
        ),
        Misconception(
            "std for variance",
            lambda xt, t, score, s: _cleaned(
                xt, score, (1 - s.alpha_bar[t]).sqrt(), s.alpha_bar[t].sqrt()
            ),
            "Your step is the noise's standard deviation times the score; (4.11) has its variance.",
            "4.11",
        ),
        Misconception(
            "score read as noise",
            lambda xt, t, score, s: _cleaned(
                xt, score, -(1 - s.alpha_bar[t]).sqrt(), s.alpha_bar[t].sqrt()
            ),
            "You solved (1.5) with the score in the place of eps; by (4.10) the two differ by a "
            "factor and a sign.",
            "4.10",
        ),
        Misconception(
            "full score",
            lambda xt, t, score, s: _cleaned(xt, score, _ones(s, t), s.alpha_bar[t].sqrt()),
            "You added the score as it is; in (4.11) the step uphill has a size, which depends on "
            "t.",
            "4.11",
        ),
        Misconception(
            "divided by alpha_bar",
            lambda xt, t, score, s: _cleaned(xt, score, 1 - s.alpha_bar[t], s.alpha_bar[t]),
            "You divided by alpha_bar itself; x_0 is shrunk by its root in (1.5), and so (4.11) "
            "has the root.",
            "4.11",
        ),
        Misconception(
            "alpha for alpha_bar",
            lambda xt, t, score, s: _cleaned(xt, score, s.beta[t], s.alpha[t].sqrt()),
            "You took alpha, the share of one step: that leads to x_{t-1}. (4.11) has alpha_bar "
            "and leads to x_0.",
            "1.4",
        ),
        Misconception(
            "index off by one",
            lambda xt, t, score, s: x0_from_score(xt, t - 1, score, s),
            "You took alpha_bar of the step before; index 0 is the clean data, so alpha_bar_t of "
            "(1.4) stands at index t.",
            "1.4",
        ),
        Misconception(
            "one step's noise",
            lambda xt, t, score, s: _cleaned(xt, score, s.beta[t], s.alpha_bar[t].sqrt()),
            "Your step uphill has the variance of one step's noise; (4.11) has that of all steps "
            "so far.",
            "4.11",
        ),
    ),
    together=(
        Both(
            "not divided",
            "wrong sign",
            lambda xt, t, score, s: _cleaned(xt, score, s.alpha_bar[t] - 1, _ones(s, t)),
        ),
        Both(
            "std for variance",
            "divided by alpha_bar",
            lambda xt, t, score, s: _cleaned(
                xt, score, (1 - s.alpha_bar[t]).sqrt(), s.alpha_bar[t]
            ),
        ),
    ),
    hints=(
        "Two things happen: a step uphill on the density, and then the shrinking is undone.",
        "Start from (2.12), x_0 from eps, and put in for eps what (4.10) says about the score.",
        "The roots of 1 - alpha_bar meet in the numerator and leave no root. Below the line, one "
        "stays.",
    ),
    consequence=_consequence,
)
