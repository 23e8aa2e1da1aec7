"""Figures hold the numbers they were given, and come with words."""

import base64
import io
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from PIL import Image
from scipy import stats

from diffedu.classroom import plots
from diffedu.classroom.plots import figures
from diffedu.classroom.plots.figures import standard_normal, to_pixels
from diffedu.diffusion.schedules import cosine, linear


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def colours_of(artists):
    return [to_hex(artist.get_color()).upper() for artist in artists]


def names_in(legend):
    return [text.get_text() for text in legend.get_texts()]


def assert_line(line, x, y):
    np.testing.assert_allclose(line.get_xdata(), x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(line.get_ydata(), y, rtol=1e-12, atol=1e-12)


def test_data_noise_model_and_x_t_have_a_colour_blind_safe_colour_each():
    colours = [plots.DATA, plots.NOISE, plots.MODEL, plots.XT]
    safe = [to_hex(colour).upper() for colour in matplotlib.color_sequences["okabe_ito"]]
    assert len(set(colours)) == 4 and set(colours) <= set(safe)


def test_new_axes_stand_in_one_row_of_a_figure_of_the_asked_size():
    axes = plots.new_axes(3, height=1.5, width=6.0)
    assert len(axes) == 3 and axes[0].figure.axes == axes
    axes[0].figure.canvas.draw()
    assert axes[0].figure.canvas.get_width_height() == (600, 150)
    assert [ax.get_subplotspec().colspan.start for ax in axes] == [0, 1, 2]


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_go_from_minus_one_and_one_to_zero_and_one_and_are_cut_off_outside(channels):
    picture = 1.5 * draw(channels, 4, 6)
    expected = np.zeros((4, 6, 3))
    for row, column, colour in np.ndindex(4, 6, 3):
        value = picture[colour if channels == 3 else 0, row, column].item()
        expected[row, column, colour] = (min(max(value, -1), 1) + 1) / 2
    np.testing.assert_allclose(to_pixels(picture), expected, atol=1e-7)


def test_a_png_holds_every_pixel_and_nothing_else():
    rgb = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    encoded = plots.png(rgb)
    decoded = Image.open(io.BytesIO(encoded))
    np.testing.assert_array_equal(np.asarray(decoded.convert("RGB")), rgb)
    assert plots.png(rgb.copy()) == encoded
    assert set(decoded.info) <= {"dpi"}


class Tags(HTMLParser):
    """The attributes of the img tags in a text."""

    def __init__(self, text):
        super().__init__()
        self.images = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))


@pytest.fixture
def shown(monkeypatch):
    """What `show` hands to the notebook."""
    bundles = []
    monkeypatch.setattr(figures, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def test_show_gives_the_figure_with_its_alternative_text(shown):
    (ax,) = plots.new_axes(1)
    ax.plot([0, 1], [1, 0])
    alt = 'A line "x < y" & more'
    plots.show(ax, alt)
    (image,) = Tags(shown[0]["text/html"]).images
    assert image["alt"] == shown[0]["text/plain"] == alt
    kind, _, encoded = image["src"].partition(",")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))
    ax.figure.canvas.draw()
    assert kind == "data:image/png;base64"
    np.testing.assert_array_equal(pixels, np.asarray(ax.figure.canvas.buffer_rgba())[..., :3])


def test_show_takes_the_words_of_a_frame_unless_it_is_given_better_ones(shown):
    frame = plots.Frame(np.zeros((2, 3, 3), dtype=np.uint8), "two rows of black")
    plots.show(frame)
    plots.show(frame, "black")
    alts = [Tags(bundle["text/html"]).images[0]["alt"] for bundle in shown]
    assert alts == ["two rows of black", "black"]


def test_show_refuses_a_figure_without_words(shown):
    with pytest.raises(ValueError) as error:
        plots.show(plots.new_axes(1)[0])
    assert str(error.value) == "alt: expected words that say what the figure shows, got ''"
    assert shown == []


def test_images_stand_side_by_side_in_their_order_under_their_titles():
    images = draw(3, 1, 4, 4)
    (ax,) = plots.new_axes(1)
    assert plots.plot_images(images, ax, ["a", "b", "c"]) is ax
    for artist, picture in zip(ax.images, images, strict=True):
        np.testing.assert_allclose(artist.get_array(), to_pixels(picture), atol=1e-7)
    sides = [edge for artist in ax.images for edge in artist.get_extent()[:2]]
    assert sides == sorted(sides) and ax.get_xlim() == (0, pytest.approx(sides[-1]))
    middles = [sum(artist.get_extent()[:2]) / 2 for artist in ax.images]
    titles = {text.get_text(): text.get_position()[0] for text in ax.texts}
    assert titles == pytest.approx(dict(zip("abc", middles, strict=True)))


def test_lines_hold_their_curves_and_the_legend_their_names():
    x = torch.linspace(0, 2, 5)
    curves = {"square": x**2, "root": x.sqrt(), "one": x * 0 + 1}
    for colours in ((), (plots.DATA, plots.NOISE, plots.MODEL)):
        (ax,) = plots.new_axes(1)
        plots.plot_lines(x, curves, ax, colours)
        for line, y in zip(ax.lines, curves.values(), strict=True):
            assert_line(line, x, y)
        assert names_in(ax.get_legend()) == [line.get_label() for line in ax.lines] == [*curves]
        assert colours_of(ax.lines) == list(colours or ("#000000", "#E69F00", "#56B4E9"))


@pytest.mark.parametrize(("colours", "most"), [((), 3), ((plots.DATA, plots.NOISE), 2)])
def test_a_line_without_a_colour_of_its_own_is_not_left_out_in_silence(colours, most):
    x = torch.linspace(0, 1, 3)
    with pytest.raises(ValueError) as error:
        plots.plot_lines(x, {str(k): k * x for k in range(most + 1)}, plots.new_axes(1)[0], colours)
    expected = f"curves: expected at most {most}, one for each colour, got {most + 1}"
    assert str(error.value) == expected


def test_a_schedule_without_a_colour_of_its_own_is_not_left_out_in_silence():
    with pytest.raises(ValueError, match=r"^schedules: expected at most 4, .*got 5$"):
        plots.plot_schedules({str(k): cosine(9) for k in range(5)}, plots.new_axes(2))


def test_a_histogram_lies_under_the_standard_normal():
    values = draw(2, 3, 20, 20).clamp(-4, 4)
    (ax,) = plots.new_axes(1)
    plots.plot_histogram(values, ax)
    heights, edges, _ = ax.patches[0].get_data()
    expected, _ = np.histogram(values.double().numpy(), np.linspace(-4, 4, 41), density=True)
    np.testing.assert_allclose(heights, expected, rtol=1e-9)
    assert_line(ax.lines[0], edges, stats.norm.pdf(edges))
    assert names_in(ax.get_legend()) == ["pixels", "N(0, 1)"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pixel value", "density")


def test_the_standard_normal_is_scipys():
    x = np.linspace(-6, 6, 77)
    np.testing.assert_allclose(standard_normal(x), stats.norm.pdf(x), rtol=1e-12)


def test_a_density_is_drawn_with_the_area_under_it_tinted():
    grid = torch.linspace(-1, 3, 21)
    density = 0.7 * torch.exp(-(grid**2))
    (ax,) = plots.new_axes(1)
    plots.plot_density(grid, density, ax, plots.MODEL, "q(x)")
    assert_line(ax.lines[0], grid, density)
    assert (ax.lines[0].get_label(), *colours_of(ax.lines)) == ("q(x)", plots.MODEL)
    outline = ax.collections[0].get_paths()[0].vertices
    height = {x: outline[np.isclose(outline[:, 0], x), 1].max() for x in grid.tolist()}
    np.testing.assert_allclose([*height.values()], density, rtol=1e-6)


def test_schedules_are_drawn_over_their_share_of_the_way():
    schedules = {"short": cosine(10), "long": linear(60)}
    axes = plots.new_axes(2)
    plots.plot_schedules(schedules, axes)
    for k, s in enumerate(schedules.values()):
        alpha_bar = np.array(s.alpha_bar.tolist())
        share = np.arange(s.T + 1) / np.float32(s.T)
        np.testing.assert_allclose(axes[0].lines[k].get_xdata(), share, rtol=1e-6)
        np.testing.assert_allclose(axes[0].lines[k].get_ydata(), alpha_bar, rtol=1e-12)
        np.testing.assert_allclose(axes[1].lines[k].get_xdata(), share[1:], rtol=1e-6)
        log_snr = np.log(alpha_bar[1:]) - np.log1p(-alpha_bar[1:])
        np.testing.assert_allclose(axes[1].lines[k].get_ydata(), log_snr, rtol=1e-9, atol=1e-9)
    assert names_in(axes[0].get_legend()) == ["short", "long"]
    assert [ax.get_xlabel() for ax in axes] == ["t / T", "t / T"]
    assert len(set(colours_of(axes[0].lines))) == len({x.get_linestyle() for x in axes[0].lines})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("square", "digits"), "schedule: expected one of ('linear', 'scaled_linear', "),
        (("linear", "cat"), "image: expected one of ('digits', 'china', 'flower'), got cat"),
    ],
)
def test_the_noise_frames_refuse_settings_that_do_not_exist(settings, message):
    with pytest.raises(ValueError) as error:
        plots.NoiseFrames(T=50)(1, *settings)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("levels", "sigma", "message"),
    [
        (1, 1.0, "levels: expected an integer >= 2, got 1"),
        (5, 0.0, "sigma: expected values > 0, got 0.0"),
    ],
)
def test_bins_need_two_levels_and_a_width(levels, sigma, message):
    with pytest.raises(ValueError) as error:
        plots.plot_bins(levels, 0.0, sigma, 0, plots.new_axes(1)[0])
    assert str(error.value) == message
