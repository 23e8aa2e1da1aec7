"""Exercise: attention weights with a mask."""

import torch
from einops import einsum

from diffedu.classroom.checks.attention.common import queries_and_keys, raw_scores, scaled
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry


def masked_weights(q, k, mask):
    """Hidden scores become minus infinity, and their exponentials 0 (6.5)."""
    scores = einsum(q, k, "b i d, b j d -> b i j") / q.shape[-1] ** 0.5
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)


def _cases(generator):
    return [
        {**case, "mask": _mask(*raw_scores(**case).shape, generator)}
        for case in queries_and_keys(generator)
    ]


def _mask(b, n_q, n_k, generator):
    """Random; at least one True and one False in every row and every column."""
    mask = torch.rand(b, n_q, n_k, generator=generator) < 0.6
    i, j = torch.arange(max(n_q, n_k)) % n_q, torch.arange(max(n_q, n_k)) % n_k
    mask[:, i, j] = True
    mask[:, i, (j + 1) % n_k] = False
    return mask


def _filled(q, k, mask, number):
    return scaled(q, k).masked_fill(~mask, number)


def _hidden_share(weights):
    """How much of the weights goes where nobody may look, and what is left for the rest."""
    case = _cases(torch.Generator().manual_seed(6))[1]
    found, mask = weights(**case), case["mask"]
    if found.isnan().any():
        return f"On an example {100 * found.isnan().double().mean():.0f} % of the weights are NaN."
    hidden, seen = found[~mask].sum() / found.sum(), (found * mask).sum(-1)
    off = (found - masked_weights(**case)).abs().mean()
    return (
        f"On an example, hidden keys get {100 * hidden:.0f} % of all weights (right: 0), what one "
        f"query may see gets from {seen.min():.2f} to {seen.max():.2f} (right: 1), and a weight is "
        f"off by {off:.2f} on average."
    )


EXERCISE = Exercise(
    name="masked_weights",
    label="6.5",
    statement=(
        "masked_weights(q, k, mask): the weights (B, n_q, n_k), scaled by √d, where mask "
        "(B, n_q, n_k) is True at the keys that a query may look at."
    ),
    reference=masked_weights,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches with random masks.",
    misconceptions=(
        Misconception(
            "mask ignored",
            lambda q, k, mask: scaled(q, k).softmax(-1),
            "The mask has no effect on your weights; in (6.5) hidden keys leave the numerator and "
            "the denominator.",
            "6.5",
        ),
        Misconception(
            "mask inverted",
            lambda q, k, mask: _filled(q, k, ~mask, -torch.inf).softmax(-1),
            "You hid what may be seen; in (6.5) m is 1, and mask is True, where a query may look.",
            "6.5",
        ),
        Misconception(
            "mask after the softmax",
            lambda q, k, mask: scaled(q, k).softmax(-1) * mask,
            "You removed the hidden weights after the softmax, and the rows no longer sum to 1; in "
            "(6.5) they leave the denominator, too.",
            "6.5",
        ),
        Misconception(
            "zero for minus infinity",
            lambda q, k, mask: (scaled(q, k) * mask).softmax(-1),
            "A hidden score of 0 still has the numerator e^0 = 1; in (6.5) the numerator of a "
            "hidden key is 0.",
            "6.5",
        ),
        Misconception(
            "minus one for minus infinity",
            lambda q, k, mask: _filled(q, k, mask, -1.0).softmax(-1),
            "A hidden score of -1 still has the numerator e^-1; in (6.5) the numerator of a hidden "
            "key is 0.",
            "6.5",
        ),
        Misconception(
            "zero times infinity",
            lambda q, k, mask: (scaled(q, k) + (~mask) * -torch.inf).softmax(-1),
            "All your weights are NaN, as happens where infinity is multiplied by 0: in (6.5) a "
            "visible score stays what it is.",
            "6.5",
        ),
        Misconception(
            "mask added to the scores",
            lambda q, k, mask: (scaled(q, k) + mask).softmax(-1),
            "You added 1 to the scores of visible keys, which favours them and hides nothing; in "
            "(6.5) a hidden numerator is 0.",
            "6.5",
        ),
        Misconception(
            "no scale",
            lambda q, k, mask: raw_scores(q, k).masked_fill(~mask, -torch.inf).softmax(-1),
            "The mask is right, and the scores are not divided by √d as in (6.2).",
            "6.2",
        ),
        Misconception(
            "softmax over the queries",
            lambda q, k, mask: _filled(q, k, mask, -torch.inf).softmax(-2),
            "Each of your columns sums to 1; by (6.4) each row does, the shares of one query.",
            "6.4",
        ),
    ),
    together=(
        Both(
            "no scale",
            "mask inverted",
            lambda q, k, mask: raw_scores(q, k).masked_fill(mask, -torch.inf).softmax(-1),
        ),
        Both(
            "no scale",
            "mask after the softmax",
            lambda q, k, mask: raw_scores(q, k).softmax(-1) * mask,
        ),
    ),
    hints=(
        "Two things must hold: hidden keys get exactly 0, and each row still sums to 1.",
        "The softmax divides by the sum of all exponentials. Hidden ones must be out of that sum.",
        "Which score has the exponential 0? Put it where mask is False, before the softmax.",
    ),
    consequence=_hidden_share,
    where=at_entry,
)
