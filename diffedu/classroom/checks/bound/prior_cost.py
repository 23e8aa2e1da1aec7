"""Exercise: L_T, what the prior costs."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Case, Exercise, Misconception
from diffedu.classroom.checks.inputs import IMAGES, POINTS, SQUARE, normal
from diffedu.diffusion.gaussian import kl_gaussian
from diffedu.diffusion.losses import prior_term
from diffedu.diffusion.schedules import Schedule, linear
from diffedu.shapes import sum_over_sample


def _stops_early(last: float, T: int) -> Schedule:
    """A schedule that leaves much signal at its end, where mistakes in L_T show."""
    return Schedule.from_beta(torch.linspace(0.02, last, T, dtype=torch.float64))


def _cases(generator: torch.Generator) -> list[Case]:
    schedules = _stops_early(0.3, 8), _stops_early(0.1, 12), _stops_early(0.6, 5)
    shapes = POINTS, IMAGES, SQUARE
    return [
        {"x0": normal(shape, generator), "s": s} for shape, s in zip(shapes, schedules, strict=True)
    ]


def _kl(mean, variance):
    """From N(mean, variance) to N(0, I)."""
    return kl_gaussian(mean, variance, torch.zeros_like(mean), torch.ones_like(variance))


def _other_way(x0, s):
    mean = s.alpha_bar[s.T].sqrt() * x0
    one = torch.ones((), dtype=torch.float64)
    return sum_over_sample(kl_gaussian(0 * mean, one, mean, 1 - s.alpha_bar[s.T]))


def _cost(x0, signal, variance):
    return sum_over_sample(_kl(signal * x0, variance))


def _at(alpha_bar):
    """The right formula with another number for alpha_bar_T."""
    return lambda x0, s: _cost(x0, alpha_bar(s).sqrt(), 1 - alpha_bar(s))


def _each(x0, s, square, sign):
    """The bracket of (3.7), with something for its square and a sign for its logarithm."""
    last = s.alpha_bar[s.T]
    return 0.5 * (square - last + sign * (1 - last).log())


def _summed(*four):
    return sum_over_sample(_each(*four))


def _constants_once(x0, s):
    return _each(x0, s, sum_over_sample(s.alpha_bar[s.T] * x0**2), -1)


def _consequence(wrong) -> str:
    x0 = torch.full((2, 3, 32, 32), 0.5, dtype=torch.float64)
    s = Schedule.from_beta(linear(1000).beta[1:301])
    found, right = (f(x0, s).flatten()[0].item() for f in (wrong, prior_term))
    return (
        "Stop the linear schedule at t = 300 of 1000. For 3072 numbers of size .5 this function "
        f"says that the prior costs {found:.4g} nats; it costs {right:.4g}."
    )


EXERCISE = Exercise(
    name="prior_cost",
    label="3.7",
    statement="prior_cost(x0, s): L_T in nats, one number for each sample of a batch.",
    reference=prior_term,
    cases=_cases,
    tolerance=FLOAT32,
    tested="points and pictures, with three schedules that stop while there is signal left.",
    misconceptions=(
        Misconception(
            "mean over the elements",
            lambda x0, s: prior_term(x0, s) / x0[0].numel(),
            "You averaged over the elements; the KLs of independent dimensions add up, see (3.7).",
            "3.7",
        ),
        Misconception(
            "root of alpha_bar forgotten",
            lambda x0, s: _cost(x0, s.alpha_bar[s.T], 1 - s.alpha_bar[s.T]),
            "You scaled x_0 by alpha_bar; the mean of q(x_T | x_0) has its root, (1.5).",
            "1.5",
        ),
        Misconception(
            "alpha_bar as the variance",
            lambda x0, s: _cost(x0, s.alpha_bar[s.T].sqrt(), s.alpha_bar[s.T]),
            "You gave q(x_T | x_0) the variance alpha_bar: that is the signal's share, see (1.5).",
            "1.5",
        ),
        Misconception(
            "variance taken as std",
            lambda x0, s: _cost(x0, s.alpha_bar[s.T].sqrt(), (1 - s.alpha_bar[s.T]) ** 2),
            "You used 1 - alpha_bar as a standard deviation; in (1.5) it is the variance.",
            "1.5",
        ),
        Misconception(
            "the other way round",
            _other_way,
            "You took the KL from p to q; L_T is the one from q(x_T | x_0) to the prior, (3.5).",
            "3.5",
        ),
        Misconception(
            "one step too early",
            _at(lambda s: s.alpha_bar[s.T - 1]),
            "You stopped one step early: the arrays have the clean data at index 0; see (3.7).",
            "3.7",
        ),
        Misconception(
            "alpha for alpha_bar",
            _at(lambda s: s.alpha[s.T]),
            "You took alpha, what one step keeps; (3.7) has alpha_bar, what all T steps keep.",
            "1.4",
        ),
        Misconception(
            "half forgotten",
            lambda x0, s: 2 * prior_term(x0, s),
            "A factor is missing before the sum of (3.7).",
            "3.7",
        ),
        Misconception(
            "constants counted once",
            _constants_once,
            "Your terms without x_0 count once per sample; in (3.7) every element pays them.",
            "3.7",
        ),
        Misconception(
            "std for variance",
            lambda x0, s: _cost(x0, s.alpha_bar[s.T].sqrt(), (1 - s.alpha_bar[s.T]).sqrt()),
            "You gave the KL a standard deviation; the v of (3.6) are variances.",
            "3.6",
        ),
        Misconception(
            "x_0 not squared",
            lambda x0, s: _summed(x0, s, s.alpha_bar[s.T] * x0, -1),
            "Your x_0 is not squared. With (3.7) a sample and its negative cost the same.",
            "3.7",
        ),
        Misconception(
            "logarithm added",
            lambda x0, s: _summed(x0, s, s.alpha_bar[s.T] * x0**2, 1),
            "Mind the sign of the logarithm in (3.7): less noise at the end must cost more.",
            "3.7",
        ),
        Misconception(
            "sum over the last axis",
            lambda x0, s: _each(x0, s, s.alpha_bar[s.T] * x0**2, -1).sum(-1),
            "You added over the last axis only; (3.7) adds up all elements of a sample.",
            "3.7",
        ),
        Misconception(
            "sum over the batch too",
            lambda x0, s: prior_term(x0, s).sum(),
            "You added up the samples as well; (3.7) adds up the elements of one sample.",
            "3.7",
        ),
    ),
    together=(
        Both(
            "mean over the elements",
            "root of alpha_bar forgotten",
            lambda x0, s: _kl(s.alpha_bar[s.T] * x0, 1 - s.alpha_bar[s.T]).flatten(1).mean(1),
        ),
        Both(
            "mean over the elements",
            "the other way round",
            lambda x0, s: _other_way(x0, s) / x0[0].numel(),
        ),
    ),
    hints=(
        "L_T compares two Gaussians: where the forward process ends, and where the sampler starts.",
        "Mean and variance of q(x_T | x_0) are in (1.5). Insert them, and N(0, I), into (3.6).",
        "One KL for each element, from q to N(0, 1), and then a sum over all axes but the first.",
    ),
    consequence=_consequence,
)
