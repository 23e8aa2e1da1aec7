"""Exercise: find the bug, a posterior that does not believe in index 0."""

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.posterior.common import by_posterior
from diffedu.diffusion.gaussian import fixed_small, posterior
from diffedu.shapes import per_sample


def _given(x0, xt, t, s):
    shape = (-1,) + (1,) * (x0.ndim - 1)
    before = (t - 1).clamp(min=1)
    alpha = s.alpha[t].view(shape)
    beta = s.beta[t].view(shape)
    alpha_bar = s.alpha_bar[t].view(shape)
    alpha_bar_prev = s.alpha_bar[before].view(shape)
    c0 = alpha_bar_prev.sqrt() * beta / (1 - alpha_bar)
    ct = alpha.sqrt() * (1 - alpha_bar_prev) / (1 - alpha_bar)
    variance = (1 - alpha_bar_prev) / (1 - alpha_bar) * beta
    return c0 * x0 + ct * xt, variance


def _with_before(before):
    """The given lines with another step in place of t - 1."""

    def wrong(x0, xt, t, s):
        now, prev = s.alpha_bar[t], s.alpha_bar[before(t)]
        c0 = prev.sqrt() * s.beta[t] / (1 - now)
        ct = s.alpha[t].sqrt() * (1 - prev) / (1 - now)
        variance = (1 - prev) / (1 - now) * s.beta[t]
        return per_sample(c0, x0) * x0 + per_sample(ct, x0) * xt, variance

    return wrong


EXERCISE = Exercise(
    name="repair_posterior",
    label="2.8",
    statement=(
        "repair_posterior(x0, xt, t, s): mean and variance of q(x_{t-1} | x_t, x_0). One line of "
        "this code is wrong."
    ),
    reference=posterior,
    cases=cases_of("x0", "xt", "t", "s"),
    tolerance=Tolerance(2e-3, 1e-4, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, points and pictures, t from 1 to T, with x_0 and 0 at t = 1.",
    misconceptions=(
        Misconception(
            "no step before the first",
            _given,
            "At t = 1 the code takes alpha_bar_1 for the step before; there is alpha_bar_0 = 1, "
            "the clean picture, and (2.10) follows.",
            "2.10",
        ),
        Misconception(
            "alpha_bar at t",
            _with_before(lambda t: t),
            "Now alpha_bar is taken at t everywhere; (2.8) and (2.7) have it one step earlier.",
            "2.8",
        ),
        Misconception(
            "two steps back",
            _with_before(lambda t: (t - 2).clamp(min=0)),
            "Now alpha_bar is taken two steps before t; in s, index t is step t, so (2.8) needs "
            "the neighbour.",
            "2.8",
        ),
        Misconception(
            "only the mean repaired",
            lambda x0, xt, t, s: (posterior(x0, xt, t, s)[0], _given(x0, xt, t, s)[1]),
            "The mean is right now; the variance still is not what (2.10) says at t = 1.",
            "2.10",
        ),
        Misconception(
            "only the variance repaired",
            lambda x0, xt, t, s: (_given(x0, xt, t, s)[0], posterior(x0, xt, t, s)[1]),
            "The variance is right now; the mean still is not what (2.10) says at t = 1.",
            "2.10",
        ),
        Misconception(
            "variance used as std",
            lambda x0, xt, t, s: (posterior(x0, xt, t, s)[0], posterior(x0, xt, t, s)[1].sqrt()),
            "Your second result is a standard deviation now; (2.7) asks for its square.",
            "2.7",
        ),
    ),
    together=(
        Both(
            "no step before the first",
            "variance used as std",
            lambda x0, xt, t, s: (_given(x0, xt, t, s)[0], _given(x0, xt, t, s)[1].sqrt()),
        ),
    ),
    hints=(
        "The code is right at almost every step. At which steps would you look first?",
        "Put t = 1 into each line, by hand, and compare with (2.10).",
        "Print the index that is used for the step before, for t = 1, 2, 3. Does index 0 exist in "
        "s, and what does it hold?",
    ),
    consequence=by_posterior,
    bug="no step before the first",
    built_on=(fixed_small,),
)
