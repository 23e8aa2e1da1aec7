"""Attention on feature maps (B, C, H, W): pixels are the tokens."""

from collections.abc import Callable

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from diffedu import expect
from diffedu.nets.heads import (
    AttentionCore,
    AttentionLayer,
    LinearCore,
    MultiHeadAttention,
    SoftmaxCore,
    check_heads,
    check_tokens,
    merge_heads,
    split_heads,
)
from diffedu.nets.norms import group_norm

Map = Float[Tensor, "b c h w"]
Norm = Callable[[int], nn.Module]


def to_tokens(x: Map) -> Float[Tensor, "b h*w c"]:
    """Pixels in reading order: token i * W + j is x[:, :, i, j] (8.1)."""
    expect.tensor("x", x)
    if x.ndim != 4:
        expect.fail("x", "shape (B, C, H, W)", tuple(x.shape))
    return rearrange(x, "b c h w -> b (h w) c")


def to_map(tokens: Float[Tensor, "b n c"], like: Float[Tensor, "_ _ h w"]) -> Map:
    """The way back, to the height and width of `like`."""
    expect.tensor("tokens", tokens)
    expect.tensor("like", like)
    if like.ndim != 4:
        expect.fail("like", "shape (B, C, H, W)", tuple(like.shape))
    h, w = like.shape[2:]
    if tokens.ndim != 3 or tokens.shape[1] != h * w:
        expect.fail("tokens", f"shape (B, {h * w}, C): {h} x {w} pixels", tuple(tokens.shape))
    return rearrange(tokens, "b (h w) c -> b c h w", h=h)


class _OverPixels(AttentionLayer):
    """x + W_O heads(norm(x)): what the two kinds of self-attention over pixels share."""

    attend: Callable[[], AttentionCore]

    def __init__(self, channels: int, n_heads: int, *, norm: Norm = group_norm) -> None:
        """`n_heads` divides `channels`; `norm(channels)` makes the normalisation."""
        super().__init__()
        check_heads("channels", channels, n_heads)
        self.norm = norm(channels)
        self.heads = MultiHeadAttention(channels, n_heads, attend=self.attend)
        zero(self.heads.to_out)

    def forward(self, x: Map) -> Map:
        check_map(x, self.heads.to_q.in_features)
        return x + to_map(self.heads(to_tokens(self.norm(x))), x)


class SpatialAttention(_OverPixels):
    r"""$x + W_O\,\mathrm{heads}(\mathrm{norm}(x))$ over all pixels (Ho et al. 2020, app. B; (8.2)).

    (B, C, H, W) -> the same shape; H and W may differ. The norm stands inside the residual, so
    that x passes unchanged beside it. W_O starts at 0: a new layer is the identity. The number of
    weights is heads * (H W)^2, so it belongs on small maps.
    """

    attend = SoftmaxCore


class SpatialLinearAttention(_OverPixels):
    """The same layer with linear attention: cost linear in H W (Shen et al. 2021; (9.1))."""

    attend = LinearCore


class CrossAttention(AttentionLayer):
    r"""The image asks, the context answers (Rombach et al. 2022, 3.3; (10.1)).

    $x + W_O\,\mathrm{heads}(\mathrm{norm}(x), C)$: queries from the pixels of x (B, C, H, W), keys
    and values from the tokens of `context` (B, n_k, d_context). `mask` (B, n_k) is True where a
    token is real and False where it only fills up a shorter caption. W_O starts at 0.
    """

    def __init__(
        self, channels: int, d_context: int, n_heads: int, *, norm: Norm = group_norm
    ) -> None:
        """`n_heads` divides `channels`; `norm(channels)` makes the normalisation."""
        super().__init__()
        check_heads("channels", channels, n_heads)
        self.norm = norm(channels)
        self.heads = MultiHeadAttention(channels, n_heads, d_context)
        zero(self.heads.to_out)

    def forward(
        self,
        x: Map,
        context: Float[Tensor, "b n_k d_context"],
        mask: Bool[Tensor, "b n_k"] | None = None,
    ) -> Map:
        check_map(x, self.heads.to_q.in_features)
        check_tokens("context", context, self.heads.to_k.in_features, len(x))
        if mask is not None:
            expect.tensor("mask", mask)
            if mask.shape != context.shape[:2]:
                expect.fail("mask", f"shape {tuple(context.shape[:2])}", tuple(mask.shape))
            mask = rearrange(mask, "b k -> b 1 k")
        return x + to_map(self.heads(to_tokens(self.norm(x)), context, mask), x)


class TimeTokenAttention(AttentionLayer):
    """Pixels look at pixels and at one token that tells the time (10.7).

    Keys and values of the H W pixels, and one more pair made from `time` (B, d_time) by
    projections of its own: what a token is asked by and what it says are learned separately. Among
    n + 1 tokens one speaks softly (10.3): `blocks` conditions on time by scale and shift instead.
    The last column of the recorded weights is the time token. `attend` is SoftmaxCore or
    LinearCore.
    """

    def __init__(
        self,
        channels: int,
        d_time: int,
        n_heads: int,
        *,
        attend: Callable[[], AttentionCore] = SoftmaxCore,
        norm: Norm = group_norm,
    ) -> None:
        """`n_heads` divides `channels`; `norm(channels)` makes the normalisation."""
        super().__init__()
        check_heads("channels", channels, n_heads)
        expect.integer("d_time", d_time, 1)
        self.n_heads = n_heads
        self.norm = norm(channels)
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels) for _ in range(3))
        self.time_to_k, self.time_to_v = (nn.Linear(d_time, channels) for _ in range(2))
        self.to_out = nn.Linear(channels, channels)
        self.core = attend()
        zero(self.to_out)

    def forward(self, x: Map, time: Float[Tensor, "b d_time"]) -> Map:
        check_map(x, self.to_q.in_features)
        expect.tensor("time", time)
        if time.shape != (len(x), self.time_to_k.in_features):
            wanted = (len(x), self.time_to_k.in_features)
            expect.fail("time", f"shape {wanted}", tuple(time.shape))
        pixels, time = to_tokens(self.norm(x)), rearrange(time, "b d -> b 1 d")
        k = torch.cat([self.to_k(pixels), self.time_to_k(time)], dim=1)
        v = torch.cat([self.to_v(pixels), self.time_to_v(time)], dim=1)
        q, k, v = (split_heads(part, self.n_heads) for part in (self.to_q(pixels), k, v))
        return x + to_map(self.to_out(merge_heads(self.core(q, k, v))), x)


class SpatialGate(nn.Module):
    r"""$x \odot \mathrm{sigmoid}(g(x))$: a gate, which some texts call attention (8.5).

    g is two 3x3 convolutions to one number per pixel, so it hears two pixels far. The factor lies
    in (0, 1): it can silence a pixel, and it cannot bring anything from elsewhere. Nothing
    competes: the factors have no fixed sum.
    """

    def __init__(self, channels: int) -> None:
        """A map of `channels` features."""
        super().__init__()
        expect.integer("channels", channels, 1)
        self.channels = channels
        self.gate = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels, 1, 3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Map) -> Map:
        check_map(x, self.channels)
        return x * self.gate(x)


def zero(layer: nn.Linear) -> None:
    """Weights and biases 0, so that a residual layer starts as the identity."""
    if not isinstance(layer, nn.Linear):
        expect.fail("layer", "an nn.Linear", type(layer).__name__)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def check_map(x: object, channels: int) -> None:
    """A floating-point tensor (B, channels, H, W) with at least one pixel."""
    expect.tensor("x", x)
    if not x.is_floating_point():
        expect.fail("x", "a floating-point tensor", x.dtype)
    if x.ndim != 4 or x.shape[1] != channels or 0 in x.shape:
        expect.fail("x", f"shape (B, {channels}, H, W)", tuple(x.shape))
