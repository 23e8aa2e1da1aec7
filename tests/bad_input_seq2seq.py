"""Wrong arguments of the encoder-decoder; see bad_input.py."""

import torch

from diffedu.nets import seq2seq

MODULES = (seq2seq,)

SEQ2SEQ = """
AdditiveCore(0) -> d_head: expected an integer >= 1, got 0
AdditiveCore(2.0) -> d_head: expected an integer >= 1, got 2.0
AdditiveCore(2)(qkv, qkv, qkv, mask) -> {no_mask_added}, got (3, 3)
EncoderDecoder(0, 8, 2, generator=g) -> n_symbols: expected an integer >= 1, got 0
EncoderDecoder(5.0, 8, 2, generator=g) -> n_symbols: expected an integer >= 1, got 5.0
EncoderDecoder(5, 9, 3, generator=g) -> d_model: expected {even}, got 9
EncoderDecoder(5, 8, 3, generator=g) -> n_heads: expected {divisors}, got 3
EncoderDecoder(5, 8, 2, 0, generator=g) -> blocks: expected an integer >= 1, got 0
EncoderDecoder(5, 8, 2, generator=0) -> generator: expected a torch.Generator, got int
EncoderDecoder(5, 8, 2, generator=None) -> generator: expected a torch.Generator, got NoneType
writer([[1, 2]], told) -> source: expected a tensor, got list
writer(source.float(), told) -> source: expected dtype torch.int64, got torch.float32
writer(source.int(), told) -> source: expected dtype torch.int64, got torch.int32
writer(source[0], told) -> source: expected shape (B, n), neither of them 0, got (3,)
writer(source[:0], told) -> source: expected shape (B, n), neither of them 0, got (0, 3)
writer(source + 3, told) -> source: expected symbols 0..4, got 5
writer(source - 1, told) -> source: expected symbols 0..4, got -1
writer(source, told + 1) -> target_in: expected symbols 0..5, got 6
writer(source, told[:1]) -> target_in: expected 2 sequences, as sources, got 1
writer(source, None) -> target_in: expected a tensor, got NoneType
shift_right([[1, 2]], 5) -> target: expected a tensor, got list
shift_right(source.double(), 5) -> target: expected dtype torch.int64, got torch.float64
shift_right(source[0], 5) -> target: expected shape (B, n), neither of them 0, got (3,)
shift_right(source, -1) -> start: expected an integer >= 0, got -1
shift_right(source, None) -> start: expected an integer >= 0, got None
greedy(writer, source, 0) -> n: expected an integer >= 1, got 0
greedy(writer, source, 2.5) -> n: expected an integer >= 1, got 2.5
greedy(writer, source.float(), 3) -> source: expected dtype torch.int64, got torch.float32
greedy(writer, source + 3, 3) -> source: expected symbols 0..4, got 5
"""

TABLES = (SEQ2SEQ,)

# Where a message would make the line too long
LONG = {
    "no_mask_added": "mask: expected None: additive attention knows no mask",
    "even": "an even number, for sines and cosines",
    "divisors": "a divisor of d_model = 8 (1, 2, 4, 8)",
}


def names() -> dict:
    """What these expressions use beside the names of bad_input.py."""
    public = {k: v for k, v in vars(seq2seq).items() if k[0] != "_"}
    own = {
        "writer": seq2seq.EncoderDecoder(5, 8, 2, generator=torch.Generator()),
        "source": torch.tensor([[0, 1, 2], [2, 1, 0]]),
        "told": torch.tensor([[5, 1, 0, 1], [5, 0, 1, 1]]),
        "qkv": torch.ones(2, 4, 3, 2),
        "mask": torch.ones(3, 3, dtype=torch.bool),
    }
    return public | own
