"""Exercise: the velocity v, a third thing to predict."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of, normal, steps
from diffedu.classroom.checks.simple import common
from diffedu.diffusion.gaussian import q_sample, v_from_x0_eps, x0_from_v
from diffedu.diffusion.schedules import cosine, linear
from diffedu.shapes import per_sample


def _mixed(x0, eps, of_eps, of_x0):
    return per_sample(of_eps, x0) * eps - per_sample(of_x0, x0) * x0


def _of(alpha_bar):
    return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()


def _no_roots(x0, eps, t, s):
    return _mixed(x0, eps, s.alpha_bar[t], 1 - s.alpha_bar[t])


def _cases(generator):
    """The usual three, and pictures of as many rows as samples: a (B, 1) factor meets the rows."""
    s, shape = cosine(30), (4, 2, 4, 7)
    x0, eps = normal(shape, generator), normal(shape, generator)
    usual = cases_of("x0", "eps", "t", "s")(generator)
    return [*usual, {"x0": x0, "eps": eps, "t": steps(shape[0], s.T), "s": s}]


def _always_pictures(x0, eps, t, s):
    signal, noise = (factor.view(-1, 1, 1, 1) for factor in _of(s.alpha_bar[t]))
    return signal * eps - noise * x0


def _always_points(x0, eps, t, s):
    signal, noise = (factor[:, None] for factor in _of(s.alpha_bar[t]))
    return signal * eps - noise * x0


def _consequence(wrong):
    """How far off x_0 is by (4.5), for x_0 and eps of variance 1: v is linear in both."""
    s, t = linear(1000), torch.tensor([100, 100, 500, 500])
    x0 = torch.tensor([[1.0], [0.0], [1.0], [0.0]], dtype=torch.float64)
    v = wrong(x0, 1 - x0, t, s)
    off = (x0_from_v(q_sample(x0, t, 1 - x0, s), t, v, s) - x0).reshape(2, 2)
    early, late = off.square().sum(1).sqrt().tolist()
    common.differ(round(early + late, 6), 0)
    return (
        "For x_0 and eps of variance 1, the x_0 that (4.5) reads off this v is wrong by "
        f"{early:.2g} at t = 100 and {late:.2g} at t = 500 of 1000 linear steps; it should be by 0."
    )


EXERCISE = Exercise(
    name="velocity",
    label="4.4",
    statement=(
        "velocity(x0, eps, t, s): the v that belongs to x_0, eps and t, for each sample. "
        "Samples are points (B, D) or pictures (B, C, H, W)."
    ),
    reference=v_from_x0_eps,
    cases=_cases,
    tolerance=Tolerance(1e-3, 1e-4, "the root of 1 - alpha_bar[1] in float32 is off by 3e-6"),
    tested="four schedules, points and pictures, t from 1 to T.",
    misconceptions=(
        Misconception(
            "wrong sign",
            lambda x0, eps, t, s: -v_from_x0_eps(x0, eps, t, s),
            "Your v points from the noise to the data; in (4.4) eps counts positive and x_0 "
            "negative.",
            "4.4",
        ),
        Misconception(
            "sum for difference",
            lambda x0, eps, t, s: v_from_x0_eps(-x0, eps, t, s),
            "You added x_0 to the noise; in (4.4) it is taken away, or v and x_t are no rotation.",
            "4.4",
        ),
        Misconception(
            "factors swapped",
            lambda x0, eps, t, s: _mixed(x0, eps, *reversed(_of(s.alpha_bar[t]))),
            "Your factors are those of x_t in (1.5); in (4.4) they change places.",
            "4.4",
        ),
        Misconception(
            "x_0 and eps exchanged",
            lambda x0, eps, t, s: v_from_x0_eps(eps, x0, t, s),
            "You exchanged x_0 and eps; in (4.4) the noise comes first, and x_0 is taken away.",
            "4.4",
        ),
        Misconception(
            "x_t for v",
            lambda x0, eps, t, s: q_sample(x0, t, eps, s),
            "You returned x_t, the first of the two rotated letters; (4.4) asks for the second.",
            "4.4",
        ),
        Misconception(
            "no roots",
            _no_roots,
            "You took alpha_bar and 1 - alpha_bar themselves; (4.4) has their roots, cosine and "
            "sine of one angle.",
            "4.4",
        ),
        Misconception(
            "1 minus the root",
            lambda x0, eps, t, s: _mixed(x0, eps, s.alpha_bar[t].sqrt(), 1 - s.alpha_bar[t].sqrt()),
            "You took the root of alpha_bar from 1; in (4.4) the difference stands under the root.",
            "4.4",
        ),
        Misconception(
            "alpha for alpha_bar",
            lambda x0, eps, t, s: _mixed(x0, eps, *_of(s.alpha[t])),
            "You took alpha, the share of one step; (4.4) has alpha_bar, the product of all so "
            "far.",
            "1.4",
        ),
        Misconception(
            "no factors at all",
            lambda x0, eps, t, s: eps - x0,
            "You returned eps - x_0, the velocity along a straight path (flow matching); (4.4) "
            "moves on a circle and has two factors.",
            "4.4",
        ),
        Misconception(
            "index off by one",
            lambda x0, eps, t, s: _mixed(x0, eps, *_of(s.alpha_bar[t - 1])),
            "You took alpha_bar of the step before; index 0 is the clean data, so alpha_bar_t of "
            "(1.4) stands at index t.",
            "1.4",
        ),
        Misconception(
            "one factor per column",
            lambda x0, eps, t, s: s.alpha_bar[t].sqrt() * eps - (1 - s.alpha_bar[t]).sqrt() * x0,
            "Your factors have the shape (B,) and meet the last axis of x_0; (4.4) has one factor "
            "for each sample.",
            "4.4",
        ),
        Misconception(
            "factors for points only",
            _always_points,
            "Your factors have the shape (B, 1): right for points, but in a picture they meet its "
            "rows; (4.4) has one factor for each sample.",
            "4.4",
        ),
        Misconception(
            "factors for pictures only",
            _always_pictures,
            "Your factors always have four axes: right for pictures, too many for points; (4.4) "
            "has one factor for each sample.",
            "4.4",
        ),
    ),
    together=(
        Both("wrong sign", "no roots", lambda x0, eps, t, s: -_no_roots(x0, eps, t, s)),
        Both(
            "factors swapped",
            "no roots",
            lambda x0, eps, t, s: _mixed(x0, eps, 1 - s.alpha_bar[t], s.alpha_bar[t]),
        ),
    ),
    hints=(
        "At t near 0, x_t is nearly x_0. What is v there: data or noise?",
        "x_t and v are x_0 and eps, rotated by one angle. A rotation has one minus sign.",
        "The angle has cosine √alpha_bar. In (4.4) the cosine goes with the noise.",
    ),
    consequence=_consequence,
)
