"""Exercise: the variance of q(x_{t-1} | x_t, x_0)."""

import torch

from diffedu.classroom.checks import bench
from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.diffusion.gaussian import fixed_small, posterior_variance
from diffedu.diffusion.schedules import linear


def _ratio(t, s):
    return (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])


def _with_alpha(t, s):
    return (1 - s.alpha[t - 1]) / (1 - s.alpha[t]) * s.beta[t]


def _in_use(wrong) -> str:
    """What samplers make of it; our own leaves out the last noise and hides a mistake at t = 1."""
    s, t = linear(1000), torch.arange(1, 1001)
    mine, right = wrong(t, s).flatten(), posterior_variance(t, s)
    if mine[0] > 0 and torch.allclose(mine[1:], right[1:]):
        return (
            f"With 1000 linear steps, noise of standard deviation {mine[0].sqrt():.2g} stays on "
            "every sample, unless the sampler leaves out its last noise anyway; done right, none."
        )
    return bench.by_variance(wrong)


EXERCISE = Exercise(
    name="posterior_variance",
    label="2.7",
    statement="posterior_variance(t, s): for steps t (B,), the variance of q(x_{t-1} | x_t, x_0).",
    reference=posterior_variance,
    cases=cases_of("t", "s"),
    tolerance=Tolerance(2e-3, 1e-9, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, t from 1 to T, with the exact 0 at t = 1.",
    misconceptions=(
        Misconception(
            "variance used as std",
            lambda t, s: posterior_variance(t, s).sqrt(),
            "You returned the standard deviation; (2.7) asks for its square.",
            "2.7",
        ),
        Misconception(
            "beta for beta-tilde",
            lambda t, s: s.beta[t],
            "This is β_t, which does not know x_0: the fraction of (2.7) is missing, or has "
            "alpha_bar of the same step above and below.",
            "2.7",
        ),
        Misconception(
            "variance of the prior",
            lambda t, s: 1 - s.alpha_bar[t - 1],
            "You returned the variance of q(x_{t-1} | x_0), which does not know x_t; (2.7) is "
            "smaller.",
            "2.4",
        ),
        Misconception(
            "ratio upside down",
            lambda t, s: s.beta[t] / _ratio(t, s),
            "Your fraction stands on its head: knowing x_0 makes the variance smaller, see (2.7).",
            "2.7",
        ),
        Misconception(
            "ratio without beta",
            _ratio,
            "You returned the fraction of (2.7) alone, without the variance it multiplies.",
            "2.7",
        ),
        Misconception(
            "alpha for alpha_bar",
            _with_alpha,
            "You took alpha, one step's share; (2.7) has alpha_bar, the product of all so far.",
            "1.4",
        ),
        Misconception(
            "precision for variance",
            lambda t, s: 1 / posterior_variance(t, s),
            "You returned the precision a of (2.4); the variance is its inverse, (2.6).",
            "2.6",
        ),
        Misconception(
            "one index too early",
            lambda t, s: _ratio(t - 1, s) * s.beta[t - 1],
            "All arrays are read one place too early: in s, index t is step t, and index 0 is the "
            "clean data with alpha_bar = 1, (1.4).",
            "1.4",
        ),
        Misconception(
            "no step before the first",
            lambda t, s: s.beta[t].where(t == 1, posterior_variance(t, s)),
            "At t = 1 yours is β_1, as if alpha_bar_1 were that of the step before; index 0 of s "
            "is the clean picture, alpha_bar_0 = 1, and gives (2.10).",
            "2.10",
        ),
    ),
    together=(
        Both("variance used as std", "alpha for alpha_bar", lambda t, s: _with_alpha(t, s).sqrt()),
    ),
    hints=(
        "Knowing x_0 can only narrow things down. Should the result be above or below beta[t]?",
        "Look at (2.4): two precisions are added. The variance is one over their sum.",
        "(2.7) is beta[t] times a fraction that is 0 at t = 1. Which array is 1 at index 0?",
    ),
    consequence=_in_use,
    built_on=(fixed_small,),
)
