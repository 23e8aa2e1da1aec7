"""What goes wrong in nets/positions.py and nets/norms.py."""

import math

import torch
from torch import nn

from planting import Fault


def table(wrong):
    """sinusoidal_positions from (p, i, d), with p (n, 1) and i (d/2,)."""

    def replacement(original):
        def sinusoidal_positions(n, d):
            p, i = torch.arange(n, dtype=torch.float64), torch.arange(d // 2, dtype=torch.float64)
            return wrong(p[:, None], i, d).float()

        return sinusoidal_positions

    return replacement


def alternating(first, second):
    return torch.stack([first, second], dim=2).flatten(1)


def waves(angle):
    return alternating(angle.sin(), angle.cos())


def half(angle):
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def right(p, i, d):
    return p * 10000 ** (-2 * i / d)


SINUSOIDAL = {
    "all sines first": lambda p, i, d: half(right(p, i, d)),
    "cosines first": lambda p, i, d: alternating(right(p, i, d).cos(), right(p, i, d).sin()),
    "i for 2i": lambda p, i, d: waves(p * 10000 ** (-i / d)),
    "frequencies end at 10000": lambda p, i, d: waves(p * 10000 ** (-i / max(d // 2 - 1, 1))),
    "positions from 1": lambda p, i, d: waves(right(p + 1, i, d)),
    "angles in float32": lambda p, i, d: waves(right(p.float(), i.float(), d)),
    "sines alone": lambda p, i, d: alternating(right(p, i, d).sin(), right(p, i, d).sin()),
}


def plane(wrong):
    """positions_2d from (the right table for n positions, h, w, d)."""

    def replacement(original):
        from diffedu.nets.positions import sinusoidal_positions

        return lambda h, w, d: wrong(sinusoidal_positions, h, w, d)

    return replacement


def grid(first, second):
    """(h, c) and (w, c) -> (h w, 2c), row by row."""
    h, w = len(first), len(second)
    return torch.cat([first.repeat_interleave(w, 0), second.repeat(h, 1)], dim=1)


PLANE = {
    "columns first": lambda s, h, w, d: torch.cat(
        [s(w, d // 2).repeat(h, 1), s(h, d // 2).repeat_interleave(w, 0)], dim=1
    ),
    "height and width exchanged": lambda s, h, w, d: grid(s(w, d // 2), s(h, d // 2)),
    "tokens column by column": lambda s, h, w, d: (
        grid(s(h, d // 2), s(w, d // 2)).view(h, w, d).transpose(0, 1).reshape(h * w, d)
    ),
    "one number for each token": lambda s, h, w, d: s(h * w, d),
    "the row alone": lambda s, h, w, d: s(h, d).repeat_interleave(w, 0),
}


def groups(count):
    return lambda original: lambda channels: nn.GroupNorm(count(channels), channels)


def most(channels, lowest):
    return max(
        g for g in range(1, 9) if channels % g == 0 and channels // g >= min(channels, lowest)
    )


GROUPS = {
    "one group": groups(lambda channels: 1),
    "what divides both 8 and the channels": groups(lambda channels: math.gcd(8, channels)),
    "groups of one channel": groups(lambda channels: most(channels, 1)),
    "a group for each channel": groups(lambda channels: channels),
}


def pixels(change):
    """ChannelNorm.forward from (self, x)."""

    def replacement(original):
        return lambda self, x: change(original, self, x)

    return replacement


def over_the_map(original, self, x):
    spread = (x.var(dim=(1, 2, 3), correction=0, keepdim=True) + self.eps).sqrt()
    inner = (x - x.mean(dim=(1, 2, 3), keepdim=True)) / spread
    return inner * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


def sample_variance(original, self, x):
    inner = (x - x.mean(dim=1, keepdim=True)) / (x.var(dim=1, keepdim=True) + self.eps).sqrt()
    return inner * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


CHANNELS = {
    "over all pixels": pixels(over_the_map),
    "weights forgotten": pixels(
        lambda f, self, x: (f(self, x) - self.bias.view(-1, 1, 1)) / self.weight.view(-1, 1, 1)
    ),
    "not checked": pixels(lambda f, self, x: nn.functional.layer_norm(x.mT, x.mT.shape[-1:]).mT),
    "rows and columns mixed": pixels(lambda f, self, x: f(self, x).mT.reshape(x.shape)),
}


def of(room, function, replacements):
    target, tests = f"diffedu.nets.{room}.{function}", (f"tests/test_{room}.py",)
    return [Fault(f"{function}: {name}", target, r, tests) for name, r in replacements.items()]


FAULTS = (
    *of("positions", "sinusoidal_positions", {n: table(w) for n, w in SINUSOIDAL.items()}),
    *of("positions", "positions_2d", {name: plane(wrong) for name, wrong in PLANE.items()}),
    *of("norms", "group_norm", GROUPS),
    *of("norms", "channel_norm", {"GroupNorm with one group": groups(lambda channels: 1)}),
    *of("norms", "ChannelNorm.forward", CHANNELS),
)
