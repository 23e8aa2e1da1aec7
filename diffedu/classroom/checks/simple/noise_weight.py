"""Exercise: the weight that L_simple drops."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.pictures import beside
from diffedu.classroom.checks.simple import common
from diffedu.classroom.plots import as_frame
from diffedu.diffusion.gaussian import fixed_large, fixed_small
from diffedu.diffusion.losses import l_simple_weight
from diffedu.diffusion.schedules import cosine, linear


def noise_weight(t, s, variance):
    """The weight w_t of the noise's squared error in L_{t-1}, for steps t (B,) (4.1)."""
    return l_simple_weight(s, variance)[t]


def _cases(generator):
    """Every t: with beta, with beta-tilde (and at t = 1 beta-tilde_2, as is usual), between."""
    by_1000, by_40, by_25 = linear(1000), cosine(40), linear(25)
    small = fixed_small(by_40)
    small[1] = small[2]
    between = (fixed_small(by_25) + fixed_large(by_25)) / 2
    pairs = ((by_1000, fixed_large(by_1000)), (by_40, small), (by_25, between))
    return [{"t": torch.arange(1, s.T + 1), "s": s, "variance": var} for s, var in pairs]


def _without_brackets(t, s, variance):
    return s.beta[t] ** 2 / 2 * variance[t] * s.alpha[t] * (1 - s.alpha_bar[t])


def _shifted(t, s, variance):
    before = t - 1
    below = 2 * variance[before] * s.alpha[before] * (1 - s.alpha_bar[before])
    return s.beta[before] ** 2 / below


def _variance_before(t, s, variance):
    return s.beta[t] ** 2 / (2 * variance[t - 1] * s.alpha[t] * (1 - s.alpha_bar[t]))


def _of_x0(t, s, variance):
    c0 = s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])
    return c0**2 / (2 * variance[t])


def _consequence(wrong):
    """What the first ten steps get, as the notebook asks it."""
    s = linear(1000)
    t = torch.arange(1, s.T + 1)
    mine, right = (way(t, s, fixed_large(s)).flatten() for way in (wrong, noise_weight))
    share = common.finite((mine[:10].sum() / mine.sum()).item())
    common.differ(mine.tolist(), right.tolist())
    return (
        "With 1000 linear steps and σ² = β, the first ten steps would get "
        f"{100 * share:.3g} % of all weight, and the largest weight would be {mine.max():.4g}; "
        f"by (4.1) it is {100 * (right[:10].sum() / right.sum()).item():.3g} % and "
        f"{right.max():.4g}."
    )


def _picture(yours, target):
    t = torch.arange(1, len(target[0]) + 1, dtype=torch.float64)
    ax = beside(t, yours[0].flatten(), target[0].flatten())
    ax.set(xscale="log", yscale="log", xlabel="t", ylabel="$w_t$")
    return as_frame(ax, "The weight over t, logarithmic axes: your curve beside the dashed target.")


EXERCISE = Exercise(
    name="noise_weight",
    label="4.1",
    statement=(
        "noise_weight(t, s, variance): the weight w_t for steps t (B,); variance[t] is σ_t², "
        "for t = 0..T."
    ),
    reference=noise_weight,
    cases=_cases,
    tolerance=Tolerance(2e-3, 1e-9, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="every t of three schedules, with beta, with beta-tilde, and with a mean of both.",
    misconceptions=(
        Misconception(
            "beta for beta squared",
            lambda t, s, variance: noise_weight(t, s, variance) / s.beta[t],
            "You have beta_t itself above the line; in (4.1) it is squared. (4.2) has one beta "
            "less, but no σ² either.",
            "4.1",
        ),
        Misconception(
            "variance squared",
            lambda t, s, variance: noise_weight(t, s, variance) / variance[t],
            "You squared the variance; σ_t² in (4.1) is the variance already.",
            "4.1",
        ),
        Misconception(
            "std for variance",
            lambda t, s, variance: noise_weight(t, s, variance) * variance[t].sqrt(),
            "You took the standard deviation σ_t; (4.1) has its square, the variance.",
            "4.1",
        ),
        Misconception(
            "one half forgotten",
            lambda t, s, variance: 2 * noise_weight(t, s, variance),
            "Your weight is twice that of (4.1): the exponent of a Gaussian has one half.",
            "4.1",
        ),
        Misconception(
            "alpha_bar for alpha",
            lambda t, s, variance: noise_weight(t, s, variance) * s.alpha[t] / s.alpha_bar[t],
            "You have alpha_bar twice below the line; the factor beside 1 - alpha_bar in (4.1) is "
            "that of one step.",
            "4.1",
        ),
        Misconception(
            "alpha left out",
            lambda t, s, variance: noise_weight(t, s, variance) * s.alpha[t],
            "One factor is missing below the line: (4.1) has the alpha_t of this step there. It is "
            "near 1, and not 1.",
            "4.1",
        ),
        Misconception(
            "alpha for alpha_bar",
            lambda t, s, variance: s.beta[t] / (2 * variance[t] * s.alpha[t]),
            "You took 1 - alpha, the noise of one step; (4.1) has 1 - alpha_bar, the noise of all "
            "steps so far.",
            "1.4",
        ),
        Misconception(
            "root of 1 - alpha_bar",
            lambda t, s, variance: noise_weight(t, s, variance) * (1 - s.alpha_bar[t]).sqrt(),
            "You took the root of 1 - alpha_bar, as in (1.5); in (4.1) everything was squared, and "
            "the root is gone.",
            "4.1",
        ),
        Misconception(
            "brackets missing",
            _without_brackets,
            "Only the 2 divides in your fraction, the other factors multiply; in (4.1) all of them "
            "stand below the line.",
            "4.1",
        ),
        Misconception(
            "weight of x_0",
            _of_x0,
            "This is the weight of the error of x_0 in (3.8); by (4.6) the error of the noise "
            "needs one more factor.",
            "3.8",
        ),
        Misconception(
            "alpha_bar of the step before",
            lambda t, s, variance: (
                noise_weight(t, s, variance) * (1 - s.alpha_bar[t]) / (1 - s.alpha_bar[t - 1])
            ),
            "You took alpha_bar of t - 1. It appears in (4.2), where beta-tilde was inserted; in "
            "(4.1) it belongs to t.",
            "4.2",
        ),
        Misconception(
            "variance ignored: beta",
            lambda t, s, variance: noise_weight(t, s, fixed_large(s)),
            "You wrote (4.2) for the variance beta_t; here variance may be any, and w_t is that of "
            "(4.1).",
            "4.1",
        ),
        Misconception(
            "variance ignored: beta-tilde",
            lambda t, s, variance: noise_weight(t, s, fixed_small(s)),
            "You wrote (4.2) for the variance beta-tilde_t; here variance may be any, and w_t is "
            "that of (4.1).",
            "4.1",
        ),
        Misconception(
            "variance of the step before",
            _variance_before,
            "You looked up the variance of the step before; variance has an entry for t = 0 too, "
            "so σ_t² of (4.1) stands at index t.",
            "4.1",
        ),
        Misconception(
            "index off by one",
            _shifted,
            "You took every number of the step before; index 0 is the clean data, so w_t of (4.1) "
            "needs those at index t.",
            "4.1",
        ),
    ),
    together=(
        Both(
            "one half forgotten",
            "beta for beta squared",
            lambda t, s, variance: 2 * noise_weight(t, s, variance) / s.beta[t],
        ),
        Both(
            "one half forgotten",
            "alpha_bar for alpha",
            lambda t, s, variance: 2 * noise_weight(t, s, variance) * s.alpha[t] / s.alpha_bar[t],
        ),
    ),
    hints=(
        "For DDPM's schedule with σ² = β the weight at t = 1 is a number that is often quoted.",
        "At t = 1 that is .50005, and at t = 1000 it is .0102. Which of the two comes out right?",
        "(4.1) is one square above the line and four factors below it; all four in one pair of "
        "brackets.",
    ),
    consequence=_consequence,
    picture=_picture,
    built_on=(l_simple_weight,),
)
