"""Prediction: the spread of samples that DDIM makes in ten steps."""

import torch

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.samplers import strided_times
from diffedu.diffusion.schedules import linear


def guess_ten_steps():
    """With eta = 0 and data of std .3, each jump (5.4) multiplies the spread by one number."""
    alpha_bar = linear(1000).alpha_bar[strided_times(1000, 10)]
    now, after = alpha_bar[1:], alpha_bar[:-1]
    spread = now * 0.3**2 + 1 - now  # the variance of x_t
    x0_hat = now.sqrt() * 0.3**2 / spread  # slopes in x_t
    eps_hat = (1 - now).sqrt() / spread
    factor = after.sqrt() * x0_hat + (1 - after).sqrt() * eps_hat
    return torch.prod(factor).item()


EXERCISE = Prediction(
    name="guess_ten_steps",
    label="5.6",
    statement=(
        "guess_ten_steps: data N(.5, .3²), the ideal denoiser, DDIM with η = 0 in 10 jumps from "
        "T = 1000. Which standard deviation do the samples get? One number."
    ),
    reference=guess_ten_steps,
    cases=no_arguments,
    tolerance=Tolerance(0.15, 1e-3, "about right is right for a guess"),
    tested=(
        "Within 15 %: each long jump takes the mean x0_hat for the truth, so by (5.6) the samples "
        "get too narrow, and not by a little."
    ),
    misconceptions=(
        Misconception(
            "exact",
            lambda: 0.3,
            "About .3? (5.6) keeps the marginals if x0_hat is x_0; an ideal denoiser gives only "
            "the mean, and ten jumps are long.",
            "5.6",
        ),
        Misconception(
            "wider",
            lambda: 0.4,
            "You expect coarse jumps to spread the samples; x0_hat is a mean, which varies less "
            "than x_0, so (5.6) fails the other way.",
            "5.6",
        ),
        Misconception(
            "no spread",
            lambda: 0.0,
            "You expect all samples alike, since no noise is added; but each starts from its own "
            "x_T, and (5.9) keeps them apart.",
            "5.9",
        ),
        Misconception(
            "a hundredth of the steps",
            lambda: 0.03,
            "So narrow? The error of long jumps (5.9) falls with their number, but ten jumps still "
            "follow the curve roughly.",
            "5.9",
        ),
        Misconception(
            "stays noise",
            lambda: 1.0,
            "You expect the spread of pure noise; the ten jumps of (5.4) still lead all the way "
            "down to t' = 0.",
            "5.4",
        ),
    ),
    hints=(
        "Does x0_hat, a mean over all x_0 that fit, vary more or less than x_0 itself?",
        "One single jump from T to 0 would give the mean of the data: a spread of about 0.",
        "Ten jumps lie between one jump and a thousand, which give .3 to two digits.",
    ),
    where=at_entry,
)
