"""Exercise: the KL divergence of two Gaussians."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Case, Exercise, Misconception
from diffedu.classroom.checks.inputs import IMAGES, POINTS, normal
from diffedu.diffusion.gaussian import kl_gaussian

PAIR = (0.3, 0.25, -0.4, 0.64)  # the notebook's


def _cases(generator: torch.Generator) -> list[Case]:
    return [
        {
            "mean_1": normal(shape, generator),
            "variance_1": normal(shape, generator).square() + 0.1,
            "mean_2": normal(shape, generator),
            "variance_2": normal(shape, generator).square() + 0.1,
        }
        for shape in (POINTS, IMAGES, (7,))
    ]


def _other_way(m1, v1, m2, v2):
    return kl_gaussian(m2, v2, m1, v1)


def _of_parts(log, ratio, one, shift):
    return 0.5 * (log + ratio - one + shift)


def _no_one(m1, v1, m2, v2):
    return _of_parts((v2 / v1).log(), v1 / v2, 0, (m1 - m2) ** 2 / v2)


def _as_std(m1, v1, m2, v2):
    return kl_gaussian(m1, v1**2, m2, v2**2)


def _consequence(wrong) -> str:
    one = torch.ones(1, dtype=torch.float64)
    alike = wrong(one, 2 * one, one, 2 * one).item()
    pair = [number * one for number in PAIR]
    return (
        f"From a Gaussian of variance 2 to itself the KL is 0; this gives {alike:.3f}. From "
        f"N(.3, .25) to N(-.4, .64) it is {kl_gaussian(*pair).item():.4f}; this gives "
        f"{wrong(*pair).item():.4f}."
    )


EXERCISE = Exercise(
    name="gaussian_kl",
    label="3.6",
    statement=(
        "gaussian_kl(mean_1, variance_1, mean_2, variance_2): KL from the first Gaussian to the "
        "second, KL(N_1 || N_2), for each element; all four have one shape."
    ),
    reference=kl_gaussian,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three shapes, with means and variances apart by small and by large amounts.",
    misconceptions=(
        Misconception(
            "the other way round",
            _other_way,
            "You computed KL(N_2 || N_1). In (3.6) the average is over the first of the two.",
            "3.6",
        ),
        Misconception(
            "variance taken as std",
            _as_std,
            "You squared the variances, or handed them on as standard deviations; see (3.6).",
            "3.6",
        ),
        Misconception(
            "std for variance",
            lambda m1, v1, m2, v2: kl_gaussian(m1, v1.sqrt(), m2, v2.sqrt()),
            "You used sigma where the formula has its square: the v of (3.6) are variances.",
            "3.6",
        ),
        Misconception(
            "half forgotten",
            lambda m1, v1, m2, v2: 2 * kl_gaussian(m1, v1, m2, v2),
            "A factor is missing before the bracket of (3.6): each normal density has it inside.",
            "3.6",
        ),
        Misconception(
            "one not subtracted",
            _no_one,
            "Two equal Gaussians get more than 0 from you: a term of (3.6) is lost.",
            "3.6",
        ),
        Misconception(
            "log ratio upside down",
            lambda m1, v1, m2, v2: _of_parts((v1 / v2).log(), v1 / v2, 1, (m1 - m2) ** 2 / v2),
            "The fraction inside your logarithm stands on its head, compare (3.6).",
            "3.6",
        ),
        Misconception(
            "shift measured in v_1",
            lambda m1, v1, m2, v2: _of_parts((v2 / v1).log(), v1 / v2, 1, (m1 - m2) ** 2 / v1),
            "You measured the distance of the means in units of v_1; (3.6) has the other variance.",
            "3.6",
        ),
        Misconception(
            "shift not squared",
            lambda m1, v1, m2, v2: _of_parts((v2 / v1).log(), v1 / v2, 1, (m1 - m2) / v2),
            "You took the difference of the means as it is; (3.6) does not care about its sign.",
            "3.6",
        ),
        Misconception(
            "half on the log only",
            lambda m1, v1, m2, v2: _of_parts(
                (v2 / v1).log(), 2 * v1 / v2, 2, 2 * (m1 - m2) ** 2 / v2
            ),
            "Only your logarithm is halved; the factor of (3.6) stands before the whole bracket.",
            "3.6",
        ),
        Misconception(
            "shift not halved",
            lambda m1, v1, m2, v2: _of_parts((v2 / v1).log(), v1 / v2, 1, 2 * (m1 - m2) ** 2 / v2),
            "Your term with the means is outside the bracket of (3.6), and misses the factor.",
            "3.6",
        ),
        Misconception(
            "one not halved",
            lambda m1, v1, m2, v2: _no_one(m1, v1, m2, v2) - 1,
            "Your 1 is outside the bracket of (3.6), and misses the factor.",
            "3.6",
        ),
        Misconception(
            "one added",
            lambda m1, v1, m2, v2: _no_one(m1, v1, m2, v2) + 0.5,
            "Two equal Gaussians get more than 0 from you: mind the sign of the 1 in (3.6).",
            "3.6",
        ),
        Misconception(
            "ratio upside down",
            lambda m1, v1, m2, v2: _of_parts((v2 / v1).log(), v2 / v1, 1, (m1 - m2) ** 2 / v2),
            "Your logarithm is right. The plain ratio behind it stands on its head, compare (3.6).",
            "3.6",
        ),
        Misconception(
            "distance of the means not squared",
            lambda m1, v1, m2, v2: _of_parts((v2 / v1).log(), v1 / v2, 1, (m1 - m2).abs() / v2),
            "You took the distance of the means as it is; the last term of (3.6) has its square.",
            "3.6",
        ),
        Misconception(
            "logarithm to base 2",
            lambda m1, v1, m2, v2: _of_parts((v2 / v1).log2(), v1 / v2, 1, (m1 - m2) ** 2 / v2),
            "Your logarithm has base 2. The KL of (3.6) is in nats, with the natural logarithm.",
            "3.6",
        ),
    ),
    together=(
        Both("half forgotten", "one not subtracted", lambda *four: 2 * _no_one(*four)),
        Both("the other way round", "half forgotten", lambda *four: 2 * _other_way(*four)),
        Both("variance taken as std", "half forgotten", lambda *four: 2 * _as_std(*four)),
    ),
    hints=(
        "Try two equal Gaussians: what must come out? Then move one mean a little.",
        "Four terms: two compare the variances, one is a constant, one holds the means.",
        "Whatever is divided is divided by the second variance; only the logarithm has it on top.",
    ),
    consequence=_consequence,
)
