"""Exercise: the weight of one token whose score leads those of n others."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry


def share_of_one(delta, n):
    """(10.3): the weight of one token among n + 1 whose score leads the others' by delta."""
    return 1 / (1 + n * torch.exp(-delta))


def _cases(generator):
    leads = torch.tensor([-3.0, 0.0, 1.0, 2.5, 6.0, 9.0], dtype=torch.float64)
    noise = torch.rand(6, generator=generator, dtype=torch.float64)
    return [{"delta": leads + noise - 0.5, "n": n} for n in (1, 16, 4096)]


def _consequence(wrong):
    """What comes out for one small map and one lead."""
    lead = torch.tensor([2.0], dtype=torch.float64)
    return (
        f"Among 16 others, at the lead 2, it gives the weight {wrong(lead, 16).item():.3g}; done "
        f"right, {share_of_one(lead, 16).item():.3g}."
    )


EXERCISE = Exercise(
    name="share_of_one",
    label="10.3",
    statement=(
        "share_of_one(delta, n): the weight of one token whose score leads those of n others by "
        "delta, a tensor (K,) of leads; n is a number."
    ),
    reference=share_of_one,
    cases=_cases,
    tolerance=FLOAT32,
    tested="leads from -3.5 to 9.5 over 1, 16 and 4096 others.",
    misconceptions=(
        Misconception(
            "the others alone",
            lambda delta, n: torch.exp(delta) / n,
            "You divided by the sum over the n others; in (10.3) the one token stands in the "
            "denominator, too, or its weight could exceed 1.",
            "10.3",
        ),
        Misconception(
            "n in all",
            lambda delta, n: 1 / (1 + (n - 1) * torch.exp(-delta)),
            "You counted n tokens in all; in (10.3) there are n others beside the one.",
            "10.3",
        ),
        Misconception(
            "lead with the wrong sign",
            lambda delta, n: 1 / (1 + n * torch.exp(delta)),
            "With yours a lead makes the weight smaller; (10.3) has the exponential of -delta "
            "beside n.",
            "10.3",
        ),
        Misconception(
            "share of the others",
            lambda delta, n: n / (n + torch.exp(delta)),
            "This is the weight that the n others have together; (10.3) asks for the rest, which "
            "the one token gets.",
            "10.3",
        ),
        Misconception(
            "lead not seen",
            lambda delta, n: torch.full_like(delta, 1 / (n + 1)),
            "This is the weight at equal scores, whatever the lead; in (10.3) that is delta = 0.",
            "10.3",
        ),
        Misconception(
            "scores without exponential",
            lambda delta, n: (1 + delta) / (n + 1 + delta),
            "You shared out in proportion to 1 + delta; a softmax takes exponentials of scores, "
            "so that (10.3) has e to the -delta.",
            "10.3",
        ),
        Misconception(
            "others forgotten",
            lambda delta, n: 1 / (1 + torch.exp(-delta)),
            "This is the weight beside a single other token; in (10.3) there are n of them.",
            "10.3",
        ),
        Misconception(
            "two to the lead",
            lambda delta, n: 1 / (1 + n * 2**-delta),
            "You took powers of 2; the softmax behind (10.3) takes powers of e.",
            "10.3",
        ),
        Misconception(
            "n beside the one",
            lambda delta, n: 1 / (n + torch.exp(-delta)),
            "Your n multiplies the exponential of the one token, as if there were n of it; in "
            "(10.3) it counts the others.",
            "10.3",
        ),
        Misconception(
            "n divides the others",
            lambda delta, n: 1 / (1 + torch.exp(-delta) / n),
            "With yours more others make the weight larger; in (10.3) n multiplies the "
            "exponential of -delta.",
            "10.3",
        ),
        Misconception(
            "a pair, then divided",
            lambda delta, n: torch.sigmoid(delta) / n,
            "That is the weight beside one other, divided by n; in (10.3) all n others stand in "
            "one denominator with the token.",
            "10.3",
        ),
        Misconception(
            "n + 1 others",
            lambda delta, n: 1 / (1 + (n + 1) * torch.exp(-delta)),
            "You counted n + 1 others; in (10.3) there are n of them, n + 1 tokens in all.",
            "10.3",
        ),
        Misconception(
            "exponential over the count",
            lambda delta, n: torch.exp(delta) / (n + 1),
            "You divided by the number of tokens; the softmax behind (10.3) divides by the sum "
            "of all exponentials, to which the lead adds, too.",
            "10.3",
        ),
        Misconception(
            "softmax over the leads",
            lambda delta, n: delta.softmax(0),
            "You took a softmax over the leads; they are separate questions, and each has n "
            "others of its own in (10.3).",
            "10.3",
        ),
        Misconception(
            "1/1 plus",
            lambda delta, n: 1 / 1 + n * torch.exp(-delta),
            "Yours is 1/1, plus the rest, and exceeds 1; in (10.3) the whole sum 1 + n e^-delta "
            "stands below.",
            "10.3",
        ),
    ),
    together=(
        Both(
            "n in all",
            "lead with the wrong sign",
            lambda delta, n: 1 / (1 + (n - 1) * torch.exp(delta)),
        ),
    ),
    hints=(
        "Write the softmax of n + 1 scores: one is delta, the others are 0.",
        "Numerator: e to the delta. Denominator: the same, and n times e to the 0.",
        "Divide both by the numerator. At delta = 0 it must be 1/(n+1), at ln n exactly 1/2.",
    ),
    consequence=_consequence,
    where=at_entry,
)
