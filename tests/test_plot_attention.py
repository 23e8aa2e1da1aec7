"""The still figures of attention: what is drawn is what the view says."""

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgb

from attention_samples import CAPTION, TARGET, VIEWS, softmax_maps
from diffedu.classroom.plots import attention_frame, new_axes, plot_attention, plot_map
from diffedu.classroom.plots.attention import MARK, _ink


def drawn(view, **question):
    (ax,) = new_axes()
    assert plot_attention(view, ax, **question) is ax
    return ax


def chips(ax):
    """(text, shade, whether it is framed) of each word, from top to bottom and left to right."""
    boxes = [box for box in ax.patches if box.get_fill()]
    texts = [text for text in ax.texts if text.get_ha() == "center"]
    return [
        (text.get_text(), box.get_facecolor()[:3], to_hex(box.get_edgecolor()).upper() == MARK)
        for text, box in zip(texts, boxes, strict=True)
    ]


def framed(ax):
    """The extent of the frame in the picture: left, right, bottom, top."""
    frame = [box for box in ax.patches if not box.get_fill()][-1]
    x, y = frame.get_xy()
    return [x, x + frame.get_width(), y, y + frame.get_height()]


def test_the_map_of_a_matrix_has_a_row_for_each_query_and_starts_at_zero():
    weights = softmax_maps(4, 7, seed=0).requires_grad_()
    (ax,) = new_axes()
    assert plot_map(weights, ax, list("abcd"), list("tuvwxyz")) is ax
    np.testing.assert_array_equal(ax.images[0].get_array(), weights.detach())
    assert ax.images[0].get_clim() == (0, weights.max().item())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("key j", "query i")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list("abcd")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list("tuvwxyz")
    assert ax.images[0].colorbar.ax.get_ylabel() == "weight"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(3),), "weights: expected two axes (n_q, n_k), got (3,)"),
        ((torch.ones(3, 2), list("ab")), "rows: expected 3 words, one for each, got 2"),
        ((torch.ones(3, 2), None, list("abc")), "columns: expected 2 words, one for each, got 3"),
    ],
)
def test_a_map_that_is_none_is_refused(arguments, message):
    (ax,) = new_axes()
    with pytest.raises(ValueError) as caught:
        plot_map(arguments[0], ax, *arguments[1:])
    assert str(caught.value) == message


@pytest.mark.parametrize("reverse", [False, True])
def test_picture_and_map_stand_side_by_side_with_the_asker_framed(reverse):
    view = VIEWS["over_time"]()
    question = {"layer": "middle.attention", "head": 1, "call": 2}
    ax = drawn(view, query=17, reverse=reverse, **question)
    picture, heat = ax.images
    np.testing.assert_array_equal(picture.get_array(), view.pictures[2])
    weights = (view.column if reverse else view.row)(17, **question)
    np.testing.assert_array_equal(heat.get_array(), weights[:48].reshape(4, 12))
    assert heat.get_clim() == (0, weights.max().item())
    assert heat.get_extent()[0] > picture.get_extent()[1]
    np.testing.assert_allclose(framed(ax), [5 / 4, 6 / 4, 2 / 4, 3 / 4])  # row 1, column 5
    np.testing.assert_allclose(picture.get_extent(), [0, 3, 0, 1])


def test_the_extra_token_is_a_word_with_its_weight_as_its_shade():
    view = VIEWS["over_time"]()
    weights = view.row(9, head=0)
    ((text, shade, is_framed),) = chips(drawn(view, query=9, head=0))
    word, weight = text.split()
    assert (word, is_framed) == ("time", False)
    assert float(weight) == pytest.approx(weights[-1].item(), abs=0.0005)
    expected = colormaps["viridis"]((weights[-1] / weights.max()).item())[:3]
    np.testing.assert_allclose(shade, expected)


def test_words_under_a_picture_are_shaded_and_asked_the_other_way_framed():
    view = VIEWS["caption"]()
    shown = chips(drawn(view, query=100, head=2))
    weights = view.row(100, head=2).tolist()
    assert [text.split()[0] for text, *_ in shown] == CAPTION
    for (text, shade, _), weight in zip(shown, weights, strict=True):
        assert float(text.split()[1]) == pytest.approx(weight, rel=0.06)
        np.testing.assert_allclose(shade, colormaps["viridis"](weight / max(weights))[:3])
    ax = drawn(view, query=3, head=2, reverse=True)
    assert [is_framed for *_, is_framed in chips(ax)] == [False] * 3 + [True, False]
    np.testing.assert_array_equal(ax.images[1].get_array(), view.column(3, head=2).reshape(8, 24))


def test_a_sequence_shows_its_words_and_the_words_it_looks_at():
    shown = chips(drawn(VIEWS["sequence"](), query=4))
    assert [text for text, *_ in shown[:6]] == TARGET
    assert [is_framed for *_, is_framed in shown] == [k == 4 for k in range(12)]
    assert [text[0] for text, *_ in shown[6:]] == list("stream")


@pytest.mark.parametrize("name", VIEWS)
def test_the_frame_has_the_explorers_sentence_and_depends_on_the_question(name):
    view = VIEWS[name]()
    one, other = attention_frame(view, 1, head=0), attention_frame(view, 2, head=0)
    assert one.words == view.sentence(1, head=0)
    assert not np.array_equal(one.rgb, other.rgb)
    np.testing.assert_array_equal(attention_frame(view, 1, head=0).rgb, one.rgb)


def dark_columns(frame):
    return np.flatnonzero((frame.rgb < 200).any((0, 2)))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_frame_without_a_picture_is_no_wider_than_what_it_shows(reverse):
    frame = attention_frame(VIEWS["sequence"](), 2, reverse=reverse)
    shown = dark_columns(frame)
    assert shown[0] < 0.05 * frame.rgb.shape[1]
    assert shown[-1] > 0.95 * frame.rgb.shape[1]
    assert frame.rgb.shape[1] < 0.6 * attention_frame(VIEWS["caption"](), 2).rgb.shape[1]


def test_every_word_can_be_read_on_its_shade():
    def light(colour):
        linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
        return np.dot(linear, [0.2126, 0.7152, 0.0722]) + 0.05

    for shade in np.linspace(0, 1, 101):
        colour = colormaps["viridis"](shade)[:3]
        pair = sorted([light(colour), light(to_rgb(_ink(colour)))])
        assert pair[1] / pair[0] >= 4.5
