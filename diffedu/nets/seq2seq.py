"""A small transformer that reads one sequence of symbols and writes another."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from diffedu import expect
from diffedu.nets.attention import (
    AttentionCore,
    MultiHeadAttention,
    SoftmaxCore,
    additive_attention,
    additive_attention_weights,
    causal_mask,
    sinusoidal_positions,
)
from diffedu.nets.blocks import initialise
from diffedu.nets.heads import check_heads

Symbols = Int64[Tensor, "b n"]
Source = Int64[Tensor, "b n_k"]
Tokens = Float[Tensor, "b n d_model"]
Memory = Float[Tensor, "b n_k d_model"]
Logits = Float[Tensor, "b n n_symbols"]


class AdditiveCore(AttentionCore):
    r"""Scores from a small network instead of a product (Bahdanau et al. 2015, A.1.2; (7.5)).

    $s_{ij} = w^\top \tanh(W_q q_i + W_k k_j)$ in every head, with W_q and W_k (d_head, d_head) and
    w (d_head,) that the heads share. It knows no mask: one is an error.
    """

    def __init__(self, d_head: int) -> None:
        """`d_head`: the width of one head of the layer that uses it."""
        super().__init__()
        expect.integer("d_head", d_head, 1)
        self.W_q = nn.Linear(d_head, d_head, bias=False)
        self.W_k = nn.Linear(d_head, d_head, bias=False)
        self.w = nn.Linear(d_head, 1, bias=False)

    def weights(self, q: Tensor, k: Tensor) -> Tensor:
        """The weights (B, heads, n_q, n_k), whose rows sum to 1 (7.5)."""
        return additive_attention_weights(q, k, *self._parts())

    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            expect.fail("mask", "None: additive attention knows no mask", tuple(mask.shape))
        return additive_attention(q, k, v, *self._parts())

    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.W_q.weight, self.W_k.weight, self.w.weight[0]


class FeedForward(nn.Sequential):
    """W_2 relu(W_1 x), 4 times as wide inside, on each token alone (Vaswani et al. 2017, 3.3)."""

    def __init__(self, d_model: int) -> None:
        """`d_model`: width of a token, in and out."""
        super().__init__(
            nn.Linear(d_model, 4 * d_model), nn.ReLU(), nn.Linear(4 * d_model, d_model)
        )


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + feed(norm(x)); every token may look everywhere.

    The norms stand inside the residual steps (Xiong et al. 2020): x itself passes unchanged.
    """

    def __init__(self, d_model: int, n_heads: int) -> None:
        """`n_heads` divides `d_model`."""
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed = FeedForward(d_model)
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))

    def forward(self, x: Tokens) -> Tokens:
        x = x + self.attention(self.norms[0](x))
        return x + self.feed(self.norms[1](x))


class DecoderBlock(nn.Module):
    """Looks at its own past, then at the source, then computes: three steps x + f(norm(x)).

    `past` is self-attention under the causal mask (7.4). `cross` asks `memory`, the encoded source;
    its core is made by `attend`.
    """

    def __init__(self, d_model: int, n_heads: int, attend: Callable[[], AttentionCore]) -> None:
        """`n_heads` divides `d_model`."""
        super().__init__()
        self.past = MultiHeadAttention(d_model, n_heads)
        self.cross = MultiHeadAttention(d_model, n_heads, d_model, attend=attend)
        self.feed = FeedForward(d_model)
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3))

    def forward(self, x: Tokens, memory: Memory) -> Tokens:
        x = x + self.past(self.norms[0](x), mask=causal_mask(x.shape[1]).to(x.device))
        x = x + self.cross(self.norms[1](x), memory)
        return x + self.feed(self.norms[2](x))


class EncoderDecoder(nn.Module):
    r"""Logits of p(y_j | y_1..y_{j-1}, x), for all j at once (Vaswani et al. 2017, 3.1; (7.3)).

    Symbols are 0..n_symbols - 1, and `start` = n_symbols begins every decoder input. Source and
    target may differ in length. `attend` makes the core of each cross-attention. The weights are
    drawn from `generator`; the last layer starts at 0, so that at first all symbols are equally
    likely and the loss is ln(n_symbols).
    """

    def __init__(
        self,
        n_symbols: int,
        d_model: int,
        n_heads: int,
        blocks: int = 1,
        *,
        attend: Callable[[], AttentionCore] = SoftmaxCore,
        generator: torch.Generator,
    ) -> None:
        """`n_heads` divides the even `d_model`; `blocks` in the encoder, as many in the decoder."""
        super().__init__()
        expect.integer("n_symbols", n_symbols, 1)
        check_heads("d_model", d_model, n_heads)
        if d_model % 2:
            expect.fail("d_model", "an even number, for sines and cosines", d_model)
        expect.integer("blocks", blocks, 1)
        self.start = n_symbols
        self.read = nn.Embedding(n_symbols, d_model)
        self.reread = nn.Embedding(n_symbols + 1, d_model)
        self.encoder = nn.ModuleList(EncoderBlock(d_model, n_heads) for _ in range(blocks))
        self.decoder = nn.ModuleList(DecoderBlock(d_model, n_heads, attend) for _ in range(blocks))
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))
        self.leave = nn.Linear(d_model, n_symbols)
        initialise(self, generator)
        for table in (self.read, self.reread):
            nn.init.normal_(table.weight, generator=generator)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, source: Source, target_in: Symbols) -> Logits:
        """`target_in` is the target moved one place to the right: `shift_right(y, start)`."""
        return self.decode(self.encode(source), target_in)

    def encode(self, source: Symbols) -> Tokens:
        """Each source symbol as a vector that has seen all others."""
        x = _placed(self.read, "source", source)
        for block in self.encoder:
            x = block(x)
        return self.norms[0](x)

    def decode(self, memory: Memory, target_in: Symbols) -> Logits:
        """The logits, given what `encode` made of the source."""
        x = _placed(self.reread, "target_in", target_in)
        if len(target_in) != len(memory):
            expect.fail("target_in", f"{len(memory)} sequences, as sources", len(target_in))
        for block in self.decoder:
            x = block(x, memory)
        return self.leave(self.norms[1](x))


def shift_right(target: Symbols, start: int) -> Symbols:
    r"""What the decoder reads while it learns: (start, y_1, ..., y_{n-1}) (teacher forcing; (7.3)).

    At place j it has to say $y_j$ and has been told $y_1, \dots, y_{j-1}$, the right ones.
    """
    _check_symbols("target", target)
    expect.integer("start", start, 0)
    return torch.cat([torch.full_like(target[:, :1], start), target[:, :-1]], dim=1)


@torch.no_grad()
def greedy(model: EncoderDecoder, source: Source, n: int) -> Symbols:
    """Write n symbols one by one, each the likeliest after those written before: (B, n)."""
    expect.integer("n", n, 1)
    memory = model.encode(source)
    written = torch.full_like(source[:, :1], model.start)
    for _ in range(n):
        likeliest = model.decode(memory, written)[:, -1:].argmax(dim=-1)
        written = torch.cat([written, likeliest], dim=1)
    return written[:, 1:]


def _placed(table: nn.Embedding, name: str, symbols: Symbols) -> Tokens:
    """A vector for each symbol plus the sines and cosines of its place."""
    _check_symbols(name, symbols, table.num_embeddings - 1)
    x = table(symbols)
    return x + sinusoidal_positions(*x.shape[1:]).to(x)


def _check_symbols(name: str, x: object, high: int | None = None) -> None:
    """A long tensor (B, n) with at least one symbol, all of them 0..high."""
    expect.tensor(name, x)
    if x.dtype != torch.long:
        expect.fail(name, "dtype torch.int64", x.dtype)
    if x.ndim != 2 or 0 in x.shape:
        expect.fail(name, "shape (B, n), neither of them 0", tuple(x.shape))
    if high is None or x.device.type == "meta":
        return
    outside = x[(x < 0) | (x > high)]
    if len(outside):
        expect.fail(name, f"symbols 0..{high}", outside[0].item())
