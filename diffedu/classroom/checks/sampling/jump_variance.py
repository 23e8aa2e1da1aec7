"""Exercise: the variance of an ancestral step that jumps."""

from functools import cache

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import batches
from diffedu.classroom.checks.sampling.common import DATA, ideal_model, jumped, told
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.samplers import strided_times
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def jump_variance(t, t_next, s):
    """beta-tilde of a jump from t to t_next: (5.5) with eta = 1, (2.7) with the beta of (5.8)."""
    alpha_bar, alpha_bar_next = s.alpha_bar[t], s.alpha_bar[t_next]
    beta = 1 - alpha_bar / alpha_bar_next
    return (1 - alpha_bar_next) / (1 - alpha_bar) * beta


def _cases(generator):
    return [
        {"t": t, "t_next": (share * t).long(), "s": s}
        for (_, t, s), share in zip(batches(generator, first=3), (0.3, 0.7, 0.4), strict=True)
    ]


def _ratio(t, t_next, s):
    return (1 - s.alpha_bar[t_next]) / (1 - s.alpha_bar[t])


def _jump(t, t_next, s):
    return 1 - s.alpha_bar[t] / s.alpha_bar[t_next]


def _sum(t, t_next, s):
    total = s.beta.cumsum(0)
    return total[t] - total[t_next]


def _with_alpha(t, t_next, s):
    return (1 - s.alpha[t_next]) / (1 - s.alpha[t]) * (1 - s.alpha[t] / s.alpha[t_next])


def _difference(t, t_next, s):
    return s.alpha_bar[t_next] - s.alpha_bar[t]


@cache
def _samples(variance):
    s = linear(1000)
    model, times = ideal_model(s), strided_times(1000, 200).tolist()[::-1]

    def move(x, z, t, t_next):
        beta, noise = _jump(t, t_next, s), 1 - s.alpha_bar[t]
        mean = (x - per_sample(beta / noise.sqrt(), x) * model(x, t)) / per_sample(
            1 - beta, x
        ).sqrt()
        return mean + per_sample(variance(t, t_next, s).sqrt() * (t_next > 0), x) * z

    return jumped(move, times)


def _consequence(variance):
    return told(f"On {DATA} with 200 jumps", _samples(variance), _samples(jump_variance))


EXERCISE = Exercise(
    name="jump_variance",
    label="5.5",
    statement=(
        "jump_variance(t, t_next, s): for jumps from t (B,) to t_next (B,), the variance σ² of "
        "(5.5) with η = 1: beta-tilde of a jump."
    ),
    reference=jump_variance,
    cases=_cases,
    tolerance=Tolerance(2e-3, 1e-9, "1 - alpha_bar in float32 is known to three digits only"),
    tested="three schedules, short jumps and long ones, with the exact 0 where t_next is 0.",
    misconceptions=(
        Misconception(
            "beta of one step",
            lambda t, t_next, s: _ratio(t, t_next, s) * s.beta[t],
            "You took β_t, the noise of one small step; a jump has its own β, see (5.8).",
            "5.8",
        ),
        Misconception(
            "beta-tilde of one step",
            lambda t, t_next, s: fixed_small(s)[t],
            "You returned β̃_t, that of one small step to t-1; in (5.5) the step ends at t_next.",
            "5.5",
        ),
        Misconception(
            "beta for beta-tilde",
            _jump,
            "You returned a β, which does not know x_0; β̃ of (5.5) is smaller, and 0 at the clean "
            "end.",
            "5.5",
        ),
        Misconception(
            "ratio upside down",
            lambda t, t_next, s: _jump(t, t_next, s) / _ratio(t, t_next, s),
            "Your fraction of the two 1 - alpha_bar stands on its head: by (5.5) it is 0 where the "
            "jump ends at the clean picture.",
            "5.5",
        ),
        Misconception(
            "jump upside down",
            lambda t, t_next, s: _ratio(t, t_next, s) * (1 - s.alpha_bar[t_next] / s.alpha_bar[t]),
            "Your β of the jump is negative: alpha_bar falls with t, so the fraction in (5.8) "
            "stands on its head.",
            "5.8",
        ),
        Misconception(
            "sum of betas",
            lambda t, t_next, s: _ratio(t, t_next, s) * _sum(t, t_next, s),
            "You added up the β of the steps between; each step also shrinks the earlier noise, so "
            "the β of a jump (5.8) is smaller.",
            "5.8",
        ),
        Misconception(
            "difference of alpha_bar",
            lambda t, t_next, s: _ratio(t, t_next, s) * _difference(t, t_next, s),
            "You took the difference of two alpha_bar for β of the jump; signals multiply, so "
            "(5.8) has a ratio.",
            "5.8",
        ),
        Misconception(
            "alpha for alpha_bar",
            _with_alpha,
            "You took alpha where (5.5) has alpha_bar; the paper on DDIM calls alpha what is "
            "alpha_bar here.",
            "5.5",
        ),
        Misconception(
            "variance used as std",
            lambda t, t_next, s: jump_variance(t, t_next, s).sqrt(),
            "You returned the standard deviation σ; (5.5) is its square.",
            "5.5",
        ),
        Misconception(
            "β left out",
            _ratio,
            "You returned the fraction alone; in (5.5) it multiplies the β of the jump.",
            "5.5",
        ),
        Misconception(
            "denominator left out",
            lambda t, t_next, s: (1 - s.alpha_bar[t_next]) * _jump(t, t_next, s),
            "You multiplied β of the jump by 1 - alpha_bar at t_next; in (5.5) that is divided by "
            "the same at t.",
            "5.5",
        ),
    ),
    together=(
        Both(
            "ratio upside down",
            "jump upside down",
            lambda t, t_next, s: jump_variance(t_next, t, s),
        ),
        Both("beta of one step", "beta for beta-tilde", lambda t, t_next, s: s.beta[t]),
        Both("sum of betas", "beta for beta-tilde", _sum),
        Both("difference of alpha_bar", "beta for beta-tilde", _difference),
    ),
    hints=(
        "The visited times make a coarser schedule. What is one of its steps called here?",
        "First the β of the jump, (5.8). Then make β̃ of it, as (2.7) does for neighbours.",
        "Two look-ups are enough, alpha_bar at t and at t_next; they take the places that "
        "alpha_bar_t and alpha_bar_{t-1} have in (2.7).",
    ),
    consequence=_consequence,
)
