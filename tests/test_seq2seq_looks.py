"""Who hears whom in the encoder-decoder, its maps, its additive core, and that it learns."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from attention_parts import draws, redrawn
from diffedu.nets.attention import record_attention
from diffedu.nets.seq2seq import AdditiveCore, EncoderDecoder, greedy, shift_right
from seq2seq_parts import HEADS, SOURCE, TOLD, B, D, M, N, V, network, seeded, symbols


def heard(model, change, of):
    """Which entries of `of` notice a change of one symbol, (changed place, place, ...)."""
    before = of(model, SOURCE, TOLD)
    return [((of(model, *change(j)) - before).abs() > 1e-9).amax(-1) for j in range(N)]


def test_what_is_read_later_cannot_change_what_is_said_before_and_all_else_can():
    def change(j):
        told = TOLD.clone()
        told[:, j] = (told[:, j] + 1) % V
        return SOURCE, told

    for j, noticed in enumerate(heard(network(), change, lambda m, *pair: m(*pair))):
        assert noticed.tolist() == [[i >= j for i in range(N)]] * B


def test_every_output_hears_every_source_symbol_of_its_own_sequence_alone():
    def change(j):
        source = SOURCE.clone()
        source[2, j] = (source[2, j] + 1) % V
        return source, TOLD

    for noticed in heard(network(), change, lambda m, *pair: m(*pair)):
        assert noticed.tolist() == [[b == 2] * N for b in range(B)]


def test_a_sequence_alone_gets_what_it_gets_in_a_batch():
    model = network()
    together = model(SOURCE, TOLD)
    for b in range(B):
        alone = model(SOURCE[b : b + 1], TOLD[b : b + 1])
        assert_close(alone, together[b : b + 1], rtol=0, atol=1e-12)


def test_a_beginning_gets_the_same_logits_as_in_the_whole():
    model = network()
    whole = model(SOURCE, TOLD)
    for n in range(1, N):
        assert_close(model(SOURCE, TOLD[:, :n]), whole[:, :n], rtol=0, atol=1e-12)


ADDITIVE = partial(AdditiveCore, D // HEADS)


@pytest.mark.parametrize("keywords", [{}, {"attend": ADDITIVE}], ids=["dot", "additive"])
def test_every_map_is_recorded_under_its_name(keywords):
    model = network(**keywords)
    plain = model(SOURCE, TOLD)
    with record_attention(model) as maps:
        assert model(SOURCE, TOLD).equal(plain)
    sizes = {"encoder.{}.attention": (M, M), "decoder.{}.past": (N, N), "decoder.{}.cross": (N, M)}
    wanted = {name.format(k): (B, HEADS, *size) for name, size in sizes.items() for k in (0, 1)}
    assert {name: tuple(entry[0].shape) for name, entry in maps.items()} == wanted
    for (weights,) in maps.values():
        assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]), rtol=0, atol=1e-12)
    assert (maps["decoder.1.past"][0].triu(1) == 0).all()


def additive_by_loops(core, q, k):
    """Scores of one head, one pair at a time."""
    W_q, W_k, w = core.W_q.weight, core.W_k.weight, core.w.weight[0]
    rows = [[(w @ torch.tanh(W_q @ a + W_k @ b)).exp() for b in k] for a in q]
    weights = torch.stack([torch.stack(row) for row in rows])
    return weights / weights.sum(1, keepdim=True)


def test_the_additive_core_is_its_formula_in_every_head():
    core = redrawn(AdditiveCore(4), seed=9)
    q, k, v = draws((2, 3, N, 4), (2, 3, M, 4), (2, 3, M, 4), seed=10)
    weights = torch.stack(
        [
            torch.stack([additive_by_loops(core, *pair) for pair in zip(*heads, strict=True)])
            for heads in zip(q, k, strict=True)
        ]
    )
    assert_close(core.weights(q, k), weights, rtol=1e-12, atol=1e-12)
    assert_close(core(q, k, v), weights @ v, rtol=1e-12, atol=1e-12)


def practised(task, seed, **keywords):
    """400 steps on fresh sequences of eight digits, as in notebook 07."""
    g = seeded(seed)
    model = EncoderDecoder(10, 32, 2, generator=g, **keywords)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 400)
    for _ in range(400):
        x = torch.randint(10, (128, 8), generator=g)
        logits = model(x, shift_right(task(x), 10))
        loss = nn.functional.cross_entropy(logits.mT, task(x))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model


def reverse(x):
    return x.flip(1)


def ordered(x):
    return x.sort(1).values


LESSONS = {
    "reverse": (reverse, {}),
    "sort": (ordered, {}),
    "reverse, additive": (reverse, {"attend": partial(AdditiveCore, 16)}),
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("lesson", LESSONS)
def test_it_learns_in_seconds_to_write_unseen_sequences_without_a_mistake(lesson, seed):
    task, keywords = LESSONS[lesson]
    model, x = practised(task, seed, **keywords), symbols(1000, 8, seed + 100, 10)
    assert (greedy(model, x, 8) == task(x)).all(1).double().mean() >= 0.99
    if lesson == "reverse":
        with record_attention(model) as maps, torch.no_grad():
            model(x, shift_right(task(x), 10))
        favourite = maps["decoder.0.cross"][0].mean(1).argmax(-1)
        assert (favourite == 7 - torch.arange(8)).double().mean() > 0.95
