"""Exercise: x_0 and the noise, read off x_t and v."""

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.simple import common
from diffedu.diffusion.gaussian import (
    eps_from_v,
    eps_from_x0,
    v_from_x0_eps,
    x0_from_eps,
    x0_from_v,
)
from diffedu.shapes import per_sample


def undo_velocity(xt, t, v, s):
    """Rotate (x_t, v) back: x_0 and eps, in this order (4.5)."""
    return x0_from_v(xt, t, v, s), eps_from_v(xt, t, v, s)


def _rotated(xt, v, signal, noise):
    signal, noise = per_sample(signal, xt), per_sample(noise, xt)
    return signal * xt - noise * v, noise * xt + signal * v


def _of(alpha_bar):
    return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()


def _swapped(xt, t, v, s):
    return _rotated(xt, v, *reversed(_of(s.alpha_bar[t])))


def _rotated_on(xt, t, v, s):
    return _rotated(xt, v, s.alpha_bar[t].sqrt(), -(1 - s.alpha_bar[t]).sqrt())


def _consequence(wrong):
    """What samples look like if the x_0 of this goes into each step of a v-network's sampler."""

    def convert(xt, t, eps_hat, s):
        v = v_from_x0_eps(x0_from_eps(xt, t, eps_hat, s), eps_hat, t, s)
        return eps_from_x0(xt, t, wrong(xt, t, v, s)[0], s)

    return "For a network that predicts v. " + common.sample_story(convert)


EXERCISE = Exercise(
    name="undo_velocity",
    label="4.5",
    statement=(
        "undo_velocity(xt, t, v, s): the pair x_0, eps in this order, from x_t and v. "
        "Samples are points (B, D) or pictures (B, C, H, W)."
    ),
    reference=undo_velocity,
    cases=cases_of("xt", "t", "v", "s"),
    tolerance=Tolerance(1e-3, 1e-4, "the root of 1 - alpha_bar[1] in float32 is off by 3e-6"),
    tested="three schedules, points and pictures, t from 1 to T, both results.",
    misconceptions=(
        Misconception(
            "v read as noise",
            lambda xt, t, v, s: (x0_from_eps(xt, t, v, s), v),
            "You read v as if it were eps and solved (1.5); v is the mixture (4.4) of eps and x_0.",
            "4.4",
        ),
        Misconception(
            "v read as x_0",
            lambda xt, t, v, s: (v, eps_from_x0(xt, t, v, s)),
            "You read v as if it were x_0 and solved (1.5); v is the mixture (4.4) of eps and x_0.",
            "4.4",
        ),
        Misconception(
            "rotated on",
            _rotated_on,
            "You rotated by the same angle once more; (4.5) rotates back, with the minus on the "
            "other sine.",
            "4.5",
        ),
        Misconception(
            "sign of v",
            lambda xt, t, v, s: undo_velocity(xt, t, -v, s),
            "You used v with the other sign in both; for (4.4), where eps counts positive, the "
            "signs are those of (4.5).",
            "4.5",
        ),
        Misconception(
            "plus for x_0",
            lambda xt, t, v, s: (x0_from_v(xt, t, -v, s), eps_from_v(xt, t, v, s)),
            "Your x_0 has a plus where (4.5) has a minus: in a rotation one of the four signs "
            "differs.",
            "4.5",
        ),
        Misconception(
            "minus for eps",
            lambda xt, t, v, s: (x0_from_v(xt, t, v, s), eps_from_v(xt, t, -v, s)),
            "Your eps has a minus where (4.5) has a plus; x_0 is right.",
            "4.5",
        ),
        Misconception(
            "x_t and v exchanged",
            lambda xt, t, v, s: undo_velocity(v, t, xt, s),
            "You exchanged x_t and v; in (4.5) x_0 is mostly x_t when t is small.",
            "4.5",
        ),
        Misconception(
            "factors swapped",
            _swapped,
            "Sine and cosine changed places: in (4.5) x_0 is mostly x_t when t is small, where "
            "the cosine is near 1.",
            "4.5",
        ),
        Misconception(
            "results in the wrong order",
            lambda xt, t, v, s: undo_velocity(xt, t, v, s)[::-1],
            "Both results of (4.5) are there, but x_0 was asked for first and eps second.",
            "4.5",
        ),
        Misconception(
            "no roots",
            lambda xt, t, v, s: _rotated(xt, v, s.alpha_bar[t], 1 - s.alpha_bar[t]),
            "You took alpha_bar and 1 - alpha_bar themselves; (4.5) has their roots, cosine and "
            "sine of one angle.",
            "4.5",
        ),
        Misconception(
            "alpha for alpha_bar",
            lambda xt, t, v, s: _rotated(xt, v, *_of(s.alpha[t])),
            "You took alpha, the share of one step; (4.5) has alpha_bar, the product of all so "
            "far.",
            "1.4",
        ),
    ),
    together=(
        Both(
            "results in the wrong order",
            "plus for x_0",
            lambda xt, t, v, s: (eps_from_v(xt, t, v, s), x0_from_v(xt, t, -v, s)),
        ),
        Both(
            "no roots",
            "rotated on",
            lambda xt, t, v, s: _rotated(xt, v, s.alpha_bar[t], s.alpha_bar[t] - 1),
        ),
    ),
    hints=(
        "x_t and v are x_0 and eps, rotated. How is a rotation undone?",
        "Put (1.5) and (4.4) into your result: everything but x_0, or but eps, must cancel.",
        "No division is needed. Two cosines, two sines, and one minus sign: it stands in x_0.",
    ),
    consequence=_consequence,
    built_on=(x0_from_v, eps_from_v),
)
