"""The attention view against plain loops over the maps it was made from."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from attention_samples import CAPTION, VIEWS, digits, near, softmax_maps
from diffedu.classroom.attention_maps import quantise
from diffedu.classroom.attention_view import attention_view
from diffedu.classroom.attention_words import column_words, holders, number, row_words

SEED = torch.Generator().manual_seed(5)
MAPS = [softmax_maps(3, 4, 15, 16, seed=k, sharp=3.0) for k in range(2)]  # 3 x 5 cells and a token


def made(sample=1):
    pictures = torch.rand(2, 3, 6, 10, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return attention_view({"a.1": MAPS}, pictures, ["time"], ["t = 9", "t = 1"], sample)


def loop(sample, call, head, i, j):
    """The weight itself, and the bound for what one byte makes of it."""
    heads = range(4) if head is None else [head]
    rows = [MAPS[call][sample, k, i] for k in heads]
    return (
        sum(row[j].item() for row in rows) / len(rows),
        sum(row.max().item() for row in rows) / len(rows) / 510 + 1e-7,
    )


@pytest.mark.parametrize(("sample", "call", "head"), [(0, 1, 2), (2, 0, None), (1, 1, 0)])
def test_every_weight_is_right_to_one_part_in_510_of_its_rows_maximum(sample, call, head):
    matrix = made(sample).matrix("a.1", head, call)
    for i in range(15):
        for j in range(16):
            weight, bound = loop(sample, call, head, i, j)
            assert abs(matrix[i, j].item() - weight) <= bound


@pytest.mark.parametrize("sharp", [0.1, 3.0, 30.0])
def test_rows_sum_to_one_but_for_as_many_510ths_of_the_maximum_as_there_are_keys(sharp):
    weights = softmax_maps(2, 3, 7, 1024, seed=1, sharp=sharp)
    maps = quantise(weights)
    for call in range(2):
        for head in range(3):
            off = (maps.matrix(head, call).sum(1) - 1).abs()
            most = weights[call, head].amax(1)
            assert (off <= 1024 * most / 510 + 1e-6).all()
            assert (off <= 0.08).all()  # what a row of 1024 keys loses: weights below half a level


def test_a_row_of_small_weights_keeps_its_shape_beside_a_row_of_one_large_weight():
    sharp, flat = torch.zeros(400), torch.arange(1.0, 401)
    sharp[17], flat = 1, flat / flat.sum()
    maps = quantise(torch.stack([sharp, flat])[None, None])
    torch.testing.assert_close(maps.matrix(0, 0)[0], sharp.double())
    torch.testing.assert_close(maps.matrix(0, 0)[1], flat.double(), rtol=0, atol=flat[-1] / 509)


def test_the_largest_weight_of_a_row_is_exact():
    weights = softmax_maps(2, 3, 5, 9, seed=8)
    maps = quantise(weights)
    assert torch.equal(maps.matrix(2, 1).amax(1), weights[1, 2].amax(1).double())
    assert maps.levels.amin() >= 0 and (maps.levels.amax(-1) == 255).all()


def test_a_row_is_what_a_query_gives_and_a_column_what_a_key_gets():
    view = made()
    for head, call in [(3, 1), (None, 0)]:
        matrix = view.matrix("a.1", head, call)
        for i in (0, 7, 14):
            expected = [matrix[i, j].item() for j in range(16)]
            assert view.row(i, "a.1", head, call).tolist() == expected
        for j in (0, 7, 15):
            expected = [matrix[i, j].item() for i in range(15)]
            assert view.column(j, "a.1", head, call).tolist() == expected


def test_the_first_layer_the_mean_over_the_heads_and_the_first_call_are_meant_without_a_word():
    view = made()
    assert torch.equal(view.matrix(), view.matrix("a.1", None, 0))
    assert torch.equal(view.row(4), view.matrix("a.1")[4])
    heads = [view.matrix("a.1", k) for k in range(4)]
    torch.testing.assert_close(view.matrix(), torch.stack(heads).mean(0))


def test_pictures_become_bytes_one_for_each_call_or_one_for_all():
    g = torch.Generator().manual_seed(4)
    pictures = 1.5 * torch.randn(2, 1, 3, 5, generator=g)
    view = attention_view({"a": MAPS}, pictures, ["time"])
    assert view.calls == ("call 0", "call 1")
    for k, h, w in np.ndindex(2, 3, 5):
        grey = min(max(round((pictures[k, 0, h, w].item() + 1) * 127.5), 0), 255)
        assert view.pictures[k, h, w].tolist() == [grey] * 3
    assert len(attention_view({"a": MAPS}, pictures[:1], ["time"]).pictures) == 1
    colour = made().pictures
    assert colour.shape == (2, 6, 10, 3) and not torch.equal(colour[..., 0], colour[..., 2])


def described(view, layer):
    """(queries, keys) of a layer: their grid, their words, and what words are called."""
    sides = view.layer(layer).queries, view.layer(layer).keys
    return [(side.h, side.w, side.cell, side.words, side.kind) for side in sides]


def test_the_sizes_say_who_the_keys_are():
    over_time, caption, sequence = (VIEWS[name]() for name in VIEWS)
    down = described(over_time, "down.0.attention")
    assert down == [(8, 24, 1, (), "token"), (8, 24, 1, ("time",), "token")]
    middle = described(over_time, "middle.attention")
    assert middle == [(4, 12, 2, (), "token"), (4, 12, 2, ("time",), "token")]
    assert described(caption, "self") == [(8, 24, 1, (), "token")] * 2
    assert described(caption, "cross") == [
        (8, 24, 1, (), "token"),
        (0, 0, 1, tuple(CAPTION), "key"),
    ]
    asking, answering = described(sequence, "decoder.cross")
    assert asking[3:] == (("<start>", *"maert"), "token")
    assert answering[3:] == (tuple("stream"), "key")


def test_words_look_at_themselves_unless_as_many_other_words_are_given():
    maps = {"x": [softmax_maps(1, 2, 3, 3, seed=0)], "y": [softmax_maps(1, 2, 3, 3, seed=1)]}
    words, others = ["a", "b", "c"], ["d", "e", "f"]
    alone = attention_view(maps, words)
    assert alone.layer("x").keys == alone.layer("x").queries
    assert attention_view(maps, words, others).layer("y").keys.words == tuple(others)
    by_name = attention_view(maps, words, {"y": others})
    assert by_name.layer("x").keys.words == tuple(words)
    assert by_name.layer("y").keys.words == tuple(others)


def test_words_may_have_a_token_more_to_look_at():
    view = attention_view({"x": [softmax_maps(1, 2, 3, 4, seed=0)]}, ["a", "b", "c"], ["time"])
    assert view.layer("x").keys.words == ("a", "b", "c", "time")
    assert view.layer("x").keys.name(3) == 'token 3 "time"'


def test_tokens_are_called_by_row_and_column_or_by_number_and_word():
    keys = VIEWS["over_time"]().layer("middle.attention").keys
    assert keys.name(0) == "the cell in row 0, column 0"
    assert keys.name(25) == "the cell in row 2, column 1"
    assert keys.name(48) == 'token 0 "time"'
    assert VIEWS["caption"]().layer("self").keys.name(49) == "the pixel in row 2, column 1"


def test_the_sentence_says_where_a_query_looks():
    view = VIEWS["sequence"]()
    assert view.sentence(1, head=0) == (
        'Layer decoder.cross, head 0: token 1 "m" looks most at key 4 "a" (weight 0.77); '
        "of 6 keys, 3 are enough for 90 % of the row."
    )
    assert view.sentence(0, "decoder.cross").startswith("Layer decoder.cross, mean over 2 heads: ")


def test_the_sentence_of_a_column_says_who_looks_and_that_it_need_not_sum_to_one():
    weights = torch.tensor([[0.3, 0.7], [0.9, 0.1], [0.8, 0.2]])[None, None]
    view = attention_view({"l": [weights]}, ["a", "b", "c"], ["d", "e"])
    assert view.sentence(0, head=0, reverse=True) == (
        'Layer l, head 0: key 0 "d" is looked at most by token 1 "b" (weight 0.90); '
        "the weights that 3 queries give it sum to 2.00 (only what one query gives must sum to 1)."
    )


def test_the_sentence_names_the_call_and_a_pixel_that_looks_at_itself():
    own = torch.eye(6).repeat(2, 1, 1)[None]
    picture = torch.zeros(1, 1, 2, 3)
    view = attention_view({"l": [own, own]}, picture, calls=["t = 2", "t = 1"])
    assert view.sentence(4, head=1, call=1) == (
        "Layer l, head 1, t = 1: the pixel in row 1, column 1 looks most at itself (weight 1.00); "
        "of 6 keys, 1 is enough for 90 % of the row."
    )
    assert "is looked at most by itself (weight 1.00)" in view.sentence(4, reverse=True)


def test_even_attention_is_said_to_be_even():
    even = torch.full((1, 1, 4, 5), 0.2)
    view = attention_view({"l": [even]}, list("abcd"), list("vwxyz"))
    assert view.sentence(2) == (
        'Layer l, its one head: token 2 "c" looks at all 5 keys alike (weight 0.20 each).'
    )
    assert view.sentence(2, reverse=True) == (
        'Layer l, its one head: key 2 "x" is looked at by all 4 queries alike (weight 0.20 each); '
        "the weights that 4 queries give it sum to 0.80 (only what one query gives must sum to 1)."
    )
    alone = attention_view({"l": [torch.ones(1, 2, 4, 1)]}, list("abcd"), ["time"])
    assert alone.sentence(0, head=1) == (
        'Layer l, head 1: token 0 "a" looks at key 0 "time", the only key (weight 1.00).'
    )


@pytest.mark.parametrize(
    ("x", "text"),
    [
        *[(0.31, "0.31"), (1.0, "1.00"), (0.995, "1.00"), (0.0994, "0.099"), (12.3456, "12.35")],
        *[(0.0625, "0.063"), (0.125, "0.13"), (0.00314, "0.0031"), (0.000314, "0.00031")],
        *[(0.0, "0.00"), (0.000001, "0.00000")],
    ],
)
def test_numbers_have_two_figures_that_count_and_halves_go_up(x, text):
    assert number(x) == text


def test_the_holders_are_the_fewest_keys_with_90_percent():
    weights = [0.05, 0.5, 0.04, 0.3, 0.11]
    assert holders(weights) == 3  # .5 + .3 + .11 = .91
    assert holders([0.1] * 10) == 9
    assert holders([1.0, 0.0]) == 1
    for seed in range(20):
        row = softmax_maps(31, seed=seed).double()
        fewest = math.inf
        for cut in row.tolist():
            kept = row[row >= cut]
            if kept.sum() >= 0.9 * row.sum():
                fewest = min(fewest, len(kept))
        assert holders(row.tolist()) == fewest


def test_words_come_from_the_weights_alone():
    names = ["k0", "k1", "k2"]
    assert row_words("q", names, [0.2, 0.7, 0.1]) == (
        "q looks most at k1 (weight 0.70); of 3 keys, 2 are enough for 90 % of the row."
    )
    assert "sum to 2.00" in column_words("k", names, [0.9, 0.8, 0.3])


def test_half_precision_maps_on_a_graph_are_taken_as_they_are():
    scores = torch.randn(1, 2, 6, 64, generator=SEED, requires_grad=True)
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        weights = scores.to(dtype).softmax(-1)
        view = attention_view({"l": [weights]}, list("abcdef"), [str(k) for k in range(64)])
        exact = weights.detach().double().mean(1)[0]
        torch.testing.assert_close(view.matrix(), exact, rtol=0, atol=exact.max().item() / 255)


def test_a_view_cannot_be_changed():
    view = made()
    with pytest.raises(FrozenInstanceError):
        view.calls = ("other",)


def test_sixteen_heads_on_a_picture_of_256_pixels_fit_over_two_calls():
    maps = [near(16, 16, (1.0, 2.0)).expand(1, 2, -1, -1)] * 16
    view = attention_view({"l": maps}, digits()[:, :, :, :8].repeat(1, 1, 2, 2))
    assert 2_000_000 < view.layer("l").size < 3_000_000
