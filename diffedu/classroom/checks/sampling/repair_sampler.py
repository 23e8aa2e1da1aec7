"""Find the bug: an ancestral sampler for a network trained with another schedule."""

from functools import cache

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import IMAGES, POINTS, SQUARE, normal
from diffedu.classroom.checks.sampling.common import (
    DATA,
    ideal_model,
    sampled,
    told,
    walk,
)
from diffedu.diffusion.gaussian import fixed_large, fixed_small
from diffedu.diffusion.samplers import ddpm_step
from diffedu.diffusion.schedules import Schedule, cosine, linear, sigmoid


def repair_sampler(model, xT, s, noise):
    """All steps of (5.1), with beta and with the s that the model was trained for."""
    x, variance = xT, fixed_large(s)
    for t in range(s.T, 0, -1):
        now = torch.full((len(x),), t)
        x = ddpm_step(x, model(x, now), now, s, variance, noise[t])
    return x


def _cases(generator):
    rising = Schedule.from_beta(torch.linspace(0.02, 0.5, 21))
    settings = ((POINTS, rising), (IMAGES, sigmoid(4)), (SQUARE, sigmoid(6)))
    return [
        {
            "model": ideal_model(s, 0.3, 0.9),
            "xT": normal(shape, generator),
            "s": s,
            "noise": normal((s.T + 1, *shape), generator),
        }
        for shape, s in settings
    ]


def _as_given(model, xT, s, noise):
    schedule = cosine(s.T)
    x, variance = xT, fixed_large(schedule)
    for t in range(s.T, 0, -1):
        now = torch.full((len(x),), t)
        eps_hat = model(x, now)
        x = ddpm_step(x, eps_hat, now, schedule, variance, noise[t])
    return x


def _with(mean=lambda s: s, variance=fixed_large, ask=lambda T, t: t, first=1, factor="right"):
    """The walk with another schedule, variance, question, end or noise."""

    def sampler(model, xT, s, noise):
        times = range(s.T, first - 1, -1)
        return walk(model, xT, mean(s), variance(s), noise, times, lambda t: ask(s.T, t), factor)

    return sampler


@cache
def _samples(sampler, schedule=linear):
    s = schedule(1000)
    model = ideal_model(s)
    return sampled(lambda x, z: sampler(model, x, s, z), s.T)


def _consequence(sampler):
    for schedule in (linear, sigmoid):
        mine, right = _samples(sampler, schedule), _samples(repair_sampler, schedule)
        words = told(f"On {DATA}, with a model for 1000 {schedule.__name__} steps", mine, right)
        if mine != right:
            break
    return words


EXERCISE = Exercise(
    name="repair_sampler",
    label="5.1",
    statement=(
        "repair_sampler(model, xT, s, noise): x_0 by all T steps of (5.1) with σ_t² = β_t, for a "
        "model that was trained with s. One line of this code is wrong."
    ),
    reference=repair_sampler,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules of 4 to 21 steps, points and pictures, with exact denoisers.",
    misconceptions=(
        Misconception(
            "another schedule",
            _as_given,
            "The steps were those of a schedule that the model was not trained for; alpha and β of "
            "(5.1) must be those that made its x_t.",
            "5.1",
        ),
        Misconception(
            "another schedule in the noise",
            _with(variance=lambda s: fixed_large(cosine(s.T))),
            "The mean now belongs to s, but σ_t² still to another schedule; (5.1) takes all "
            "of its numbers from one.",
            "5.1",
        ),
        Misconception(
            "another schedule in the mean",
            _with(mean=lambda s: cosine(s.T)),
            "σ_t² now belongs to s, but the mean still uses another schedule; (5.1) takes all of "
            "its numbers from one.",
            "5.1",
        ),
        Misconception(
            "beta-tilde for beta",
            _with(variance=fixed_small),
            "The noise now has the variance β̃_t; a legal choice by (5.2), but β_t was asked for "
            "and was not the bug.",
            "5.2",
        ),
        Misconception(
            "variance used as std",
            _with(factor="variance"),
            "The noise is now multiplied by the variance; in (5.1) z is multiplied by σ_t.",
            "5.1",
        ),
        Misconception(
            "noise at the last step",
            _with(factor="at the end too"),
            "Noise is now added at t = 1, too; nothing takes it away again, so (5.1) has z = 0.",
            "5.1",
        ),
        Misconception(
            "model always asked at T",
            _with(ask=lambda T, t: T),
            "The model is asked at T in every step; eps_hat of (5.1) is the noise in x_t, so it "
            "needs the t of the step.",
            "5.1",
        ),
        Misconception(
            "stops at t = 2",
            _with(first=2),
            "The walk stops at x_1: the step of (5.1) from t = 1 to the clean picture is missing.",
            "5.1",
        ),
        Misconception(
            "linear for s",
            _with(mean=lambda s: linear(s.T), variance=lambda s: fixed_large(linear(s.T))),
            "You put another fixed schedule in; the model was trained with s, and (5.1) takes its "
            "numbers from there.",
            "5.1",
        ),
    ),
    hints=(
        "Each line alone looks right. Which of them would be wrong for another s?",
        "The model was trained on x_t made with s. List every place where a schedule is used.",
        "One schedule is handed in, and one is made inside of the function. Are they the same?",
    ),
    bug="another schedule",
    consequence=_consequence,
    where=at_entry,
    built_on=(ddpm_step,),
)
