"""Wrong arguments of the attention rooms; see bad_input.py."""

import torch

from diffedu.nets import heads, norms, operators, positions, recording, spatial

MODULES = (operators, positions, norms, heads, spatial, recording)

OPERATORS = """
attention_weights(q.tolist(), k) -> q: expected a tensor, got list
attention_weights(q, None) -> k: expected a tensor, got NoneType
attention_weights(q.long(), k) -> q: expected a floating-point tensor, got torch.int64
attention_weights(q, k.bool()) -> k: expected a floating-point tensor, got torch.bool
attention_weights(q[0, 0], k[0, 0]) -> q: expected shape (..., n, d), none of them 0, got (4,)
attention_weights(q, k[:, :0]) -> k: expected shape (..., n, d), none of them 0, got (2, 0, 4)
attention_weights(q[:0], k[:0]) -> q: expected shape (..., n, d), none of them 0, got (0, 5, 4)
attention_weights(q, k[..., :3]) -> k: expected shape (2, n_k, 4) beside this q, got (2, 7, 3)
attention_weights(q, k[:1]) -> k: expected shape (2, n_k, 4) beside this q, got (1, 7, 4)
attention_weights(q[0], k) -> k: expected shape (n_k, 4) beside this q, got (2, 7, 4)
attention_weights(q, k.mT) -> k: expected shape (2, n_k, 4) beside this q, got (2, 4, 7)
attention_weights(q, k.double()) -> k: expected dtype torch.float32, as q, got torch.float64
attention_weights(q, k.to("meta")) -> k: expected device cpu, as q, got meta
attention_weights(q, k, 0.0) -> mask: expected a tensor, got float
attention_weights(q, k, look.float()) -> {boolean}, got torch.float32
attention_weights(q, k, look.long()) -> {boolean}, got torch.int64
attention_weights(q, k, look.mT) -> mask: {to_scores}, got (7, 5)
attention_weights(q, k, look[None, None]) -> mask: {to_scores}, got (1, 1, 5, 7)
attention_weights(q, k, look.expand(3, 5, 7)) -> mask: {to_scores}, got (3, 5, 7)
attention_weights(q, k, look.to("meta")) -> mask: expected device cpu, as q, got meta
attention_weights(q, k, ~look) -> {somewhere}: (0,)
attention_weights(q, k, look.tril(-1)) -> {somewhere}: (0,)
attention_weights(q, k, ~look[0]) -> {somewhere}: ()
attention_weights(q, k, look[0, 0] & False) -> {somewhere}: ()
attention(q, k, v[0]) -> v: expected shape (2, 7, d_v): one value for each key, got (7, 6)
attention(q, k, v[:, :5]) -> v: expected shape (2, 7, d_v): one value for each key, got (2, 5, 6)
attention(q, k, v.half()) -> v: expected dtype torch.float32, as k, got torch.float16
attention(q, k, v.to("meta")) -> v: expected device cpu, as k, got meta
attention(q, k, 1.0) -> v: expected a tensor, got float
attention(q, k, v, look.double()) -> {boolean}, got torch.float64
attention(q, k, v, ~look) -> {somewhere}: (0,)
fused_attention(q, k[..., :2], v) -> k: {beside_q}, got (2, 7, 2)
fused_attention(q, k, v.mT) -> v: expected shape (2, 7, d_v): one value for each key, got (2, 6, 7)
fused_attention(q, k, v, -look.float()) -> {boolean}, got torch.float32
fused_attention(q, k, v, look.expand(2, 2, 5, 7)) -> mask: {to_scores}, got (2, 2, 5, 7)
fused_attention(q, k, v, look & (look.cumsum(0) != 3)) -> {somewhere}: (2,)
causal_mask(0) -> n: expected an integer >= 1, got 0
causal_mask(3.0) -> n: expected an integer >= 1, got 3.0
linear_attention_weights(q, k.double()) -> {as_q}, got torch.float64
linear_attention_weights(q, k[..., :1]) -> k: {beside_q}, got (2, 7, 1)
online_attention(q, k[..., :3], v, 2) -> k: {beside_q}, got (2, 7, 3)
online_attention(q, k, v[:, :5], 2) -> v: {one_value}, got (2, 5, 6)
online_attention(q, k, v, 0) -> block: expected an integer >= 1, got 0
online_attention(q, k, v, 2.5) -> block: expected an integer >= 1, got 2.5
linear_attention(q[0, 0, 0], k, v) -> q: expected shape (..., n, d), none of them 0, got ()
linear_attention(q, k, v[:1]) -> v: {one_value}, got (1, 7, 6)
additive_attention_weights([q], k, W, W, w) -> q: expected a tensor, got list
additive_attention_weights(q, k.long(), W, W, w) -> {k_float}, got torch.int64
additive_attention_weights(q, k[:1], W, W, w) -> k: {beside_q}, got (1, 7, 4)
additive_attention_weights(q, k, W.mT, W, w) -> W_q: expected shape (3, 4), got (4, 3)
additive_attention_weights(q, k, W, W[:2], w) -> W_k: expected shape (3, 4), got (2, 4)
additive_attention_weights(q, k, W, W, w[:2]) -> W_q: expected shape (2, 4), got (3, 4)
additive_attention_weights(q, k, W, W, w[0]) -> w: expected shape (d_a,), got ()
additive_attention_weights(q, k, W, W, None) -> w: expected a tensor, got NoneType
additive_attention_weights(q, k, W.tolist(), W, w) -> W_q: expected a tensor, got list
additive_attention(q, k, v[:, :6], W, W, w) -> v: {one_value}, got (2, 6, 6)
additive_attention(q, k, None, W, W, w) -> v: expected a tensor, got NoneType
sinusoidal_positions(0, 4) -> n: expected an integer >= 1, got 0
sinusoidal_positions(5, 3) -> d: expected an even number, got 3
sinusoidal_positions(5, 0) -> d: expected an integer >= 2, got 0
sinusoidal_positions(5, 4.0) -> d: expected an integer >= 2, got 4.0
positions_2d(0, 5, 8) -> h: expected an integer >= 1, got 0
positions_2d(3, 2.5, 8) -> w: expected an integer >= 1, got 2.5
positions_2d(3, 5, 6) -> d: expected a multiple of 4, got 6
positions_2d(3, 5, 2) -> d: expected an integer >= 4, got 2
"""

LAYERS = """
group_norm(0) -> channels: expected an integer >= 1, got 0
group_norm("8") -> channels: expected an integer >= 1, got 8
channel_norm(2.0) -> channels: expected an integer >= 1, got 2.0
channel_norm(3)(image) -> x: expected shape (B, 3, H, W), got (2, 8, 3, 5)
channel_norm(8)(image[0]) -> x: expected shape (B, 8, H, W), got (8, 3, 5)
channel_norm(8)(None) -> x: expected a tensor, got NoneType
split_heads(None, 2) -> x: expected a tensor, got NoneType
split_heads(image, 2) -> x: expected shape (B, n, d_model), got (2, 8, 3, 5)
split_heads(q, 3) -> n_heads: expected a divisor of d_model = 4 (1, 2, 4), got 3
split_heads(q, 0) -> n_heads: expected an integer >= 1, got 0
merge_heads(3) -> x: expected a tensor, got int
merge_heads(q) -> x: expected shape (B, heads, n, d_head), got (2, 5, 4)
check_heads("d_model", 0, 1) -> d_model: expected an integer >= 1, got 0
check_heads("channels", 12, 5) -> {divisors_of_12}, got 5
check_heads("channels", 7, True) -> n_heads: expected an integer >= 1, got True
check_tokens("x", q, 5) -> x: expected shape (B, n, 5), got (2, 5, 4)
check_tokens("context", q, 4, 3) -> context: expected shape (3, n, 4), got (2, 5, 4)
over_heads(None, 2, 5, 7) -> mask: expected a tensor, got NoneType
over_heads(look[0], 2, 5, 7) -> mask: expected shape (5, 7) or (2, 5, 7), got (7,)
over_heads(look, 2, 7, 5) -> mask: expected shape (7, 5) or (2, 7, 5), got (5, 7)
MultiHeadAttention(12.0, 3) -> d_model: expected an integer >= 1, got 12.0
MultiHeadAttention(12, 0) -> n_heads: expected an integer >= 1, got 0
MultiHeadAttention(6, 4) -> n_heads: expected a divisor of d_model = 6 (1, 2, 3, 6), got 4
MultiHeadAttention(6, 2, 0) -> d_context: expected an integer >= 1, got 0
MultiHeadAttention(6, 2, 7.5) -> d_context: expected an integer >= 1, got 7.5
alone(q.tolist()) -> x: expected a tensor, got list
alone(q[0]) -> x: expected shape (B, n, 4), got (5, 4)
alone(q.long()) -> x: expected a floating-point tensor, got torch.int64
alone(q, k[..., :3]) -> context: expected shape (2, n, 4), got (2, 7, 3)
alone(q, mask=look) -> mask: expected shape (5, 5) or (2, 5, 5), got (5, 7)
alone(q, mask=look[:, :5].float()) -> {boolean}, got torch.float32
alone(q, mask=[True]) -> mask: expected a tensor, got list
asking(q) -> context: expected a tensor, got NoneType
asking(q, k) -> context: expected shape (2, n, 6), got (2, 7, 4)
asking(q, v[:1]) -> context: expected shape (2, n, 6), got (1, 7, 6)
asking(q, v[:, :0]) -> context: expected shape (2, n, 6), got (2, 0, 6)
asking(q, v, look[:2]) -> mask: expected shape (5, 7) or (2, 5, 7), got (2, 7)
asking(q, v, ~look) -> {somewhere}: (0, 0)
linear_layer(q, mask=look[:, :5]) -> {no_mask}, got (1, 5, 5)
to_tokens(q) -> x: expected shape (B, C, H, W), got (2, 5, 4)
to_tokens(image.tolist()) -> x: expected a tensor, got list
to_map(q, image) -> tokens: expected shape (B, 15, C): 3 x 5 pixels, got (2, 5, 4)
to_map(image, image) -> tokens: expected shape (B, 15, C): 3 x 5 pixels, got (2, 8, 3, 5)
to_map(q, q) -> like: expected shape (B, C, H, W), got (2, 5, 4)
to_map(q, (3, 5)) -> like: expected a tensor, got tuple
to_map(None, image) -> tokens: expected a tensor, got NoneType
SpatialAttention(8, 3) -> n_heads: expected a divisor of channels = 8 (1, 2, 4, 8), got 3
SpatialAttention(0, 1) -> channels: expected an integer >= 1, got 0
SpatialLinearAttention(8, 5) -> n_heads: expected a divisor of channels = 8 (1, 2, 4, 8), got 5
SpatialAttention(4, 2)(image) -> x: expected shape (B, 4, H, W), got (2, 8, 3, 5)
SpatialAttention(8, 2)(image[0]) -> x: expected shape (B, 8, H, W), got (8, 3, 5)
SpatialLinearAttention(8, 2)(image[..., :0]) -> x: expected shape (B, 8, H, W), got (2, 8, 3, 0)
SpatialAttention(8, 2)(image.byte()) -> x: expected a floating-point tensor, got torch.uint8
CrossAttention(8, 0, 2) -> d_context: expected an integer >= 1, got 0
CrossAttention(8, 6, 3) -> n_heads: expected a divisor of channels = 8 (1, 2, 4, 8), got 3
reading(image, v[..., :5]) -> context: expected shape (2, n, 6), got (2, 7, 5)
reading(image, v[:, 0]) -> context: expected shape (2, n, 6), got (2, 6)
reading(image, v[[0, 1, 0]]) -> context: expected shape (2, n, 6), got (3, 7, 6)
reading(image[:, :7], v) -> x: expected shape (B, 8, H, W), got (2, 7, 3, 5)
reading(image, v, look) -> mask: expected shape (2, 7), got (5, 7)
reading(image, v, [7, 3]) -> mask: expected a tensor, got list
reading(image, v, look[:2].float()) -> {boolean}, got torch.float32
reading(image, v, look[:2].tril()[[1, 0]] & ~look[:2].tril(0)[[0, 0]]) -> {somewhere}: (1, 0, 0)
TimeTokenAttention(8, 0, 2) -> d_time: expected an integer >= 1, got 0
TimeTokenAttention(8, 6, 3) -> n_heads: expected a divisor of channels = 8 (1, 2, 4, 8), got 3
telling(image, 500) -> time: expected a tensor, got int
telling(image, t[:2]) -> time: expected shape (2, 6), got (2,)
telling(image, v[:1, 0]) -> time: expected shape (2, 6), got (1, 6)
telling(image[0], v[:, 0]) -> x: expected shape (B, 8, H, W), got (8, 3, 5)
SpatialGate(0) -> channels: expected an integer >= 1, got 0
SpatialGate(4)(image) -> x: expected shape (B, 4, H, W), got (2, 8, 3, 5)
check_map([1.0], 8) -> x: expected a tensor, got list
check_map(image, 3) -> x: expected shape (B, 3, H, W), got (2, 8, 3, 5)
zero(3) -> layer: expected an nn.Linear, got int
record_attention(None).__enter__() -> model: expected a network (nn.Module), got NoneType
record_attention(SpatialGate).__enter__() -> model: expected a network (nn.Module), got type
record_attention(SpatialGate(8)).__enter__() -> {no_layer}, got SpatialGate
"""

TABLES = (OPERATORS, LAYERS)

# Where a message would make the line too long
LONG = {
    "boolean": "mask: expected dtype torch.bool, True = may look",
    "to_scores": "expected a shape that broadcasts to (2, 5, 7)",
    "somewhere": (
        "mask: expected at least one True in every row, got a query that may look nowhere"
    ),
    "beside_q": "expected shape (2, n_k, 4) beside this q",
    "as_q": "k: expected dtype torch.float32, as q",
    "one_value": "expected shape (2, 7, d_v): one value for each key",
    "k_float": "k: expected a floating-point tensor",
    "divisors_of_12": "n_heads: expected a divisor of channels = 12 (1, 2, 3, 4, 6, 12)",
    "no_mask": "mask: expected None: linear attention knows no mask",
    "no_layer": "model: expected at least one attention layer of diffedu.nets",
}


def names() -> dict:
    """What these expressions use beside the names of bad_input.py."""
    public = {k: v for module in MODULES for k, v in vars(module).items() if k[0] != "_"}
    own = {
        "q": torch.ones(2, 5, 4),
        "k": torch.ones(2, 7, 4),
        "v": torch.ones(2, 7, 6),
        "look": torch.ones(5, 7, dtype=torch.bool),
        "W": torch.ones(3, 4),
        "w": torch.ones(3),
        "image": torch.ones(2, 8, 3, 5),
        "alone": heads.MultiHeadAttention(4, 2),
        "asking": heads.MultiHeadAttention(4, 2, 6),
        "linear_layer": heads.MultiHeadAttention(4, 2, attend=heads.LinearCore),
        "reading": spatial.CrossAttention(8, 6, 2),
        "telling": spatial.TimeTokenAttention(8, 6, 2),
    }
    return public | own
