"""Attention, from the formula to the layers of a UNet: the door to its rooms.

`operators` holds the functions of q, k and v, `positions` tells tokens where they stand, `heads`
has the layer over tokens, `spatial` those over feature maps, `recording` keeps the maps.
"""

from diffedu.nets.heads import (
    AttentionCore,
    LinearCore,
    MultiHeadAttention,
    SoftmaxCore,
    merge_heads,
    split_heads,
)
from diffedu.nets.operators import (
    additive_attention,
    additive_attention_weights,
    attention,
    attention_weights,
    causal_mask,
    fused_attention,
    linear_attention,
    linear_attention_weights,
    online_attention,
)
from diffedu.nets.positions import positions_2d, sinusoidal_positions
from diffedu.nets.recording import record_attention
from diffedu.nets.spatial import (
    CrossAttention,
    SpatialAttention,
    SpatialGate,
    SpatialLinearAttention,
    TimeTokenAttention,
    to_map,
    to_tokens,
)

__all__ = [
    "AttentionCore",
    "CrossAttention",
    "LinearCore",
    "MultiHeadAttention",
    "SoftmaxCore",
    "SpatialAttention",
    "SpatialGate",
    "SpatialLinearAttention",
    "TimeTokenAttention",
    "additive_attention",
    "additive_attention_weights",
    "attention",
    "attention_weights",
    "causal_mask",
    "fused_attention",
    "linear_attention",
    "linear_attention_weights",
    "merge_heads",
    "online_attention",
    "positions_2d",
    "record_attention",
    "sinusoidal_positions",
    "split_heads",
    "to_map",
    "to_tokens",
]
