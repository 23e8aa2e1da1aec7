"""Many heads: the layers that make q, k and v, let each head look, and mix what they brought."""

from collections.abc import Callable

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from diffedu import expect
from diffedu.nets.operators import (
    attention_weights,
    fused_attention,
    linear_attention,
    linear_attention_weights,
)

Tokens = Float[Tensor, "b n d_model"]


class AttentionCore(nn.Module):
    """Where a layer looks: q, k, v (B, heads, n, d_head) -> what each query brings back.

    `weights(q, k, ...)` is the matrix of the same look; `record_attention` asks for it.
    """

    def weights(self, q: Tensor, k: Tensor, *mask: Tensor) -> Tensor:
        """The weights (B, heads, n_q, n_k), whose rows sum to 1."""
        raise NotImplementedError


class SoftmaxCore(AttentionCore):
    """Scaled dot products and a softmax: `attention`, by torch's fused kernel."""

    weights = staticmethod(attention_weights)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        return fused_attention(q, k, v, mask)


class LinearCore(AttentionCore):
    """`linear_attention`, which knows no mask: one is an error."""

    weights = staticmethod(linear_attention_weights)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            expect.fail("mask", "None: linear attention knows no mask", tuple(mask.shape))
        return linear_attention(q, k, v)


class AttentionLayer(nn.Module):
    """A layer that `record_attention` lists under one name; exactly one core is inside."""


def split_heads(x: Tokens, n_heads: int) -> Float[Tensor, "b n_heads n d_head"]:
    """(B, n, d_model) -> (B, heads, n, d_head): each head gets its own slice of the features."""
    expect.tensor("x", x)
    if x.ndim != 3:
        expect.fail("x", "shape (B, n, d_model)", tuple(x.shape))
    check_heads("d_model", x.shape[2], n_heads)
    return rearrange(x, "b n (h d) -> b h n d", h=n_heads)


def merge_heads(x: Float[Tensor, "b n_heads n d_head"]) -> Tokens:
    """The way back: the heads' features side by side again."""
    expect.tensor("x", x)
    if x.ndim != 4:
        expect.fail("x", "shape (B, heads, n, d_head)", tuple(x.shape))
    return rearrange(x, "b h n d -> b n (h d)")


class MultiHeadAttention(AttentionLayer):
    r"""Attention with several heads over tokens (Vaswani et al. 2017, 3.2.2; (7.1)).

    $\mathrm{concat}(\mathrm{head}_1, \ldots)\,W_O$ with $\mathrm{head}_i = \mathrm{Attention}
    (X W_Q^i, C W_K^i, C W_V^i)$. x is (B, n_q, d_model). With `d_context` it is cross-attention
    and needs a context C (B, n_k, d_context); without, C is a context of width d_model, or x
    itself. Keys and values have projections of their own. `mask` (n_q, n_k), or (B, n_q, n_k), is
    True where a query may look; a padding mask (B, n_k) goes in as `mask[:, None]`. `attend` makes
    the core.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_context: int | None = None,
        bias: bool = True,
        *,
        attend: Callable[[], AttentionCore] = SoftmaxCore,
    ) -> None:
        """`n_heads` divides `d_model`; each head is d_model / n_heads wide."""
        super().__init__()
        check_heads("d_model", d_model, n_heads)
        if d_context is not None:
            expect.integer("d_context", d_context, 1)
        self.n_heads, self.needs_context = n_heads, d_context is not None
        d_context = d_context or d_model
        self.to_q = nn.Linear(d_model, d_model, bias)
        self.to_k = nn.Linear(d_context, d_model, bias)
        self.to_v = nn.Linear(d_context, d_model, bias)
        self.to_out = nn.Linear(d_model, d_model, bias)
        self.core = attend()

    def forward(
        self,
        x: Tokens,
        context: Float[Tensor, "b n_k d_context"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Tokens:
        check_tokens("x", x, self.to_q.in_features)
        if context is not None or self.needs_context:
            check_tokens("context", context, self.to_k.in_features, len(x))
        context = x if context is None else context
        q, k, v = self.to_q(x), self.to_k(context), self.to_v(context)
        heads = [split_heads(part, self.n_heads) for part in (q, k, v)]
        masks = () if mask is None else (over_heads(mask, len(x), x.shape[1], context.shape[1]),)
        return self.to_out(merge_heads(self.core(*heads, *masks)))


def check_heads(name: str, width: object, n_heads: object) -> None:
    """`n_heads` divides `width`; the message lists what would."""
    expect.integer(name, width, 1)
    expect.integer("n_heads", n_heads, 1)
    if width % n_heads:
        divisors = ", ".join(str(n) for n in range(1, width + 1) if width % n == 0)
        expect.fail("n_heads", f"a divisor of {name} = {width} ({divisors})", n_heads)


def check_tokens(name: str, x: object, width: int, batch: int | None = None) -> None:
    """A floating-point tensor (B, n, width) with at least one token, and the B that is wanted."""
    expect.tensor(name, x)
    if not x.is_floating_point():
        expect.fail(name, "a floating-point tensor", x.dtype)
    size = "B" if batch is None else batch
    fits = x.ndim == 3 and x.shape[2] == width and 0 not in x.shape
    if not fits or batch not in (None, len(x)):
        expect.fail(name, f"shape ({size}, n, {width})", tuple(x.shape))


def over_heads(mask: object, b: int, n_q: int, n_k: int) -> Bool[Tensor, "..."]:
    """A mask (n_q, n_k) for all, or (B, n_q, n_k), shaped so that every head gets the same one."""
    expect.tensor("mask", mask)
    sizes = zip((n_k, n_q, b), reversed(mask.shape), strict=False)
    if mask.ndim not in (2, 3) or any(size not in (1, wanted) for wanted, size in sizes):
        wanted = f"shape ({n_q}, {n_k}) or ({b}, {n_q}, {n_k})"
        expect.fail("mask", wanted, tuple(mask.shape))
    return mask.unsqueeze(-3)
