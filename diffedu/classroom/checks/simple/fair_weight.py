"""Exercise: the weight that makes up for an uneven draw of t."""

import torch

from diffedu.classroom.checks import bench
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.inputs import steps
from diffedu.classroom.checks.simple import common
from diffedu.diffusion.schedules import linear
from diffedu.diffusion.timesteps import importance_weight


def _cases(generator):
    """Uneven probabilities for 40, 1000 and 8 steps, 0 at index 0; batches of 5, 7 and 3.

    The first batch ends at t = 33: the largest t of a batch is not T.
    """
    cases = []
    for T, batch, last in ((40, 5, 33), (1000, 7, 1000), (8, 3, 8)):
        share = torch.rand(T + 1, generator=generator, dtype=torch.float64) + 0.1
        share[0] = 0
        cases.append({"probability": share / share.sum(), "t": steps(batch, last)})
    return cases


def _normalised(probability, t):
    weight = importance_weight(probability, t)
    return weight / weight.mean()


def _largest_1(probability, t):
    weight = importance_weight(probability, t)
    return weight / weight.max()


def _sum_1(probability, t):
    weight = importance_weight(probability, t)
    return weight / weight.sum()


def _consequence(wrong):
    """What is averaged if the loss is the floor of (4.8) for N(.5, .3^2), and t follows it."""
    s = linear(1000)
    signal = s.alpha_bar * bench.SIGMA**2
    loss = signal / (signal + 1 - s.alpha_bar)
    loss[0] = 0
    probability, batches = loss / loss.sum(), torch.arange(1, s.T + 1).reshape(10, -1).T
    mine = sum((probability[t] * wrong(probability, t) * loss[t]).sum().item() for t in batches)
    return (
        "Take the best network for N(.5, .3²), and draw t in proportion to its loss, ten at a "
        f"time: with these weights the loss averages {common.finite(mine):.4g}; the plain mean "
        f"over t, which (4.13) keeps, is {loss[1:].mean().item():.4g}."
    )


EXERCISE = Exercise(
    name="fair_weight",
    label="4.13",
    statement=(
        "fair_weight(probability, t): the factor of each loss if t (B,) was drawn from "
        "probability, which has T+1 entries and 0 at index 0."
    ),
    reference=importance_weight,
    cases=_cases,
    tolerance=FLOAT32,
    tested="uneven probabilities for 8, 40 and 1000 steps, t from 1 to T.",
    misconceptions=(
        Misconception(
            "upside down",
            lambda probability, t: (len(probability) - 1) * probability[t],
            "What is drawn often counts even more with you; (4.13) divides by the probability.",
            "4.13",
        ),
        Misconception(
            "T forgotten",
            lambda probability, t: 1 / probability[t],
            "You made up for the draw, and the sum over all t is left; (4.13) is their mean.",
            "4.13",
        ),
        Misconception(
            "T counted with index 0",
            lambda probability, t: 1 / (len(probability) * probability[t]),
            "You counted the entry at index 0 as a step; the T of (4.13) is the number of steps, "
            "1..T.",
            "4.13",
        ),
        Misconception(
            "largest t for T",
            lambda probability, t: 1 / (t.max() * probability[t]),
            "You took the largest t of this batch for T; (4.13) counts all the steps there are.",
            "4.13",
        ),
        Misconception(
            "T above the line",
            lambda probability, t: (len(probability) - 1) / probability[t],
            "T stands above the line with you; in (4.13) the mean over t is divided by it.",
            "4.13",
        ),
        Misconception(
            "brackets missing",
            lambda probability, t: probability[t] / (len(probability) - 1),
            "Only T divides in your fraction, and the probability multiplies; in (4.13) both stand "
            "below the line.",
            "4.13",
        ),
        Misconception(
            "batch size for T",
            lambda probability, t: 1 / (len(t) * probability[t]),
            "You divided by the size of the batch; (4.13) has T, the number of steps there are. "
            "The mean over the batch comes later.",
            "4.13",
        ),
        Misconception(
            "mean made 1 in the batch",
            _normalised,
            "You scaled the weights to the mean 1 in this batch; those of (4.13) have it on "
            "average over all draws, and depend on no other t.",
            "4.13",
        ),
        Misconception(
            "largest made 1",
            _largest_1,
            "You divided by the largest weight of the batch; in (4.13) a weight depends on its own "
            "t alone.",
            "4.13",
        ),
        Misconception(
            "sum made 1 in the batch",
            _sum_1,
            "You scaled the weights to the sum 1 in this batch; in (4.13) a weight depends on its "
            "own t alone.",
            "4.13",
        ),
        Misconception(
            "root of the weight",
            lambda probability, t: importance_weight(probability, t).sqrt(),
            "The root makes up for half of the uneven draw only; (4.13) holds for the full weight.",
            "4.13",
        ),
        Misconception(
            "index off by one",
            lambda probability, t: 1 / ((len(probability) - 1) * probability[t - 1]),
            "You looked up the probability of the step before; entry 0 belongs to t = 0, so p_t of "
            "(4.13) stands at index t.",
            "4.13",
        ),
        Misconception(
            "probability for weight",
            lambda probability, t: probability[t],
            "You returned the probability itself; (4.13) has it in the draw already and divides by "
            "it.",
            "4.13",
        ),
    ),
    together=(
        Both(
            "T forgotten",
            "root of the weight",
            lambda probability, t: 1 / probability[t].sqrt(),
        ),
        Both(
            "T counted with index 0",
            "upside down",
            lambda probability, t: len(probability) * probability[t],
        ),
    ),
    hints=(
        "If all t are equally likely, what should the weight be? Try your function on that.",
        "A t that is drawn twice as often must count half as much each time.",
        "In (4.13) p_t must cancel, and 1/T must remain. How many steps are there in T+1 entries?",
    ),
    consequence=_consequence,
)
