"""What goes wrong in nets/mlp.py: the block, the network, and what starts at 0."""

from torch import nn

from planting import Fault

MLP = "diffedu.nets.mlp"


def block(wrong):
    """The block from (itself, h, scale, shift), with a wrong part."""

    def replacement(original):
        def forward(self, h, time):
            return wrong(self, h, *self.film(time).chunk(2, dim=1))

        return forward

    return replacement


def without_the_skip(self, h, scale, shift):
    return self.second(nn.functional.silu((1 + scale) * self.first(self.norm(h)) + shift))


def scale_without_one(self, h, scale, shift):
    return h + self.second(nn.functional.silu(scale * self.first(self.norm(h)) + shift))


def scale_and_shift_exchanged(self, h, scale, shift):
    return h + self.second(nn.functional.silu((1 + shift) * self.first(self.norm(h)) + scale))


def without_the_norm(self, h, scale, shift):
    return h + self.second(nn.functional.silu((1 + scale) * self.first(h) + shift))


def changed_input(change):
    """MLP.forward of a changed (x, t)."""
    return lambda original: lambda self, x, t: original(self, *change(x, t))


def output(wrong):
    """MLP.forward from (itself, what leaves the blocks, x, the time features), all flat."""

    def replacement(original):
        def forward(self, x, t):
            from diffedu.nets import mlp

            time = self.time(mlp.time_embedding(t, mlp.D_TIME).to(x))
            h = self.enter(x.flatten(1))
            for each in self.blocks:
                h = each(h, time)
            return wrong(self, self.leave(h), x.flatten(1), time).view_as(x)

        return forward

    return replacement


def gain_of_the_embedding(original):
    """The gain is given the sines and cosines, not what the first layer makes of them."""

    def forward(self, x, t):
        from diffedu.nets import mlp

        right = original(self, x, t)
        embedded = mlp.time_embedding(t, mlp.D_TIME).to(x)
        change = self.gain(embedded) - self.gain(self.time(embedded))
        return right + change.view_as(x) * x

    return forward


def put_back_in_another_order(original):
    def forward(self, x, t):
        return original(self, x, t).reshape(len(x), -1).flip(1).view_as(x)

    return forward


def without_the_last_block(original):
    def forward(self, x, t):
        right, self.blocks = self.blocks, self.blocks[:-1]
        try:
            return original(self, x, t)
        finally:
            self.blocks = right

    return forward


def last_layer_not_zero(original):
    def __init__(self, *args, generator, **sizes):
        original(self, *args, generator=generator, **sizes)
        nn.init.uniform_(self.leave[1].weight, -0.1, 0.1, generator=generator)

    return __init__


def gain_starts_at_one(original):
    def __init__(self, *args, generator, **sizes):
        original(self, *args, generator=generator, **sizes)
        nn.init.ones_(self.gain.bias)

    return __init__


def gain_is_not_learned(original):
    def __init__(self, *args, generator, **sizes):
        original(self, *args, generator=generator, **sizes)
        self.gain.requires_grad_(False)

    return __init__


def fault(name, replacement):
    return Fault(name, f"{MLP}.{name.split(':')[0]}", replacement, ("tests/test_mlp.py",))


def of_the_output(name, wrong):
    return fault(f"MLP.forward: {name}", output(wrong))


def of_the_block(name, wrong):
    return fault(f"MLPBlock.forward: {name}", block(wrong))


FAULTS = (
    of_the_block("no skip", without_the_skip),
    of_the_block("scale without 1", scale_without_one),
    of_the_block("scale and shift exchanged", scale_and_shift_exchanged),
    of_the_block("not normalised", without_the_norm),
    fault(
        "MLP.forward: the first t for all",
        changed_input(lambda x, t: (x, t[:1].expand(len(t)))),
    ),
    fault("MLP.forward: t from 0", changed_input(lambda x, t: (x, t - 1))),
    fault(
        "MLP.forward: centred over the batch",
        changed_input(lambda x, t: (x - x.mean(0), t)),
    ),
    fault("MLP.forward: put back in another order", put_back_in_another_order),
    fault("MLP.forward: without the last block", without_the_last_block),
    of_the_output("no gain", lambda self, out, x, time: out),
    of_the_output("gain not by time", lambda self, out, x, time: out + self.gain.bias * x),
    of_the_output("gain is added", lambda self, out, x, time: out + self.gain(time) + x),
    of_the_output("1 + gain", lambda self, out, x, time: out + (1 + self.gain(time)) * x),
    of_the_output(
        "one gain for all elements",
        lambda self, out, x, time: out + self.gain(time).mean(1, keepdim=True) * x,
    ),
    of_the_output("gain on the sum", lambda self, out, x, time: (1 + self.gain(time)) * (out + x)),
    fault("MLP.forward: gain of the embedding", gain_of_the_embedding),
    fault("MLP.__init__: the gain starts at 1", gain_starts_at_one),
    fault("MLP.__init__: the gain is not learned", gain_is_not_learned),
    fault("MLP.__init__: the last layer is not 0", last_layer_not_zero),
)
