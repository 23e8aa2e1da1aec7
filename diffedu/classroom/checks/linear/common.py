"""For the authors of this room: inputs of many sizes, wrong matrices, and what a matrix is like."""

import torch
from torch import Tensor
from torch.nn.functional import elu

from diffedu.classroom.checks.exercise import Misconception
from diffedu.classroom.checks.inputs import normal
from diffedu.nets.attention import attention_weights

FEATURES, TOKENS = -1, -2
# (leading axes), n_q, n_k, d, d_v. In the last one several sizes agree on purpose: a softmax over
# the wrong axis then meets no error.
SIZES = (((2, 3), 7, 6, 5, 4), ((), 9, 11, 4, 3), ((6,), 6, 6, 6, 6))


def queries_keys_values(generator: torch.Generator) -> list[dict[str, Tensor]]:
    """Three inputs with every leading axis that is promised: two, none, one."""
    return [
        {
            "q": normal((*lead, n_q, d), generator),
            "k": normal((*lead, n_k, d), generator),
            "v": normal((*lead, n_k, d_v), generator),
        }
        for lead, n_q, n_k, d, d_v in SIZES
    ]


def hidden(of_q: int = FEATURES, of_k: int = TOKENS, scale=lambda d: 1.0):
    """The matrix of (9.2) with softmaxes over other axes, times a factor."""

    def matrix(q, k):
        return scale(q.shape[-1]) * q.softmax(of_q) @ k.softmax(of_k).mT

    return matrix


def _by_force(matrix):
    """Each row divided by its sum."""

    def divided(q, k):
        A = matrix(q, k)
        return A / A.sum(-1, keepdim=True)

    return divided


def _scaled(matrix, of_q: float | int, of_k: float | int):
    """Queries and keys times these powers of the width, before anything else."""
    return lambda q, k: matrix(q * q.shape[-1] ** of_q, k * k.shape[-1] ** of_k)


def _elu(q, k):
    return (elu(q) + 1) @ (elu(k) + 1).mT


# What `hidden_matrix` may be mistaken for; `look_linearly` knows each of them, times the values.
MATRICES = (
    Misconception(
        "softmax attention",
        attention_weights,
        "This is softmax attention (6.2): its softmax acts after Q and K have met; in (9.2) "
        "each gets one of its own, before.",
        "9.2",
    ),
    Misconception(
        "one softmax after the product",
        lambda q, k: (q @ k.mT).softmax(-1),
        "One softmax acts on the product of Q and K; (9.2) has two, on Q and on K, before they "
        "meet.",
        "9.2",
    ),
    Misconception(
        "no softmax",
        lambda q, k: q @ k.mT,
        "ρ_q and ρ_k of (9.2) are missing: the weights can be negative and sum to anything.",
        "9.2",
    ),
    Misconception(
        "q without softmax",
        lambda q, k: q @ k.softmax(TOKENS).mT,
        "Only K has its softmax; without ρ_q of (9.2) a query does not mix the spotlights with "
        "weights that sum to one.",
        "9.2",
    ),
    Misconception(
        "k without softmax",
        lambda q, k: q.softmax(FEATURES) @ k.mT,
        "Only Q has its softmax; without ρ_k the spotlights of (9.2) are no distributions over "
        "tokens.",
        "9.2",
    ),
    Misconception(
        "axes exchanged",
        hidden(TOKENS, FEATURES),
        "Q is softmaxed over tokens and K over features; (9.2) has them the other way round, and "
        "(9.3) needs it.",
        "9.3",
    ),
    Misconception(
        "both over features",
        hidden(FEATURES, FEATURES),
        "Both softmaxes run over features; then the columns of ρ_k(K) do not sum to one over the "
        "tokens, and step 3 of (9.3) fails.",
        "9.3",
    ),
    Misconception(
        "both over tokens",
        hidden(TOKENS, TOKENS),
        "Both softmaxes run over tokens; then the rows of ρ_q(Q) do not sum to one, and step 4 of "
        "(9.3) fails.",
        "9.3",
    ),
    Misconception(
        "both over features, by force",
        _by_force(hidden(FEATURES, FEATURES)),
        "Both softmaxes run over features, and rows are divided by their sums: they sum to one by "
        "force, with other weights than (9.2).",
        "9.2",
    ),
    Misconception(
        "both over tokens, by force",
        _by_force(hidden(TOKENS, TOKENS)),
        "Both softmaxes run over tokens, and rows are divided by their sums: they sum to one by "
        "force, with other weights than (9.2).",
        "9.2",
    ),
    Misconception(
        "q scaled after the softmax",
        hidden(scale=lambda d: d**-0.5),
        "There is a factor 1/√d on the result: the rows of A must sum to one, (9.3), and now sum "
        "to that factor.",
        "9.3",
    ),
    Misconception(
        "q scaled before the softmax",
        _scaled(hidden(), -0.5, 0),
        "Q is divided by √d before its softmax, as scores are in (6.2); (9.2) has no dot product "
        "there, and no such factor.",
        "9.2",
    ),
    Misconception(
        "both scaled before the softmax",
        _scaled(hidden(), -0.5, -0.5),
        "Q and K are divided by √d before their softmaxes; no dot product stands inside a softmax "
        "of (9.2), and no such factor.",
        "9.2",
    ),
    Misconception(
        "the scale shared by both",
        _scaled(hidden(), -0.25, -0.25),
        "The factor 1/√d of (6.2) is dealt out to Q and K, before their softmaxes; (9.2) has no "
        "such factor.",
        "9.2",
    ),
    Misconception(
        "divided by n",
        lambda q, k: hidden()(q, k) / k.shape[-2],
        "There is a division by the number of keys; ρ_k sums to one over them already, so (9.3) "
        "leaves nothing to divide.",
        "9.3",
    ),
    Misconception(
        "keys by queries",
        lambda q, k: hidden()(q, k).mT,
        "Rows and columns are exchanged: in A of (9.2) a row belongs to a query.",
        "9.2",
    ),
    Misconception(
        "axes counted from the front",
        hidden(-1, 1),
        "K is softmaxed over axis 1, which are the tokens of (B, n, d) only; ρ_k of (9.2) runs "
        "over the last axis but one, whatever stands before it.",
        "9.2",
    ),
    Misconception(
        "k over axis 0",
        hidden(-1, 0),
        "K is softmaxed over axis 0, which are the tokens of one (n, d) only; ρ_k of (9.2) runs "
        "over the last axis but one, whatever stands before it.",
        "9.2",
    ),
    Misconception(
        "axes of one head",
        hidden(1, 0),
        "Axes 1 and 0 are features and tokens of one (n, d) only; the two of (9.2) are the last "
        "two, whatever stands before them.",
        "9.2",
    ),
    Misconception(
        "one softmax over all of k",
        lambda q, k: q.softmax(-1) @ k.flatten(-2).softmax(-1).view(k.shape).mT,
        "All of K has one sum in common, over tokens and features; in (9.2) each spotlight sums "
        "to one for itself.",
        "9.2",
    ),
    Misconception(
        "k divided by its total",
        lambda q, k: q.softmax(-1) @ (k.exp() / k.exp().sum()).mT,
        "The exponentials of K are divided by one total of everything; in (9.2) each feature of "
        "each head has a sum of its own, over tokens.",
        "9.2",
    ),
    Misconception(
        "a third softmax",
        lambda q, k: hidden()(q, k).softmax(-1),
        "There is one more softmax on A; by (9.3) its rows sum to one already, and the third one "
        "spoils (9.1).",
        "9.3",
    ),
    Misconception(
        "elu + 1",
        _by_force(_elu),
        "This is linear attention with φ = elu + 1 and divided rows; (9.1) holds for it, but "
        "(9.2) is another choice: two softmaxes.",
        "9.2",
    ),
    Misconception(
        "elu + 1, not divided",
        _elu,
        "You took φ = elu + 1, and the rows sum to anything; (9.2) is another choice: two "
        "softmaxes.",
        "9.2",
    ),
)


def look_told(look) -> str:
    """What comes back of ones, and how far off it is for random values."""
    q, k, v = example()
    ones = in_words(*(x.item() for x in look(q, k, torch.ones_like(v)).aminmax()))
    right = hidden()(q, k) @ v
    off, size = (x.square().mean().sqrt() for x in (look(q, k, v) - right, right))
    return (
        f"With 64 tokens and a head of width 8 a value of 1 at every token comes back as {ones}, "
        f"and random values are off by {off:.2g} on average, where right ones have size "
        f"{size:.2g}; by (9.3) ones come back as ones."
    )


def example() -> tuple[Tensor, Tensor, Tensor]:
    """64 queries, keys and values of width 8."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 64, 8, generator=generator, dtype=torch.float64).unbind()


def in_words(low: float, high: float) -> str:
    """A range of numbers, or the one number that it is."""
    return f"{low:.3g}" if high - low < 1e-6 else f"{low:.3g} to {high:.3g}"
