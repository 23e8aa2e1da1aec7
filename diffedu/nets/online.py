"""Attention that reads the keys block by block and never holds a whole row of scores."""

import torch

from diffedu import expect
from diffedu.nets.operators import (
    Keys,
    Output,
    Queries,
    Values,
    _check_queries_and_keys,
    _check_values,
)


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
