"""Exercise: what no query can exceed."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal
from diffedu.classroom.checks.linear.common import hidden


def ceilings(k):
    """The brightest of the d spotlights on each token (9.6)."""
    return k.softmax(dim=-2).amax(dim=-1)


def _cases(generator):
    return [{"k": normal(shape, generator)} for shape in ((2, 3, 7, 5), (9, 4), (6, 6, 6))]


def _told(wrong) -> str:
    generator = torch.Generator().manual_seed(0)
    k = 3 * torch.randn(64, 8, generator=generator, dtype=torch.float64)
    mine, right = wrong(k), ceilings(k)
    return (
        f"For 64 tokens and a head of width 8 its {mine.numel()} numbers run from {mine.min():.2g} "
        f"to {mine.max():.2g} and sum to {mine.sum():.3g}; right are 64 numbers from "
        f"{right.min():.2g} to {right.max():.2g}, of sum {right.sum():.3g}."
    )


EXERCISE = Exercise(
    name="ceilings",
    label="9.6",
    statement=(
        "ceilings(k): for keys k (..., n, d), the number m_j for each token, (..., n): the largest "
        "weight that any query whatever can put on it in linear attention."
    ),
    reference=ceilings,
    cases=_cases,
    tolerance=FLOAT32,
    tested="two leading axes, one and none.",
    misconceptions=(
        Misconception(
            "softmax over features",
            lambda k: k.softmax(-1).amax(-1),
            "You took the softmax over features; a spotlight of (9.2) is a distribution over the "
            "tokens.",
            "9.2",
        ),
        Misconception(
            "largest token of each spotlight",
            lambda k: k.softmax(-2).amax(-2),
            "You took the largest over the tokens, one number for each spotlight; m_j of (9.6) is "
            "the largest over the spotlights.",
            "9.6",
        ),
        Misconception(
            "no softmax",
            lambda k: k.amax(-1),
            "These are the largest raw keys; the lights in (9.6) are those of ρ_k(K).",
            "9.6",
        ),
        Misconception(
            "sum of the lights",
            lambda k: k.softmax(-2).sum(-1),
            "You added the lights on a token; a query mixes them with weights that sum to one, so "
            "(9.6) has the largest of them.",
            "9.6",
        ),
        Misconception(
            "mean of the lights",
            lambda k: k.softmax(-2).mean(-1),
            "You took the mean of the lights, what an undecided query gives; m_j of (9.6) is what "
            "the keenest query can give.",
            "9.6",
        ),
        Misconception(
            "an even share of the budget",
            lambda k: torch.full_like(k[..., 0], k.shape[-1] / k.shape[-2]),
            "This is d/n for every token, the bound on the mean of the m_j; (9.6) asks for the "
            "lights on each token itself.",
            "9.6",
        ),
        Misconception(
            "softmax over everything",
            lambda k: k.flatten(-2).softmax(-1).view(k.shape).amax(-1),
            "Your softmax runs over tokens and features at once; in (9.2) each spotlight sums to "
            "one for itself.",
            "9.2",
        ),
        Misconception(
            "axes counted from the front",
            lambda k: k.softmax(1).amax(-1),
            "Your softmax runs over axis 1, which are the tokens of (B, n, d) only; ρ_k of (9.2) "
            "runs over the last axis but one.",
            "9.2",
        ),
        Misconception(
            "softmax over axis 0",
            lambda k: k.softmax(0).amax(-1),
            "Your softmax runs over axis 0, which are the tokens of one (n, d) only; ρ_k of (9.2) "
            "runs over the last axis but one.",
            "9.2",
        ),
        Misconception(
            "keys scaled",
            lambda k: ceilings(k / k.shape[-1] ** 0.5),
            "K is divided by √d before its softmax, as scores are in (6.2); ρ_k of (9.2) has no "
            "such factor.",
            "9.2",
        ),
        Misconception(
            "softmax of the largest keys",
            lambda k: k.amax(-1).softmax(-1),
            "You took the largest first and a softmax over the tokens after; in (9.6) each "
            "spotlight has its softmax, and the largest comes after.",
            "9.6",
        ),
        Misconception(
            "which light",
            lambda k: k.softmax(-2).argmax(-1),
            "You returned which spotlight is the brightest on each token; m_j of (9.6) is how "
            "bright it is.",
            "9.6",
        ),
        Misconception(
            "keys used as queries",
            lambda k: hidden()(k, k).amax(-2),
            "You took the largest weight that these keys, used as queries, give a token; m_j of "
            "(9.6) holds for every query, whatever it is.",
            "9.6",
        ),
        Misconception(
            "weakest light",
            lambda k: k.softmax(-2).amin(-1),
            "You took the weakest light on each token: no query can give less; m_j of (9.6) bounds "
            "from above.",
            "9.6",
        ),
    ),
    together=(
        Both(
            "softmax over features",
            "largest token of each spotlight",
            lambda k: k.softmax(-1).amax(-2),
        ),
        Both(
            "softmax over everything",
            "sum of the lights",
            lambda k: k.flatten(-2).softmax(-1).view(k.shape).sum(-1),
        ),
    ),
    hints=(
        "A query mixes d numbers for token j. Which mixture is the largest?",
        "The d numbers for token j are row j of ρ_k(K). Which axis is its softmax over?",
        "First a softmax over the tokens, then the largest over the features.",
    ),
    consequence=_told,
    where=at_entry,
)
