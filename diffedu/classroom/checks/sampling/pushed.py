"""Exercise: what one step of a sampler does to a mean and a variance."""

import torch

from diffedu.classroom.checks.bench import MEAN, SIGMA
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.schedules import linear


def pushed(mean, variance, A, B, C):
    """Mean and variance of A x + B + C z, for x with these and z ~ N(0, 1) (5.3)."""
    return A * mean + B, A**2 * variance + C**2


def _cases(generator):
    mean, A, B, C = (0.3 + 1.5 * torch.randn(4, 5, generator=generator)).tolist()
    variance = (0.2 + 3 * torch.rand(5, generator=generator)).tolist()
    rows = zip(mean, variance, A, B, C, strict=True)
    return [dict(zip(("mean", "variance", "A", "B", "C"), row, strict=True)) for row in rows]


def _followed(step):
    """Through all steps of a right sampler on N(.5, .3^2)."""
    s = linear(1000)
    spread = s.alpha_bar * SIGMA**2 + 1 - s.alpha_bar
    A = (1 - s.beta / spread) / s.alpha.sqrt()
    B = s.beta * s.alpha_bar.sqrt() * MEAN / spread / s.alpha.sqrt()
    C = fixed_small(s).sqrt()
    mean, variance = 0.0, 1.0
    for a, b, c in torch.stack([A, B, C], 1).flip(0)[:-1].tolist():
        mean, variance = step(mean, variance, a, b, c)
    return mean, variance


def _consequence(step):
    (mean, variance), (right_mean, right_variance) = _followed(step), _followed(pushed)
    return (
        f"Followed through 1000 steps of a right sampler on data N(.5, .3²), it ends at mean "
        f"{mean:.3g} and variance {variance:.3g}; done right, {right_mean:.3g} and "
        f"{right_variance:.3g}."
    )


def _variance(formula):
    return lambda mean, variance, A, B, C: (A * mean + B, formula(variance, A, B, C))


EXERCISE = Exercise(
    name="pushed",
    label="5.3",
    statement=(
        "pushed(mean, variance, A, B, C): the mean and the variance of A x + B + C z, if x has "
        "this mean and variance and z ~ N(0, 1) is independent of it. All are plain numbers."
    ),
    reference=pushed,
    cases=_cases,
    tolerance=FLOAT32,
    tested="five sets of numbers, negative ones among them.",
    misconceptions=(
        Misconception(
            "A not squared",
            _variance(lambda v, A, B, C: A * v + C**2),
            "You multiplied the variance by A; a variance is a mean square, so A goes in as A² "
            "(5.3).",
            "5.3",
        ),
        Misconception(
            "C not squared",
            _variance(lambda v, A, B, C: A**2 * v + C),
            "You added C to the variance; C is the standard deviation of C z, and (5.3) adds "
            "variances.",
            "5.3",
        ),
        Misconception(
            "A left out",
            _variance(lambda v, A, B, C: v + C**2),
            "Your variance ignores A; a step that pulls x together narrows it, see (5.3).",
            "5.3",
        ),
        Misconception(
            "B in the variance",
            _variance(lambda v, A, B, C: A**2 * v + B + C**2),
            "You added B to the variance; a shift moves all alike and spreads nothing (5.3).",
            "5.3",
        ),
        Misconception(
            "B squared in the variance",
            _variance(lambda v, A, B, C: A**2 * v + B**2 + C**2),
            "You added B² to the variance; that is part of the mean square, and (5.3) asks for the "
            "spread around the mean.",
            "5.3",
        ),
        Misconception(
            "standard deviations added",
            _variance(lambda v, A, B, C: (abs(A) * v**0.5 + abs(C)) ** 2),
            "You added two standard deviations; of independent things the variances add up, see "
            "(1.3) and (5.3).",
            "1.3",
        ),
        Misconception(
            "standard deviation returned",
            _variance(lambda v, A, B, C: (A**2 * v + C**2) ** 0.5),
            "Your second result is the standard deviation; (5.3) asks for its square.",
            "5.3",
        ),
        Misconception(
            "C in the mean",
            lambda mean, v, A, B, C: (A * mean + B + C, A**2 * v + C**2),
            "You added C to the mean; z is 0 on average, so C z does not move it (5.3).",
            "5.3",
        ),
        Misconception(
            "results exchanged",
            lambda mean, v, A, B, C: pushed(mean, v, A, B, C)[::-1],
            "Your numbers are right and in the wrong order: the mean of (5.3) comes first, then "
            "the variance.",
            "5.3",
        ),
        Misconception(
            "mixed term",
            _variance(lambda v, A, B, C: (A * v**0.5 + C) ** 2),
            "You added standard deviations and squared the sum, which leaves a mixed term; x and "
            "z are independent, so in (5.3) there is none.",
            "5.3",
        ),
        Misconception(
            "variance squared",
            _variance(lambda v, A, B, C: (A * v) ** 2 + C**2),
            "You squared the variance together with A; it is a mean square already, so in (5.3) "
            "only A is squared.",
            "5.3",
        ),
        Misconception(
            "C left out",
            _variance(lambda v, A, B, C: A**2 * v),
            "Your variance ignores C; fresh noise spreads x out, and (5.3) counts that.",
            "5.3",
        ),
    ),
    together=(
        Both(
            "A not squared",
            "C not squared",
            _variance(lambda v, A, B, C: A * v + C),
        ),
    ),
    hints=(
        "Two questions: where is the middle of the new cloud, and how wide is it?",
        "The variance of a multiple: if x is doubled, its variance is 4 times as large, "
        "whatever the mean is.",
        "Variances of independent terms add up. There are three terms; one of them is fixed.",
    ),
    consequence=_consequence,
    where=at_entry,
)
