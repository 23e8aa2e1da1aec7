"""What goes wrong in nets/heads.py."""

import torch
from einops import rearrange

from planting import Fault

PARTS, LAYER = "tests/test_heads_parts.py", "tests/test_heads.py"


def passing(*arguments):
    """A check that finds nothing wrong."""


def split(pattern):
    return lambda original: lambda x, n_heads: rearrange(x, pattern, h=n_heads)


def split_by_view(original):
    return lambda x, n_heads: x.reshape(len(x), n_heads, x.shape[1], -1)


def merge(pattern):
    return lambda original: lambda x: rearrange(x, pattern)


def merge_by_view(original):
    return lambda x: x.reshape(len(x), x.shape[2], -1)


def layer(change):
    """MultiHeadAttention.forward from (the right one, self, x, context, mask)."""

    def replacement(original):
        def forward(self, x, context=None, mask=None):
            return change(original, self, x, context, mask)

        return forward

    return replacement


def projecting(parts):
    """The layer with other queries, keys and values from (self, x, context), and no mask."""

    def replacement(original):
        def forward(self, x, context=None, mask=None):
            if mask is not None:
                return original(self, x, context, mask)
            heads = [
                rearrange(part, "b n (h d) -> b h n d", h=self.n_heads)
                for part in parts(self, x, x if context is None else context)
            ]
            return self.to_out(rearrange(self.core(*heads), "b h n d -> b n (h d)"))

        return forward

    return replacement


def over_the_batch(right, self, x, context, mask):
    """batch_first forgotten: samples attend to samples."""
    if context is not None and len(context) != x.shape[1]:
        return right(self, x, context, mask)
    context = None if context is None else context.transpose(0, 1)
    return right(self, x.transpose(0, 1), context).transpose(0, 1)


def shared_keys_and_values(original):
    def __init__(self, *sizes, **how):
        original(self, *sizes, **how)
        self.to_v = self.to_k

    return __init__


def always_with_bias(original):
    def __init__(self, d_model, n_heads, d_context=None, bias=True, **how):
        original(self, d_model, n_heads, d_context, True, **how)

    return __init__


def divisors_from_2(original):
    def check_heads(name, width, n_heads):
        if width % n_heads:
            found = ", ".join(str(n) for n in range(2, width + 1) if width % n == 0)
            raise ValueError(
                f"n_heads: expected a divisor of {name} = {width} ({found}), got {n_heads}"
            )

    return check_heads


def divided_the_other_way(original):
    return lambda name, width, n_heads: original(name, n_heads, width)


def any_batch(original):
    return lambda name, x, width, batch=None: original(name, x, width)


def any_width(original):
    return lambda name, x, width, batch=None: original(name, x, x.shape[-1], batch)


def mask(change):
    """over_heads with its result changed."""
    return lambda original: lambda mask, b, n_q, n_k: change(original(mask, b, n_q, n_k))


def unchecked_mask(original):
    return lambda mask, b, n_q, n_k: mask[..., None, :, :] if mask.ndim > 1 else mask


def softmax_weights(q, k, *mask):
    from diffedu.nets.operators import attention_weights

    return attention_weights(q, k, *mask)


def uniform(q, k):
    return torch.full((*q.shape[:-1], k.shape[-2]), 1 / k.shape[-2]).to(q)


def without_scale(original):
    return lambda self, q, k, v, mask=None: original(self, q * q.shape[-1] ** 0.5, k, v, mask)


SPLIT = {
    "no transpose": split_by_view,
    "features dealt out like cards": split("b n (d h) -> b h n d"),
    "heads in the other order": lambda original: lambda x, n_heads: original(x, n_heads).flip(1),
}
MERGE = {
    "no transpose": merge_by_view,
    "features dealt out like cards": merge("b h n d -> b n (d h)"),
    "heads in the other order": lambda original: lambda x: original(x.flip(1)),
}
FORWARD = {
    "keys for values": projecting(lambda s, x, c: (s.to_q(x), s.to_k(c), s.to_k(c))),
    "one projection of x asks": projecting(
        lambda s, x, c: (s.to_q(x), s.to_k(c), s.to_v(c)) if x is not c else 3 * (s.to_q(x),)
    ),
    "root of d_model": projecting(
        lambda s, x, c: (s.to_q(x) / s.n_heads**0.5, s.to_k(c), s.to_v(c))
    ),
    "one head": layer(
        lambda f, s, x, c, m: s.to_out(
            s.core(
                *(
                    part[:, None]
                    for part in (s.to_q(x), *(to(x if c is None else c) for to in (s.to_k, s.to_v)))
                )
            )[:, 0]
        )
    ),
    "mask ignored": layer(lambda f, s, x, c, m: f(s, x, c)),
    "mask with torch's meaning": layer(
        lambda f, s, x, c, m: f(s, x, c, m if m is None or m.all() else ~m)
    ),
    "no output projection": layer(
        lambda f, s, x, c, m: (
            (f(s, x, c, m) - (0 if s.to_out.bias is None else s.to_out.bias))
            @ torch.linalg.inv(s.to_out.weight).mT
        )
    ),
    "over the batch": layer(over_the_batch),
    "context of the first sample": layer(
        lambda f, s, x, c, m: f(s, x, None if c is None else c[:1].expand_as(c), m)
    ),
    "residual inside": layer(lambda f, s, x, c, m: x + f(s, x, c, m)),
}
BY_METHOD = (
    (PARTS, "split_heads", SPLIT),
    (PARTS, "merge_heads", MERGE),
    (LAYER, "MultiHeadAttention.forward", FORWARD),
    (
        LAYER,
        "MultiHeadAttention.__init__",
        {"keys and values share": shared_keys_and_values, "always a bias": always_with_bias},
    ),
    (
        PARTS,
        "AttentionCore.weights",
        {"says uniform": lambda f: lambda self, q, k, *m: uniform(q, k)},
    ),
    (
        PARTS,
        "SoftmaxCore.weights",
        {
            "mask forgotten": lambda f: lambda q, k, mask=None: f(q, k),
            "over the queries": lambda f: (
                lambda q, k, *m: f(q, k, *m) / f(q, k, *m).sum(-2, keepdim=True)
            ),
        },
    ),
    (
        PARTS,
        "SoftmaxCore.forward",
        {
            "mask forgotten": lambda f: lambda self, q, k, v, mask=None: f(self, q, k, v),
            "no scale": without_scale,
        },
    ),
    (PARTS, "LinearCore.weights", {"softmax weights": lambda f: softmax_weights}),
    (
        PARTS,
        "LinearCore.forward",
        {
            "softmax attention": lambda f: lambda self, q, k, v, *m: softmax_weights(q, k, *m) @ v,
            "mask silently ignored": lambda f: lambda self, q, k, v, mask=None: f(self, q, k, v),
        },
    ),
    (
        PARTS,
        "check_heads",
        {
            "says nothing": lambda original: passing,
            "one is no divisor": divisors_from_2,
            "divided the other way": divided_the_other_way,
        },
    ),
    (
        PARTS,
        "check_tokens",
        {
            "says nothing": lambda original: passing,
            "any batch": any_batch,
            "any width": any_width,
        },
    ),
    (
        PARTS,
        "over_heads",
        {
            "inverted": mask(lambda m: ~m),
            "of the first sample": mask(lambda m: m[:1]),
            "any shape": unchecked_mask,
            "keys from behind": mask(lambda m: m.flip(-1)),
        },
    ),
)
FAULTS = tuple(
    Fault(f"{target}: {name}", f"diffedu.nets.heads.{target}", replacement, (file,))
    for file, target, table in BY_METHOD
    for name, replacement in table.items()
)
