"""The figures of the way back hold the numbers they were given."""

import itertools
import re

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from scipy import stats

from diffedu.classroom import plots
from diffedu.classroom.plots.figures import freeze
from diffedu.classroom.plots.live_reverse import grouped, two_modes
from diffedu.classroom.views import BoundView, bound_view
from diffedu.data import moons
from diffedu.diffusion.exact import sample
from diffedu.diffusion.schedules import cosine


def draw(*shape, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64)


def hex_of(colour):
    return to_hex(np.ravel(colour)[:3]).upper()


def test_points_are_drawn_where_they_are_with_equal_scales():
    points = draw(30, 2).requires_grad_()
    (ax,) = plots.new_axes(1)
    assert plots.plot_points(points, ax) is ax
    plots.plot_points(points.detach() + 2, ax, plots.NOISE, "moved")
    first, second = ax.collections
    np.testing.assert_array_equal(first.get_offsets(), points.detach())
    np.testing.assert_array_equal(second.get_offsets(), points.detach() + 2)
    colours = [hex_of(dots.get_facecolor()) for dots in ax.collections]
    assert colours == [plots.DATA, plots.NOISE]
    assert ax.get_aspect() == 1
    handles, names = ax.get_legend_handles_labels()
    assert (handles, names) == ([second], ["moved"])  # no name, no entry in a legend


def test_a_bar_is_as_high_as_its_number_and_stands_over_its_name():
    bars = {"L_0": -1.5, "rest": 0.25, "a": 2.0}
    (ax,) = plots.new_axes(1)
    assert plots.plot_bars(bars, ax) is ax
    assert [bar.get_height() for bar in ax.patches] == [*bars.values()]
    ax.figure.canvas.draw()
    for bar, tick, name in zip(ax.patches, ax.get_xticks(), bars, strict=True):
        assert bar.get_x() < tick < bar.get_x() + bar.get_width()
        assert ax.get_xticklabels()[round(tick)].get_text() == name
    assert all(
        one.get_x() + one.get_width() < other.get_x()
        for one, other in itertools.pairwise(ax.patches)
    )
    assert {hex_of(bar.get_facecolor()) for bar in ax.patches} == {plots.MODEL}
    assert set(ax.lines[0].get_ydata()) == {0}  # the ground


def bin_of(x, levels):
    """The level whose value 2k/(levels-1) - 1 lies nearest to x; outside, the first or the last."""
    return min(range(levels), key=lambda k: abs(2 * k / (levels - 1) - 1 - x))


@pytest.mark.parametrize(
    ("levels", "level"), [(2, 0), (2, 1), (5, 0), (5, 1), (5, 3), (5, 4), (17, 6), (17, 16)]
)
def test_exactly_the_bin_of_the_level_is_filled_and_the_edge_bins_are_open(levels, level):
    mean, sigma = 0.3, 0.4
    (ax,) = plots.new_axes(1)
    assert plots.plot_bins(levels, mean, sigma, level, ax) is ax
    x, density = ax.lines[0].get_data()
    np.testing.assert_allclose(density, stats.norm.pdf(x, mean, sigma), rtol=1e-12)
    filled = ax.collections[0].get_paths()
    values = [2 * k / (levels - 1) - 1 for k in range(levels)]
    edges = [(one + other) / 2 for one, other in itertools.pairwise(values)]
    for at in np.arange(-1.595, 1.6, 0.01):
        if min(abs(at - edge) for edge in edges) < 0.004:
            continue  # the curve is drawn in steps of .002
        inside = any(
            path.contains_point((at, 1e-9 + 0.5 * stats.norm.pdf(at, mean, sigma)))
            for path in filled
        )
        assert inside == (bin_of(at, levels) == level), at
    walls = [segment[0, 0] for segment in ax.collections[1].get_segments()]
    np.testing.assert_allclose(walls, edges, atol=1e-12)
    assert ax.lines[1].get_xydata().tolist() == [[pytest.approx(values[level]), 0]]
    assert ax.get_xlim() == (-1.6, 1.6) and ax.get_ylim()[0] == 0


@pytest.mark.parametrize("level", [-1, 5])
def test_a_level_outside_is_refused(level):
    with pytest.raises(ValueError) as error:
        plots.plot_bins(5, 0.0, 1.0, level, plots.new_axes(1)[0])
    assert str(error.value) == f"level: expected 0..4, got {level}"


def test_a_frozen_figure_keeps_its_layout_whatever_is_written_later():
    left, right = plots.new_axes(2)
    left.set(ylabel="before")
    freeze(left.figure)
    places = [ax.get_position().bounds for ax in (left, right)]
    left.set_ylabel("three\nlines\nnow", fontsize=30)
    right.figure.canvas.draw()
    assert [ax.get_position().bounds for ax in (left, right)] == places
    loose = plots.new_axes(2)[0]  # drawn once, so not with the place an empty figure gives
    loose.set(ylabel="before")
    assert loose.get_position().bounds != places[0]
    loose.figure.canvas.draw()
    assert loose.get_position().bounds == places[0]


def test_the_laboratory_has_two_equal_modes_at_plus_and_minus_one_of_width_three_tenths():
    x = sample(two_modes(), 100_000, torch.Generator().manual_seed(1))[:, 0].numpy()

    def cdf(at):
        return (stats.norm.cdf(at, -1, 0.3) + stats.norm.cdf(at, 1, 0.3)) / 2

    assert stats.kstest(x, cdf).pvalue > 1e-3


@pytest.mark.parametrize("T", [7, 10, 31])
def test_the_groups_are_the_first_six_terms_the_sum_of_the_others_and_the_prior(T):
    terms = draw(T + 1, seed=T)
    groups = grouped(BoundView(T, {"other": terms + 1, "best": terms}, 0.0), "best")
    assert groups[:6] == terms[:6].tolist()
    assert groups[6] == pytest.approx(sum(terms[k].item() for k in range(6, T)))
    assert groups[7:] == [terms[T].item()]


@pytest.fixture(scope="module")
def bound():
    return plots.BoundFrames()


def panels(frames):
    """The axes behind a live figure, from any of the artists it keeps."""
    return next(iter(getattr(frames, "_gaps", None) or frames._points)).figure.axes


def heights(ax):
    return [bar.get_height() for bar in ax.patches]


def test_the_bars_are_the_terms_and_what_they_lose_against_the_best_variance(bound):
    for T in (10, 100):
        view = bound_view(two_modes(), cosine(T))
        best = np.array(grouped(view, "best"))
        for choice in view.terms:
            bound(T=T, variance=choice)
            terms, losses, _ = panels(bound)
            shown = np.array(grouped(view, choice))
            np.testing.assert_allclose(heights(terms), shown, rtol=1e-9)
            np.testing.assert_allclose(heights(losses), shown - best, rtol=1e-9, atol=1e-12)
            assert sum(heights(terms)) - view.nll == pytest.approx(view.gap(choice))


def test_the_four_gaps_are_shown_at_once_and_the_chosen_one_in_colour(bound):
    for T, chosen in [(30, 0), (100, 1), (1000, 2), (10, 3)]:
        view = bound_view(two_modes(), cosine(T))
        bound(T=T, variance=bound.choices[chosen])
        gaps = panels(bound)[2]
        widths = [bar.get_width() for bar in gaps.patches]
        np.testing.assert_allclose(widths, [view.gap(c) for c in view.terms], rtol=1e-9)
        coloured = [hex_of(bar.get_facecolor()) == plots.MODEL for bar in gaps.patches]
        assert coloured == [k == chosen for k in range(4)]
        assert gaps.yaxis_inverted()  # the first choice on top
    names = [re.sub(r"[\\$]", "", label.get_text()) for label in gaps.get_yticklabels()]
    assert names == ["tildebeta_t", "beta_t", "beta_t, all t", "best"]
    labels = [re.sub(r"[$]", "", tick.get_text()) for tick in panels(bound)[0].get_xticklabels()]
    assert labels == [*(f"L_{k}" for k in range(6)), "rest", "L_T"]


def test_no_bar_leaves_its_panel_for_any_setting(bound):
    terms, losses, gaps = panels(bound)
    for T, choice in itertools.product(bound.T_CHOICES, bound.choices):
        shown = np.array(grouped(bound.views[T], choice))
        for ax, bars in [(terms, shown), (losses, shown - grouped(bound.views[T], "best"))]:
            low, high = ax.get_ylim()
            assert low - 1e-9 <= bars.min() and bars.max() <= high, (T, choice)
        assert 0 < bound.views[T].gap(choice) < gaps.get_xlim()[1]


@pytest.fixture(scope="module")
def paths():
    return plots.TrajectoryFrames(T=12)


def test_both_panels_show_the_points_and_the_paths_they_came_along(paths):
    for sampler, view in paths.views.items():
        for t in (12, 5, 0):
            paths(t=t, sampler=sampler)
            for ax, states in zip(panels(paths), (view.xt, view.x0_hat), strict=True):
                real, moving = ax.collections
                np.testing.assert_array_equal(moving.get_offsets(), states[t])
                assert len(ax.lines) == 3
                for k, line in enumerate(ax.lines):
                    np.testing.assert_array_equal(line.get_xydata(), states[t:, k])
                assert len(real.get_offsets()) == 600


def test_two_hundred_points_walk_among_points_of_the_moons(paths):
    g = torch.Generator().manual_seed(0)
    xT = torch.randn(200, 2, generator=g, dtype=torch.float64)
    for view in paths.views.values():
        torch.testing.assert_close(view.xt[12], xT, rtol=0, atol=0)
    real = panels(paths)[0].collections[0].get_offsets()
    np.testing.assert_array_equal(real, moons(600, g))


BAD = [
    ("bound", {"T": 20, "variance": "beta"}, "T: expected one of (10, 30, 100, 300, 1000), got 20"),
    (
        "bound",
        {"T": 10, "variance": "gamma"},
        "variance: expected one of ('beta-tilde', 'beta', 'beta, also at t = 1', 'best'), "
        "got gamma",
    ),
    ("paths", {"t": 13, "sampler": "DDPM, beta"}, "t: expected 0..12, got 13"),
    ("paths", {"t": -1, "sampler": "DDPM, beta"}, "t: expected 0..12, got -1"),
    (
        "paths",
        {"t": 1, "sampler": "Euler"},
        "sampler: expected one of ('DDPM, beta-tilde', 'DDPM, beta', 'DDIM, eta = 0'), got Euler",
    ),
]


@pytest.mark.parametrize(("name", "settings", "message"), BAD, ids=[case[2] for case in BAD])
def test_settings_that_do_not_exist_are_refused(name, settings, message, request):
    with pytest.raises(ValueError) as error:
        request.getfixturevalue(name)(**settings)
    assert str(error.value) == message
