"""Exercise: from nats to bits per dimension."""

import math

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Case, Exercise, Misconception
from diffedu.classroom.checks.inputs import normal
from diffedu.diffusion.losses import bits_per_dim

LN_2 = math.log(2)


def _cases(generator: torch.Generator) -> list[Case]:
    return [
        {"nats": 30 * normal((count,), generator) + 100, "dims": dims}
        for count, dims in ((5, 64), (4, 3072), (3, 2))
    ]


def _consequence(wrong) -> str:
    nats = torch.full((2,), 64 * math.log(17), dtype=torch.float64)
    found = torch.as_tensor(wrong(nats, 64)).flatten()[0].item()
    return (
        f"64 pixels of 17 equally likely levels cost {nats[0]:.1f} nats. A file needs log2 17 = "
        f"{math.log2(17):.2f} bits for each; this function says {found:.4g}."
    )


EXERCISE = Exercise(
    name="bits",
    label="3.11",
    statement="bits(nats, dims): the costs nats (B,) of samples of dims numbers, in bits/dim.",
    reference=bits_per_dim,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches, with 64, 3072 and 2 dimensions.",
    misconceptions=(
        Misconception(
            "nats per dimension",
            lambda nats, dims: nats / dims,
            "You divided by the dimensions alone: these are still nats, and (3.11) asks for bits.",
            "3.11",
        ),
        Misconception(
            "times ln 2",
            lambda nats, dims: nats * LN_2 / dims,
            "You multiplied by ln 2. A bit is less than a nat, so (3.11) counts more of them.",
            "3.11",
        ),
        Misconception(
            "dimensions forgotten",
            lambda nats, dims: nats / LN_2,
            "These are the bits of the whole sample; (3.11) shares them among its D numbers.",
            "3.11",
        ),
        Misconception(
            "logarithm to base 10",
            lambda nats, dims: nats / (dims * math.log(10)),
            "You went to base 10. Bits count in powers of two, see (3.11).",
            "3.11",
        ),
        Misconception(
            "sign turned round",
            lambda nats, dims: -nats / (dims * LN_2),
            "You changed the sign. The nats are a cost, -log p, already; (3.11) keeps their sign.",
            "3.11",
        ),
        Misconception(
            "average over the batch",
            lambda nats, dims: (nats / (dims * LN_2)).mean(),
            "You averaged over the batch; (3.11) is about one sample, and the result has (B,).",
            "3.11",
        ),
        Misconception(
            "logarithm of the nats",
            lambda nats, dims: nats.log2() / dims,
            "You took a logarithm. Nats are logarithms already; (3.11) only changes their base.",
            "3.11",
        ),
        Misconception(
            "batch size for D",
            lambda nats, dims: nats / (len(nats) * LN_2),
            "You divided by the number of samples; D of (3.11) counts the numbers in one sample.",
            "3.11",
        ),
    ),
    together=(
        Both("times ln 2", "dimensions forgotten", lambda nats, dims: nats * LN_2),
        Both("nats per dimension", "dimensions forgotten", lambda nats, dims: nats),
        Both(
            "average over the batch",
            "nats per dimension",
            lambda nats, dims: nats.mean() / dims,
        ),
    ),
    hints=(
        "Two changes: to another unit of information, and from a picture to one of its numbers.",
        "A nat is the larger unit: e against 2. Should the number of bits be larger or smaller?",
        "log2 of a number is its natural logarithm divided by the natural logarithm of 2.",
    ),
    consequence=_consequence,
)
