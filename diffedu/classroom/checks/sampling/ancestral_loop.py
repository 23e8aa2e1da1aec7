"""Exercise: ancestral sampling from x_T to x_0."""

from functools import cache

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal
from diffedu.classroom.checks.sampling.common import (
    DATA,
    bent,
    between,
    ideal_model,
    sampled,
    settings,
    told,
    walk,
)
from diffedu.diffusion.gaussian import fixed_small, x0_from_eps
from diffedu.diffusion.samplers import ddpm_step
from diffedu.diffusion.schedules import linear


def ancestral_loop(model, xT, s, variance, noise):
    """From x_T to x_0 by one step (5.1) for each t (DDPM algorithm 2); noise[t] is for step t."""
    x = xT
    for t in range(s.T, 0, -1):
        now = torch.full((len(x),), t)
        eps_hat = model(x, now)
        x = ddpm_step(x, eps_hat, now, s, variance, noise[t])
    return x


def _cases(generator):
    return [
        {
            "model": bent(ideal_model(s, 0.3, 0.9)),
            "xT": normal(shape, generator),
            "s": s,
            "variance": between(s),
            "noise": normal((s.T + 1, *shape), generator),
        }
        for shape, s in settings()
    ]


def _walk(times=lambda T: range(T, 0, -1), ask=lambda T, t: t, factor="right", roll=0):
    """The loop with other times, with the model asked at other t, with other noise."""

    def loop(model, xT, s, variance, noise):
        z = noise.roll(roll, 0)
        return walk(model, xT, s, variance, z, times(s.T), lambda t: ask(s.T, t), factor)

    return loop


def _at_once(model, xT, s, variance, noise):
    T = torch.full((len(xT),), s.T)
    return x0_from_eps(xT, T, model(xT, T), s)


def _beta_tilde(model, xT, s, variance, noise):
    return ancestral_loop(model, xT, s, fixed_small(s), noise)


def _never_moves(model, xT, s, variance, noise):
    return ancestral_loop(lambda x, t: model(xT, t), xT, s, variance, noise)


@cache
def _samples(loop):
    s = linear(1000)
    model, variance = ideal_model(s), s.beta
    return sampled(lambda x, z: loop(model, x, s, variance, z), s.T)


def _consequence(loop):
    setting = f"On {DATA} with 1000 steps and β_t"
    return told(setting, _samples(loop), _samples(ancestral_loop))


EXERCISE = Exercise(
    name="ancestral_loop",
    label="5.1",
    statement=(
        "ancestral_loop(model, xT, s, variance, noise): x_0, from x_T by all T steps of (5.1), "
        "with eps_hat = model(x, t) for t (B,), σ_t² = variance[t], and z = noise[t] in step t. "
        "All tensors are float64."
    ),
    reference=ancestral_loop,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules of 4 to 7 steps, points and pictures, and a model that is curved in x.",
    misconceptions=(
        Misconception(
            "loop upwards",
            _walk(times=lambda T: range(1, T + 1)),
            "Your loop counts up; x_T is noise, so the steps of (5.1) start at T and go down to 1.",
            "5.1",
        ),
        Misconception(
            "model asked at t - 1",
            _walk(ask=lambda T, t: t - 1),
            "You asked the model at t-1; eps_hat of (5.1) is the noise in x_t, so it needs t.",
            "5.1",
        ),
        Misconception(
            "loop counter for t",
            _walk(ask=lambda T, t: T - t),
            "You handed the model a counter that goes up while t goes down; (5.1) needs eps_hat at "
            "the t where x is.",
            "5.1",
        ),
        Misconception(
            "noise at the last step",
            _walk(factor="at the end too"),
            "You add noise in step 1, too; nothing takes it away again, so (5.1) has z = 0 there.",
            "5.1",
        ),
        Misconception(
            "stops at t = 2",
            _walk(times=lambda T: range(T, 1, -1)),
            "You stop at x_1: the step of (5.1) from t = 1 to the clean picture is missing.",
            "5.1",
        ),
        Misconception(
            "starts at T - 1",
            _walk(times=lambda T: range(T - 1, 0, -1)),
            "Your first step is that of t = T-1; x_T is where you are, so (5.1) starts with t = T.",
            "5.1",
        ),
        Misconception(
            "variance used as std",
            _walk(factor="variance"),
            "You multiplied the noise by the variance σ_t²; in (5.1) z is multiplied by σ_t, the "
            "standard deviation.",
            "5.1",
        ),
        Misconception(
            "noise[t-1] in step t",
            _walk(roll=1),
            "You took noise[t-1] in step t; here noise is numbered by the t of (5.1), and noise[0] "
            "is not used.",
            "5.1",
        ),
        Misconception(
            "one jump to x0_hat",
            _at_once,
            "You jumped from x_T to x0_hat at once: that is the mean of all data that x_T allows; "
            "(5.1) goes a little way and asks again.",
            "5.1",
        ),
        Misconception(
            "no noise",
            _walk(factor="none"),
            "You took the mean of each step and added no noise; (5.1) adds σ_t z in every step "
            "but the last.",
            "5.1",
        ),
        Misconception(
            "beta-tilde for the given variance",
            _beta_tilde,
            "You took β̃_t for σ_t²; (5.1) leaves σ_t² open, and here it is handed to you.",
            "5.1",
        ),
        Misconception(
            "ends after one step",
            _walk(times=lambda T: [T]),
            "Your result is that of the first step, x_{T-1}; the steps of (5.1) go on down to t = "
            "1. Is `return` inside of the loop?",
            "5.1",
        ),
        Misconception(
            "model always asked at T",
            _walk(ask=lambda T, t: T),
            "You asked the model at T in every step; eps_hat of (5.1) is the noise in x_t, so it "
            "needs the t of the step.",
            "5.1",
        ),
        Misconception(
            "model always given x_T",
            _never_moves,
            "You handed the model x_T in every step; eps_hat of (5.1) is the noise in the x_t "
            "that the step starts from.",
            "5.1",
        ),
    ),
    together=(
        Both(
            "variance used as std",
            "noise at the last step",
            _walk(factor="both mistakes"),
        ),
        Both(
            "model asked at t - 1",
            "noise at the last step",
            _walk(ask=lambda T, t: t - 1, factor="at the end too"),
        ),
    ),
    hints=(
        "One step takes x_t to x_{t-1}. Which t comes first, which last?",
        "In each turn: ask the model at the present x and t, then do one step of (5.1).",
        "`ddpm_step` does one step and knows about t = 1. It and the model want t as a long tensor "
        "(B,), the same number for each sample.",
    ),
    consequence=_consequence,
    where=at_entry,
    built_on=(ddpm_step,),
)
