"""Exercise: the mean of q(x_{t-1} | x_t, x_0)."""

from functools import partial

import torch

from diffedu import expect
from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.posterior.common import by_posterior, weighted, with_beta_tilde
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def posterior_mean(x0, xt, t, s):
    """The weighted sum of (2.8): c_0 x_0 + c_t x_t, with one pair of weights per sample."""
    alpha, beta = s.alpha[t], s.beta[t]
    now, before = s.alpha_bar[t], s.alpha_bar[t - 1]
    c0 = before.sqrt() * beta / (1 - now)
    ct = alpha.sqrt() * (1 - before) / (1 - now)
    return per_sample(c0, x0) * x0 + per_sample(ct, x0) * xt


def _c0(t, s, first=-1):
    before = (t - 1).clamp(min=first)
    return s.alpha_bar[before].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])


def _ct(t, s, first=-1):
    before = (t - 1).clamp(min=first)
    return s.alpha[t].sqrt() * (1 - s.alpha_bar[before]) / (1 - s.alpha_bar[t])


def _c0_squared(t, s):
    return s.alpha_bar[t - 1] * s.beta[t] / (1 - s.alpha_bar[t])


def _ct_squared(t, s):
    return s.alpha[t] * (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])


def _ct_with_alpha_bar(t, s):
    return s.alpha_bar[t].sqrt() * (1 - s.alpha_bar[t - 1]) / (1 - s.alpha_bar[t])


def _c0_at_t(t, s):
    return s.alpha_bar[t].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])


def _bare(x0, xt, t, s):
    return _c0(t, s) * x0 + _ct(t, s) * xt


def _four_axes(x0, xt, t, s):
    return _c0(t, s).view(-1, 1, 1, 1) * x0 + _ct(t, s).view(-1, 1, 1, 1) * xt


def _a(t, s):
    return s.alpha[t] / s.beta[t] + 1 / (1 - s.alpha_bar[t - 1])


def _b_of_x0(t, s):
    return s.alpha_bar[t - 1].sqrt() / (1 - s.alpha_bar[t - 1])


def _b_of_xt(t, s):
    return s.alpha[t].sqrt() / s.beta[t]


def _balance(wrong) -> str:
    """By how much (2.9) is violated, and what a sampler makes of it."""
    s = linear(1000)
    t, one = torch.arange(1, s.T + 1), torch.ones(s.T, 1, dtype=torch.float64)
    c0, ct = wrong(one, 0 * one, t, s), wrong(0 * one, one, t, s)
    expect.like("c0", c0.nan_to_num(), one)
    now, before = s.alpha_bar[1:, None].sqrt(), s.alpha_bar[:-1, None].sqrt()
    off = (c0 + ct * now - before).abs().flatten()
    worst = off.nan_to_num(nan=float("inf")).argmax()
    size = f"is off by {off[worst]:.2g}" if off[worst].isfinite() else "has no value"
    head = f"The left side of (2.9) {size} at t = {worst + 1} of 1000."
    head = head if off.nan_to_num(nan=1).max() > 1e-9 else "(2.9) holds all the same, and yet:"
    return f"{head} {by_posterior(with_beta_tilde(wrong))}"


EXERCISE = Exercise(
    name="posterior_mean",
    label="2.8",
    statement=(
        "posterior_mean(x0, xt, t, s): the mean of q(x_{t-1} | x_t, x_0), each sample of the "
        "batch with its own step in t (B,)."
    ),
    reference=posterior_mean,
    cases=cases_of("x0", "xt", "t", "s"),
    tolerance=Tolerance(2e-3, 1e-4, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, points and pictures, t from 1 to T, with x_0 itself at t = 1.",
    misconceptions=(
        Misconception(
            "weights swapped",
            weighted(_ct, _c0),
            "The two weights are exchanged: at t = 1 all the weight belongs to x_0, see (2.10).",
            "2.8",
        ),
        Misconception(
            "alpha_bar at t, not t-1",
            weighted(_c0_at_t, lambda t, s: s.alpha[t].sqrt()),
            "You took alpha_bar at t throughout; both numerators of (2.8) need the step before.",
            "2.8",
        ),
        Misconception(
            "alpha_bar at t in c_0 only",
            weighted(_c0_at_t, _ct),
            "Your weight of x_0 has alpha_bar at t under its root; (2.8) has that of the step "
            "before.",
            "2.8",
        ),
        Misconception(
            "alpha_bar at t in c_t only",
            weighted(_c0, lambda t, s: s.alpha[t].sqrt()),
            "Your weight of x_t is the root of alpha alone: the fraction of (2.8) is missing, or "
            "has alpha_bar at t above and below.",
            "2.8",
        ),
        Misconception(
            "no root in c_0",
            weighted(_c0_squared, _ct),
            "The weight of x_0 lacks a root: the prior's peak is where (1.5) puts it, at the root "
            "of alpha_bar.",
            "2.8",
        ),
        Misconception(
            "no root in c_t",
            weighted(_c0, _ct_squared),
            "The weight of x_t lacks a root: one step shrinks x by the root of alpha, (1.1).",
            "2.8",
        ),
        Misconception(
            "alpha_bar for alpha",
            weighted(_c0, _ct_with_alpha_bar),
            "The weight of x_t in (2.8) begins with one step's alpha; you took alpha_bar, the "
            "product of all so far.",
            "2.8",
        ),
        Misconception(
            "no denominators",
            weighted(
                lambda t, s: s.alpha_bar[t - 1].sqrt() * s.beta[t],
                lambda t, s: s.alpha[t].sqrt() * (1 - s.alpha_bar[t - 1]),
            ),
            "You have both numerators of (2.8) and no denominator: at t = 1 almost nothing is "
            "left of x_0.",
            "2.8",
        ),
        Misconception(
            "x_t left out",
            weighted(lambda t, s: s.alpha_bar[t - 1].sqrt(), lambda t, s: 0 * s.beta[t]),
            "You returned the peak of the prior q(x_{t-1} | x_0); in (2.8) x_t has a say too.",
            "2.1",
        ),
        Misconception(
            "one index too early",
            weighted(lambda t, s: _c0(t - 1, s), lambda t, s: _ct(t - 1, s)),
            "All arrays are read one place too early: in s, index t is step t, and index 0 is the "
            "clean data with alpha_bar = 1, (1.4).",
            "1.4",
        ),
        Misconception(
            "(B,) not shaped",
            _bare,
            "Your (B,) weights meet the last axis of the pictures; (2.8) has one pair of weights "
            "per sample, so they belong to the first.",
            "2.8",
        ),
        Misconception(
            "always four axes",
            _four_axes,
            "Your weights have four axes, whatever x_0 has; (2.8) holds for points (B, D) as well.",
            "2.8",
        ),
        Misconception(
            "no step before the first",
            weighted(partial(_c0, first=1), partial(_ct, first=1)),
            "At t = 1 you take alpha_bar_1 for the step before; index 0 of s is the clean picture, "
            "alpha_bar_0 = 1, and gives (2.10).",
            "2.10",
        ),
        Misconception(
            "0/0 at t = 1",
            weighted(
                lambda t, s: _b_of_x0(t, s) / _a(t, s), lambda t, s: _b_of_xt(t, s) / _a(t, s)
            ),
            "At t = 1 the prior has the variance 0, so your a and b are infinite and b/a has no "
            "value; the limit is (2.10).",
            "2.10",
        ),
        Misconception(
            "b for b / a",
            weighted(_b_of_x0, _b_of_xt),
            "You returned b of (2.5), infinite at t = 1; the peak of (2.6) lies between those of "
            "prior and likelihood.",
            "2.6",
        ),
    ),
    together=(
        Both("no root in c_0", "no root in c_t", weighted(_c0_squared, _ct_squared)),
        Both("no root in c_0", "alpha_bar for alpha", weighted(_c0_squared, _ct_with_alpha_bar)),
    ),
    hints=(
        "What must the mean be at t = 1, where x_0 is the very thing that is asked for?",
        "Two weights, one denominator. c_0 grows with the noise of this step, c_t with the noise "
        "before it; `s.alpha_bar[t - 1]` is the step before, at every t.",
        "Compute c_0 and c_t of (2.8) as (B,) tensors, then give them the shape (B, 1, ..., 1), "
        "for instance with per_sample of diffedu.shapes.",
    ),
    consequence=_balance,
    built_on=(per_sample,),
)
