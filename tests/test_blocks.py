"""The embedding of t and the first weights, against loops, diffusers and torch's own layers."""

import math

import pytest
import scipy.stats
import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch import nn

from diffedu.nets.blocks import initialise, time_embedding

SIZES = pytest.mark.parametrize("d", [4, 6, 32, 130])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def by_a_loop(t, d):
    """One sine and one cosine at a time, in Python's own floats."""
    angles = [[now * 10_000 ** (-i / (d / 2 - 1)) for i in range(d // 2)] for now in t.tolist()]
    rows = [[math.sin(a) for a in row] + [math.cos(a) for a in row] for row in angles]
    return torch.tensor(rows, dtype=torch.float64)


@SIZES
@pytest.mark.parametrize("dtype", [torch.int64, torch.float32])
def test_the_embedding_is_that_of_diffusers(d, dtype):
    t = torch.tensor([0, 1, 2, 13, 250, 999, 1000]).to(dtype)
    if dtype.is_floating_point:
        t = t + 0.375
    # Theirs is computed in float32: the error of an angle grows with t.
    scale = 1 + t[:, None]
    theirs = get_timestep_embedding(t, d)
    torch.testing.assert_close(time_embedding(t, d) / scale, theirs / scale, rtol=0, atol=3e-7)


@SIZES
def test_the_embedding_is_that_of_a_loop_also_between_the_steps(d):
    t = torch.tensor([1, 1000, 0, 0.5, 17.3, -4.25, 999.99], dtype=torch.float64)
    torch.testing.assert_close(time_embedding(t, d), by_a_loop(t, d), rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.float32, torch.bfloat16])
def test_the_embedding_is_rounded_once_and_at_the_end(dtype):
    t = torch.tensor([3, 1000, 999_424]).to(dtype)  # float32 would miss the last angle by .03
    assert time_embedding(t, 8).dtype == torch.float32
    torch.testing.assert_close(time_embedding(t, 8), by_a_loop(t, 8).float(), rtol=0, atol=6e-8)


def test_the_product_of_two_embeddings_depends_on_the_distance_alone():
    t = torch.rand(20, generator=seeded(1), dtype=torch.float64) * 1000
    product = time_embedding(t, 12) @ time_embedding(t, 12).T
    distance = (t[:, None] - t).flatten()
    expected = by_a_loop(distance, 12)[:, 6:].sum(1).view(20, 20)
    torch.testing.assert_close(product, expected, rtol=0, atol=1e-9)


def network():
    """Linear layers at several depths, of unequal widths, and other parameters between them."""
    inner = nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 7, bias=False), nn.Conv1d(7, 2, 3))
    return nn.ModuleDict({"deep": nn.ModuleList([inner, nn.Linear(7, 3)]), "top": nn.Linear(7, 3)})


def drawn(seed, global_seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(global_seed)
        model = network()
        initialise(model, seeded(seed))
    return model


def linear_weights(model):
    """All weights and biases of the linear layers, in one row."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    return torch.cat([w.detach().flatten() for layer in layers for w in layer.parameters()])


def test_the_same_seed_draws_the_same_weights_whatever_the_global_state():
    one, same, other = drawn(1, global_seed=8), drawn(1, global_seed=9), drawn(2, global_seed=8)
    torch.testing.assert_close(linear_weights(one), linear_weights(same), rtol=0, atol=0)
    assert (linear_weights(one) != linear_weights(other)).all()


def test_drawing_leaves_the_global_state_alone():
    model, before = network(), torch.get_rng_state()
    initialise(model, seeded(3))
    torch.testing.assert_close(torch.get_rng_state(), before, rtol=0, atol=0)


def test_no_two_layers_are_drawn_alike():
    weights = linear_weights(drawn(4))
    assert len(weights) == 35 + 2 * (21 + 3)
    assert len(weights.unique()) == len(weights)


def test_only_the_linear_layers_are_drawn():
    model = network()
    others = {n: p.clone() for n, p in model.named_parameters() if "deep.0.0" in n or "0.2" in n}
    assert len(others) == 4  # LayerNorm and Conv1d
    initialise(model, seeded(5))
    now = dict(model.named_parameters())
    for name, before in others.items():
        torch.testing.assert_close(now[name], before, rtol=0, atol=0)


@pytest.mark.parametrize("what", ["weight", "bias"])
@pytest.mark.parametrize("inputs", [3, 40])
def test_weights_and_biases_are_uniform_up_to_one_over_the_root_of_the_inputs(what, inputs):
    layer = nn.Linear(inputs, 9000)
    initialise(layer, seeded(6))
    values = getattr(layer, what).detach().flatten().double()
    bound = 1 / math.sqrt(inputs)
    assert values.abs().max() <= bound * (1 + 1e-6)
    test = scipy.stats.kstest(values.numpy(), scipy.stats.uniform(-bound, 2 * bound).cdf)
    assert test.pvalue > 1e-4


def test_the_bound_is_the_one_of_torchs_own_layer():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = nn.Linear(11, 9000)
    ours = nn.Linear(11, 9000)
    initialise(ours, seeded(7))
    for mine, torchs in zip(ours.parameters(), theirs.parameters(), strict=True):
        # the largest of 9000 uniform values misses the bound by more than 1e-3 of it once in 8000
        torch.testing.assert_close(mine.abs().max(), torchs.abs().max(), rtol=2e-3, atol=0)
