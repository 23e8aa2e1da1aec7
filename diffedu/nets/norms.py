"""Normalisations of (B, C, H, W): factories, so that a network can be built with either."""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from diffedu import expect

MOST_GROUPS = 8


def group_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm whose number of groups divides `channels` (Wu and He 2018).

    At most 8 groups of at least two channels; one group if nothing else divides. Its mean and
    variance are taken over all pixels: every pixel hears a little of every other.
    """
    expect.integer("channels", channels, 1)
    groups = range(min(MOST_GROUPS, channels // 2), 0, -1)
    return nn.GroupNorm(next((g for g in groups if channels % g == 0), 1), channels)


def channel_norm(channels: int) -> "ChannelNorm":
    """LayerNorm over the channels of each pixel alone: no pixel hears another through it."""
    expect.integer("channels", channels, 1)
    return ChannelNorm(channels)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm for (B, C, H, W), pixel by pixel (Ba et al. 2016)."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        expect.tensor("x", x)
        (channels,) = self.normalized_shape
        if x.ndim != 4 or x.shape[1] != channels:
            expect.fail("x", f"shape (B, {channels}, H, W)", tuple(x.shape))
        return rearrange(super().forward(rearrange(x, "b c h w -> b h w c")), "b h w c -> b c h w")
