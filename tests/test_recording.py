"""record_attention: every layer's weights under its name, results untouched, no hook left."""

import pytest
import torch
from torch import nn

from attention_parts import draws, redrawn
from diffedu.nets.attention import (
    AttentionCore,
    CrossAttention,
    MultiHeadAttention,
    SpatialAttention,
    SpatialGate,
    SpatialLinearAttention,
    TimeTokenAttention,
    record_attention,
    to_tokens,
)

EXACT = {"rtol": 0, "atol": 1e-12}


class Down(nn.Module):
    """A convolution and attention under a name of its own."""

    def __init__(self, attention):
        super().__init__()
        self.conv = nn.Conv2d(12, 12, 3, padding=1)
        self.attention = attention

    def forward(self, x):
        return self.attention(self.conv(x))


class Net(nn.Module):
    """Layers of every kind at several depths; `middle` is called twice, `spare` never."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([Down(SpatialLinearAttention(12, 4)), Down(self_attention())])
        self.middle = SpatialAttention(12, 2)
        self.text = CrossAttention(12, 7, 3)
        self.time = nn.ModuleDict({"token": TimeTokenAttention(12, 8, 6)})
        self.gate = SpatialGate(12)
        self.tokens = MultiHeadAttention(12, 1)
        self.spare = SpatialAttention(12, 2)

    def forward(self, x, context, time):
        for down in self.down:
            x = down(x)
        x = self.middle(self.middle(x))
        x = self.time["token"](self.text(x, context), time)
        return self.tokens(to_tokens(self.gate(x)))


def self_attention():
    return SpatialAttention(12, 3)


# heads, n_q, n_k of each call with 3 x 5 pixels, 4 context tokens and one time
CALLS = {
    "down.0.attention": [(4, 15, 15)],
    "down.1.attention": [(3, 15, 15)],
    "middle": [(2, 15, 15), (2, 15, 15)],
    "text": [(3, 15, 4)],
    "time.token": [(6, 15, 16)],
    "tokens": [(1, 15, 15)],
    "spare": [],
}


@pytest.fixture
def net():
    return redrawn(Net())


def inputs(seed=0):
    return draws((2, 12, 3, 5), (2, 4, 7), (2, 8), seed=seed)


def hooks_of(model):
    """Everything that is hooked to a module anywhere in the model."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [hook for m in model.modules() for kind in kinds for hook in getattr(m, kind).values()]


def test_every_layer_has_its_name_and_one_entry_for_each_call(net):
    with record_attention(net) as maps:
        net(*inputs())
    shapes = {name: [tuple(entry.shape[1:]) for entry in entries] for name, entries in maps.items()}
    assert shapes == CALLS
    assert all(len(entry) == 2 for entries in maps.values() for entry in entries)


def test_every_row_sums_to_one(net):
    with record_attention(net) as maps:
        net(*inputs())
    for entries in maps.values():
        for entry in entries:
            assert (entry >= 0).all() and entry.dtype == torch.float64
            torch.testing.assert_close(entry.sum(-1), torch.ones(entry.shape[:-1]).double())


def test_calls_are_listed_in_their_order(net):
    alone = []
    for seed in range(3):
        with record_attention(net) as maps:
            net(*inputs(seed))
        alone.append(maps)
    with record_attention(net) as together:
        for seed in range(3):
            net(*inputs(seed))
    for name, entries in together.items():
        expected = [entry for maps in alone for entry in maps[name]]
        assert len(entries) == 3 * len(CALLS[name])
        for entry, one in zip(entries, expected, strict=True):
            torch.testing.assert_close(entry, one, rtol=0, atol=0)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_and_gradients_are_the_same_to_the_last_bit(net, training, dtype):
    net.train(training).to(dtype)
    parts = [part.to(dtype) for part in inputs()]

    def run():
        net.zero_grad()
        result = net(*parts)
        result.square().sum().backward()
        return result, [p.grad.clone() for p in net.parameters() if p.grad is not None]

    plain, gradients = run()
    with record_attention(net) as maps:
        recorded, gradients_too = run()
    assert maps["text"][0].dtype == dtype
    assert all(module.training == training for module in net.modules())
    torch.testing.assert_close(recorded, plain, rtol=0, atol=0)
    torch.testing.assert_close(gradients_too, gradients, rtol=0, atol=0)


def test_the_weights_carry_no_gradient_and_the_network_still_does(net):
    with record_attention(net) as maps:
        result = net(*inputs())
    assert result.requires_grad
    entries = [entry for entries in maps.values() for entry in entries]
    assert len(entries) == 7
    assert not any(entry.requires_grad or entry.grad_fn for entry in entries)


def test_the_random_state_is_left_alone(net):
    before = torch.get_rng_state()
    with record_attention(net):
        net(*inputs())
    torch.testing.assert_close(torch.get_rng_state(), before, rtol=0, atol=0)


def test_afterwards_no_hook_is_left_and_nothing_more_is_recorded(net):
    assert hooks_of(net) == []
    with record_attention(net) as maps:
        assert len(hooks_of(net)) == len(CALLS)
        net(*inputs())
    assert hooks_of(net) == []
    net(*inputs())
    assert {name: len(entries) for name, entries in maps.items()} == {
        name: len(calls) for name, calls in CALLS.items()
    }


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_after_an_error_no_hook_is_left_the_error_is_told_and_the_maps_stay(net, error):
    with pytest.raises(error), record_attention(net) as maps:
        net(*inputs())
        raise error
    assert hooks_of(net) == []
    assert len(maps["middle"]) == 2


def test_after_an_error_inside_the_network_no_hook_is_left(net):
    net.gate = nn.Linear(1, 1)  # does not fit
    with pytest.raises(RuntimeError), record_attention(net) as maps:
        net(*inputs())
    assert hooks_of(net) == []
    assert (len(maps["middle"]), len(maps["tokens"])) == (2, 0)


def test_a_hook_of_your_own_stays(net):
    seen = []
    core = next(m for m in net.modules() if isinstance(m, AttentionCore))
    core.register_forward_hook(lambda *arguments: seen.append(1))
    with record_attention(net):
        net(*inputs())
    net(*inputs())
    assert len(hooks_of(net)) == 1 and len(seen) == 2


def test_recordings_may_be_nested_and_each_has_its_own(net):
    with record_attention(net) as outer:
        net(*inputs(0))
        with record_attention(net) as inner:
            net(*inputs(1))
        with record_attention(net.down[1]) as part:
            net(*inputs(2))
    counts = [len(maps["text"]) for maps in (outer, inner)]
    assert counts == [3, 1] and list(part) == ["attention"]
    torch.testing.assert_close(inner["text"][0], outer["text"][1], rtol=0, atol=0)
    deeper = outer["down.1.attention"][2]
    torch.testing.assert_close(part["attention"][0], deeper, rtol=0, atol=0)
    assert hooks_of(net) == []


def test_a_model_that_is_itself_a_layer_goes_by_its_class():
    layer, (x,) = redrawn(SpatialAttention(12, 3)), draws((2, 12, 3, 5))
    with record_attention(layer) as maps:
        layer(x)
    assert {name: len(entries) for name, entries in maps.items()} == {"SpatialAttention": 1}


def test_a_model_without_attention_is_told_so():
    for model in (nn.Sequential(nn.Linear(2, 3), SpatialGate(4)), nn.MultiheadAttention(4, 2)):
        with pytest.raises(ValueError, match="model: expected at least one attention layer"):
            record_attention(model).__enter__()


def test_names_that_begin_alike_are_different_layers():
    net = nn.ModuleDict({"a": MultiHeadAttention(4, 2), "a1": MultiHeadAttention(4, 1)})
    with record_attention(net) as maps:
        assert list(maps) == ["a", "a1"]
