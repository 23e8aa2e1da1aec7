"""Find the bug: DDIM with strided times."""

from functools import cache

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal
from diffedu.classroom.checks.sampling.common import DATA, ideal_model, sampled, settings, told
from diffedu.diffusion.gaussian import x0_from_eps
from diffedu.diffusion.samplers import strided_times
from diffedu.diffusion.schedules import linear


def repair_strided(model, xT, s, steps):
    """DDIM with eta = 0 in `steps` jumps (5.4), the model asked at the t where x is."""
    x, times = xT, strided_times(s.T, steps)
    for k in range(steps, 0, -1):
        t = times[k].expand(len(x))
        eps_hat = model(x, t)
        x0_hat = x0_from_eps(x, t, eps_hat, s)
        left = s.alpha_bar[times[k - 1]]
        x = left.sqrt() * x0_hat + (1 - left).sqrt() * eps_hat
    return x


def _cases(generator):
    return [
        {
            "model": ideal_model(s, 0.3, 0.9),
            "xT": normal(shape, generator),
            "s": s,
            "steps": steps,
        }
        for (shape, s), steps in zip(settings(), (3, 3, 5), strict=True)
    ]


def _as_given(model, xT, s, steps):
    x, times = xT, strided_times(s.T, steps)
    for k in range(steps, 0, -1):
        now = torch.full((len(x),), k)
        eps_hat = model(x, now)
        t = times[k].expand(len(x))
        x0_hat = x0_from_eps(x, t, eps_hat, s)
        left = s.alpha_bar[times[k - 1]]
        x = left.sqrt() * x0_hat + (1 - left).sqrt() * eps_hat
    return x


def _with(ask=lambda t, t_next, k, T: t, times=strided_times):
    """The walk with the model asked at another time, or along other times."""

    def strided(model, xT, s, steps):
        x, visited = xT, [int(t) for t in times(s.T, steps)]
        for k in range(len(visited) - 1, 0, -1):
            asked = torch.full((len(x),), ask(visited[k], visited[k - 1], k, s.T))
            eps_hat = model(x, asked)
            now, left = s.alpha_bar[visited[k]], s.alpha_bar[visited[k - 1]]
            x0_hat = (x - (1 - now).sqrt() * eps_hat) / now.sqrt()
            x = left.sqrt() * x0_hat + (1 - left).sqrt() * eps_hat
        return x

    return strided


def _to_one(T, steps):
    return torch.linspace(1, T, steps + 1).round().long()


@cache
def _samples(strided, steps):
    s = linear(1000)
    model = ideal_model(s)
    return sampled(lambda x, z: strided(model, x, s, steps), 0)


def _consequence(strided):
    for steps in (50, 30):
        mine, right = _samples(strided, steps), _samples(repair_strided, steps)
        if mine != right:
            break
    return told(f"On {DATA} with {steps} of 1000 steps", mine, right)


EXERCISE = Exercise(
    name="repair_strided",
    label="5.4",
    statement=(
        "repair_strided(model, xT, s, steps): x_0 by DDIM with η = 0, in `steps` jumps from T to "
        "0. One line of this code is wrong."
    ),
    reference=repair_strided,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules, 3 to 5 jumps, points and pictures, with exact denoisers.",
    misconceptions=(
        Misconception(
            "index for t",
            _as_given,
            "The model was asked at the number of the jump instead of its t, so it took x for much "
            "cleaner than (5.4) left it.",
            "5.4",
        ),
        Misconception(
            "index for t everywhere",
            _with(times=lambda T, steps: range(steps + 1)),
            "Now model and step agree, on the number of the jump: x has the noise of T, and the "
            "jumps of (5.4) are to lead from T to 0.",
            "5.4",
        ),
        Misconception(
            "model asked at t_next",
            _with(ask=lambda t, t_next, k, T: t_next),
            "The model is asked at the time where the jump ends; eps_hat in (5.4) is the noise in "
            "x_t, where the jump starts.",
            "5.4",
        ),
        Misconception(
            "model always asked at T",
            _with(ask=lambda t, t_next, k, T: T),
            "The model is asked at T in each jump; after the first, x has less noise than that, "
            "and (5.4) needs eps_hat at its t.",
            "5.4",
        ),
        Misconception(
            "model asked at t - 1",
            _with(ask=lambda t, t_next, k, T: t - 1),
            "The model is asked at t-1; its steps are those of the course, 1 to T, so eps_hat of "
            "(5.4) belongs to t.",
            "5.4",
        ),
        Misconception(
            "ends at t = 1",
            _with(times=_to_one),
            "Your jumps end at t = 1, where noise is left; the last jump of (5.4) goes to the "
            "clean picture.",
            "5.8",
        ),
        Misconception(
            "whole stride",
            _with(times=lambda T, steps: [k * (T // steps) for k in range(steps + 1)]),
            "Your stride is a whole number, so T may be missed; x is x_T, and the first jump of "
            "(5.4) starts there.",
            "5.8",
        ),
        Misconception(
            "last jump missing",
            _with(times=lambda T, steps: strided_times(T, steps)[1:]),
            "Your walk stops one jump before the end, where noise is left; the last jump of (5.4) "
            "goes to t = 0.",
            "5.4",
        ),
    ),
    together=(
        Both(
            "index for t",
            "ends at t = 1",
            _with(ask=lambda t, t_next, k, T: k, times=_to_one),
        ),
    ),
    hints=(
        "Follow one turn of the loop by hand, with T = 1000 and 10 jumps. Which numbers appear?",
        "Two functions are told a time in each turn. Are they told the same?",
        "In the first turn x is x_T. At which time is the model asked then?",
    ),
    bug="index for t",
    consequence=_consequence,
    where=at_entry,
    built_on=(strided_times, x0_from_eps),
)
