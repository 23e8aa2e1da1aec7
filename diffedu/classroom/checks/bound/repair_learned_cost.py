"""Exercise, find the bug: one step's price with a variance that the network chooses."""

import torch

from diffedu.classroom.checks.exercise import Both, Case, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import batches
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.schedules import linear


def repair_learned_cost(x0, x0_hat, v, t, s):
    """L_{t-1} of (3.8) with log sigma² = v log beta + (1 - v) log beta-tilde."""
    tilde, beta = fixed_small(s)[t], s.beta[t]
    log_variance = v * beta.log() + (1 - v) * tilde.log()
    sigma = (0.5 * log_variance).exp()
    c0 = s.alpha_bar[t - 1].sqrt() * beta / (1 - s.alpha_bar[t])
    error = ((x0 - x0_hat) ** 2).flatten(1).sum(1)
    bracket = (sigma**2 / tilde).log() + tilde / sigma**2 - 1
    return x0[0].numel() / 2 * bracket + c0**2 * error / (2 * sigma**2)


def _cases(generator: torch.Generator) -> list[Case]:
    cases = []
    for data, t, s in batches(generator, "x0", "off", first=2):
        x0_hat = data["x0"] + 0.02 * data["off"]
        v = 0.1 + 0.8 * torch.rand(len(t), generator=generator, dtype=torch.float64)
        cases.append({"x0": data["x0"], "x0_hat": x0_hat, "v": v, "t": t, "s": s})
    return cases


def _variance(v, t, s):
    return (v * s.beta[t].log() + (1 - v) * fixed_small(s)[t].log()).exp()


def _cost(x0, x0_hat, t, s, bracket_variance, error_variance):
    """(3.8) with one variance in the bracket and another under the error."""
    tilde = fixed_small(s)[t]
    bracket = (bracket_variance / tilde).log() + tilde / bracket_variance - 1
    c0 = s.alpha_bar[t - 1].sqrt() * s.beta[t] / (1 - s.alpha_bar[t])
    error = ((x0 - x0_hat) ** 2).flatten(1).sum(1)
    return x0[0].numel() / 2 * bracket + c0**2 * error / (2 * error_variance)


def _with(variance):
    """(3.8) with this variance(v, t, s) in both places."""

    def cost(x0, x0_hat, v, t, s):
        found = variance(v, t, s)
        return _cost(x0, x0_hat, t, s, found, found)

    return cost


def _consequence(wrong) -> str:
    s, t = linear(1000), torch.tensor([10, 10])
    x0, v = torch.zeros(2, 64, dtype=torch.float64), torch.full((2,), 0.8, dtype=torch.float64)
    found, right = (f(x0, x0 + 0.1, v, t, s)[0].item() for f in (wrong, repair_learned_cost))
    return (
        "At t = 10 of 1000 linear steps, with v = .8 and an error of .1 in each of 64 pixels, "
        f"the step costs {right:.4g} nats; this says {found:.4g}."
    )


EXERCISE = Exercise(
    name="repair_learned_cost",
    label="3.8",
    statement=(
        "repair_learned_cost(x0, x0_hat, v, t, s): L_{t-1} of (3.8), with the network's choice v "
        "in log σ² = v log β + (1-v) log β̃. One line of this code is wrong."
    ),
    reference=repair_learned_cost,
    cases=_cases,
    tolerance=Tolerance(5e-3, 1e-4, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, points and pictures, v from .1 to .9, t from 2 to T.",
    misconceptions=(
        Misconception(
            "log variance read as log std",
            _with(lambda v, t, s: _variance(v, t, s) ** 2),
            "exp of a log variance is a variance. It was called sigma and squared again for (3.8).",
            "3.8",
        ),
        Misconception(
            "half of the variance",
            _with(lambda v, t, s: _variance(v, t, s) ** 2 / 4),
            "You halved the variance after exp; a root is half of the exponent, and (3.8) squares.",
            "3.8",
        ),
        Misconception(
            "half of the exponent twice",
            _with(lambda v, t, s: _variance(v, t, s).sqrt()),
            "Your σ² is a standard deviation now: a root too many, or a square too few for (3.8).",
            "3.8",
        ),
        Misconception(
            "repaired in the bracket only",
            lambda x0, x0_hat, v, t, s: _cost(
                x0, x0_hat, t, s, _variance(v, t, s), _variance(v, t, s) ** 2
            ),
            "The bracket is right now; under the squared error of (3.8) stands the same σ².",
            "3.8",
        ),
        Misconception(
            "repaired under the error only",
            lambda x0, x0_hat, v, t, s: _cost(
                x0, x0_hat, t, s, _variance(v, t, s) ** 2, _variance(v, t, s)
            ),
            "The error's weight is right now; in the bracket of (3.8) stands the same σ².",
            "3.8",
        ),
        Misconception(
            "v the other way round",
            _with(lambda v, t, s: _variance(1 - v, t, s)),
            "You exchanged the two ends of the mixture: v = 0 stands for the β̃ of (3.8).",
            "3.8",
        ),
        Misconception(
            "variances mixed",
            _with(lambda v, t, s: v * s.beta[t] + (1 - v) * fixed_small(s)[t]),
            "You mixed the variances themselves; the σ² for (3.8) mixes their logarithms.",
            "3.8",
        ),
        Misconception(
            "mixed variances still squared",
            _with(lambda v, t, s: (v * s.beta[t] + (1 - v) * fixed_small(s)[t]) ** 2),
            "You mixed variances, not logarithms, and your mixture is still squared for (3.8).",
            "3.8",
        ),
    ),
    together=(
        Both(
            "log variance read as log std",
            "v the other way round",
            _with(lambda v, t, s: _variance(1 - v, t, s) ** 2),
        ),
    ),
    bug="log variance read as log std",
    hints=(
        "Take v = 1. Which number should sigma be for beta = .01, and which number is it?",
        "Follow one quantity from line to line and ask each time: variance, its root, or its log?",
        "A root outside exp is a factor inside it.",
    ),
    consequence=_consequence,
    built_on=(fixed_small,),
)
