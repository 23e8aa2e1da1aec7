"""Exercise: two Gaussians multiplied, which is Bayes' rule in one line."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Case, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal


def product_of_gaussians(m1, v1, m2, v2):
    """Mean and variance of N(x; m1, v1) N(x; m2, v2), scaled to sum to 1: (2.2), (2.3), (2.6)."""
    a = 1 / v1 + 1 / v2  # what multiplies x^2: precisions add
    b = m1 / v1 + m2 / v2  # what multiplies 2 x
    return b / a, 1 / a


def _cases(generator: torch.Generator) -> list[Case]:
    cases = []
    for shape in ((7,), (3, 5)):
        m1, m2, log_1, log_2 = (normal(shape, generator) for _ in range(4))
        cases.append({"m1": m1, "v1": (log_1 / 2).exp(), "m2": m2, "v2": (log_2 / 2).exp()})
    return cases


def _mean(m1, v1, m2, v2):
    return product_of_gaussians(m1, v1, m2, v2)[0]


def _variance(v1, v2):
    return 1 / (1 / v1 + 1 / v2)


def _ten_readings(wrong) -> str:
    """One length, measured ten times."""
    readings = torch.linspace(4, 6, 10, dtype=torch.float64)
    mean, variance = readings[:1], torch.ones(1, dtype=torch.float64)
    for k in range(1, 10):
        one = torch.ones(1, dtype=torch.float64)
        mean, variance = wrong(mean, variance, readings[k : k + 1], one)
    return (
        "Multiply ten readings of one length, evenly from 4 to 6, each with variance 1, one after "
        f"another: yours ends with mean {mean.item():.4g} and variance {variance.item():.4g}; "
        "done right, 5 and 0.1."
    )


EXERCISE = Exercise(
    name="product_of_gaussians",
    label="2.6",
    statement=(
        "product_of_gaussians(m1, v1, m2, v2): mean and variance of the Gaussian in x that is "
        "proportional to N(x; m1, v1) N(x; m2, v2). v1 and v2 are variances."
    ),
    reference=product_of_gaussians,
    cases=_cases,
    tolerance=FLOAT32,
    tested="means of both signs and variances from small to large, in a row and in a table.",
    misconceptions=(
        Misconception(
            "sum of two variables",
            lambda m1, v1, m2, v2: (m1 + m2, v1 + v2),
            "That is the Gaussian of a sum of two variables; here two densities of one x are "
            "multiplied, (2.2).",
            "2.2",
        ),
        Misconception(
            "variances added",
            lambda m1, v1, m2, v2: (_mean(m1, v1, m2, v2), v1 + v2),
            "You added the variances; a second opinion makes x better known, so (2.4) adds "
            "something else.",
            "2.4",
        ),
        Misconception(
            "plain average of the means",
            lambda m1, v1, m2, v2: ((m1 + m2) / 2, _variance(v1, v2)),
            "Your mean lies half-way whatever the variances are; in (2.6) the narrower Gaussian "
            "has more say.",
            "2.6",
        ),
        Misconception(
            "parameters averaged",
            lambda m1, v1, m2, v2: ((m1 + m2) / 2, (v1 + v2) / 2),
            "You averaged the parameters; two opinions together are surer than each alone, and the "
            "surer one counts more, (2.4) and (2.5).",
            "2.4",
        ),
        Misconception(
            "weighted by variance",
            lambda m1, v1, m2, v2: ((m1 * v1 + m2 * v2) / (v1 + v2), _variance(v1, v2)),
            "Your mean listens more to the wider Gaussian; b of (2.5) weights each mean by its "
            "precision.",
            "2.5",
        ),
        Misconception(
            "precision for variance",
            lambda m1, v1, m2, v2: (_mean(m1, v1, m2, v2), 1 / v1 + 1 / v2),
            "Your second result is the precision a of (2.4); (2.6) asks for the variance.",
            "2.6",
        ),
        Misconception(
            "b for b / a",
            lambda m1, v1, m2, v2: (m1 / v1 + m2 / v2, _variance(v1, v2)),
            "Your first result is b, half the factor of x; completing the square, (2.3), puts the "
            "peak elsewhere.",
            "2.3",
        ),
        Misconception(
            "roots of the variances",
            lambda m1, v1, m2, v2: product_of_gaussians(m1, v1.sqrt(), m2, v2.sqrt()),
            "You put standard deviations where (2.4) and (2.5) divide by variances.",
            "2.4",
        ),
        Misconception(
            "std for variance",
            lambda m1, v1, m2, v2: (_mean(m1, v1, m2, v2), _variance(v1, v2).sqrt()),
            "Your second result is a standard deviation; (2.6) asks for its square.",
            "2.6",
        ),
        Misconception(
            "variances squared",
            lambda m1, v1, m2, v2: product_of_gaussians(m1, v1**2, m2, v2**2),
            "You took v1 and v2 for standard deviations and squared them; they are variances, as "
            "in (2.4).",
            "2.4",
        ),
        Misconception(
            "parameters multiplied",
            lambda m1, v1, m2, v2: (m1 * m2, v1 * v2),
            "You multiplied the parameters; it is the densities that are multiplied, so their "
            "exponents add, (2.2).",
            "2.2",
        ),
    ),
    together=(
        Both(
            "variances squared",
            "std for variance",
            lambda m1, v1, m2, v2: (_mean(m1, v1**2, m2, v2**2), _variance(v1**2, v2**2).sqrt()),
        ),
        Both(
            "b for b / a",
            "precision for variance",
            lambda m1, v1, m2, v2: (m1 / v1 + m2 / v2, 1 / v1 + 1 / v2),
        ),
        Both(
            "plain average of the means",
            "variances added",
            lambda m1, v1, m2, v2: ((m1 + m2) / 2, v1 + v2),
        ),
        Both(
            "weighted by variance",
            "variances added",
            lambda m1, v1, m2, v2: ((m1 * v1 + m2 * v2) / (v1 + v2), v1 + v2),
        ),
    ),
    hints=(
        "Two people estimate the same x. Is the result narrower or wider than each of them alone?",
        "Add the two exponents and collect powers of x, as in (2.2). What stands before x²?",
        "Find a, the factor of x², and b, half the factor of x without its sign; then read (2.6).",
    ),
    consequence=_ten_readings,
    where=at_entry,
)
