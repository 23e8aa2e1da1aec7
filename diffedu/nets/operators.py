r"""Attention as functions of q, k and v: the softmax one, its fused twin, and two relatives.

Leading axes (...) are batch and heads; all three of q, k, v share them.
"""

import torch
from einops import einsum
from jaxtyping import Bool, Float
from torch import Tensor

from diffedu import expect

Queries = Float[Tensor, "*lead n_q d"]
Keys = Float[Tensor, "*lead n_k d"]
Values = Float[Tensor, "*lead n_k d_v"]
Weights = Float[Tensor, "*lead n_q n_k"]
Output = Float[Tensor, "*lead n_q d_v"]
Mask = Bool[Tensor, "..."] | None  # broadcasts to (..., n_q, n_k); True = may look


def attention_weights(q: Queries, k: Keys, mask: Mask = None) -> Weights:
    r"""How much each query takes from each key (Vaswani et al. 2017, eq. 1; (6.2)).

    $A = \mathrm{softmax}(Q K^\top / \sqrt{d})$ over the keys, the last axis: each row is >= 0 and
    sums to 1. q is (..., n_q, d), k is (..., n_k, d). Where `mask` is False the weight is exactly
    0, and the others of its row sum to 1 (6.5). A row that may look nowhere has no weights: an
    error. q is divided by the root before the product: in float16 the raw score could overflow.
    """
    _check_queries_and_keys(q, k)
    scores = einsum(q / q.shape[-1] ** 0.5, k, "... i d, ... j d -> ... i j")
    if mask is not None:
        _check_mask(mask, q, k)
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1)


def attention(q: Queries, k: Keys, v: Values, mask: Mask = None) -> Output:
    r"""$\mathrm{softmax}(Q K^\top / \sqrt{d}) V$, written to be read (Vaswani et al. 2017, eq. 1).

    Row i is the mean of the rows of v (..., n_k, d_v) with the weights of query i (6.1). The
    n_q x n_k weights exist in memory; `fused_attention` gives the same without them.
    """
    weights = attention_weights(q, k, mask)
    _check_values(k, v)
    return einsum(weights, v, "... i j, ... j d -> ... i d")


def fused_attention(q: Queries, k: Keys, v: Values, mask: Mask = None) -> Output:
    """`attention` by torch's own kernel, for training: the same numbers, with less memory.

    For (B, heads, n, d) with d_v = d torch has a blocked kernel (Dao et al. 2022), which never
    holds the n_q x n_k weights: memory linear in n. A mask has that size itself, and for other
    shapes torch forms the weights.
    """
    _check_queries_and_keys(q, k)
    _check_values(k, v)
    if mask is not None:
        _check_mask(mask, q, k)
        mask = torch.atleast_2d(mask)  # torch's kernel takes no mask (n_k,)
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def online_attention(q: Queries, k: Keys, v: Values, block: int) -> Output:
    r"""`attention` with an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022; (8.4)).

    Keys and values come in blocks of `block`. Three things are kept of what was read: the largest
    score m, the sum $\ell = \sum_j e^{s_j - m}$, and $o = \sum_j e^{s_j - m} v_j$. A new maximum m'
    rescales the old sums by $e^{m - m'}$; at the end the answer is $o / \ell$, the same number as
    with all keys at once. Memory: n_q * block scores instead of n_q * n_k. This is the idea of the
    fused kernels, not their speed.
    """
    _check_queries_and_keys(q, k)
    _check_values(k, v)
    expect.integer("block", block, 1)
    q = q / q.shape[-1] ** 0.5
    m = q.new_full((*q.shape[:-1], 1), -torch.inf)
    ell = torch.zeros_like(m)
    o = q.new_zeros(*q.shape[:-1], v.shape[-1])
    for k_part, v_part in zip(k.split(block, dim=-2), v.split(block, dim=-2), strict=True):
        scores = q @ k_part.mT
        m_new = torch.maximum(m, scores.amax(dim=-1, keepdim=True))
        old, new = (m - m_new).exp(), (scores - m_new).exp()
        ell = ell * old + new.sum(dim=-1, keepdim=True)
        o = o * old + new @ v_part
        m = m_new
    return o / ell


def causal_mask(n: int) -> Bool[Tensor, "{n} {n}"]:
    """True where token i may look: at itself and at what came before it (7.4).

    (n, n), on the CPU: `.to(x.device)` for tokens elsewhere.
    """
    expect.integer("n", n, 1)
    return torch.ones(n, n, dtype=torch.bool).tril()


def linear_attention_weights(q: Queries, k: Keys) -> Weights:
    r"""The matrix that `linear_attention` never forms, for study (Shen et al. 2021; (9.2)).

    $A = \rho_q(Q)\,\rho_k(K)^\top$: softmax of q over its features and of k over the tokens. Rows
    are >= 0 and sum to 1 (9.3); the rank is at most d (9.4). It is another operator, not an
    approximation of `attention_weights`.
    """
    _check_queries_and_keys(q, k)
    return einsum(q.softmax(dim=-1), k.softmax(dim=-2), "... i d, ... j d -> ... i j")


def linear_attention(q: Queries, k: Keys, v: Values) -> Output:
    r"""$\rho_q(Q)\,(\rho_k(K)^\top V)$: cost linear in n (Shen et al. 2021; (9.1)).

    The d x d_v summary in brackets is made once and read by every query: O(n d d_v) instead of
    O(n^2 d). There is no mask: a summary made for all cannot hide a key from one query.
    """
    _check_queries_and_keys(q, k)
    _check_values(k, v)
    summary = einsum(k.softmax(dim=-2), v, "... j d, ... j e -> ... d e")
    return einsum(q.softmax(dim=-1), summary, "... i d, ... d e -> ... i e")


def additive_attention_weights(
    q: Float[Tensor, "*lead n_q d_q"],
    k: Float[Tensor, "*lead n_k d_k"],
    W_q: Float[Tensor, "d_a d_q"],
    W_k: Float[Tensor, "d_a d_k"],
    w: Float[Tensor, " d_a"],
) -> Weights:
    r"""Weights from a small network instead of a product (Bahdanau et al. 2015, A.1.2; (7.5)).

    The score is $s_{ij} = w^\top \tanh(W_q q_i + W_k k_j)$; the weights are its softmax over j.
    W_q is (d_a, d_q) and W_k is (d_a, d_k), as in `nn.Linear`; q and k may differ in width.
    """
    _check_additive(q, k, W_q, W_k, w)
    mixed = (q @ W_q.mT).unsqueeze(-2) + (k @ W_k.mT).unsqueeze(-3)  # (..., n_q, n_k, d_a)
    return (mixed.tanh() @ w).softmax(dim=-1)


def additive_attention(
    q: Float[Tensor, "*lead n_q d_q"],
    k: Float[Tensor, "*lead n_k d_k"],
    v: Values,
    W_q: Float[Tensor, "d_a d_q"],
    W_k: Float[Tensor, "d_a d_k"],
    w: Float[Tensor, " d_a"],
) -> Output:
    """The mean of the values with additive weights (Bahdanau et al. 2015, eq. 5 and 6)."""
    weights = additive_attention_weights(q, k, W_q, W_k, w)
    _check_values(k, v)
    return einsum(weights, v, "... i j, ... j d -> ... i d")


def _check_queries_and_keys(q: Tensor, k: Tensor) -> None:
    _check_tokens("q", q)
    _check_tokens("k", k)
    _check_beside(q, k, q.shape[-1])


def _check_additive(q: Tensor, k: Tensor, W_q: Tensor, W_k: Tensor, w: Tensor) -> None:
    _check_tokens("q", q)
    _check_tokens("k", k)
    _check_beside(q, k, k.shape[-1])
    expect.tensor("w", w)
    if w.ndim != 1:
        expect.fail("w", "shape (d_a,)", tuple(w.shape))
    for name, weight, x in (("W_q", W_q, q), ("W_k", W_k, k)):
        expect.tensor(name, weight)
        if weight.shape != (len(w), x.shape[-1]):
            expect.fail(name, f"shape ({len(w)}, {x.shape[-1]})", tuple(weight.shape))


def _check_tokens(name: str, x: Tensor) -> None:
    expect.tensor(name, x)
    if not x.is_floating_point():
        expect.fail(name, "a floating-point tensor", x.dtype)
    if x.ndim < 2 or 0 in x.shape:
        expect.fail(name, "shape (..., n, d), none of them 0", tuple(x.shape))


def _check_beside(q: Tensor, k: Tensor, width: int) -> None:
    """Keys of this width, for the same batch and heads as q."""
    if k.shape[:-2] != q.shape[:-2] or k.shape[-1] != width:
        lead = "".join(f"{size}, " for size in q.shape[:-2])
        expect.fail("k", f"shape ({lead}n_k, {width}) beside this q", tuple(k.shape))
    _check_kind("k", k, "q", q)


def _check_values(k: Tensor, v: Tensor) -> None:
    expect.tensor("v", v)
    if v.ndim != k.ndim or v.shape[:-1] != k.shape[:-1]:
        lead = "".join(f"{size}, " for size in k.shape[:-1])
        expect.fail("v", f"shape ({lead}d_v): one value for each key", tuple(v.shape))
    _check_kind("v", v, "k", k)


def _check_kind(name: str, x: Tensor, other: str, reference: Tensor) -> None:
    for what in ("dtype", "device"):
        wanted, got = getattr(reference, what), getattr(x, what)
        if wanted != got:
            expect.fail(name, f"{what} {wanted}, as {other}", got)


def _check_mask(mask: Tensor, q: Tensor, k: Tensor) -> None:
    """A Boolean mask that broadcasts to the scores and leaves every query something to look at."""
    expect.tensor("mask", mask)
    if mask.dtype != torch.bool:
        expect.fail("mask", "dtype torch.bool, True = may look", mask.dtype)
    if mask.device != q.device:
        expect.fail("mask", f"device {q.device}, as q", mask.device)
    shape = (*q.shape[:-1], k.shape[-2])
    sizes = list(zip(reversed(mask.shape), reversed(shape), strict=False))
    if mask.ndim > len(shape) or any(mine not in (1, yours) for mine, yours in sizes):
        expect.fail("mask", f"a shape that broadcasts to {tuple(shape)}", tuple(mask.shape))
    if mask.device.type == "meta":
        return
    blind = ~mask.any(dim=-1) if mask.ndim else ~mask
    if blind.any():
        row = tuple(blind.nonzero()[0].tolist())
        expect.fail(
            "mask", "at least one True in every row", f"a query that may look nowhere: {row}"
        )
