"""What goes wrong in nets/seq2seq.py: the shift, the mask, what is read, and where norms stand."""

import torch
from torch import nn

from planting import Fault

ROOM = "diffedu.nets.seq2seq"
FORMULA, LOOKS = "tests/test_seq2seq.py", "tests/test_seq2seq_looks.py"


def unshifted(original):
    return lambda target, start: target


def rolled(original):
    return lambda target, start: target.roll(1, dims=1)


def start_in_the_place_of_the_first(original):
    def shift_right(target, start):
        return torch.cat([torch.full_like(target[:, :1], start), target[:, 1:]], dim=1)

    return shift_right


def writing(read):
    """greedy that reads read(written) and not what it has written."""

    def replacement(original):
        @torch.no_grad()
        def greedy(model, source, n):
            written = torch.full_like(source[:, :1], model.start)
            for _ in range(n):
                likeliest = model(source, read(written))[:, -1:].argmax(dim=-1)
                written = torch.cat([written, likeliest], dim=1)
            return written[:, 1:]

        return greedy

    return replacement


def with_the_start(original):
    def greedy(model, source, n):
        found = original(model, source, n)
        return torch.cat([torch.full_like(found[:, :1], model.start), found[:, :-1]], dim=1)

    return greedy


def built(change):
    """EncoderDecoder.__init__, and then change(network)."""

    def replacement(original):
        def __init__(self, *args, **keywords):
            original(self, *args, **keywords)
            change(self)

        return __init__

    return replacement


def tables_from_the_global_state(network):
    for table in (network.read, network.reread):
        nn.init.normal_(table.weight)


def last_layer_drawn(network):
    network.leave.reset_parameters()


def forgotten_generator(network):
    for layer in network.encoder.modules():
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()


def encoding(place=lambda x: x, leave=lambda self, x: self.norms[0](x)):
    """encode with other places for its vectors, or with another end."""

    def replacement(original):
        def encode(self, source):
            original(self, source)
            x = place(self.read(source))
            for block in self.encoder:
                x = block(x)
            return leave(self, x)

        return encode

    return replacement


def placed(x):
    from diffedu.nets import seq2seq

    return x + seq2seq.sinusoidal_positions(*x.shape[1:]).to(x)


def decoding(vectors, norm=1):
    """decode from vectors(self, target_in), with the norm of this number at the end."""

    def replacement(original):
        def decode(self, memory, target_in):
            original(self, memory, target_in)
            x = vectors(self, target_in)
            for block in self.decoder:
                x = block(x, memory)
            return self.leave(self.norms[norm](x))

        return decode

    return replacement


def without_the_encoder(original):
    def forward(self, source, target_in):
        return self.decode(placed(self.read(source)), target_in)

    return forward


def of_the_reversed_batch(original):
    return lambda self, source, target_in: original(self, source.flip(0), target_in)


def encoder_block(wrong):
    return lambda original: lambda self, x: wrong(self, x)


def without_the_skip(self, x):
    x = x + self.attention(self.norms[0](x))
    return self.feed(self.norms[1](x))


def norms_outside(self, x):
    x = self.norms[0](x + self.attention(x))
    return self.norms[1](x + self.feed(x))


def only_the_past(self, x):
    from diffedu.nets import seq2seq

    x = x + self.attention(self.norms[0](x), mask=seq2seq.causal_mask(x.shape[1]))
    return x + self.feed(self.norms[1](x))


def decoder_block(mask=lambda n: torch.ones(n, n, dtype=torch.bool).tril(), cross_first=False):
    """DecoderBlock.forward with another mask or order."""

    def replacement(original):
        def forward(self, x, memory):
            def past(x):
                return x + self.past(self.norms[0](x), mask=mask(x.shape[1]))

            def cross(x):
                return x + self.cross(self.norms[1](x), memory)

            x = past(cross(x)) if cross_first else cross(past(x))
            return x + self.feed(self.norms[2](x))

        return forward

    return replacement


def asks_itself(original):
    def forward(self, x, memory):
        return original(self, x, x)

    return forward


def smooth(original):
    def __init__(self, d_model):
        original(self, d_model)
        self[1] = nn.GELU()

    return __init__


def queries_and_keys_by_each_others_matrices(original):
    def weights(self, q, k):
        self.W_q, self.W_k = self.W_k, self.W_q
        try:
            return original(self, q, k)
        finally:
            self.W_q, self.W_k = self.W_k, self.W_q

    return weights


def keys_for_values(original):
    return lambda self, q, k, v, mask=None: original(self, q, k, k, mask)


def fault(name, replacement, tests=FORMULA):
    return Fault(name, f"{ROOM}.{name.split(':')[0]}", replacement, (tests,))


FAULTS = (
    fault("shift_right: not shifted", unshifted),
    fault("shift_right: the last symbol comes first", rolled),
    fault("shift_right: start takes the place of y_1", start_in_the_place_of_the_first),
    fault("greedy: reads only the last symbol", writing(lambda written: written[:, -1:])),
    fault("greedy: never reads what it wrote", writing(lambda written: written[:, :1])),
    fault("greedy: hands back the start", with_the_start),
    fault("EncoderDecoder.__init__: tables, global state", built(tables_from_the_global_state)),
    fault("EncoderDecoder.__init__: last layer not 0", built(last_layer_drawn)),
    fault("EncoderDecoder.__init__: encoder, global state", built(forgotten_generator)),
    fault("EncoderDecoder.encode: no positions", encoding()),
    fault("EncoderDecoder.encode: no last norm", encoding(placed, lambda self, x: x)),
    fault("EncoderDecoder.encode: the other norm", encoding(placed, lambda s, x: s.norms[1](x))),
    fault("EncoderDecoder.decode: no positions", decoding(lambda s, y: s.reread(y))),
    fault("EncoderDecoder.decode: the other norm", decoding(lambda s, y: placed(s.reread(y)), 0)),
    fault("EncoderDecoder.forward: without the encoder", without_the_encoder),
    fault("EncoderDecoder.forward: another's source", of_the_reversed_batch, LOOKS),
    fault("EncoderBlock.forward: without the skip", encoder_block(without_the_skip)),
    fault("EncoderBlock.forward: norms outside", encoder_block(norms_outside)),
    fault("EncoderBlock.forward: only the past", encoder_block(only_the_past)),
    fault("DecoderBlock.forward: sees the future", decoder_block(lambda n: None), LOOKS),
    fault(
        "DecoderBlock.forward: one symbol of the future",
        decoder_block(lambda n: torch.ones(n, n, dtype=torch.bool).tril(1)),
        LOOKS,
    ),
    fault("DecoderBlock.forward: source before past", decoder_block(cross_first=True)),
    fault("DecoderBlock.forward: asks itself", asks_itself, LOOKS),
    fault("FeedForward.__init__: smooth", smooth),
    fault(
        "AdditiveCore.weights: each other's matrices",
        queries_and_keys_by_each_others_matrices,
        LOOKS,
    ),
    fault("AdditiveCore.forward: keys for values", keys_for_values, LOOKS),
)
