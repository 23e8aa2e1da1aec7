"""Exercise: noise a clean picture to step t, and walk back."""

import math
from functools import cache

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal
from diffedu.classroom.checks.sampling.common import (
    bent,
    between,
    ideal_model,
    responses,
    settings,
    walk,
)
from diffedu.diffusion.gaussian import fixed_small, q_sample
from diffedu.diffusion.samplers import ddpm_step
from diffedu.diffusion.schedules import linear


def restart(model, x0, t, s, variance, eps, noise):
    """Noise x_0 to step t in one jump (1.5), then walk back to 0 by (5.1); noise[k] is step k's."""
    x = q_sample(x0, torch.full((len(x0),), t), eps, s)
    for k in range(t, 0, -1):
        now = torch.full((len(x),), k)
        x = ddpm_step(x, model(x, now), now, s, variance, noise[k])
    return x


def _cases(generator):
    return [
        {
            "model": bent(ideal_model(s, 0.3, 0.9)),
            "x0": normal(shape, generator),
            "t": t,
            "s": s,
            "variance": between(s),
            "eps": normal(shape, generator),
            "noise": normal((s.T + 1, *shape), generator),
        }
        for (shape, s), t in zip(settings(), (5, 2, 3), strict=True)
    ]


def _jump(x0, t, s, eps):
    signal = s.alpha_bar[t]
    return signal.sqrt() * x0 + (1 - signal).sqrt() * eps


def _walk(start=_jump, first=lambda t, T: t, factor="right"):
    """The walk from another x, from another time, or with another factor of the noise."""

    def again(model, x0, t, s, variance, eps, noise):
        times = range(first(t, s.T), 0, -1)
        return walk(model, start(x0, t, s, eps), s, variance, noise, times, factor=factor)

    return again


def _not_shrunk(x0, t, s, eps):
    return x0 + (1 - s.alpha_bar[t]).sqrt() * eps


def _beta_tilde(model, x0, t, s, variance, eps, noise):
    return restart(model, x0, t, s, fixed_small(s), eps, noise)


@cache
def _kept(again):
    s, t = linear(1000), 100
    model, variance = ideal_model(s), s.beta

    def sampler(x, z):  # z[0] is free: step t uses z[t]
        return again(model, x, t, s, variance, z[0], z)

    _, slope, rest = responses(sampler, s.T)
    return slope, rest


def _consequence(again):
    (slope, rest), (right, right_rest) = _kept(again), _kept(restart)
    if not math.isfinite(slope + rest):
        return (
            f"From t = 100 of 1000 it gives no finite numbers; done right, x_0 keeps {right:.3f}."
        )
    return (
        f"On data N(.5, .3²), from t = 100 of 1000: a change of x_0 by 1 changes the result by "
        f"{slope:.3f}, and chance adds a standard deviation of {rest:.3f}; done right, "
        f"{right:.3f} and {right_rest:.3f}."
    )


EXERCISE = Exercise(
    name="restart",
    label="5.1",
    statement=(
        "restart(model, x0, t, s, variance, eps, noise): noise x_0 with eps to the step t, one "
        "whole number, and walk back to 0 by (5.1) with z = noise[k] in step k."
    ),
    reference=restart,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules, points and pictures, t in the middle, a model that is curved in x.",
    misconceptions=(
        Misconception(
            "walks from T",
            _walk(first=lambda t, T: T),
            "You noised to t and started the walk at T; the model then expects more noise than "
            "there is, and (5.1) takes too much away.",
            "5.1",
        ),
        Misconception(
            "walks from t - 1",
            _walk(first=lambda t, T: t - 1),
            "Your first step is that of t-1; x has the noise of t, so (5.1) starts with t.",
            "5.1",
        ),
        Misconception(
            "x_0 not shrunk",
            _walk(_not_shrunk),
            "You added noise to x_0 at full size; in (1.5) it shrinks while noise comes in.",
            "1.5",
        ),
        Misconception(
            "noise of one step",
            _walk(lambda x0, t, s, eps: s.alpha[t].sqrt() * x0 + s.beta[t].sqrt() * eps),
            "You gave x_0 the noise of one step, with alpha_t and β_t; from x_0 to x_t in one jump "
            "is (1.5), with alpha_bar.",
            "1.5",
        ),
        Misconception(
            "variance used as std",
            _walk(lambda x0, t, s, eps: s.alpha_bar[t].sqrt() * x0 + (1 - s.alpha_bar[t]) * eps),
            "You multiplied eps by its variance 1 - alpha_bar; (1.5) has the root.",
            "1.5",
        ),
        Misconception(
            "not noised",
            _walk(lambda x0, t, s, eps: x0),
            "You started from the clean x_0; at t the model expects the noise that (1.5) puts in.",
            "1.5",
        ),
        Misconception(
            "pure noise",
            _walk(lambda x0, t, s, eps: eps),
            "You started from eps alone, so nothing of x_0 is kept; x_t of (1.5) holds a part of "
            "both.",
            "1.5",
        ),
        Misconception(
            "noised to T",
            _walk(lambda x0, t, s, eps: _jump(x0, s.T, s, eps)),
            "You noised x_0 all the way to T; (1.5) at t leaves more of it.",
            "1.5",
        ),
        Misconception(
            "no noise",
            _walk(factor="none"),
            "You took the mean of each step back and added no noise; (5.1) adds σ_t z in every "
            "step but the last.",
            "5.1",
        ),
        Misconception(
            "beta-tilde for the given variance",
            _beta_tilde,
            "You took β̃_t for σ_t²; (5.1) leaves σ_t² open, and here it is handed to you.",
            "5.1",
        ),
        Misconception(
            "variance used as std in the walk",
            _walk(factor="variance"),
            "On the way back you multiplied the noise by the variance σ_t²; in (5.1) z is "
            "multiplied by σ_t.",
            "5.1",
        ),
        Misconception(
            "noise at the last step",
            _walk(factor="at the end too"),
            "You add noise in step 1, too; nothing takes it away again, so (5.1) has z = 0 there.",
            "5.1",
        ),
        Misconception(
            "both roots forgotten",
            _walk(lambda x0, t, s, eps: s.alpha_bar[t] * x0 + (1 - s.alpha_bar[t]) * eps),
            "You mixed x_0 and eps with alpha_bar and 1 - alpha_bar, their shares of the "
            "variance; (1.5) has the roots.",
            "1.5",
        ),
    ),
    together=(
        Both(
            "x_0 not shrunk",
            "walks from t - 1",
            _walk(_not_shrunk, lambda t, T: t - 1),
        ),
        Both(
            "x_0 not shrunk",
            "walks from T",
            _walk(_not_shrunk, lambda t, T: T),
        ),
    ),
    hints=(
        "Two parts: once forward in one jump, then backward step by step. Where do they meet?",
        "The forward part is (1.5) at t. The backward part is a loop over (5.1) that starts at t.",
        "`q_sample` and `ddpm_step` do the work. They want t as a long tensor (B,), the same "
        "number for each sample.",
    ),
    consequence=_consequence,
    where=at_entry,
    built_on=(q_sample, ddpm_step),
)
