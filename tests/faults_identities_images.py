"""What goes wrong in the equations of notebook 08, and in the online softmax."""

import torch
from einops import rearrange

from planting import Fault

SPATIAL, ONLINE = "diffedu.nets.spatial", "diffedu.nets.operators.online_attention"
HERE = "tests/test_identities_images.py"


def cut_as_it_lies(original):
    return lambda x: x.reshape(x.shape[0], -1, x.shape[1])


def columns_first(original):
    return lambda x: rearrange(x, "b c h w -> b (w h) c")


def back_by_columns(original):
    return lambda tokens, like: rearrange(tokens, "b (w h) c -> b c h w", h=like.shape[2])


def joined_as_it_lies(original):
    return lambda tokens, like: tokens.reshape(like.shape)


def residual_of_the_normed(original):
    """norm(x) + heads(norm(x)): what original adds to x, added to norm(x)."""

    def forward(self, x):
        return original(self, x) - x + self.norm(x)

    return forward


def no_residual(original):
    return lambda self, x: original(self, x) - x


def heads_look_at_heads(original):
    """The famous one: split without a transpose, so the scores are (B, n, heads, heads)."""

    def forward(self, x, context=None, mask=None):
        def parts(project):
            return rearrange(project(x), "b n (h d) -> b n h d", h=self.n_heads)

        found = self.core(parts(self.to_q), parts(self.to_k), parts(self.to_v))
        return self.to_out(rearrange(found, "b n h d -> b n (h d)"))

    return forward


def every_head_at_full_width(original):
    """Each head multiplies all the channels: heads times the operations."""

    def attention(q, k, v, mask=None):
        full = (part.repeat_interleave(part.shape[-3], dim=-1) for part in (q, k, v))
        return original(*full, mask)[..., :: q.shape[-3]]

    return attention


def online(rescale_ell=True, rescale_o=True, largest=torch.maximum, scale=True, last=True):
    """The recursion with one of its parts missing."""

    def replacement(original):
        def online_attention(q, k, v, block):
            m, ell, o = torch.tensor(-torch.inf).to(q), 0, 0
            parts = list(zip(k.split(block, -2), v.split(block, -2), strict=True))
            for k_part, v_part in parts if last or len(parts) == 1 else parts[:-1]:
                s = q @ k_part.mT / (q.shape[-1] ** 0.5 if scale else 1)
                m_new = largest(m, s.amax(-1, keepdim=True))
                old, new = (m - m_new).exp(), (s - m_new).exp()
                ell = (old if rescale_ell else 1) * ell + new.sum(-1, keepdim=True)
                o = (old if rescale_o else 1) * o + new @ v_part
                m = m_new
            return o / ell

        return online_attention

    return replacement


def whole_at_once(original):
    """Right numbers, and all scores in memory."""
    return lambda q, k, v, block: original(q, k, v, max(block, k.shape[-2]))


def no_maximum(original):
    def online_attention(q, k, v, block):
        weights = (q @ k.mT / q.shape[-1] ** 0.5).exp()
        return weights @ v / weights.sum(-1, keepdim=True)

    return online_attention


def amplified(original):
    return lambda self, x: original(self, x) + x


def no_sigmoid(original):
    return lambda self, x: x * self.gate[:-1](x)


def here(name, target, replacement, label):
    return Fault(name, target, replacement, (HERE,), (label,))


def recursion(name, replacement):
    return Fault(f"online softmax: {name}", ONLINE, replacement, ("tests/test_online.py",))


FAULTS = (
    here("tokens cut as they lie in memory", f"{SPATIAL}.to_tokens", cut_as_it_lies, "8.1"),
    here("tokens column by column", f"{SPATIAL}.to_tokens", columns_first, "8.1"),
    here("pixels put back by columns", f"{SPATIAL}.to_map", back_by_columns, "8.1"),
    here("pixels joined as they lie", f"{SPATIAL}.to_map", joined_as_it_lies, "8.1"),
    here("block: norm outside", f"{SPATIAL}._OverPixels.forward", residual_of_the_normed, "8.2"),
    here("block: no residual", f"{SPATIAL}._OverPixels.forward", no_residual, "8.2"),
    here(
        "scores between heads",
        "diffedu.nets.heads.MultiHeadAttention.forward",
        heads_look_at_heads,
        "8.3",
    ),
    here(
        "every head at full width",
        "diffedu.nets.operators.attention",
        every_head_at_full_width,
        "8.3",
    ),
    here("online: the old o is not rescaled", ONLINE, online(rescale_o=False), "8.4"),
    here("online: the last block is not read", ONLINE, online(last=False), "8.4"),
    recursion("the old sum is not rescaled", online(rescale_ell=False)),
    recursion("the maximum of the block alone", online(largest=lambda m, new: new)),
    recursion("scores not scaled", online(scale=False)),
    recursion("no maximum at all", no_maximum),
    recursion("all keys at once", whole_at_once),
    here("gate: x added again", f"{SPATIAL}.SpatialGate.forward", amplified, "8.5"),
    here("gate: no sigmoid", f"{SPATIAL}.SpatialGate.forward", no_sigmoid, "8.5"),
)
