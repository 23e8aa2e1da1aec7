"""Exercise: the probability of a pixel's level."""

import math

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Case, Exercise, Misconception
from diffedu.classroom.checks.inputs import IMAGES, POINTS
from diffedu.diffusion.gaussian import decoder_log_prob, gaussian_log_prob


def _cases(generator: torch.Generator) -> list[Case]:
    """Every batch has the first and the last level, with means inside and outside the range."""
    cases = []
    for shape, levels, sigma in ((POINTS, 17, 0.5), (IMAGES, 5, 0.35), ((6, 2), 256, 0.6)):
        level = torch.randint(levels, shape, generator=generator)
        level[0], level[-1] = levels - 1, 0
        x0 = (2 * level - (levels - 1)).double() / (levels - 1)
        shift = 3 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1.5
        sigma = torch.tensor(sigma, dtype=torch.float64)  # good for math and torch alike
        cases.append({"x0": x0, "mean": x0 + sigma * shift, "sigma": sigma, "levels": levels})
    return cases


def _bins(x0, mean, sigma, levels, half, upper=True, lower=True):
    """The probability of bins of this half-width, the outermost ones open or not."""
    above = torch.special.ndtr((x0 + half - mean) / sigma)
    below = torch.special.ndtr((x0 - half - mean) / sigma)
    above = above.masked_fill(x0 > 0.999, 1) if upper else above
    below = below.masked_fill(x0 < -0.999, 0) if lower else below
    return above - below


def _closed(x0, mean, sigma, levels):
    return _bins(x0, mean, sigma, levels, 1 / (levels - 1), False, False).log()


def _upper_closed(x0, mean, sigma, levels):
    return _bins(x0, mean, sigma, levels, 1 / (levels - 1), upper=False).log()


def _lower_closed(x0, mean, sigma, levels):
    return _bins(x0, mean, sigma, levels, 1 / (levels - 1), lower=False).log()


def _doubled(x0, mean, sigma, levels):
    return _bins(x0, mean, sigma, levels, 2 / (levels - 1)).log()


def _counted(x0, mean, sigma, levels):
    return _bins(x0, mean, sigma, levels, 1 / levels).log()


def _squared(x0, mean, sigma, levels):
    return decoder_log_prob(x0, mean, sigma**2, levels)


def _consequence(wrong) -> str:
    levels = torch.linspace(-1, 1, 17, dtype=torch.float64)[:, None]
    found, right = (f(levels, 0 * levels + 0.9, 0.15, 17) for f in (wrong, decoder_log_prob))
    return (
        "With 17 levels, mean .9 and σ = .15, all levels together get the probability "
        f"{found.exp().sum().item():.3f} instead of 1, and a white pixel costs "
        f"{-found[-1].item():.3f} nats instead of {-right[-1].item():.3f}."
    )


EXERCISE = Exercise(
    name="pixel_log_prob",
    label="3.10",
    statement=(
        "pixel_log_prob(x0, mean, sigma, levels): for each element the logarithm of the "
        "probability of its bin; sigma is σ_1, one number, and x0 takes so many levels from -1 "
        "to 1."
    ),
    reference=decoder_log_prob,
    cases=_cases,
    tolerance=FLOAT32,
    tested="5, 17 and 256 levels, the first and the last among them, means in and out of range.",
    misconceptions=(
        Misconception(
            "edge bins closed",
            _closed,
            "Your outermost bins end. In (3.10) they reach to infinity, so that nothing is lost.",
            "3.10",
        ),
        Misconception(
            "bins twice too wide",
            _doubled,
            "You went to the next level on each side; neighbours meet half-way, see (3.10).",
            "3.10",
        ),
        Misconception(
            "as many gaps as levels",
            _counted,
            "You divided by the number of levels. Between them is one gap fewer, see (3.10).",
            "3.10",
        ),
        Misconception(
            "density times width",
            lambda x0, mean, sigma, levels: (
                gaussian_log_prob(x0, mean, sigma) + math.log(2 / (levels - 1))
            ),
            "You took the density times the bin's width; (3.10) takes the area over the bin.",
            "3.10",
        ),
        Misconception(
            "density for probability",
            lambda x0, mean, sigma, levels: gaussian_log_prob(x0, mean, sigma),
            "You returned a log density. Levels have probabilities, an area each, see (3.10).",
            "3.10",
        ),
        Misconception(
            "sigma squared",
            _squared,
            "You divided by σ_1 squared; in (3.10) a distance is divided by a distance.",
            "3.10",
        ),
        Misconception(
            "root of sigma",
            lambda x0, mean, sigma, levels: decoder_log_prob(x0, mean, math.sqrt(sigma), levels),
            "You took the root of sigma, as of a variance. It is a standard deviation, see (3.10).",
            "3.10",
        ),
        Misconception(
            "logarithm forgotten",
            lambda *four: decoder_log_prob(*four).exp(),
            "You returned the probability of (3.10) itself; its logarithm is asked for.",
            "3.10",
        ),
        Misconception(
            "upper end closed",
            _upper_closed,
            "One of the two outermost bins still ends: at the top, (3.10) goes to infinity.",
            "3.10",
        ),
        Misconception(
            "lower end closed",
            _lower_closed,
            "One of the two outermost bins still ends: at the bottom, (3.10) goes to -infinity.",
            "3.10",
        ),
        Misconception(
            "lower minus upper",
            lambda x0, mean, sigma, levels: (
                -_bins(x0, mean, sigma, levels, 1 / (levels - 1))
            ).log(),
            "NaN: you took the logarithm of something negative. Which edge is first in (3.10)?",
            "3.10",
        ),
        Misconception(
            "half-width of 17 levels",
            lambda x0, mean, sigma, levels: _bins(x0, mean, sigma, levels, 1 / 16).log(),
            "Your bins are always those of 17 levels; the edges of (3.10) depend on levels.",
            "3.10",
        ),
        Misconception(
            "half-width of 256 levels",
            lambda x0, mean, sigma, levels: _bins(x0, mean, sigma, levels, 1 / 255).log(),
            "Your bins are always those of 256 levels; the edges of (3.10) depend on levels.",
            "3.10",
        ),
        Misconception(
            "not divided by sigma",
            lambda x0, mean, sigma, levels: decoder_log_prob(x0, mean, 1.0, levels),
            "Your bell is always one unit wide: Φ in (3.10) takes distances in units of σ_1.",
            "3.10",
        ),
    ),
    together=(
        Both(
            "edge bins closed",
            "logarithm forgotten",
            lambda *four: _closed(*four).exp(),
        ),
        Both(
            "edge bins closed",
            "bins twice too wide",
            lambda x0, mean, sigma, levels: _bins(
                x0, mean, sigma, levels, 2 / (levels - 1), False, False
            ).log(),
        ),
        Both(
            "edge bins closed",
            "as many gaps as levels",
            lambda x0, mean, sigma, levels: _bins(
                x0, mean, sigma, levels, 1 / levels, False, False
            ).log(),
        ),
        Both(
            "edge bins closed",
            "half-width of 17 levels",
            lambda x0, mean, sigma, levels: _bins(
                x0, mean, sigma, levels, 1 / 16, False, False
            ).log(),
        ),
        Both(
            "edge bins closed",
            "not divided by sigma",
            lambda x0, mean, sigma, levels: _closed(x0, mean, 1.0, levels),
        ),
    ),
    hints=(
        "Add up the probabilities of all levels for one mean. What must come out?",
        "Two values of Φ, at the bin's edges. How far is it from one level to the next?",
        "At the last level the upper value of Φ is 1, at the first the lower one is 0.",
    ),
    consequence=_consequence,
)
