"""What goes wrong in the equations of notebook 09."""

import torch

from planting import Fault


def by_the_matrix(original):
    """The brackets where they were: the same numbers at another price."""

    def linear_attention(q, k, v):
        return q.softmax(-1) @ k.softmax(-2).mT @ v

    return linear_attention


def summary_of_all_but_the_last(original):
    """The last token is left out of the summary."""
    return lambda q, k, v: original(q, k[..., :-1, :], v[..., :-1, :])


def weights_with(of_q, of_k, scale=1.0):
    def replacement(original):
        return lambda q, k: scale * q.softmax(of_q) @ k.softmax(of_k).mT

    return replacement


def one_more_softmax(original):
    """Rows still sum to one, and the rank is gone."""
    return lambda q, k: original(q, k).softmax(-1)


def softmax_attention(original):
    return lambda q, k: (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)


def softmax_without_scale(original):
    return lambda q, k: (q @ k.mT).softmax(-1)


def additions_too(original):
    return lambda n, d, d_v: tuple(2 * x for x in original(n, d, d_v))


def largest_token(original):
    """The largest over the tokens of each spotlight, given to every token."""
    return lambda k: k.softmax(-2).amax(-2).mean(-1, keepdim=True).expand(k.shape[:-1])


def over_features(original):
    return lambda k: k.softmax(-1).amax(-1)


def not_halved(original):
    return lambda a, b: 2 * original(a, b)


def largest_difference(original):
    return lambda a, b: (a - b).abs().amax(-1)


def larger_than_one(original):
    """Weights that add up to more than there is."""
    return lambda q, k: original(q, k) * torch.tensor(1.1, dtype=q.dtype)


OPERATORS = "diffedu.nets.operators"
CHECKS = "diffedu.classroom.checks.linear"
HERE = ("tests/test_identities_linear.py",)

FAULTS = (
    Fault(
        "linear attention: the last token is not in the summary",
        f"{OPERATORS}.linear_attention",
        summary_of_all_but_the_last,
        HERE,
        ("9.1",),
    ),
    Fault(
        "linear attention: the brackets are not moved",
        f"{OPERATORS}.linear_attention",
        by_the_matrix,
        HERE,
        ("9.5",),
    ),
    Fault(
        "linear weights: softmaxes over exchanged axes",
        f"{OPERATORS}.linear_attention_weights",
        weights_with(-2, -1),
        HERE,
        ("9.2", "9.3"),
    ),
    Fault(
        "linear weights: both softmaxes over features",
        f"{OPERATORS}.linear_attention_weights",
        weights_with(-1, -1),
        HERE,
        ("9.2", "9.3", "9.6"),
    ),
    Fault(
        "linear weights: q scaled after its softmax",
        f"{OPERATORS}.linear_attention_weights",
        weights_with(-1, -2, 5**-0.5),
        HERE,
        ("9.3",),
    ),
    Fault(
        "linear weights: one more softmax over the rows",
        f"{OPERATORS}.linear_attention_weights",
        one_more_softmax,
        HERE,
        ("9.4",),
    ),
    Fault(
        "linear weights: softmax attention instead",
        f"{OPERATORS}.linear_attention_weights",
        softmax_attention,
        HERE,
        ("9.4", "9.6", "9.7"),
    ),
    Fault(
        "linear weights: softmax attention without its scale",
        f"{OPERATORS}.linear_attention_weights",
        softmax_without_scale,
        HERE,
        ("9.7",),
    ),
    Fault(
        "linear weights: a tenth too large",
        f"{OPERATORS}.linear_attention_weights",
        larger_than_one,
        HERE,
        ("9.6", "9.7"),
    ),
    Fault(
        "multiplications: additions counted too",
        f"{CHECKS}.multiplications.multiplications",
        additions_too,
        HERE,
        ("9.5",),
    ),
    Fault(
        "ceilings: over the tokens",
        f"{CHECKS}.ceilings.ceilings",
        largest_token,
        HERE,
        ("9.6",),
    ),
    Fault(
        "ceilings: softmax over features",
        f"{CHECKS}.ceilings.ceilings",
        over_features,
        HERE,
        ("9.6",),
    ),
    Fault(
        "row distance: not halved",
        f"{CHECKS}.row_distance.row_distance",
        not_halved,
        HERE,
        ("9.8",),
    ),
    Fault(
        "row distance: the largest difference",
        f"{CHECKS}.row_distance.row_distance",
        largest_difference,
        HERE,
        ("9.8",),
    ),
)
