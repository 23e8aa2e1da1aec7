"""A small residual network for points in the plane and for 8x8 digits."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from diffedu import expect
from diffedu.nets.blocks import initialise, time_embedding

D_TIME = 32  # features of the embedded t: enough for a thousand steps, and cheap


class MLPBlock(nn.Module):
    r"""h -> h + W_2 silu(FiLM(W_1 LayerNorm(h))): a step that starts small and knows t.

    FiLM is `(1 + scale) * h + shift`, with scale and shift linear in the embedded t: a plain
    addition of t could move the features but not switch them on and off.
    """

    def __init__(self, width: int, d_time: int) -> None:
        """Two linear layers of `width`, and one that turns the embedded t into scale and shift."""
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.film = nn.Linear(d_time, 2 * width)
        self.second = nn.Linear(width, width)

    def forward(
        self, h: Float[Tensor, " b width"], time: Float[Tensor, " b d_time"]
    ) -> Float[Tensor, " b width"]:
        scale, shift = self.film(time).chunk(2, dim=1)
        inner = (1 + scale) * self.first(self.norm(h)) + shift
        return h + self.second(nn.functional.silu(inner))


class MLP(nn.Module):
    """eps_hat(x_t, t) for samples of any small shape: they are flattened and put back.

    `shape` is the shape of one sample: (2,) for points, (1, 8, 8) for digits. The weights are drawn
    from `generator`. Beside the blocks, each element of x reaches its place in the output directly,
    times a gain that depends on t: where x is nearly all noise, a good eps_hat is nearly x. Both
    ways start at 0, so that the first prediction is 0, the mean of the noise.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        width: int = 96,
        blocks: int = 3,
        *,
        generator: torch.Generator,
    ) -> None:
        """`width` features, at least 4; `blocks` residual blocks, at least 1."""
        super().__init__()
        if not isinstance(shape, tuple) or not shape:
            expect.fail("shape", "a tuple of sizes", shape)
        for size in shape:
            expect.integer("shape", size, 1)
        expect.integer("width", width, 4)
        expect.integer("blocks", blocks, 1)
        self.shape = tuple(shape)
        elements = math.prod(shape)
        self.time = nn.Sequential(nn.Linear(D_TIME, D_TIME), nn.SiLU())
        self.enter = nn.Linear(elements, width)
        self.blocks = nn.ModuleList(MLPBlock(width, D_TIME) for _ in range(blocks))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, elements))
        self.gain = nn.Linear(D_TIME, elements)
        initialise(self, generator)
        for last in (self.leave[1], self.gain):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: Float[Tensor, " b *dims"], t: Int64[Tensor, " b"]) -> Tensor:
        expect.tensor("x", x)
        expect.tensor("t", t)
        if tuple(x.shape[1:]) != self.shape:
            expect.fail("x", f"shape (B, {', '.join(map(str, self.shape))})", tuple(x.shape))
        if t.shape != x.shape[:1]:
            expect.fail("t", f"shape ({len(x)},)", tuple(t.shape))
        time = self.time(time_embedding(t, D_TIME).to(x))
        h = self.enter(x.flatten(1))
        for block in self.blocks:
            h = block(h, time)
        return (self.leave(h) + self.gain(time) * x.flatten(1)).view_as(x)
