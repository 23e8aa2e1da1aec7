"""Prediction: the probability of one level."""

import torch

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.gaussian import decoder_log_prob


def guess_pixel_probability():
    """The area over the bin of 0 among 17 levels (3.10)."""
    x0 = torch.zeros(1, dtype=torch.float64)
    return decoder_log_prob(x0, x0 + 0.03, 0.05, levels=17).exp().item()


EXERCISE = Prediction(
    name="guess_pixel_probability",
    label="3.10",
    statement=(
        "guess_pixel_probability: how probable is the level 0, of 17 levels from -1 to 1, if the "
        "model says mean .03 and σ_1 = .05? One number from 0 to 1."
    ),
    reference=guess_pixel_probability,
    cases=no_arguments,
    tolerance=Tolerance(0.1, 0.005, "a guess by eye"),
    tested="Within 10 %: the bin reaches from -.0625 to .0625, and holds most of the bell.",
    misconceptions=(
        Misconception(
            "density for probability",
            lambda: 6.664,
            "That is near the density at 0, which may exceed 1; (3.10) has an area.",
            "3.10",
        ),
        Misconception(
            "density times width",
            lambda: 0.833,
            "Density times width gives about this; the bell is not flat in the bin of (3.10).",
            "3.10",
        ),
        Misconception(
            "half of the bin",
            lambda: 0.416,
            "That is about one half of the bin; in (3.10) it reaches to both sides of its level.",
            "3.10",
        ),
        Misconception(
            "bin twice too wide",
            lambda: 0.97,
            "A bin from neighbour to neighbour has about this; in (3.10) bins meet half-way.",
            "3.10",
        ),
        Misconception(
            "area up to the level",
            lambda: 0.274,
            "That is about the area of all that lies below 0; (3.10) takes the area of a bin.",
            "3.10",
        ),
        Misconception(
            "all levels alike",
            lambda: 1 / 17,
            "You gave each level the same; the model has an opinion, .03, see (3.10).",
            "3.10",
        ),
        Misconception(
            "per cent",
            lambda: 71.0,
            "You gave per cent; (3.10) is a number from 0 to 1.",
            "3.10",
        ),
    ),
    hints=(
        "The levels are 1/8 apart. What is nearest to 0 among all numbers: from where to where?",
        "The bell has its middle at .03 and σ = .05. Where do the bin's ends lie, in units of σ?",
        "One end is .65 σ above the middle, the other 1.85 σ below: how much lies outside?",
    ),
    where=at_entry,
)
