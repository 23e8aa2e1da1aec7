"""Prediction: an error of the noise, as an error of x_0."""

from diffedu.classroom.checks.exercise import Misconception, Prediction, Tolerance, no_arguments
from diffedu.diffusion.schedules import linear

TIMES, ERROR = (500, 1000), 0.01


def guess_x0_error():
    """How far off x_0 is at t = 500 and 1000 if eps is off by .01 (4.6)."""
    s = linear(1000)
    return [ERROR * ((1 - s.alpha_bar[t]) / s.alpha_bar[t]).sqrt().item() for t in TIMES]


def _by(factor):
    """The guesses that this factor(alpha, alpha_bar) of the error leads to."""
    s = linear(1000)
    return lambda: [ERROR * factor(s.alpha[t], s.alpha_bar[t]).item() for t in TIMES]


def _where(case, index):
    return f"at t = {TIMES[index[0]]}" if index else ""


EXERCISE = Prediction(
    name="guess_x0_error",
    label="4.6",
    statement=(
        "guess_x0_error: how far off is each element of x_0 at t = 500 and at t = 1000 (linear), "
        "if each of eps is off by .01? A list of two numbers."
    ),
    reference=guess_x0_error,
    cases=no_arguments,
    tolerance=Tolerance(0.4, 0, "a guess by eye: within 40 %"),
    tested="Within 40 % at both: an error counts the more, the less of x_0 is left in x_t.",
    misconceptions=(
        Misconception(
            "the same error",
            lambda: [ERROR, ERROR],
            "You kept the error as it is; by (4.6) it is multiplied by a factor that grows with t.",
            "4.6",
        ),
        Misconception(
            "in proportion to t",
            lambda: [guess_x0_error()[1] / 2, guess_x0_error()[1]],
            "At t = 1000 that is near; at t = 500 (4.6) gives far less: its factor grows fastest "
            "towards the end.",
            "4.6",
        ),
        Misconception(
            "twice the steps, twice the error",
            lambda: [guess_x0_error()[0], 2 * guess_x0_error()[0]],
            "You doubled the error with t; the factor of (4.6) grows much faster towards the end.",
            "4.6",
        ),
        Misconception(
            "factor for error",
            lambda: [error / ERROR for error in guess_x0_error()],
            "That is the factor of (4.6); the error of eps was .01.",
            "4.6",
        ),
        Misconception(
            "no root",
            _by(lambda alpha, alpha_bar: (1 - alpha_bar) / alpha_bar),
            "(4.6) is about squares: for the error itself, its factor needs a root.",
            "4.6",
        ),
        Misconception(
            "upside down",
            _by(lambda alpha, alpha_bar: (alpha_bar / (1 - alpha_bar)).sqrt()),
            "Your factor stands on its head: that is the error of eps if x_0 is off by .01, (4.6).",
            "4.6",
        ),
        Misconception(
            "alpha for alpha_bar",
            _by(lambda alpha, alpha_bar: ((1 - alpha) / alpha).sqrt()),
            "You took alpha, the share of one step; (4.6) has alpha_bar, the product of all so "
            "far.",
            "1.4",
        ),
    ),
    hints=(
        "To get x_0 from eps one divides, (2.12). By what, at t = 500 and at t = 1000?",
        "The root of SNR says how x_0 and eps are mixed. (4.6) has its inverse.",
        "alpha_bar is .08 at t = 500 and 4e-5 at t = 1000.",
    ),
    where=_where,
)
