"""Find the bug: a walk from x_0 to x_T."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.inputs import IMAGES, POINTS, SQUARE, normal
from diffedu.diffusion.schedules import cosine, linear


def repair_walk(x0, eps, s):
    """x_T, by T steps of (1.1); eps[t] is the noise of step t."""
    x = x0
    for t in range(1, s.T + 1):
        x = (1 - s.beta[t]).sqrt() * x + s.beta[t].sqrt() * eps[t]
    return x


def _as_given(x0, eps, s):
    x = x0
    noise = eps[1]
    for t in range(1, s.T + 1):
        signal = (1 - s.beta[t]).sqrt()
        x = signal * x + s.beta[t].sqrt() * noise
    return x


def _same_noise(factors):
    """The walk as given, with other factors."""
    return lambda x0, eps, s: _walk(x0, range(1, s.T + 1), factors(s), lambda t: eps[1])


def _fresh_noise(factors):
    """The repaired walk, with other factors."""
    return lambda x0, eps, s: _walk(x0, range(1, s.T + 1), factors(s), lambda t: eps[t])


def _walk(x0, steps, factors, noise):
    x = x0
    for t in steps:
        signal, sigma = factors(t)
        x = signal * x + sigma * noise(t)
    return x


def _right_factors(s):
    return lambda t: ((1 - s.beta[t]).sqrt(), s.beta[t].sqrt())


def _noise_without_root(s):
    return lambda t: ((1 - s.beta[t]).sqrt(), s.beta[t])


def _signal_without_root(s):
    return lambda t: (1 - s.beta[t], s.beta[t].sqrt())


def _minus(s):
    return lambda t: ((1 - s.beta[t]).sqrt(), -s.beta[t].sqrt())


def _of_the_jump(s):
    return lambda t: (s.alpha_bar[t].sqrt(), (1 - s.alpha_bar[t]).sqrt())


def _cases(generator):
    every = ((POINTS, linear(30)), (IMAGES, cosine(40)), (SQUARE, linear(100)))
    return [
        {"x0": normal(shape, generator), "eps": normal((s.T + 1, *shape), generator), "s": s}
        for shape, s in every
    ]


def _noise_at_the_end(wrong):
    """Each column of the noises is 1 at one step: what comes out is the factor of that step."""
    s = linear(1000)
    one = torch.ones(1, dtype=torch.float64)
    eps = torch.eye(s.T + 1, dtype=torch.float64)
    std = wrong(0 * eps[0], eps, s).square().sum().sqrt()
    left = wrong(one, torch.zeros(s.T + 1, 1, dtype=torch.float64), s).item()
    if abs(std - 1) < 1e-3 and abs(left - s.alpha_bar[-1].sqrt()) < 1e-3:
        raise ValueError("these numbers do not show it")
    return (
        f"After DDPM's 1000 steps the noise has the standard deviation {std:.4g} instead of 1, "
        f"and {left:.3g} of x_0 is left."
    )


EXERCISE = Exercise(
    name="repair_walk",
    label="1.1",
    statement=(
        "repair_walk(x0, eps, s): x_T from x_0 (B, ...) in T steps; eps (T+1, B, ...) holds the "
        "noise of step t at index t. One line of this code is wrong."
    ),
    reference=repair_walk,
    cases=_cases,
    tolerance=FLOAT32,
    tested="points and pictures, walks of 30, 40 and 100 steps.",
    misconceptions=(
        Misconception(
            "one noise for all steps",
            _as_given,
            "Every step adds the same noise, which piles up; in (1.1) each step has a fresh one.",
            "1.1",
        ),
        Misconception(
            "one step missing",
            lambda x0, eps, s: _walk(x0, range(s.T), _right_factors(s), lambda t: eps[t]),
            "Your steps are 1 to T - 1, or 0 to T - 1, where β_0 is 0; (1.1) goes from 1 to T.",
            "1.1",
        ),
        Misconception(
            "variance for std",
            _fresh_noise(_noise_without_root),
            "Your noise has β for its standard deviation; in (1.1), β is its variance.",
            "1.1",
        ),
        Misconception(
            "signal without root",
            _fresh_noise(_signal_without_root),
            "Each of your steps multiplies x by 1 - β_t; in (1.1) that happens to its variance.",
            "1.1",
        ),
        Misconception(
            "noise subtracted",
            _fresh_noise(_minus),
            "You subtract the noise; -eps is as likely as eps, but (1.1) adds eps itself.",
            "1.1",
        ),
        Misconception(
            "walked backwards",
            lambda x0, eps, s: _walk(x0, range(s.T, 0, -1), _right_factors(s), lambda t: eps[t]),
            "You take the last step first; (1.1) makes x_t from x_{t-1}, so t goes up.",
            "1.1",
        ),
        Misconception(
            "noise of the step before",
            lambda x0, eps, s: _walk(
                x0, range(1, s.T + 1), _right_factors(s), lambda t: eps[t - 1]
            ),
            "Your step t adds the noise that belongs to step t - 1; (1.1) has the same t on both.",
            "1.1",
        ),
        Misconception(
            "noise renewed too late",
            lambda x0, eps, s: _walk(
                x0, range(1, s.T + 1), _right_factors(s), lambda t: eps[max(t - 1, 1)]
            ),
            "Your noise is renewed after it was used, so step t adds that of step t - 1; (1.1) has "
            "the same t on both.",
            "1.1",
        ),
        Misconception(
            "always from x_0",
            lambda x0, eps, s: _walk(
                (1 - s.beta[s.T]).sqrt() * x0,
                [s.T],
                lambda t: (1, s.beta[t].sqrt()),
                lambda t: eps[t],
            ),
            "Each of your steps starts again from x_0; in (1.1) it starts from the x before.",
            "1.1",
        ),
        Misconception(
            "alpha_bar in each step",
            _fresh_noise(_of_the_jump),
            "Each of your steps has the factors of a whole jump from x_0; (1.1) has those of one.",
            "1.1",
        ),
    ),
    together=(
        Both("one noise for all steps", "variance for std", _same_noise(_noise_without_root)),
        Both("one noise for all steps", "signal without root", _same_noise(_signal_without_root)),
    ),
    hints=(
        "Give it the noises of a walk of two steps, and do both steps with pen and paper.",
        "(1.1) has a t on every letter. Which line of the code knows t, and which one does not?",
        "How many of the noises in eps are ever read?",
    ),
    consequence=_noise_at_the_end,
    bug="one noise for all steps",
)
