"""Exercise: the times that a strided sampler visits."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance, at_entry
from diffedu.classroom.checks.sampling.common import DATA, ideal_model, jumped
from diffedu.diffusion.ode import ode_step
from diffedu.diffusion.samplers import strided_times
from diffedu.diffusion.schedules import linear


def _cases(generator):
    pairs = (
        (201, 13),
        (1000, 30),
        (39, 7),
        (25, 25),
        (21, 5),
        (9, 1),
    )  # no exact halves: they round two ways
    return [{"T": T, "steps": steps} for T, steps in pairs]


def _whole_stride(T, steps):
    return torch.arange(steps + 1) * (T // steps)


def _consequence(times_to_visit):
    s = linear(1000)
    model = ideal_model(s)
    given = [float(t) for t in times_to_visit(1000, 30)]
    visited = [round(t) for t in given][::-1]
    right = strided_times(1000, 30).tolist()[::-1]

    if visited == right:
        return (
            f"With T = 1000 and 30 calls, the first jump then ends at t = {given[-2]:.2f}, where "
            "neither the schedule nor the model knows anything."
        )

    def move(x, z, t, t_next):
        return ode_step(x, model(x, t), t, t_next, s)

    std, wanted = jumped(move, visited)[1], jumped(move, right)[1]
    left = (1 - s.alpha_bar[visited[-1]]).sqrt().item()
    rest = f", where noise of standard deviation {left:.4f} is left" if left else ""
    return (
        f"With T = 1000 and 30 calls, DDIM then takes {len(visited) - 1} jumps from {visited[0]} "
        f"to {visited[-1]}{rest}. On {DATA} the samples get the standard deviation {std:.4f}; with "
        f"the right times, {wanted:.4f}."
    )


EXERCISE = Exercise(
    name="times_to_visit",
    label="5.8",
    statement=(
        "times_to_visit(T, steps): the steps+1 times at which `steps` jumps start and end, "
        "ascending from 0 to T in equal strides, each rounded to the nearest step."
    ),
    reference=strided_times,
    cases=_cases,
    tolerance=Tolerance(0, 0.25, "steps are whole numbers"),
    tested="six pairs of T and steps, in most of which the stride is no whole number.",
    misconceptions=(
        Misconception(
            "ends at t = 1",
            lambda T, steps: torch.linspace(1, T, steps + 1).round(),
            "Your smallest time is 1, where noise is left; the last jump of (5.8) goes to the "
            "clean picture.",
            "5.8",
        ),
        Misconception(
            "0 put before 1",
            lambda T, steps: torch.cat([torch.zeros(1), torch.linspace(1, T, steps).round()]),
            "You divided 1..T and put 0 in front: the last jump of (5.8) is then one small step, "
            "and the strides differ.",
            "5.8",
        ),
        Misconception(
            "counts to T - 1",
            lambda T, steps: torch.linspace(0, T - 1, steps + 1).round(),
            "You end at T-1, the last place in a table that counts from 0; here x_T, at t = T, is "
            "where the jumps of (5.8) start.",
            "5.8",
        ),
        Misconception(
            "whole stride",
            _whole_stride,
            "You made the stride a whole number first, so the error adds up and T is missed; "
            "(5.8) needs no equal strides, only the right ends.",
            "5.8",
        ),
        Misconception(
            "range with a whole stride",
            lambda T, steps: list(range(0, T, T // steps)),
            "range leaves out its end and takes whole strides only: your times do not reach T, "
            "where the first jump of (5.8) starts.",
            "5.8",
        ),
        Misconception(
            "cut off instead of rounded",
            lambda T, steps: torch.arange(steps + 1) * T // steps,
            "You cut the fractions off, so your times lie up to a step too low; the jumps of (5.8) "
            "are to start at the nearest step.",
            "5.8",
        ),
        Misconception(
            "one time too few",
            lambda T, steps: torch.linspace(0, T, steps).round(),
            "You return as many times as jumps; each jump of (5.8) has a start and an end, so "
            "there is one time more.",
            "5.8",
        ),
        Misconception(
            "descending",
            lambda T, steps: strided_times(T, steps).flip(0),
            "The times are right and in the order of the walk; here they are asked from 0 up to T, "
            "like the index of alpha_bar in (5.8).",
            "5.8",
        ),
        Misconception(
            "not rounded",
            lambda T, steps: torch.linspace(0, T, steps + 1),
            "These are fractions; the jumps of (5.8) start at whole steps.",
            "5.8",
        ),
        Misconception(
            "rounded stride",
            lambda T, steps: torch.arange(steps + 1) * round(T / steps),
            "You rounded the stride and then counted in it, so the error adds up and T is missed; "
            "(5.8) needs the right ends.",
            "5.8",
        ),
        Misconception(
            "whole stride, then T",
            lambda T, steps: [k * (T // steps) for k in range(steps)] + [T],
            "You made the stride whole and put T behind, so all the rest falls into one jump; the "
            "jumps of (5.8) are to be equal but for rounding.",
            "5.8",
        ),
        Misconception(
            "0 missing",
            lambda T, steps: (torch.arange(1, steps + 1) * T / steps).round(),
            "0 is missing; there is one time more than there are jumps, and the last jump of (5.8) "
            "goes to the clean picture.",
            "5.8",
        ),
        Misconception(
            "T missing",
            lambda T, steps: (torch.arange(steps) * T / steps).round(),
            "T is missing, as range and arange leave out their end; the first jump of (5.8) "
            "starts there.",
            "5.8",
        ),
    ),
    together=(
        Both("T missing", "not rounded", lambda T, steps: torch.arange(steps) * T / steps),
        Both(
            "counts to T - 1",
            "cut off instead of rounded",
            lambda T, steps: torch.arange(steps + 1) * (T - 1) // steps,
        ),
        Both(
            "counts to T - 1",
            "one time too few",
            lambda T, steps: torch.linspace(0, T - 1, steps).round(),
        ),
        Both(
            "ends at t = 1",
            "one time too few",
            lambda T, steps: torch.linspace(1, T, steps).round(),
        ),
        Both(
            "ends at t = 1",
            "descending",
            lambda T, steps: torch.linspace(1, T, steps + 1).round().flip(0),
        ),
    ),
    hints=(
        "Draw a line from 0 to T and mark three jumps on it. How many marks are there?",
        "The first time is 0 and the last is T. Divide the way between them evenly.",
        "Number k of steps+1 times lies k/steps of the way up. Round at the very end, not before.",
    ),
    consequence=_consequence,
    where=at_entry,
)
