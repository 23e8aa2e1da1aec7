"""The explorer of the soft look-up: what it shows is attention in d dimensions."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from torch.testing import assert_close

from diffedu.classroom import widgets
from diffedu.classroom.plots import DATA, NOISE, LookupFrames
from diffedu.classroom.plots.live_attention import SCALES
from diffedu.nets.attention import attention, attention_weights

SETTINGS = [
    (1.0, 0.5, 1.0, 32, SCALES[0]),
    (1.0, 0.5, 1.0, 32, SCALES[1]),
    (-0.5, 0.5, 1.0, 512, SCALES[1]),
    (-0.5, 0.5, 0.2, 512, SCALES[0]),
    (0.0, 0.0, 5.0, 2, SCALES[1]),
    (2.0, -2.0, 10.0, 8, SCALES[0]),
]
every_setting = pytest.mark.parametrize("values", SETTINGS, ids=str)
BAD = [
    ((1.0, 0.5, 3.0, 32, SCALES[0]), "temperature: expected one of (0.1, 0.2, 0.5, 1.0, 2.0, 5.0,"),
    ((1.0, 0.5, 1.0, 7, SCALES[0]), "d: expected one of (2, 8, 32, 128, 512), got 7"),
    ((1.0, 0.5, 1.0, 32, "squared"), "scale: expected one of ('divided by √d', 'as they are'),"),
]


@pytest.fixture(scope="module")
def frames():
    return LookupFrames()


def named(values):
    return dict(zip(("q1", "q2", "temperature", "d", "scale"), values, strict=True))


def in_d_dimensions(frames, q1, q2, d):
    """Query and keys of width d whose picture in the plane of the query is what is shown."""
    g = torch.Generator().manual_seed(d)
    axes, _ = torch.linalg.qr(torch.randn(d, d, generator=g, dtype=torch.float64))
    rest = torch.randn(3, d - 2, generator=g, dtype=torch.float64)  # what the plane does not show
    keys = torch.cat([frames.KEYS, rest], dim=1) @ axes.T
    query = math.sqrt(d) * torch.tensor([q1, q2], dtype=torch.float64) @ axes[:, :2].T
    return query, keys


@every_setting
def test_the_weights_are_those_of_attention_in_d_dimensions(frames, values):
    q1, q2, temperature, d, scale = values
    query, keys = in_d_dimensions(frames, q1, q2, d)
    factor = {"divided by √d": 1.0, "as they are": math.sqrt(d)}[scale] / temperature
    wanted = attention_weights(factor * query[None], keys)[0]
    assert_close(frames.weights(*values), wanted, rtol=1e-9, atol=1e-12)
    frames(**named(values))
    bars, triangle = frames._answer.figure.axes[1:]
    heights = [bar.get_height() for bar in bars.patches]
    assert heights == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-12)
    answer = attention(factor * query[None], keys, frames.VALUES)[0]
    shown = triangle.lines[-1].get_xydata()[0]
    assert shown.tolist() == pytest.approx(answer.tolist(), rel=1e-9, abs=1e-12)


@every_setting
def test_query_keys_and_values_stand_where_they_are(frames, values):
    frames(**named(values))
    plane, _, triangle = frames._answer.figure.axes
    *keys, query, tip = plane.lines
    assert [line.get_xydata()[1].tolist() for line in keys] == frames.KEYS.tolist()
    assert query.get_xydata().tolist() == [[0, 0], [*values[:2]]]
    assert tip.get_xydata().tolist() == [[*values[:2]]]
    colours = [to_hex(line.get_color()).upper() for line in plane.lines]
    assert colours == [DATA] * 3 + [NOISE] * 2
    points = [line.get_xydata()[0].tolist() for line in triangle.lines[:-1]]
    assert points == frames.VALUES.tolist()
    (grey,) = triangle.patches
    assert grey.get_xy()[:3].tolist() == frames.VALUES.tolist()


def test_a_frame_depends_on_its_settings_alone(frames):
    shown = [frames(**named(values)) for values in SETTINGS]
    fresh = LookupFrames()
    for values, frame in reversed([*zip(SETTINGS, shown, strict=True)]):
        again = fresh(**named(values))
        np.testing.assert_array_equal(again.rgb, frame.rgb)
        assert again.words == frame.words
    for one, other in itertools.combinations(shown, 2):
        assert one.words != other.words
        assert not np.array_equal(one.rgb, other.rgb)


@every_setting
def test_the_sentence_says_settings_weights_and_answer(frames, values):
    words = frames(**named(values)).words
    q1, q2, temperature, d, scale, shares, place = re.fullmatch(
        r"q = \((\S+), (\S+)\), temperature (\S+), d = (\d+), scores (.+): the weights are "
        r"(.+), the answer is \((.+)\)\.",
        words,
    ).groups()
    assert (float(q1), float(q2), float(temperature), int(d), scale) == values
    weights = frames.weights(*values)
    assert [*map(float, shares.split(", "))] == pytest.approx(weights.tolist(), abs=5.1e-4)
    answer = (weights @ frames.VALUES).tolist()
    assert [*map(float, place.split(", "))] == pytest.approx(answer, abs=5.1e-3)


def test_nothing_is_minus_zero(frames):
    assert "-0.0" not in frames(q1=-1e-17, q2=-0.0, temperature=1.0, d=2, scale=SCALES[0]).words


@pytest.mark.parametrize(("values", "message"), BAD, ids=[case[1] for case in BAD])
def test_settings_that_do_not_exist_are_refused(frames, values, message):
    with pytest.raises(ValueError) as error:
        frames(**named(values))
    assert str(error.value).startswith(message)


def test_the_explorer_offers_every_setting():
    explorer = widgets.lookup_explorer()
    controls = explorer.controls
    assert list(controls) == ["q1", "q2", "temperature", "d", "scale"]
    for name in ("q1", "q2"):
        assert (controls[name].min, controls[name].max, controls[name].step) == (-2, 2, 0.1)
    assert controls["temperature"].options == LookupFrames.TEMPERATURES
    assert controls["d"].options == LookupFrames.D_CHOICES
    assert controls["scale"].options == SCALES
    assert explorer.settings == named((1.0, 0.5, 1.0, 32, "divided by √d"))
