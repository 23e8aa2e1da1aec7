"""Exercise: attention weights with a mask."""

import torch
from einops import einsum

from diffedu.classroom.checks.attention.common import (
    DIVIDED_BY_D,
    TIMES_THE_ROOT,
    queries_and_keys,
    raw_scores,
    scaled,
)
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry


def masked_weights(q, k, mask):
    """Hidden scores become minus infinity, and their exponentials 0 (6.5)."""
    scores = einsum(q, k, "b i d, b j d -> b i j") / q.shape[-1] ** 0.5
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)


def _cases(generator):
    cases = [
        {**case, "mask": _mask(*raw_scores(**case).shape, generator)}
        for case in queries_and_keys(generator)
    ]
    return [*cases, _loud(cases[1])]


def _loud(case):
    """Scores from -260 to 210, and each query sees its two lowest: -100 is above some of these."""
    q, k = 6 * case["q"], 6 * case["k"]
    scores = raw_scores(q, k)
    return {"q": q, "k": k, "mask": scores <= scores.kthvalue(2, keepdim=True).values}


def _mask(b, n_q, n_k, generator):
    """Random; at least one True and one False in every row and every column."""
    mask = torch.rand(b, n_q, n_k, generator=generator) < 0.6
    i, j = torch.arange(max(n_q, n_k)) % n_q, torch.arange(max(n_q, n_k)) % n_k
    mask[:, i, j] = True
    mask[:, i, (j + 1) % n_k] = False
    return mask


def _filled(q, k, mask, number):
    return scaled(q, k).masked_fill(~mask, number)


def _by_finite(number):
    return Misconception(
        f"{number} for minus infinity",
        lambda q, k, mask: _filled(q, k, mask, number).softmax(-1),
        f"A hidden score of {number} still has the numerator e^{number}, and may be above the "
        "visible ones; in (6.5) the numerator of a hidden key is 0.",
        "6.5",
    )


def _divided(axis=-1, more=0.0):
    """The finished weights without the hidden ones, divided by their sum and a little more."""

    def weights(q, k, mask):
        seen = scaled(q, k).softmax(-1) * mask
        return seen / (seen.sum(axis, keepdim=True) + more)

    return weights


def _exponentials_over_a_little_more(q, k, mask):
    seen = scaled(q, k).exp() * mask
    return seen / (seen.sum(-1, keepdim=True) + 1e-8)


A_LITTLE_MORE = (
    "A small number is added to your denominator, and counts where the visible exponentials are "
    "smaller still; the denominator of (6.5) is their sum alone."
)


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
    tested="three batches with random masks, and one whose hidden keys are the loudest.",
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
        *map(_by_finite, (-1, -10, -20, -30, -100)),
        Misconception(
            "a small number under the logarithm",
            lambda q, k, mask: (scaled(q, k) + (mask + 1e-9).log()).softmax(-1),
            "A hidden score is lowered by about 20, and a loud one stays ahead; in (6.5) the "
            "numerator of a hidden key is 0.",
            "6.5",
        ),
        Misconception(
            "a small number in the denominator",
            _exponentials_over_a_little_more,
            A_LITTLE_MORE,
            "6.5",
        ),
        Misconception(
            "a small number under the finished weights",
            _divided(more=1e-8),
            A_LITTLE_MORE,
            "6.5",
        ),
        Misconception(
            "0 times infinity, or plus infinity",
            lambda q, k, mask: (scaled(q, k) + (~mask) * -torch.inf).softmax(-1),
            "All your weights are NaN: was 0 times infinity added to visible scores, or are hidden "
            "ones +infinity? In (6.5) visible scores stay, and hidden numerators are 0.",
            "6.5",
        ),
        Misconception(
            "scores times minus infinity",
            lambda q, k, mask: (scaled(q, k) * torch.where(mask, 1, -torch.inf)).softmax(-1),
            "Hidden scores are multiplied by -infinity, which makes +infinity of the negative "
            "ones; in (6.5) the numerator of a hidden key is 0 whatever its score.",
            "6.5",
        ),
        Misconception(
            "minus infinity after the softmax",
            lambda q, k, mask: scaled(q, k).softmax(-1).masked_fill(~mask, -torch.inf),
            "Hidden weights are -infinity in your result; in (6.5) they are 0, and it is a score "
            "of -infinity that has the exponential 0.",
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
            "divided by d",
            lambda q, k, mask: _filled(q, k / q.shape[-1] ** 0.5, mask, -torch.inf).softmax(-1),
            DIVIDED_BY_D,
            "6.3",
        ),
        Misconception(
            "times the root",
            lambda q, k, mask: _filled(q, k * q.shape[-1], mask, -torch.inf).softmax(-1),
            TIMES_THE_ROOT,
            "6.2",
        ),
        Misconception(
            "divided by the column",
            _divided(axis=-2),
            "The hidden weights are gone, and you divided by the sum of a column; in (6.5) the sum "
            "runs over the keys of one query, a row.",
            "6.5",
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
