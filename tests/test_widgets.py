"""The explorers without a browser: frames that remember nothing, and controls that redraw them."""

import functools
import html
import itertools
import math
import re

import ipywidgets
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from diffedu.classroom import widgets
from diffedu.classroom.plots import (
    DATA,
    BoundFrames,
    Frame,
    NoiseFrames,
    PosteriorFrames,
    TourFrames,
    TrajectoryFrames,
    png,
)
from diffedu.classroom.plots.figures import to_pixels
from diffedu.classroom.views import noise_view, posterior_view
from diffedu.data import PHOTOS, digit_halves, photo
from diffedu.diffusion.schedules import SCHEDULES

OF_A_VIEW = {"attention_explorer"}  # drawn by the browser: test_attention_explorer.py
NAMES = [name for name in widgets.__all__ if name.endswith("_explorer") and name not in OF_A_VIEW]
FRAMES = {
    "noise": NoiseFrames,
    "posterior": PosteriorFrames,
    "tour": TourFrames,
    "bound": BoundFrames,
    "trajectory": functools.partial(TrajectoryFrames, T=12),
}
ARGUMENTS = {
    "noise": ("t", "schedule", "image"),
    "posterior": ("x0", "xt", "t"),
    "tour": ("moment",),
    "bound": ("T", "variance"),
    "trajectory": ("t", "sampler"),
}
SETTINGS = {
    "noise": [
        *[(t, "cosine", "flower") for t in (0, 10, 1000)],
        *[(500, schedule, "digits") for schedule in SCHEDULES],
        (500, "linear", "china"),
    ],
    "posterior": [(1.0, -0.5, 8), (-2.0, 3.0, 20), (0.3, 0.0, 1), (1.1, -0.5, 8)],
    "tour": [(0,), (50,), (99,), (100,), (30,)],
    "bound": [(10, "best"), (1000, "best"), (30, "beta"), (30, "beta, also at t = 1")],
    "trajectory": [(12, "DDPM, beta"), (6, "DDIM, eta = 0"), (6, "DDPM, beta"), (0, "DDPM, beta")],
}


@functools.cache
def made(name):
    """One object for all tests: they show one thing after another with it, in any order."""
    return FRAMES[name]()


@pytest.fixture(scope="module", params=FRAMES)
def frames(request):
    """The name of an explorer, and what one object shows for its settings one after another."""
    names = ARGUMENTS[request.param]
    settings = [dict(zip(names, values, strict=True)) for values in SETTINGS[request.param]]
    return request.param, [(one, made(request.param)(**one)) for one in settings]


@pytest.fixture(scope="module", params=NAMES)
def explorer(request):
    return getattr(widgets, request.param)()


def test_a_frame_depends_on_its_settings_alone(frames):
    name, shown = frames
    fresh = FRAMES[name]()
    for settings, frame in shown[::-1]:
        again = fresh(**settings)
        np.testing.assert_array_equal(again.rgb, frame.rgb)
        assert again.words == frame.words


def test_other_settings_give_another_picture_and_another_sentence(frames):
    _, shown = frames
    for (_, one), (_, other) in itertools.combinations(shown, 2):
        assert one.words != other.words
        assert not np.array_equal(one.rgb, other.rgb)


def axes_of(frames):
    """The axes behind a live figure, which draws itself by a private artist."""
    artist = next(value for value in vars(frames).values() if hasattr(value, "figure"))
    return artist.figure.axes


def test_the_noise_figure_shows_the_noisy_picture_its_histogram_and_its_place_on_the_curve():
    frames = NoiseFrames(T=50)
    s, x0, eps = frames.schedules["sigmoid"], frames.images["flower"], frames.eps["flower"]
    for t, other in [(50, "linear"), (17, "cosine"), (0, "linear")]:
        frames(t=3, schedule=other, image="china")
        frames(t=t, schedule="sigmoid", image="flower")
        view = noise_view(x0, t, s, eps)
        picture, histogram, curve = axes_of(frames)
        np.testing.assert_array_equal(picture.images[0].get_array(), to_pixels(view.xt))
        heights = histogram.patches[0].get_data().values
        np.testing.assert_array_equal(heights, np.minimum(view.histogram.numpy(), 1))
        low, high = curve.get_ylim()
        log_snr = math.log(s.snr[t])
        assert curve.lines[-1].get_xydata().tolist() == [[t, min(max(log_snr, low), high)]]
        dark = [line for line in curve.lines[:-1] if to_hex(line.get_color()).upper() == DATA]
        assert [line.get_ydata().tolist() for line in dark] == [s.snr[1:].log().tolist()]
        assert [line.get_xdata().tolist() for line in dark] == [[*range(1, 51)]]


def test_the_noise_explorer_shows_digits_and_both_photos_each_with_noise_of_its_own():
    frames = made("noise")
    (digits, _), _ = digit_halves()
    rows = [torch.cat(list(digits[row : row + 4, 0]), dim=1) for row in range(0, 16, 4)]
    torch.testing.assert_close(frames.images["digits"][0, 0], torch.cat(rows))
    for name in ("china", "flower"):
        assert torch.equal(frames.images[name], photo(name))
    eps = torch.cat([eps.flatten() for eps in frames.eps.values()])
    assert abs(eps.mean()) < 4 / math.sqrt(len(eps))
    assert abs(eps.var() - 1) < 4 * math.sqrt(2 / len(eps))
    assert not torch.isclose(frames.eps["china"], frames.eps["flower"]).all()


def test_the_posterior_figure_shows_three_densities_the_mean_and_both_points():
    frames = PosteriorFrames(T=9)
    for x0, xt, t in [(1.0, -0.5, 8), (-2.0, 3.0, 1), (0.4, 0.2, 9)]:
        frames(x0=x0, xt=xt, t=t)
        view = posterior_view(x0, xt, t, frames.schedule)
        prior, likelihood, posterior, mean, *points = axes_of(frames)[0].lines
        for line, curve in [
            (prior, view.prior),
            (likelihood, view.likelihood),
            (posterior, view.posterior),
        ]:
            np.testing.assert_array_equal(line.get_xdata(), view.grid)
            np.testing.assert_array_equal(line.get_ydata(), curve)
        assert set(mean.get_xdata()) == {view.mean}
        assert [point.get_xydata().tolist() for point in points] == [[[x0, 0]], [[xt, 0]]]
    (legend,) = axes_of(frames)[0].figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert [re.sub(r"[\\ {}$]", "", label) for label in labels] == [
        "q(x_t-1midx_0)",
        "q(x_tmidx_t-1),overx_t-1",
        "q(x_t-1midx_t,x_0)",
        "x_0",
        "x_t",
    ]


def test_the_tour_shows_its_eight_digits_in_a_row_at_every_moment():
    frames = made("tour")
    (digits, _), _ = digit_halves()
    torch.testing.assert_close(frames.view.frames[0], digits[:8])
    for moment in (0, 50, 77, 100):
        frames(moment=moment)
        row = np.ones((8, 72, 3))  # a white seam behind each digit
        for k, digit in enumerate(frames.view.frames[moment]):
            row[:, 9 * k : 9 * k + 8] = to_pixels(digit)
        np.testing.assert_array_equal(axes_of(frames)[0].images[0].get_array(), row)


WORDS = {
    ("noise", 0): "flower, cosine schedule, t = 0: x_t = 1.000 x_0 + 0.000 eps; log SNR inf; "
    "pixels have mean -0.44 and standard deviation 0.53.",
    ("posterior", 2): "t = 1, x_0 = 0.30, x_t = 0.00: the posterior has mean 0.300 and standard "
    "deviation 0.000. x_0 is known, so x_(t-1) = x_0 exactly.",
    ("tour", 0): "moment 0: into noise, t = 0 of 400.",
    ("tour", 1): "moment 50: into noise, t = 400 of 400.",
    ("tour", 2): "moment 99: back, with the ideal denoiser, t = 8 of 400.",
    ("tour", 3): "moment 100: back, with the ideal denoiser, t = 0 of 400.",
    ("bound", 0): "T = 10, variance best: the terms add up to 1.036 nats; the exact negative "
    "log-likelihood is 0.907; the gap is 0.130.",
}


def test_the_sentences_say_what_is_shown(frames):
    name, shown = frames
    expected = {k: words for (of, k), words in WORDS.items() if of == name}
    assert {k: shown[k][1].words for k in expected} == expected


def test_the_name_of_an_explorer_is_its_class_on_the_page():
    made = live_explorer(lambda: Frame(np.zeros((1, 1, 3), dtype=np.uint8), "black"))
    assert "diffedu-sample" in made._dom_classes


def live_explorer(frames, **controls):
    return widgets.Explorer("sample", frames, controls)


def test_the_explorers_can_be_found_on_a_page(explorer, request):
    name = request.node.callspec.params["explorer"]
    assert f"diffedu-{name.replace('_', '-')}" in explorer._dom_classes


def extremes(control):
    """Every option, or both ends of a slider and its middle."""
    if isinstance(control, ipywidgets.SelectionSlider):
        return list(control.options)
    middle = (control.min + control.max) / 2
    return [control.min, control.max, type(control.value)(middle)]


def test_every_control_redraws_the_picture_and_the_sentence_up_to_its_extremes(explorer):
    for name, control in explorer.controls.items():
        for value in extremes(control):
            control.value = value
            assert explorer.settings[name] == value
            frame = explorer.frames(**explorer.settings)
            assert explorer.picture.value == png(frame.rgb)
            assert html.escape(frame.words) in explorer.words.value
            assert 'role="status"' in explorer.words.value


def test_the_sliders_reach_the_first_and_the_last_step_and_no_further():
    noise, posterior = widgets.noise_explorer(), widgets.posterior_explorer()
    tour = widgets.tour_explorer()
    ends = [(made.min, made.max) for made in (noise.controls["t"], posterior.controls["t"])]
    assert ends == [(0, noise.frames.schedules["cosine"].T), (1, posterior.frames.schedule.T)]
    moment = tour.controls["moment"]
    assert [*range(moment.min, moment.max + 1)] == [*range(len(tour.frames.view.t))]
    assert {"digits", *PHOTOS} == set(noise.controls["image"].options)
    assert set(noise.controls["schedule"].options) == set(SCHEDULES)


def test_every_control_says_what_it_is_and_shows_its_value(explorer):
    descriptions = [control.description for control in explorer.controls.values()]
    assert all(descriptions) and len(set(descriptions)) == len(descriptions)
    sliders = [c for c in explorer.controls.values() if hasattr(c, "readout")]
    assert all(slider.readout and slider.continuous_update for slider in sliders)


def test_all_parts_of_an_explorer_are_on_show(explorer):
    parts = [*explorer.controls.values(), explorer.picture, explorer.words]
    assert list(explorer.children) == parts


def test_words_with_special_characters_reach_the_page_unharmed():
    shown = live_explorer(lambda: Frame(np.zeros((1, 1, 3), dtype=np.uint8), "a < b & c"))
    text = re.sub("<[^>]*>", "", shown.words.value)
    assert html.unescape(text) == "a < b & c"
