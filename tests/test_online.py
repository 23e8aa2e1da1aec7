"""Attention with an online softmax against the whole softmax, an exact sum, and its memory."""

from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from diffedu.nets.attention import online_attention

SDPA = torch.nn.functional.scaled_dot_product_attention


def draw(*shape, seed=0, size=1.5):
    g = torch.Generator().manual_seed(seed)
    return size * torch.randn(shape, generator=g, dtype=torch.float64)


def qkv(*lead, n_q=5, n_k=7, d=3, d_v=4):
    return (draw(*lead, n, e, seed=k) for k, (n, e) in enumerate(((n_q, d), (n_k, d), (n_k, d_v))))


@pytest.mark.parametrize("block", [1, 2, 3, 6, 7, 100])
def test_any_block_size_gives_what_torch_gives(block):
    for lead in ((), (2,), (2, 6)):
        q, k, v = qkv(*lead)
        assert_close(online_attention(q, k, v, block), SDPA(q, k, v), rtol=1e-12, atol=1e-12)


def test_the_order_in_which_keys_come_does_not_matter():
    q, k, v = qkv(2, n_k=11)
    order = torch.tensor([10, 3, 0, 7, 5, 1, 9, 2, 8, 6, 4])
    mixed = online_attention(q, k[:, order], v[:, order], 4)
    assert_close(mixed, online_attention(q, k, v, 4), rtol=1e-12, atol=1e-12)


def test_weights_that_are_powers_of_two_give_the_exact_fraction():
    """Scores that are multiples of log 2: the answer is a fraction, whatever comes first."""
    powers, values = [3, -2, 5, 0, 5, -1], [7, -3, 2, 11, 5, 1]
    weights = [Fraction(2) ** power for power in powers]
    answer = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    q = torch.ones(1, 1, dtype=torch.float64)
    k = torch.tensor(powers, dtype=torch.float64)[:, None] * torch.tensor(2.0).double().log()
    v = torch.tensor(values, dtype=torch.float64)[:, None]
    for block in (1, 2, 4):
        assert_close(online_attention(q, k, v, block).item(), float(answer))


def test_scores_whose_exponential_overflows_do_no_harm():
    q, k, v = (part.float() for part in qkv(2, n_q=3, n_k=9))
    big = 1000 * q
    assert torch.exp((big @ k.mT).amax()) == torch.inf
    for ordered in (k, k.flip(-2)):  # the largest score late, and early
        expected = SDPA(big, ordered, v)
        assert_close(online_attention(big, ordered, v, 2), expected, rtol=1e-4, atol=1e-4)


class Largest(TorchDispatchMode):
    """The most elements that any tensor had which an operation made."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for part in made if isinstance(made, tuple | list) else (made,):
            self.elements = max(self.elements, part.numel())
        return made


def test_no_tensor_is_larger_than_one_block_of_scores():
    q, k, v = qkv(n_q=50, n_k=400, d=4, d_v=3)
    with Largest() as seen:
        online_attention(q, k, v, 25)
    assert seen.elements == 50 * 25
    with Largest() as whole:
        torch.softmax(q @ k.mT, dim=-1) @ v
    assert whole.elements == 50 * 400


def test_gradients_flow_through_all_blocks():
    inputs = [part.requires_grad_() for part in qkv(n_q=2, n_k=5, d=2, d_v=3)]
    assert torch.autograd.gradcheck(lambda q, k, v: online_attention(q, k, v, 2), inputs)


def test_a_block_of_nothing_is_refused():
    q, k, v = qkv()
    with pytest.raises(ValueError, match="block: expected an integer >= 1, got 0"):
        online_attention(q, k, v, 0)
