"""Exercise: L_{t-1}, the price of one step."""

import torch

from diffedu.classroom.checks.exercise import Both, Case, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import batches
from diffedu.diffusion.gaussian import fixed_large, fixed_small, kl_gaussian
from diffedu.diffusion.schedules import linear
from diffedu.shapes import sum_over_sample


def step_cost(x0, x0_hat, t, s, variance):
    """L_{t-1} in nats if the network's guess is x0_hat, t from 2 to T (3.8)."""
    dims, error = x0[0].numel(), sum_over_sample((x0 - x0_hat) ** 2)
    sigma_squared, tilde = variance[t], fixed_small(s)[t]
    bracket = (sigma_squared / tilde).log() + tilde / sigma_squared - 1
    c0 = s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])
    return dims / 2 * bracket + c0**2 / (2 * sigma_squared) * error


def _cases(generator: torch.Generator) -> list[Case]:
    """Guesses near x_0, so that the bracket counts; σ² = β, one between, and β̃."""
    shares = (1, 0.5, 0)
    cases = []
    for share, (data, t, s) in zip(shares, batches(generator, "x0", "off", first=2), strict=True):
        variance = share * fixed_large(s) + (1 - share) * fixed_small(s)
        x0_hat = data["x0"] + 0.02 * data["off"]
        cases.append({"x0": data["x0"], "x0_hat": x0_hat, "t": t, "s": s, "variance": variance})
    return cases


def _made_of(formula):
    """A cost from the parts of (3.8): D, bracket, c_0, beta-tilde, σ² and the squared error."""

    def cost(x0, x0_hat, t, s, variance):
        tilde, v = fixed_small(s)[t], variance[t]
        bracket = (v / tilde).log() + tilde / v - 1
        c0 = s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])
        error = sum_over_sample((x0 - x0_hat) ** 2)
        return formula(x0[0].numel(), bracket, c0, tilde, v, error)

    return cost


_no_bracket = _made_of(lambda d, bracket, c0, tilde, v, error: c0**2 / (2 * v) * error)


def _bare(x0, x0_hat, t, s, variance):
    c0 = s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])
    return sum_over_sample(kl_gaussian(c0 * x0, fixed_small(s)[t], c0 * x0_hat, variance[t]))


def _other_tilde(x0, x0_hat, t, s, variance):
    v, weight = variance[t], _no_bracket(x0, x0_hat, t, s, variance)
    return x0[0].numel() / 2 * ((v / s.beta[t]).log() + s.beta[t] / v - 1) + weight


def _whole_batch(x0, *others):
    weight = _no_bracket(x0, *others)
    return len(x0) * (step_cost(x0, *others) - weight) + weight


def _error_averaged(x0, *others):
    weight = _no_bracket(x0, *others)
    return step_cost(x0, *others) - weight + weight / x0[0].numel()


def _no_root(x0, x0_hat, t, s, variance):
    weight = _no_bracket(x0, x0_hat, t, s, variance)
    return step_cost(x0, x0_hat, t, s, variance) - weight + s.alpha_bar[t - 1] * weight


def _alpha_bar_t(x0, x0_hat, t, s, variance):
    weight = _no_bracket(x0, x0_hat, t, s, variance)
    return step_cost(x0, x0_hat, t, s, variance) - weight + s.alpha[t] * weight


def _mean(x0, *others):
    return step_cost(x0, *others) / x0[0].numel()


def _consequence(wrong) -> str:
    s = linear(1000)
    t = torch.arange(2, s.T + 1)
    x0 = torch.zeros(len(t), 64, dtype=torch.float64)
    arguments = x0, x0 + 0.1, t, s, fixed_large(s)
    found, right = (f(*arguments).sum().item() / 64 for f in (wrong, step_cost))
    return (
        "For 64 pixels guessed wrong by .1 at every step, 1000 linear steps and σ² = β, the terms "
        f"t = 2..T add up to {found:.4g} nats per pixel; right are {right:.4g}."
    )


EXERCISE = Exercise(
    name="step_cost",
    label="3.8",
    statement=(
        "step_cost(x0, x0_hat, t, s, variance): L_{t-1} in nats for each sample, for steps t from "
        "2 to T (B,); variance holds σ²_t for t = 0..T."
    ),
    reference=step_cost,
    cases=_cases,
    tolerance=Tolerance(5e-3, 1e-4, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, points and pictures, σ² = β, σ² = β̃ and one between, t from 2 to T.",
    misconceptions=(
        Misconception(
            "c_0 not squared",
            _made_of(lambda d, b, c0, tilde, v, e: d / 2 * b + c0 / (2 * v) * e),
            "You multiplied the squared error by c_0 itself. It was inside the square, see (3.8).",
            "3.8",
        ),
        Misconception(
            "bracket forgotten",
            _no_bracket,
            "You have the squared error alone. Where σ² is not β̃, the bracket of (3.8) costs too.",
            "3.8",
        ),
        Misconception(
            "bracket counted once",
            _made_of(lambda d, b, c0, tilde, v, e: b / 2 + c0**2 / (2 * v) * e),
            "You count the bracket once per sample; in (3.8) every one of the D numbers pays it.",
            "3.8",
        ),
        Misconception(
            "half forgotten",
            lambda *five: 2 * step_cost(*five),
            "A factor is missing before both terms of (3.8), which inherit it from (3.6).",
            "3.6",
        ),
        Misconception(
            "std for variance",
            lambda x0, x0_hat, t, s, v: step_cost(x0, x0_hat, t, s, v.sqrt()),
            "You used σ where (3.8) has its square: the array holds variances already.",
            "3.8",
        ),
        Misconception(
            "variance squared",
            lambda x0, x0_hat, t, s, v: step_cost(x0, x0_hat, t, s, v**2),
            "You squared what is a variance already: σ² of (3.8) is what the array holds.",
            "3.8",
        ),
        Misconception(
            "beta-tilde under the error",
            _made_of(lambda d, b, c0, tilde, v, e: d / 2 * b + c0**2 / (2 * tilde) * e),
            "You divided the error by the posterior's variance; (3.8) divides by the model's.",
            "3.8",
        ),
        Misconception(
            "mean over the elements",
            _mean,
            "You averaged over the elements; KLs of independent dimensions add up, see (3.8).",
            "3.8",
        ),
        Misconception(
            "alpha_bar_t in c_0",
            _alpha_bar_t,
            "The root in your c_0 belongs to t; c_0 looks one step further back, see (2.8).",
            "2.8",
        ),
        Misconception(
            "bare (B,)",
            _bare,
            "Your c_0 (B,) lines up with the last axis of x_0; (3.8) has one for each sample.",
            "3.8",
        ),
        Misconception(
            "error averaged",
            _error_averaged,
            "You averaged the squared error; the norm in (3.8) adds it up over the elements.",
            "3.8",
        ),
        Misconception(
            "half before the error forgotten",
            _made_of(lambda d, b, c0, tilde, v, e: d / 2 * b + c0**2 / v * e),
            "Your bracket is right; the error lost the factor that (3.8) inherits from (3.6).",
            "3.8",
        ),
        Misconception(
            "log ratio upside down",
            _made_of(
                lambda d, b, c0, tilde, v, e: (
                    d / 2 * (b - 2 * (v / tilde).log()) + c0**2 / (2 * v) * e
                )
            ),
            "Your logarithm has its fraction upside down; the bracket of (3.8) is never negative.",
            "3.8",
        ),
        Misconception(
            "root in c_0 forgotten",
            _no_root,
            "Your c_0 has alpha_bar as it is; the posterior's weight has its root, see (2.8).",
            "2.8",
        ),
        Misconception(
            "whole batch for D",
            _whole_batch,
            "Your D counts the whole batch; in (3.8) it counts the numbers of one sample.",
            "3.8",
        ),
        Misconception(
            "beta for beta-tilde",
            _other_tilde,
            "Your bracket compares σ² with β; (3.8) compares it with the posterior's variance.",
            "3.8",
        ),
    ),
    together=(
        Both(
            "bracket forgotten",
            "half forgotten",
            lambda *five: 2 * _no_bracket(*five),
        ),
        Both(
            "bracket forgotten",
            "mean over the elements",
            lambda x0, *others: _no_bracket(x0, *others) / x0[0].numel(),
        ),
        Both(
            "bracket forgotten",
            "beta-tilde under the error",
            _made_of(lambda d, b, c0, tilde, v, e: c0**2 / (2 * tilde) * e),
        ),
    ),
    hints=(
        "Two Gaussians, D dimensions: different means, and perhaps different variances; see (3.6).",
        "The means differ by c_0 (x_0 - x0_hat). Which of the two variances stands below?",
        "D/2 times a bracket without data, plus a weight (B,) times the summed squares (B,).",
    ),
    consequence=_consequence,
    built_on=(fixed_small,),
)
