"""Exercise: the jump from any step to a later one."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception
from diffedu.classroom.checks.forward.common import NOISING, mixed
from diffedu.classroom.checks.inputs import batches
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def jump_between(xr, r, t, eps, s):
    """x_t for each picture of a batch, from x_r at an earlier step r (1.11)."""
    ratio = s.alpha_bar[t] / s.alpha_bar[r]
    return per_sample(ratio.sqrt(), xr) * xr + per_sample((1 - ratio).sqrt(), xr) * eps


def _cases(generator):
    """The jumps are long, so that float32 can tell the ratio from 1; the earliest starts at 1."""
    return [
        {"xr": data["xr"], "r": (t // 3).clamp(min=1), "t": t, "eps": data["eps"], "s": s}
        for data, t, s in batches(generator, "xr", "eps", first=4)
    ]


def _with(ratio, xr, eps):
    return mixed(xr, ratio.sqrt(), eps, (1 - ratio).sqrt())


def _bare(xr, r, t, eps, s):
    ratio = s.alpha_bar[t] / s.alpha_bar[r]
    return ratio.sqrt() * xr + (1 - ratio).sqrt() * eps


def _four_axes(xr, r, t, eps, s):
    ratio = (s.alpha_bar[t] / s.alpha_bar[r]).view(-1, 1, 1, 1)
    return ratio.sqrt() * xr + (1 - ratio).sqrt() * eps


def _two_jumps(wrong):
    s = linear(1000)
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    r, t = torch.tensor([300]), torch.tensor([400])
    signal, noise = wrong(one, r, t, zero, s).item(), wrong(zero, r, t, one, s).item()
    left = signal**2 * s.alpha_bar[300]
    variance = signal**2 * (1 - s.alpha_bar[300]) + noise**2
    off = (left - s.alpha_bar[400]).abs() + (variance - 1 + s.alpha_bar[400]).abs()
    if not off > 1e-6:  # right in a batch of one, or NaN
        raise ValueError("these numbers do not show it")
    return (
        f"Right to t = 300 and then with this to 400: picture and noise have the variances "
        f"{left:.4f} and {variance:.4f}. One jump to 400 by (1.5) gives "
        f"{s.alpha_bar[400]:.4f} and {1 - s.alpha_bar[400]:.4f}."
    )


EXERCISE = Exercise(
    name="jump_between",
    label="1.11",
    statement=(
        "jump_between(xr, r, t, eps, s): x_t for each sample of a batch, from x_r; "
        "the steps r and t are (B,), with r < t."
    ),
    reference=jump_between,
    cases=_cases,
    tolerance=NOISING,
    tested="points and pictures, three schedules, long jumps and short ones.",
    misconceptions=(
        Misconception(
            "as if from x_0",
            lambda xr, r, t, eps, s: _with(s.alpha_bar[t], xr, eps),
            "You jump as if x_r were clean; (1.11) counts the steps after r only.",
            "1.11",
        ),
        Misconception(
            "root of a negative number",
            lambda xr, r, t, eps, s: _with(s.alpha_bar[r] / s.alpha_bar[t], xr, eps),
            "All is NaN: a root is taken of a negative number. Is the ratio of (1.11) on its head, "
            "or something subtracted the wrong way round?",
            "1.11",
        ),
        Misconception(
            "product for ratio",
            lambda xr, r, t, eps, s: _with(s.alpha_bar[t] * s.alpha_bar[r], xr, eps),
            "You multiply the two alpha_bars, so steps up to r count twice; in (1.11) they cancel.",
            "1.11",
        ),
        Misconception(
            "difference for ratio",
            lambda xr, r, t, eps, s: _with(s.alpha_bar[r] - s.alpha_bar[t], xr, eps),
            "You subtract the alpha_bars; they are products, so (1.11) divides to take steps away.",
            "1.11",
        ),
        Misconception(
            "noise variances subtracted",
            lambda xr, r, t, eps, s: mixed(
                xr,
                (s.alpha_bar[t] / s.alpha_bar[r]).sqrt(),
                eps,
                (s.alpha_bar[r] - s.alpha_bar[t]).sqrt(),
            ),
            "You add what is missing if the noise in x_r stays whole; in (1.11) it shrinks, too.",
            "1.11",
        ),
        Misconception(
            "noise of the whole way",
            lambda xr, r, t, eps, s: mixed(
                xr,
                (s.alpha_bar[t] / s.alpha_bar[r]).sqrt(),
                eps,
                (1 - s.alpha_bar[t]).sqrt(),
            ),
            "Your noise is that of the whole way from x_0; part of it is in x_r already, (1.11).",
            "1.11",
        ),
        Misconception(
            "the first t - r steps",
            lambda xr, r, t, eps, s: _with(s.alpha_bar[t - r], xr, eps),
            "You took the first t - r steps; (1.11) has the steps r + 1 to t, which are noisier.",
            "1.11",
        ),
        Misconception(
            "no roots",
            lambda xr, r, t, eps, s: mixed(
                xr,
                s.alpha_bar[t] / s.alpha_bar[r],
                eps,
                1 - s.alpha_bar[t] / s.alpha_bar[r],
            ),
            "You multiply by shares of the variance; the factors in (1.11) are their roots.",
            "1.11",
        ),
        Misconception(
            "noise without root",
            lambda xr, r, t, eps, s: mixed(
                xr,
                (s.alpha_bar[t] / s.alpha_bar[r]).sqrt(),
                eps,
                1 - s.alpha_bar[t] / s.alpha_bar[r],
            ),
            "Your factor of eps is the variance of the noise; (1.11) has the standard deviation.",
            "1.11",
        ),
        Misconception(
            "signal without root",
            lambda xr, r, t, eps, s: mixed(
                xr,
                s.alpha_bar[t] / s.alpha_bar[r],
                eps,
                (1 - s.alpha_bar[t] / s.alpha_bar[r]).sqrt(),
            ),
            "Your factor of x_r is the share of the variance that is left; (1.11) has its root.",
            "1.11",
        ),
        Misconception(
            "1 minus the factor",
            lambda xr, r, t, eps, s: mixed(
                xr,
                (s.alpha_bar[t] / s.alpha_bar[r]).sqrt(),
                eps,
                (1 - (s.alpha_bar[t] / s.alpha_bar[r]).sqrt()).sqrt(),
            ),
            "Your noise gets what is left of the factor of x_r; in (1.11) the squares of both "
            "factors add up to 1.",
            "1.11",
        ),
        Misconception(
            "the last step only",
            lambda xr, r, t, eps, s: _with(s.alpha[t], xr, eps),
            "You took one step, the last; (1.11) has the product over all steps from r + 1 to t.",
            "1.11",
        ),
        Misconception(
            "step r taken again",
            lambda xr, r, t, eps, s: _with(s.alpha_bar[t] / s.alpha_bar[r - 1], xr, eps),
            "Your product includes step r, which x_r has behind it; (1.11) starts at r + 1.",
            "1.11",
        ),
        Misconception(
            "bare (B,)",
            _bare,
            "Your factors (B,) line up with the last axis of x_r; (1.11) has one per sample.",
            "1.11",
        ),
        Misconception(
            "always four axes",
            _four_axes,
            "Your factors have four axes, whatever x_r has; (1.11) holds for points (B, D), too.",
            "1.11",
        ),
    ),
    together=(
        Both(
            "as if from x_0",
            "no roots",
            lambda xr, r, t, eps, s: mixed(xr, s.alpha_bar[t], eps, 1 - s.alpha_bar[t]),
        ),
    ),
    hints=(
        "A jump is one large step (1.1). What is its alpha, if you know the alphas it passes over?",
        "alpha_bar[t] is a product from 1 to t. Which part of it has x_r behind it already?",
        "Write the share that is left as one (B,), then do what you did in the jump from x_0.",
    ),
    consequence=_two_jumps,
    built_on=(per_sample,),
)
