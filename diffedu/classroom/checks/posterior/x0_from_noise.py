"""Exercise: the clean picture, from a noisy one and its noise."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.diffusion.gaussian import q_sample, x0_from_eps
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def _solved(of_noise, of_signal):
    """(x_t - noise eps) / signal, with both from the schedule at t."""

    def x0(xt, t, eps, s):
        return (xt - per_sample(of_noise(t, s), xt) * eps) / per_sample(of_signal(t, s), xt)

    return x0


def _signal(t, s):
    return s.alpha_bar[t].sqrt()


def _noise(t, s):
    return (1 - s.alpha_bar[t]).sqrt()


def _one(t, s):
    return torch.ones_like(s.beta[t])


def _bare(xt, t, eps, s):
    return (xt - _noise(t, s) * eps) / _signal(t, s)


def _four_axes(xt, t, eps, s):
    noise, signal = _noise(t, s).view(-1, 1, 1, 1), _signal(t, s).view(-1, 1, 1, 1)
    return (xt - noise * eps) / signal


def _from_the_true_noise(wrong) -> str:
    s, generator = linear(1000), torch.Generator().manual_seed(0)
    n, eps = torch.randn(2, 1000, 1, generator=generator, dtype=torch.float64)
    x0 = 0.5 + 0.3 * n
    off = []
    for step in (10, 500):
        t = torch.full((1000,), step)
        error = wrong(q_sample(x0, t, eps, s), t, eps, s).reshape(x0.shape) - x0
        off.append(error.square().mean().sqrt().item())
    return (
        "Given the true noise of 1000 points from N(.5, .3²), its x_0 is off by "
        f"{off[0]:.2g} on average at t = 10 and by {off[1]:.2g} at t = 500 (root mean square); "
        "done right, by nothing."
    )


EXERCISE = Exercise(
    name="x0_from_noise",
    label="2.12",
    statement=(
        "x0_from_noise(xt, t, eps, s): the clean x_0 of each sample, from x_t and the noise eps "
        "that made it."
    ),
    reference=x0_from_eps,
    cases=cases_of("xt", "t", "eps", "s"),
    tolerance=Tolerance(1e-3, 1e-3, "at t = T a float32 rounding error is divided by about .001"),
    tested="three schedules, points and pictures, t from 1 to T.",
    misconceptions=(
        Misconception(
            "alpha for alpha_bar",
            _solved(_noise, lambda t, s: s.alpha[t].sqrt()),
            "You divide by the root of alpha, which undoes one step; (2.12) undoes all t of them.",
            "2.12",
        ),
        Misconception(
            "one step undone",
            _solved(lambda t, s: s.beta[t].sqrt(), lambda t, s: s.alpha[t].sqrt()),
            "You solved (1.1), one step; eps here is the noise of the whole way, as in (1.5).",
            "1.5",
        ),
        Misconception(
            "no division",
            _solved(_noise, _one),
            "You took the noise away; what is left in (1.5) is a shrunken x_0, not x_0.",
            "2.12",
        ),
        Misconception(
            "no root below",
            _solved(_noise, lambda t, s: s.alpha_bar[t]),
            "You divide by alpha_bar; x_0 was multiplied by its root in (1.5).",
            "2.12",
        ),
        Misconception(
            "no root above",
            _solved(lambda t, s: 1 - s.alpha_bar[t], _signal),
            "You take away the noise times its variance; in (2.12) it is times its standard "
            "deviation.",
            "2.12",
        ),
        Misconception(
            "noise added",
            _solved(lambda t, s: -_noise(t, s), _signal),
            "You added the noise; (1.5) put it in already, so (2.12) takes it away.",
            "2.12",
        ),
        Misconception(
            "eps without its factor",
            _solved(_one, _signal),
            "You take away eps as it is; only a share of it is in x_t, see (1.5).",
            "1.5",
        ),
        Misconception(
            "shrunk once more",
            _solved(_noise, lambda t, s: 1 / _signal(t, s)),
            "You shrink once more by the factor of x_0 in (1.5); (2.12) undoes that factor.",
            "2.12",
        ),
        Misconception(
            "factors exchanged",
            _solved(_signal, _noise),
            "You took the factor of x_0 for that of eps and the other way round; compare with "
            "(1.5).",
            "1.5",
        ),
        Misconception(
            "only x_t divided",
            lambda xt, t, eps, s: (
                xt / per_sample(_signal(t, s), xt) - per_sample(_noise(t, s), xt) * eps
            ),
            "Only x_t is divided; in (2.12) the noise stands over the same fraction bar.",
            "2.12",
        ),
        Misconception(
            "only the noise divided",
            lambda xt, t, eps, s: xt - per_sample(_noise(t, s) / _signal(t, s), xt) * eps,
            "Only the noise is divided; in (2.12) x_t stands over the same fraction bar.",
            "2.12",
        ),
        Misconception(
            "one index too early",
            _solved(lambda t, s: _noise(t - 1, s), lambda t, s: _signal(t - 1, s)),
            "All arrays are read one place too early: in s, index t is step t, and index 0 is the "
            "clean data with alpha_bar = 1, (1.4).",
            "1.4",
        ),
        Misconception(
            "(B,) not shaped",
            _bare,
            "Your (B,) factors meet the last axis of the pictures; (2.12) has one pair per sample, "
            "so they belong to the first.",
            "2.12",
        ),
        Misconception(
            "always four axes",
            _four_axes,
            "Your factors have four axes, whatever x_t has; (2.12) holds for points (B, D) too.",
            "2.12",
        ),
    ),
    together=(
        Both(
            "no root below",
            "no root above",
            _solved(lambda t, s: 1 - s.alpha_bar[t], lambda t, s: s.alpha_bar[t]),
        ),
        Both(
            "eps without its factor",
            "alpha for alpha_bar",
            _solved(_one, lambda t, s: s.alpha[t].sqrt()),
        ),
        Both(
            "noise added",
            "alpha for alpha_bar",
            _solved(lambda t, s: -_noise(t, s), lambda t, s: s.alpha[t].sqrt()),
        ),
    ),
    hints=(
        "(1.5) says how x_t was made. Which of its letters is unknown now?",
        "Undo what was done last first: the noise came on top of a shrunken x_0.",
        "Two (B,) factors are needed, both roots, both from alpha_bar at t; shape them "
        "(B, 1, ..., 1) before they meet the batch.",
    ),
    consequence=_from_the_true_noise,
    built_on=(per_sample,),
)
