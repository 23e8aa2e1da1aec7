"""What goes wrong in the equations of notebook 07; the faults of nets/seq2seq.py stand here too."""

import torch
from einops import rearrange

import faults_seq2seq
from planting import Fault

TESTS = ("tests/test_identities_heads.py",)


def heads_stay_behind_the_tokens(original):
    """The famous silent bug, with the merge that hides it."""

    def forward(self, x, context=None, mask=None):
        if mask is not None or context is not None:
            return original(self, x, context, mask)
        parts = (self.to_q(x), self.to_k(x), self.to_v(x))
        q, k, v = (rearrange(part, "b n (h d) -> b n h d", h=self.n_heads) for part in parts)
        return self.to_out(self.core(q, k, v).transpose(1, 2).reshape(x.shape))

    return forward


def poured_into_shape(original):
    return lambda x, n_heads: x.reshape(len(x), n_heads, x.shape[1], -1)


def features_take_turns(original):
    return lambda x: rearrange(x, "b h n d -> b n (d h)")


def without_w_o(original):
    def forward(self, x, context=None, mask=None):
        right = original(self, x, context, mask)
        weight, bias = self.to_out.weight, self.to_out.bias
        return torch.linalg.solve(weight, (right - (0 if bias is None else bias)).mT).mT

    return forward


def mean_of_the_heads(original):
    def forward(self, x, context=None, mask=None):
        right = original(self, x, context, mask)
        bias = 0 if self.to_out.bias is None else self.to_out.bias
        return (right - bias) / self.n_heads + bias

    return forward


def not_shifted(original):
    return lambda target, start: target


def sees_one_ahead(original):
    return lambda n: torch.ones(n, n, dtype=torch.bool).tril(1)


def the_future(original):
    return lambda n: torch.ones(n, n, dtype=torch.bool).triu()


def adding(score):
    """additive_attention_weights with another score, from what is mixed (..., n_q, n_k, d_a)."""

    def replacement(original):
        def additive_attention_weights(q, k, W_q, W_k, w):
            mixed = (q @ W_q.mT).unsqueeze(-2) + (k @ W_k.mT).unsqueeze(-3)
            return score(mixed, w).softmax(dim=-1)

        return additive_attention_weights

    return replacement


def scaled_down(mixed, w):
    return mixed.tanh() @ w / len(w) ** 0.5


def a_speed_for_each_feature(original):
    """10000^(-c/d) with the number c of the feature: a sine and its cosine part company."""

    def sinusoidal_positions(n, d):
        c = torch.arange(d, dtype=torch.float64)
        angle = torch.arange(n, dtype=torch.float64)[:, None] * 10_000 ** (-c / d)
        return torch.where(c % 2 == 0, angle.sin(), angle.cos()).float()

    return sinusoidal_positions


def counted_from_one(original):
    return lambda n, d: original(n + 1, d)[1:]


def fault(room, name, replacement, *identities):
    target = f"diffedu.nets.{room}.{name.split(':')[0]}"
    return Fault(f"07 {name}", target, replacement, TESTS, identities)


FAULTS = (
    *faults_seq2seq.FAULTS,
    fault(
        "heads",
        "MultiHeadAttention.forward: heads attend to heads",
        heads_stay_behind_the_tokens,
        "7.1",
    ),
    fault("heads", "split_heads: poured into shape", poured_into_shape, "7.1", "7.2"),
    fault("heads", "merge_heads: features take turns", features_take_turns, "7.1", "7.2"),
    fault("heads", "MultiHeadAttention.forward: without W_O", without_w_o, "7.1", "7.2"),
    fault("heads", "MultiHeadAttention.forward: mean over heads", mean_of_the_heads, "7.2"),
    fault("seq2seq", "shift_right: not shifted", not_shifted, "7.3"),
    fault("operators", "causal_mask: sees one ahead", sees_one_ahead, "7.3", "7.4"),
    fault("operators", "causal_mask: the future", the_future, "7.4"),
    fault(
        "operators",
        "additive_attention_weights: no tanh",
        adding(lambda mixed, w: mixed @ w),
        "7.5",
    ),
    fault("operators", "additive_attention_weights: scaled", adding(scaled_down), "7.5"),
    fault(
        "positions",
        "sinusoidal_positions: a speed for each feature",
        a_speed_for_each_feature,
        "7.6",
    ),
    fault("positions", "sinusoidal_positions: counted from 1", counted_from_one, "7.6"),
)
