"""Exercise: the mean of the reverse step, from the noise."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.posterior.common import by_mean
from diffedu.diffusion.gaussian import reverse_mean
from diffedu.shapes import per_sample


def _like_2_13(of_eps, below):
    """(x_t - factor eps) / below, with both from the schedule at t."""

    def mean(xt, eps_hat, t, s):
        return (xt - per_sample(of_eps(t, s), xt) * eps_hat) / per_sample(below(t, s), xt)

    return mean


def _little(t, s):
    return s.beta[t] / (1 - s.alpha_bar[t]).sqrt()


def _shrinking(t, s):
    return s.alpha[t].sqrt()


def _all_shrinking(t, s):
    return s.alpha_bar[t].sqrt()


def _one(t, s):
    return torch.ones_like(s.beta[t])


def _negative(t, s):
    return -_little(t, s)


def _over_variance(t, s):
    return s.beta[t] / (1 - s.alpha_bar[t])


def _times_std(t, s):
    return s.beta[t] * (1 - s.alpha_bar[t]).sqrt()


def _std_over_std(t, s):
    return (s.beta[t] / (1 - s.alpha_bar[t])).sqrt()


def _four_axes(xt, eps_hat, t, s):
    taken = _little(t, s).view(-1, 1, 1, 1) * eps_hat
    return (xt - taken) / _shrinking(t, s).view(-1, 1, 1, 1)


EXERCISE = Exercise(
    name="mean_from_noise",
    label="2.13",
    statement=(
        "mean_from_noise(xt, eps_hat, t, s): the mean of the step from x_t to x_{t-1}, with a "
        "prediction eps_hat in place of the noise."
    ),
    reference=reverse_mean,
    cases=cases_of("xt", "eps_hat", "t", "s"),
    tolerance=Tolerance(2e-3, 1e-4, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, points and pictures, t from 1 to T.",
    misconceptions=(
        Misconception(
            "root of beta",
            _like_2_13(lambda t, s: s.beta[t].sqrt(), _shrinking),
            "You solved (1.1) for x_{t-1}; eps_hat predicts the noise of all t steps together, and "
            "(2.13) takes only a little of it.",
            "2.13",
        ),
        Misconception(
            "all the noise at once",
            _like_2_13(lambda t, s: (1 - s.alpha_bar[t]).sqrt(), _shrinking),
            "You take away all the noise in x_t; (2.13) takes away what one step needs.",
            "2.13",
        ),
        Misconception(
            "alpha_bar for alpha",
            _like_2_13(_little, _all_shrinking),
            "You undo the shrinking of all t steps; (2.13) undoes that of one.",
            "2.13",
        ),
        Misconception(
            "shrinking not undone",
            _like_2_13(_little, _one),
            "You took the noise away and left x as small as step t made it, see the factor in "
            "front of (2.13).",
            "2.13",
        ),
        Misconception(
            "no root below beta",
            _like_2_13(_over_variance, _shrinking),
            "You divide β by the variance of the noise in x_t; (2.13) divides it by the standard "
            "deviation.",
            "2.13",
        ),
        Misconception(
            "root above and below",
            _like_2_13(_std_over_std, _shrinking),
            "You have the root of β in front of eps_hat; (2.13) has β, the variance.",
            "2.13",
        ),
        Misconception(
            "times the root below",
            _like_2_13(_times_std, _shrinking),
            "You multiply β by the standard deviation of the noise in x_t; (2.13) has it below the "
            "fraction bar.",
            "2.13",
        ),
        Misconception(
            "x_0 for x_{t-1}",
            _like_2_13(lambda t, s: (1 - s.alpha_bar[t]).sqrt(), _all_shrinking),
            "You went all the way to x_0, (2.12); (2.13) goes one step.",
            "2.13",
        ),
        Misconception(
            "shrunk once more",
            _like_2_13(_little, lambda t, s: 1 / _shrinking(t, s)),
            "You shrink once more by the factor of (1.1); (2.13) undoes the shrinking.",
            "2.13",
        ),
        Misconception(
            "no root of alpha",
            _like_2_13(_little, lambda t, s: s.alpha[t]),
            "You divide by alpha; one step multiplies x by its root, (1.1).",
            "2.13",
        ),
        Misconception(
            "noise added",
            _like_2_13(_negative, _shrinking),
            "You added noise in the direction of eps_hat; (2.13) goes the other way.",
            "2.13",
        ),
        Misconception(
            "only x_t divided",
            lambda xt, eps_hat, t, s: (
                xt / per_sample(_shrinking(t, s), xt) - per_sample(_little(t, s), xt) * eps_hat
            ),
            "Only x_t is divided; in (2.13) the factor in front is for the whole bracket.",
            "2.13",
        ),
        Misconception(
            "one index too early",
            _like_2_13(lambda t, s: _little(t - 1, s), lambda t, s: _shrinking(t - 1, s)),
            "All arrays are read one place too early: in s, index t is step t, and index 0 is the "
            "clean data with alpha_bar = 1, (1.4).",
            "1.4",
        ),
        Misconception(
            "(B,) not shaped",
            lambda xt, eps_hat, t, s: (xt - _little(t, s) * eps_hat) / _shrinking(t, s),
            "Your (B,) factors meet the last axis of the pictures; (2.13) has one pair per sample, "
            "so they belong to the first.",
            "2.13",
        ),
        Misconception(
            "always four axes",
            _four_axes,
            "Your factors have four axes, whatever x_t has; (2.13) holds for points (B, D) too.",
            "2.13",
        ),
    ),
    together=(
        Both("noise added", "shrinking not undone", _like_2_13(_negative, _one)),
        Both(
            "no root below beta",
            "alpha_bar for alpha",
            _like_2_13(_over_variance, _all_shrinking),
        ),
    ),
    hints=(
        "Read (2.13) aloud: take away a little noise, then undo the shrinking of one step.",
        "Without a bar: what belongs to this one step. With a bar: how noisy x_t is by now. Which "
        "of the letters needs which?",
        "The little bit is the step's variance over the standard deviation of the noise in x_t; "
        "the last division is by what (1.1) multiplied with.",
    ),
    consequence=by_mean,
    built_on=(per_sample,),
)
