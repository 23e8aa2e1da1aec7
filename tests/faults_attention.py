"""What goes wrong in nets/operators.py; the other attention rooms' faults are gathered here too."""

import math

import torch
from torch.nn.functional import scaled_dot_product_attention as sdpa

import faults_heads
import faults_positions
import faults_recording
import faults_spatial
from planting import Fault

SOFTMAX, RELATIVES = ("tests/test_operators.py",), ("tests/test_operators_relatives.py",)


def scaled(q, k):
    return q / q.shape[-1] ** 0.5 @ k.mT


def hidden(scores, mask):
    return scores if mask is None else scores.masked_fill(~mask, -torch.inf)


def rows(scores):
    return scores.softmax(dim=-1)


def weighing(score=scaled, hide=hidden, share=rows):
    """attention_weights with one step wrong, and with its checks."""

    def replacement(original):
        def attention_weights(q, k, mask=None):
            original(q, k, mask)
            return share(hide(score(q, k), mask))

        return attention_weights

    return replacement


def unchecked(original):
    return lambda q, k, mask=None: rows(hidden(scaled(q, k), mask))


def after_the_softmax(original):
    def attention_weights(q, k, mask=None):
        original(q, k, mask)
        return rows(scaled(q, k)) * (1 if mask is None else mask)

    return attention_weights


def heads_of(q):
    return q.shape[-3] if q.ndim > 2 else 1


def fused(change):
    """fused_attention that calls torch's own in another way."""

    def replacement(original):
        def fused_attention(q, k, v, mask=None):
            original(q, k, v, mask)
            if mask is not None and mask.ndim < 2:
                mask = mask.expand(q.shape[-2], k.shape[-2])
            return change(q, k, v, mask)

        return fused_attention

    return replacement


def bringing(change):
    """attention from (original, q, k, v, mask)."""

    def replacement(original):
        return lambda q, k, v, mask=None: change(original, q, k, v, mask)

    return replacement


def masking(change):
    return lambda original: lambda n: change(torch.ones(n, n, dtype=torch.bool))


def linear(share_q, share_k, summarise=lambda v: v):
    """linear_attention with other normalisations."""

    def replacement(original):
        return lambda q, k, v: share_q(q) @ (share_k(k).mT @ summarise(v))

    return replacement


def linear_matrix(share_q, share_k):
    return lambda original: lambda q, k: share_q(q) @ share_k(k).mT


def features(x):
    return x.softmax(dim=-1)


def tokens(x):
    return x.softmax(dim=-2)


def additive(score, share=rows):
    """additive_attention_weights from the two projections and w."""

    def replacement(original):
        def additive_attention_weights(q, k, W_q, W_k, w):
            a, b = (q @ W_q.mT).unsqueeze(-2), (k @ W_k.mT).unsqueeze(-3)
            return share(score(a, b, w))

        return additive_attention_weights

    return replacement


def answering(change):
    """additive_attention from (its weights, v)."""

    def replacement(original):
        from diffedu.nets.operators import additive_attention_weights as weigh

        return lambda q, k, v, W_q, W_k, w: change(weigh(q, k, W_q, W_k, w), v)

    return replacement


def fault(tests, name, replacement):
    return Fault(name, f"diffedu.nets.operators.{name.split(':')[0]}", replacement, tests)


WEIGHTS = {
    "softmax over the queries": weighing(share=lambda s: s.softmax(dim=-2)),
    "softmax over queries and keys together": weighing(
        share=lambda s: s.flatten(-2).softmax(-1).view_as(s)
    ),
    "no scale": weighing(lambda q, k: q @ k.mT),
    "divided by d": weighing(lambda q, k: q @ k.mT / q.shape[-1]),
    "times the root of d": weighing(lambda q, k: q @ k.mT * q.shape[-1] ** 0.5),
    "root of d_model": weighing(lambda q, k: q @ k.mT / (heads_of(q) * q.shape[-1]) ** 0.5),
    "root of the number of keys": weighing(lambda q, k: q @ k.mT / k.shape[-2] ** 0.5),
    "scaled after the product": weighing(lambda q, k: q @ k.mT / q.shape[-1] ** 0.5),
    "mask inverted": weighing(hide=lambda s, m: s if m is None else s.masked_fill(m, -torch.inf)),
    "mask after the softmax": after_the_softmax,
    "scores times the mask": weighing(hide=lambda s, m: s if m is None else s * m),
    "mask of -1e9": weighing(hide=lambda s, m: s if m is None else s.masked_fill(~m, -1e9)),
    "mask of -10": weighing(hide=lambda s, m: s if m is None else s.masked_fill(~m, -10.0)),
    "mask forgotten": weighing(hide=lambda s, m: s),
    "a row without keys passes": unchecked,
    "exponentials of the raw scores": weighing(
        share=lambda s: s.exp() / s.exp().sum(-1, keepdim=True)
    ),
}
ATTENTION = {
    "keys for values": bringing(lambda f, q, k, v, m: f(q, k, k, m)),
    "softmax on the output": bringing(lambda f, q, k, v, m: f(q, k, v, m).softmax(dim=-1)),
    "mask forgotten": bringing(lambda f, q, k, v, m: f(q, k, v)),
    "a sum for the mean": bringing(lambda f, q, k, v, m: f(q, k, v, m) * k.shape[-2]),
}
FUSED = {
    "mask forgotten": fused(lambda q, k, v, m: sdpa(q, k, v)),
    "mask with the opposite meaning": fused(
        lambda q, k, v, m: sdpa(q, k, v, attn_mask=None if m is None else ~m)
    ),
    "mask added as a number": fused(
        lambda q, k, v, m: sdpa(q, k, v, attn_mask=None if m is None else m.to(q))
    ),
    "always causal": fused(lambda q, k, v, m: sdpa(q, k, v, is_causal=True)),
    "no scale": fused(lambda q, k, v, m: sdpa(q, k, v, attn_mask=m, scale=1.0)),
    "a row without keys passes": lambda original: lambda q, k, v, m=None: sdpa(q, k, v, m),
}
CAUSAL = {
    "not itself": masking(lambda all_: all_.tril(-1)),
    "one ahead": masking(lambda all_: all_.tril(1)),
    "the future": masking(lambda all_: all_.triu()),
    "everything": masking(lambda all_: all_),
}
LINEAR = {
    "the two softmaxes change axes": (tokens, features),
    "both over the features": (features, features),
    "both over the tokens": (tokens, tokens),
    "scaled after the softmax": (lambda q: features(q) / q.shape[-1] ** 0.5, tokens),
    "keys without softmax": (features, lambda k: k),
}
ADDITIVE = {
    "no tanh": additive(lambda a, b, w: (a + b) @ w),
    "tanh of each alone": additive(lambda a, b, w: (a.tanh() + b.tanh()) @ w),
    "product for the sum": additive(lambda a, b, w: (a * b).tanh() @ w),
    "w forgotten": additive(lambda a, b, w: (a + b).tanh().sum(-1)),
    "divided by the root of d_a": additive(lambda a, b, w: (a + b).tanh() @ w / math.sqrt(len(w))),
    "softmax over the queries": additive(
        lambda a, b, w: (a + b).tanh() @ w, lambda s: s.softmax(dim=-2)
    ),
}
ADDITIVE_ANSWERS = {
    "a sum for the mean": answering(lambda weights, v: weights @ v * v.shape[-2]),
    "the best value alone": answering(
        lambda weights, v: (weights == weights.amax(-1, keepdim=True)).to(v) @ v
    ),
    "softmax on the output": answering(lambda weights, v: (weights @ v).softmax(-1)),
}
OPERATORS = (
    (SOFTMAX, "attention_weights", WEIGHTS),
    (SOFTMAX, "attention", ATTENTION),
    (SOFTMAX, "fused_attention", FUSED),
    (SOFTMAX, "causal_mask", CAUSAL),
    (RELATIVES, "linear_attention_weights", {n: linear_matrix(*f) for n, f in LINEAR.items()}),
    (RELATIVES, "linear_attention", {name: linear(*f) for name, f in LINEAR.items()}),
    (RELATIVES, "additive_attention_weights", ADDITIVE),
    (RELATIVES, "additive_attention", ADDITIVE_ANSWERS),
)

FAULTS = (
    *(
        fault(tests, f"{function}: {name}", replacement)
        for tests, function, table in OPERATORS
        for name, replacement in table.items()
    ),
    fault(
        RELATIVES,
        "linear_attention: values divided by their number",
        linear(features, tokens, lambda v: v / v.shape[-2]),
    ),
    fault(
        RELATIVES,
        "linear_attention_weights: softmax attention for it",
        lambda original: lambda q, k: rows(scaled(q, k)),
    ),
    *faults_positions.FAULTS,
    *faults_heads.FAULTS,
    *faults_spatial.FAULTS,
    *faults_recording.FAULTS,
)
