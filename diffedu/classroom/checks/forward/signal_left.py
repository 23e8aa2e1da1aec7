"""Exercise: what is left of the signal after each step."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_step
from diffedu.classroom.checks.pictures import curves
from diffedu.diffusion.schedules import cosine, linear


def signal_left(beta):
    """alpha_bar_0, ..., alpha_bar_T from beta_0 = 0, beta_1, ..., beta_T (1.4)."""
    return (1 - beta).cumprod(0)


def _cases(generator):
    drawn = 0.3 * torch.rand(12, generator=generator, dtype=torch.float64)
    drawn[0] = 0
    return [{"beta": beta} for beta in (linear(1000).beta, cosine(40).beta, drawn)]


def _shifted(alpha_bar):
    return torch.cat([alpha_bar[:1], alpha_bar[:-1]])


def _at_the_end(wrong):
    beta = linear(1000).beta
    end, right = wrong(beta).reshape(-1), signal_left(beta)[-1]
    if len(end) == 1 or end[-1] == right:
        raise ValueError("these numbers do not show it")
    return (
        f"After DDPM's 1000 steps it says that {end[-1]:.3g} of the variance is signal and "
        f"{1 - end[-1]:.5g} is noise; done right, {right:.3g} and {1 - right:.5g}."
    )


EXERCISE = Exercise(
    name="signal_left",
    label="1.4",
    statement="signal_left(beta): alpha_bar (T+1,) from beta (T+1,), where beta[0] is 0.",
    reference=signal_left,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three lists of betas, every entry from alpha_bar[0] to alpha_bar[T].",
    misconceptions=(
        Misconception(
            "1 minus the sum",
            lambda beta: 1 - beta.cumsum(0),
            "You subtract the betas from 1, one after the other; in (1.4) shares are multiplied.",
            "1.4",
        ),
        Misconception(
            "not cumulated",
            lambda beta: 1 - beta,
            "You returned alpha, what one step keeps; (1.4) asks what all steps so far have kept.",
            "1.4",
        ),
        Misconception(
            "all entries 0",
            lambda beta: beta.cumprod(0),
            "All your entries are 0: your product starts from 0, or is that of the betas; (1.4) "
            "multiplies what each step keeps, and alpha_bar_0 = 1.",
            "1.4",
        ),
        Misconception(
            "all entries 1",
            lambda beta: 1 - beta.cumprod(0),
            "All your entries are 1: nothing is multiplied, or the betas are, and 1 comes last; "
            "(1.4) multiplies what each step keeps.",
            "1.4",
        ),
        Misconception(
            "root taken",
            lambda beta: (1 - beta).cumprod(0).sqrt(),
            "You returned the factor of x_0 in (1.5); (1.4) is the share of variance, its square.",
            "1.4",
        ),
        Misconception(
            "noise for signal",
            lambda beta: 1 - (1 - beta).cumprod(0),
            "You returned the share of the noise; (1.4) is the share of the signal, 1 at t = 0.",
            "1.4",
        ),
        Misconception(
            "index 0 lost",
            lambda beta: (1 - beta[1:]).cumprod(0),
            "Your result begins with alpha_bar_1; (1.4) begins at t = 0: index t is step t.",
            "1.4",
        ),
        Misconception(
            "one step late",
            lambda beta: _shifted((1 - beta).cumprod(0)),
            "Your entry t leaves out step t itself; the product in (1.4) includes it.",
            "1.4",
        ),
        Misconception(
            "the last one only",
            lambda beta: (1 - beta).prod(),
            "You returned one number, the product of all; (1.4) has one for each step t.",
            "1.4",
        ),
        Misconception(
            "sum of the alphas",
            lambda beta: (1 - beta).cumsum(0),
            "You add the alphas; (1.4) multiplies them.",
            "1.4",
        ),
        Misconception(
            "exponential of the sum",
            lambda beta: torch.exp(-beta.cumsum(0)),
            "That is nearly it, as long as the betas are small; (1.4) is the product itself.",
            "1.4",
        ),
        Misconception(
            "a second 1 in front",
            lambda beta: torch.cat([beta[:1] + 1, (1 - beta).cumprod(0)]),
            "You put a 1 in front, but beta[0] = 0 already gives it: index t of (1.4) is step t.",
            "1.4",
        ),
    ),
    together=(
        Both("root taken", "one step late", lambda beta: _shifted((1 - beta).cumprod(0).sqrt())),
        Both("root taken", "index 0 lost", lambda beta: (1 - beta[1:]).cumprod(0).sqrt()),
    ),
    hints=(
        "If one step keeps 90 % and the next one 80 % of that, what is left after both?",
        "First turn each beta into what its step keeps. What belongs to t = 0, without any step?",
        "Entry t is entry t - 1 times alpha_t: a running product, and torch has one.",
    ),
    consequence=_at_the_end,
    picture=curves("t", "alpha_bar"),
    where=at_step,
)
