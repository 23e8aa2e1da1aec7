"""What goes wrong in nets/spatial.py."""

import torch
from einops import rearrange
from torch import nn

from planting import Fault

SPATIAL, HEARING, TIME = (f"tests/test_spatial{end}.py" for end in ("", "_hearing", "_time"))


def passing(*arguments):
    """A check that finds nothing wrong."""


def tokens(x):
    return rearrange(x, "b c h w -> b (h w) c")


def image(brought, x):
    return rearrange(brought, "b (h w) c -> b c h w", h=x.shape[2])


def over_pixels(change):
    """_OverPixels.forward from (self, x)."""
    return lambda original: lambda self, x: change(self, x)


def heads(self, x, *others):
    return image(self.heads(tokens(x), *others), x)


def among_rows(self, x):
    """Each pixel looks along its own row."""
    rows = rearrange(self.norm(x), "b c h w -> (b h) w c")
    return x + rearrange(self.heads(rows), "(b h) w c -> b c h w", b=len(x))


def on_its_side(self, x):
    side = rearrange(self.norm(x), "b c h w -> b (w h) c")
    return x + image(self.heads(side), x)


def blind(self, x):
    """Each pixel looks at itself: a 1x1 convolution."""
    each = rearrange(self.norm(x), "b c h w -> (b h w) 1 c")
    h, w = x.shape[2:]
    return x + rearrange(self.heads(each), "(b h w) 1 c -> b c h w", h=h, w=w)


OVER_PIXELS = {
    "norm outside the residual": lambda s, x: s.norm(x + heads(s, x)),
    "norm after the residual too": lambda s, x: s.norm(x) + heads(s, s.norm(x)),
    "no residual": lambda s, x: heads(s, s.norm(x)),
    "no norm": lambda s, x: x + heads(s, x),
    "along the rows alone": among_rows,
    "height and width exchanged": on_its_side,
    "samples mixed": lambda s, x: x + heads(s, s.norm(x)).flip(0),
    "output times a number": lambda s, x: x + 0.5 * heads(s, s.norm(x)),
}


def cross(change):
    """CrossAttention.forward from (the right one, self, x, context, mask)."""

    def replacement(original):
        return lambda self, x, context, mask=None: change(original, self, x, context, mask)

    return replacement


CROSS = {
    "mask inverted": cross(
        lambda f, s, x, c, m: f(s, x, c, m if m is None or not m.any(1).all() else ~m)
    ),
    "mask ignored": cross(lambda f, s, x, c, m: f(s, x, c)),
    "no residual": cross(lambda f, s, x, c, m: f(s, x, c, m) - x),
    "norm outside the residual": cross(lambda f, s, x, c, m: s.norm(f(s, x, c, m))),
    "one pooled token": cross(lambda f, s, x, c, m: f(s, x, c.mean(1, keepdim=True))),
    "context of the first sample": cross(lambda f, s, x, c, m: f(s, x, c[:1].expand_as(c), m)),
    "tokens know their place": cross(
        lambda f, s, x, c, m: f(s, x, c + torch.arange(c.shape[1]).to(c)[:, None], m)
    ),
}


def timed(make):
    """TimeTokenAttention.forward with k and v from (self, pixels, time, their own projections)."""

    def replacement(original):
        def forward(self, x, time):
            if time.shape != (len(x), self.time_to_k.in_features):
                return original(self, x, time)
            pixels, time = tokens(self.norm(x)), time[:, None]
            parts = (self.to_q(pixels), *make(self, pixels, time))
            q, k, v = (rearrange(p, "b n (h d) -> b h n d", h=self.n_heads) for p in parts)
            return x + image(self.to_out(rearrange(self.core(q, k, v), "b h n d -> b n (h d)")), x)

        return forward

    return replacement


def appended(pixels, time):
    return torch.cat([pixels, time], dim=1)


def pair(k, v):
    return lambda self, pixels, time: (k(self, pixels, time), v(self, pixels, time))


def key(s, p, t):
    return appended(s.to_k(p), s.time_to_k(t))


def value(s, p, t):
    return appended(s.to_v(p), s.time_to_v(t))


TIMED = {
    "key and value of time share a projection": pair(
        key, lambda s, p, t: appended(s.to_v(p), s.time_to_k(t))
    ),
    "time left out": pair(lambda s, p, t: s.to_k(p), lambda s, p, t: s.to_v(p)),
    "time twice": pair(
        lambda s, p, t: appended(key(s, p, t), s.time_to_k(t)),
        lambda s, p, t: appended(value(s, p, t), s.time_to_v(t)),
    ),
    "time for every pixel": pair(
        lambda s, p, t: appended(s.to_k(p), s.time_to_k(t).expand_as(p)),
        lambda s, p, t: appended(s.to_v(p), s.time_to_v(t).expand_as(p)),
    ),
    "time alone": pair(lambda s, p, t: s.time_to_k(t), lambda s, p, t: s.time_to_v(t)),
    "time of the first sample": pair(
        lambda s, p, t: key(s, p, t[:1].expand_as(t)),
        lambda s, p, t: value(s, p, t[:1].expand_as(t)),
    ),
    "keys for values": pair(key, key),
}


def time_first(original):
    return timed(
        pair(
            lambda s, p, t: appended(s.time_to_k(t), s.to_k(p)),
            lambda s, p, t: appended(s.time_to_v(t), s.to_v(p)),
        )
    )(original)


def any_time(original):
    def forward(self, x, time):
        return original(self, x, time[:, : self.time_to_k.in_features].clone())

    return forward


def gated(change):
    """SpatialGate.forward from (self, x)."""
    return lambda original: lambda self, x: change(self, x)


def scores(self, x):
    return self.gate[:3](x)


GATE = {
    "x beside it": lambda s, x: x + x * s.gate(x),
    "softmax over the pixels": lambda s, x: (
        x * scores(s, x).flatten(2).softmax(2).view_as(x[:, :1])
    ),
    "no sigmoid": lambda s, x: x * scores(s, x),
    "tanh": lambda s, x: x * scores(s, x).tanh(),
    "one number for the whole map": lambda s, x: x * s.gate(x).mean((2, 3), keepdim=True),
    "the factor alone": lambda s, x: s.gate(x).expand_as(x),
}


def not_at_zero(original):
    def __init__(self, *sizes, **how):
        original(self, *sizes, **how)
        (self.to_out if hasattr(self, "to_out") else self.heads.to_out).reset_parameters()

    return __init__


def always_group_norm(original):
    def __init__(self, *sizes, norm=None, **how):
        original(self, *sizes, **how)

    return __init__


def zeroing(keep):
    def replacement(original):
        def zero(layer):
            for name, parameter in layer.named_parameters():
                if name != keep:
                    nn.init.zeros_(parameter)

        return zero

    return replacement


START = {"not at zero": not_at_zero, "always group_norm": always_group_norm}
MAPS = {
    "no transpose": lambda original: lambda x: x.reshape(len(x), -1, x.shape[1]),
    "column by column": lambda original: lambda x: rearrange(x, "b c h w -> b (w h) c"),
}
BACK = {
    "no transpose": lambda original: lambda t, like: t.reshape(len(t), -1, *like.shape[2:]),
    "column by column": lambda original: (
        lambda t, like: rearrange(t, "b (w h) c -> b c h w", h=like.shape[2])
    ),
    "height and width exchanged": lambda original: (
        lambda t, like: rearrange(t, "b (h w) c -> b c h w", w=like.shape[2])
    ),
    "any number of pixels": lambda original: lambda t, like: image(t, like),
}
CHECKS = {
    "says nothing": lambda original: passing,
    "any channels": lambda original: lambda x, channels: original(x, x.shape[min(1, x.ndim - 1)]),
    "whole numbers pass": lambda original: lambda x, channels: original(x.double(), channels),
}
BY_NAME = (
    (SPATIAL, "to_tokens", MAPS),
    (SPATIAL, "to_map", BACK),
    (SPATIAL, "_OverPixels.forward", {n: over_pixels(w) for n, w in OVER_PIXELS.items()}),
    (HEARING, "_OverPixels.forward", {"each pixel hears itself": over_pixels(blind)}),
    (SPATIAL, "_OverPixels.__init__", START),
    (SPATIAL, "CrossAttention.forward", CROSS),
    (SPATIAL, "CrossAttention.__init__", START),
    (SPATIAL, "TimeTokenAttention.__init__", START),
    (TIME, "TimeTokenAttention.forward", {n: timed(w) for n, w in TIMED.items()}),
    (TIME, "TimeTokenAttention.forward", {"a longer time is cut": any_time}),
    ("tests/test_recording_weights.py", "TimeTokenAttention.forward", {"time first": time_first}),
    (HEARING, "SpatialGate.forward", {n: gated(w) for n, w in GATE.items()}),
    (SPATIAL, "zero", {"bias kept": zeroing("bias"), "weight kept": zeroing("weight")}),
    (SPATIAL, "check_map", CHECKS),
)
FAULTS = tuple(
    Fault(f"{target}: {name}", f"diffedu.nets.spatial.{target}", replacement, (file,))
    for file, target, table in BY_NAME
    for name, replacement in table.items()
)
