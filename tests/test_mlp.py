"""The small network, against its formula written out, with gradients and one sample at a time."""

import math

import pytest
import torch
from torch import nn

from diffedu.nets.mlp import D_TIME, MLP, MLPBlock

SHAPES = pytest.mark.parametrize("shape", [(2,), (1, 8, 8), (3, 2, 5)], ids=str)
T7 = torch.tensor([1, 1000, 3, 500, 3, 2, 999])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def redrawn(model, seed):
    """In float64, with every parameter drawn anew: nothing is 0 or 1 any more."""
    g = seeded(seed)
    for weights in model.double().parameters():
        scale = 1 if weights.ndim == 1 else weights.shape[1] ** -0.5
        nn.init.normal_(weights, 0, scale, generator=g)
    return model


def network(shape, seed=1, **sizes):
    return redrawn(MLP(shape, **{"width": 6, "blocks": 2, **sizes}, generator=seeded(0)), seed)


# The formulas for one sample, in lists of Python's floats


def silu(row):
    return [x / (1 + math.exp(-x)) for x in row]


def affine(layer, row):
    pairs = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [sum(w * x for w, x in zip(ws, row, strict=True)) + b for ws, b in pairs]


def layer_norm(layer, row):
    mean = sum(row) / len(row)
    variance = sum((x - mean) ** 2 for x in row) / len(row)
    unit = [(x - mean) / math.sqrt(variance + 1e-5) for x in row]
    weights = zip(unit, layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [w * x + b for x, w, b in weights]


def block_by_hand(block, h, time):
    film = affine(block.film, time)
    scale, shift = film[: len(h)], film[len(h) :]
    first = affine(block.first, layer_norm(block.norm, h))
    inner = [(1 + a) * x + b for a, x, b in zip(scale, first, shift, strict=True)]
    return [x + y for x, y in zip(h, affine(block.second, silu(inner)), strict=True)]


def network_by_hand(model, x, t):
    angles = [t * 10_000 ** (-i / (D_TIME / 2 - 1)) for i in range(D_TIME // 2)]
    embedded = [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
    # for whole t the embedding is float32
    embedded = torch.tensor(embedded, dtype=torch.float32).tolist()
    time = silu(affine(model.time[0], embedded))
    h = affine(model.enter, x)
    for block in model.blocks:
        h = block_by_hand(block, h, time)
    out = affine(model.leave[1], layer_norm(model.leave[0], h))
    gain = affine(model.gain, time)
    return [a + b * c for a, b, c in zip(out, gain, x, strict=True)]


def test_a_block_is_its_formula():
    block = redrawn(MLPBlock(6, 10), seed=1)
    h, time = draw(4, 6, seed=2), draw(4, 10, seed=3)
    pairs = zip(h.tolist(), time.tolist(), strict=True)
    expected = [block_by_hand(block, *pair) for pair in pairs]
    torch.testing.assert_close(block(h, time).tolist(), expected, rtol=1e-10, atol=1e-10)


@SHAPES
def test_the_network_is_its_formula(shape):
    model, x = network(shape), draw(7, *shape, seed=4)
    pairs = zip(x.flatten(1).tolist(), T7.tolist(), strict=True)
    expected = torch.tensor([network_by_hand(model, *pair) for pair in pairs]).view(7, *shape)
    # a sine rounded to float32 the other way is 6e-8 away
    torch.testing.assert_close(model(x, T7), expected.double(), rtol=0, atol=5e-6)


@SHAPES
def test_the_first_prediction_is_zero(shape):
    model = MLP(shape, generator=seeded(5))
    x = draw(7, *shape, seed=6).float()
    torch.testing.assert_close(model(x, T7), torch.zeros(7, *shape), rtol=0, atol=0)


@SHAPES
def test_with_silent_blocks_each_element_is_passed_on_times_a_gain_of_its_own_and_of_t(shape):
    model = network(shape)
    for weights in model.leave[1].parameters():
        nn.init.zeros_(weights)
    x = draw(7, *shape, seed=14)
    gain = model(torch.ones_like(x), T7)
    torch.testing.assert_close(model(x, T7), gain * x, rtol=1e-12, atol=1e-12)
    unlike = gain.detach().numpy().round(9).ravel().tolist()
    assert len(set(unlike)) == (7 - 1) * gain[0].numel()  # T7 has 3 twice


def changed_samples(before, after):
    return ((before - after).abs() > 1e-9).flatten(1).any(1).tolist()


@SHAPES
@pytest.mark.parametrize("i", [0, 3, 6])
def test_a_sample_is_predicted_from_its_own_t_and_its_own_x(shape, i):
    model, x = network(shape), draw(7, *shape, seed=7)
    before, only_i = model(x, T7), [j == i for j in range(7)]
    other_t, other_x = T7.clone(), x.clone()
    other_t[i] = 501
    other_x[i, ..., -1] += 0.01
    assert changed_samples(before, model(x, other_t)) == only_i
    assert changed_samples(before, model(other_x, T7)) == only_i


def test_every_element_of_a_sample_may_act_on_every_other():
    model, x = network((3, 2, 5)), draw(1, 3, 2, 5, seed=8)
    slopes = torch.autograd.functional.jacobian(lambda x: model(x, T7[:1]), x)
    assert (slopes.view(30, 30) != 0).all()


def test_neighbouring_steps_are_told_apart():
    model = network((2,))
    with torch.no_grad():
        at_each_t = model(torch.ones(1000, 2).double(), torch.arange(1, 1001))
    assert (at_each_t.diff(dim=0).abs().amax(1) > 1e-6).all()


def test_at_first_only_the_last_layers_learn_and_then_every_parameter():
    model = MLP((1, 3, 4), width=8, blocks=3, generator=seeded(9)).double()
    x, eps = draw(7, 1, 3, 4, seed=10), draw(7, 1, 3, 4, seed=11)
    last = {"leave.1.weight", "leave.1.bias", "gain.weight", "gain.bias"}
    assert learning(model, x, eps) == last
    nn.init.normal_(model.leave[1].weight, generator=seeded(12))
    assert learning(model, x, eps) == set(dict(model.named_parameters()))
    assert all((p.grad != 0).all() for p in model.parameters())


def learning(model, x, eps):
    """The names of the parameters whose gradient is not 0."""
    model.zero_grad()
    ((eps - model(x, T7)) ** 2).mean().backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


def test_the_gradients_are_the_difference_quotients():
    model = network((3,), width=4, blocks=1)
    x = draw(3, 3, seed=13).requires_grad_()
    names, weights = zip(*model.named_parameters(), strict=True)

    def output(x, *weights):
        named = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(model, named, (x, T7[:3]))

    assert torch.autograd.gradcheck(output, (x, *weights), fast_mode=True)


def test_the_weights_come_from_the_generator_alone():
    models = []
    for seed, global_seed in ((1, 8), (1, 9), (2, 8)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(global_seed)
            models.append(MLP((2, 3), generator=seeded(seed)))
    one, same, other = (torch.cat([p.flatten() for p in m.enter.parameters()]) for m in models)
    torch.testing.assert_close(models[0].state_dict(), models[1].state_dict(), rtol=0, atol=0)
    assert one.equal(same) and not one.equal(other)


def test_width_and_blocks_are_what_was_asked_for():
    model = MLP((3, 2, 5), width=10, blocks=4, generator=seeded(1))
    assert [block.first.weight.shape for block in model.blocks] == [(10, 10)] * 4
    # by hand: t, in, four blocks (norm, two layers, scale and shift), out, gain
    block = 2 * 10 + 2 * (10 * 10 + 10) + (32 * 20 + 20)
    wanted = (32 * 32 + 32) + (30 * 10 + 10) + 4 * block + 2 * 10 + (10 * 30 + 30)
    wanted += 32 * 30 + 30
    assert sum(p.numel() for p in model.parameters()) == wanted
