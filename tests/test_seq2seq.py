"""The encoder-decoder against torch's own layers, one sequence at a time, and its beginnings."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from attention_parts import draws, redrawn
from diffedu.nets.attention import SoftmaxCore
from diffedu.nets.seq2seq import (
    DecoderBlock,
    EncoderBlock,
    EncoderDecoder,
    FeedForward,
    greedy,
    shift_right,
)
from seq2seq_parts import (
    HEADS,
    SOURCE,
    TOLD,
    B,
    D,
    M,
    N,
    V,
    decoder_block_by_hand,
    encoder_block_by_hand,
    fed,
    logits_by_hand,
    memory_by_hand,
    network,
    seeded,
    symbols,
)


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_network_is_its_formula_one_sequence_at_a_time(blocks):
    model = network(blocks)
    pairs = list(zip(SOURCE, TOLD, strict=True))
    expected = torch.stack([logits_by_hand(model, *pair) for pair in pairs])
    # positions are float32
    assert_close(model(SOURCE, TOLD), expected, rtol=0, atol=1e-5)
    memory = torch.stack([memory_by_hand(model, source) for source in SOURCE])
    assert_close(model.encode(SOURCE), memory, rtol=0, atol=1e-5)
    assert_close(model.decode(memory, TOLD), expected, rtol=0, atol=1e-5)


def test_the_blocks_are_their_formulas():
    x, memory = draws((B, N, D), (B, M, D), seed=5)
    block = redrawn(EncoderBlock(D, HEADS))
    expected = torch.stack([encoder_block_by_hand(block, row) for row in x])
    assert_close(block(x), expected, rtol=1e-10, atol=1e-10)
    block = redrawn(DecoderBlock(D, HEADS, SoftmaxCore))
    pairs = zip(x, memory, strict=True)
    expected = torch.stack([decoder_block_by_hand(block, *pair) for pair in pairs])
    assert_close(block(x, memory), expected, rtol=1e-10, atol=1e-10)
    feed = redrawn(FeedForward(D))
    assert_close(feed(x), fed(feed, x.flatten(0, 1)).view_as(x), rtol=1e-12, atol=1e-12)


def test_at_first_every_symbol_is_equally_likely():
    model = EncoderDecoder(V, D, HEADS, generator=seeded(6))
    logits = model(SOURCE, TOLD)
    assert_close(logits, torch.zeros(B, N, V), rtol=0, atol=0)
    loss = nn.functional.cross_entropy(logits.mT, symbols(B, N, 7))
    assert_close(loss.item(), math.log(V), rtol=1e-6, atol=0)


def test_at_first_only_the_last_layer_learns_and_then_every_parameter():
    model, y = EncoderDecoder(V, D, HEADS, generator=seeded(6)), symbols(B, N, 7)
    for wanted in ({"leave.weight", "leave.bias"}, set(dict(model.named_parameters()))):
        model.zero_grad()
        nn.functional.cross_entropy(model(SOURCE, shift_right(y, V)).mT, y).backward()
        learning = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
        # a bias of the keys adds the same to all scores of a query: softmax does not see it
        silent = {n for n in wanted if n.endswith("to_k.bias")}
        assert wanted - silent <= learning <= wanted
        nn.init.normal_(model.leave.weight, generator=seeded(8))


def test_the_weights_come_from_the_generator_alone():
    models = []
    for seed, global_seed in ((1, 8), (1, 9), (2, 8)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(global_seed)
            models.append(EncoderDecoder(400, D, HEADS, generator=seeded(seed)))
    assert_close(models[0].state_dict(), models[1].state_dict(), rtol=0, atol=0)
    for table in ("read", "reread"):
        one, other = (getattr(m, table).weight for m in (models[0], models[2]))
        assert not one.equal(other)
        # 4800 standard normal numbers: four standard errors
        assert abs(one.mean()) < 4 / math.sqrt(4800)
        assert abs(one.var() - 1) < 4 * math.sqrt(2 / 4800)


def test_the_number_of_parameters_is_that_counted_by_hand():
    look, norm = 4 * (D * D + D), 2 * D
    feed = D * 4 * D + 4 * D + 4 * D * D + D
    encoder, decoder = look + feed + 2 * norm, 2 * look + feed + 3 * norm
    wanted = (V + V + 1) * D + 2 * (encoder + decoder) + 2 * norm + D * V + V
    for heads in (1, 3):
        model = EncoderDecoder(V, D, heads, 2, generator=seeded(1))
        assert sum(p.numel() for p in model.parameters()) == wanted


def test_the_decoder_reads_the_start_and_then_the_target_without_its_last():
    expected = [[V, *row[:-1]] for row in SOURCE.tolist()]
    assert shift_right(SOURCE, V).tolist() == expected
    assert shift_right(SOURCE[:, :1], 0).tolist() == [[0]] * B
    assert EncoderDecoder(V, D, HEADS, generator=seeded(1)).start == V


def undecided():
    """A network with no favourite symbol: what it writes depends on what it has read."""
    model = network()
    nn.init.zeros_(model.leave.bias)
    for table in (model.read, model.reread):
        nn.init.normal_(table.weight, std=3.0, generator=seeded(13))
    return model


def test_greedy_writes_the_likeliest_symbol_after_what_it_wrote_itself():
    model = undecided()
    found = greedy(model, SOURCE, N)
    for source, row in zip(SOURCE, found.tolist(), strict=True):
        written = [V]
        for _ in range(N):
            logits = logits_by_hand(model, source, torch.tensor(written))[-1].tolist()
            written.append(max(range(V), key=logits.__getitem__))
        assert row == written[1:]
    assert len(set(map(tuple, found.tolist()))) > 1
    assert all(len(set(row)) > 1 for row in found.tolist())
    assert not found.requires_grad


def test_greedy_is_what_teacher_forcing_finds_likeliest_if_it_was_right():
    model = undecided()
    y = greedy(model, SOURCE, N)
    assert model(SOURCE, shift_right(y, V)).argmax(-1).equal(y)
