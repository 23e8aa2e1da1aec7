"""Exercise: the weight of the squared error is a difference of signal-to-noise ratios."""

import torch

from diffedu.classroom.checks.exercise import Both, Case, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.pictures import curves
from diffedu.diffusion.schedules import cosine, linear


def snr_weight(s):
    """What (3.9) puts before the squared error in x_0, for t = 2..T."""
    return (s.snr[1:-1] - s.snr[2:]) / 2


def _cases(generator: torch.Generator) -> list[Case]:
    return [{"s": s} for s in (cosine(40), linear(25), linear(1000))]


def _where(case: Case, index: tuple[int, ...]) -> str:
    return f"at t = {index[0] + 2}" if index else ""


def _draw(yours, target):
    """Powers of ten, because the weights differ by so many; 0 and below lie at the bottom."""
    logs = [(part.clamp(min=1e-4).log10(),) for part in (yours[0], target[0])]
    places = torch.arange(2, len(target[0]) + 2, dtype=torch.float64)
    return curves("t", "log10 of the weight", places)(*logs)


def _over_beta(s):
    c0 = s.alpha_bar[1:-1].sqrt() * s.beta[2:] / (1 - s.alpha_bar[2:])
    return c0**2 / (2 * s.beta[2:])


def _consequence(wrong) -> str:
    weights, right = wrong(linear(1000)), snr_weight(linear(1000)).sum().item()
    found = weights.sum().item()
    if len(weights) < 999:
        return f"For 1000 linear steps it gives {len(weights)} weights; t = 2..T are 999 steps."
    return (
        "A denoiser that always says 0 is wrong by 1 about a pixel of 1. With 1000 linear steps "
        f"this costs {right:.5g} nats over all steps t >= 2; these weights make it {found:.5g}."
    )


EXERCISE = Exercise(
    name="snr_weight",
    label="3.9",
    statement=(
        "snr_weight(s): for σ² = β̃, the number that multiplies the squared error of x0_hat in "
        "L_{t-1}; one entry for each of the steps t = 2..T."
    ),
    reference=snr_weight,
    cases=_cases,
    tolerance=Tolerance(5e-3, 1e-9, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, every step from 2 to T.",
    misconceptions=(
        Misconception(
            "difference the wrong way round",
            lambda s: (s.snr[2:] - s.snr[1:-1]) / 2,
            "Your weights are negative. The SNR falls with t, and (3.9) asks what a step lost.",
            "3.9",
        ),
        Misconception(
            "half forgotten",
            lambda s: s.snr[1:-1] - s.snr[2:],
            "A factor is missing in front; compare what stands first in (3.9).",
            "3.9",
        ),
        Misconception(
            "SNR itself",
            lambda s: s.snr[2:] / 2,
            "You took the signal that is there at t; (3.9) has the signal lost from t-1 to t.",
            "3.9",
        ),
        Misconception(
            "difference of logarithms",
            lambda s: (s.snr[1:-1].log() - s.snr[2:].log()) / 2,
            "You subtracted the log-SNRs; (3.9) subtracts the ratios themselves.",
            "3.9",
        ),
        Misconception(
            "ratio for difference",
            lambda s: s.snr[1:-1] / s.snr[2:] / 2,
            "You divided the two SNRs; (3.9) subtracts them.",
            "3.9",
        ),
        Misconception(
            "SNR of amplitudes",
            lambda s: (s.snr[1:-1].sqrt() - s.snr[2:].sqrt()) / 2,
            "You compared amplitudes: the SNR of (3.9) is a ratio of variances, without roots.",
            "3.9",
        ),
        Misconception(
            "signal without noise",
            lambda s: (s.alpha_bar[1:-1] - s.alpha_bar[2:]) / 2,
            "You subtracted the signals alone; each belongs over its noise, see SNR before (3.9).",
            "3.9",
        ),
        Misconception(
            "step 1 included",
            lambda s: (s.snr[:-1] - s.snr[1:]) / 2,
            "Your first entry is t = 1, where SNR(0) is infinite. L_0 is no squared error, (3.10).",
            "3.10",
        ),
        Misconception(
            "one step too early",
            lambda s: ((s.snr[:-1] - s.snr[1:]) / 2)[:-1],
            "Your entries are for t = 1..T-1; asked are t = 2..T. SNR(0) of (3.9) is infinite.",
            "3.9",
        ),
        Misconception(
            "last step missing",
            lambda s: (s.snr[1:-2] - s.snr[2:-1]) / 2,
            "Your entries are right, and stop at t = T-1. The sum of (3.5) goes up to T.",
            "3.5",
        ),
        Misconception(
            "beta for beta-tilde",
            _over_beta,
            "You divided c_0² by β: that is the weight for σ² = β. (3.9) is for σ² = β̃.",
            "3.9",
        ),
    ),
    together=(
        Both("difference the wrong way round", "half forgotten", lambda s: s.snr[2:] - s.snr[1:-1]),
        Both("SNR itself", "half forgotten", lambda s: s.snr[2:]),
        Both("step 1 included", "half forgotten", lambda s: s.snr[:-1] - s.snr[1:]),
    ),
    hints=(
        "s.snr has T+1 entries, from t = 0 on. Which two of them does the step t = 2 need?",
        "A step costs the error, times the signal that the step lost: before minus after.",
        "Two slices of s.snr of length T-1, one shifted by one place; then one factor of (3.9).",
    ),
    consequence=_consequence,
    picture=_draw,
    where=_where,
)
