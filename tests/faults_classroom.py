"""What goes wrong in diffedu/classroom/."""

from dataclasses import replace

import numpy as np

from planting import Fault

VIEWS = "diffedu.classroom.views"
FIGURES = "diffedu.classroom.plots.figures"
LIVE = "diffedu.classroom.plots.live"
EXPLORERS = "diffedu.classroom.widgets.explorers"


def one_step_early(original):
    return lambda x0, t, s, eps: replace(original(x0, max(t - 1, 0), s, eps), t=t)


def only_what_lies_inside(original):
    def density_histogram(values):
        inside = values[values.abs() <= 4]
        return original(inside)

    return density_histogram


def variance_for_sigma(original):
    def posterior_view(x0, xt, t, s):
        view = original(x0, xt, t, s)
        return replace(view, sigma=view.sigma**2)

    return posterior_view


def likelihood_not_stretched(original):
    def posterior_view(x0, xt, t, s):
        view, unstretched = original(x0, xt, t, s), original(x0, xt * s.alpha[t].item(), t, s)
        return replace(view, likelihood=unstretched.likelihood)

    return posterior_view


def knows_the_chosen_digits_only(original):
    return lambda data, chosen, s, eps, steps=50: original(chosen, chosen, s, eps, steps)


def column_by_column(original):
    def mosaic(images, columns):
        rows = len(images) // columns
        return original(images.unflatten(0, (columns, rows)).transpose(0, 1).flatten(0, 1), columns)

    return mosaic


def width_and_height_exchanged(original):
    return lambda columns=1, height=2.6, width=8.0: original(columns, width, height)


def alt_not_escaped(original):
    def show(picture, alt=""):
        from unittest import mock

        with mock.patch("html.escape", lambda text: text):
            original(picture, alt)

    return show


def lowest_bit_lost(original):
    return lambda rgb: original(rgb // 2 * 2)


def titles_one_further(original):
    def plot_images(images, ax, titles=None):
        return original(images, ax, titles[1:] + titles[:1] if titles else None)

    return plot_images


def names_in_alphabetical_order(original):
    def plot_lines(x, curves, ax, colours=()):
        return original(x, dict(zip(sorted(curves), curves.values(), strict=True)), ax, colours)

    return plot_lines


def standardised(original):
    def plot_histogram(values, ax, *colour):
        return original((values - values.mean()) / values.std(), ax, *colour)

    return plot_histogram


def peak_of_one(original):
    return lambda grid, density, ax, colour, name: original(
        grid, density / density.max(), ax, colour, name
    )


def decimal_logarithm(original):
    def plot_schedules(schedules, axes):
        original(schedules, axes)
        for line in axes[1].lines:
            line.set_ydata(np.asarray(line.get_ydata()) / np.log(10))
        return axes

    return plot_schedules


def brightest_pixel_white(original):
    return lambda picture: original(picture / picture.abs().max())


def area_not_one(original):
    return lambda x: np.exp(-(x**2) / 2)


def remembers_the_picture(original):
    def __call__(self, t, schedule, image):
        self.first = getattr(self, "first", image)
        return original(self, t, schedule, self.first)

    return __call__


def one_noise_for_both_photos(original):
    def __init__(self, T=1000):
        original(self, T)
        self.eps["flower"] = self.eps["china"]

    return __init__


def x0_and_xt_exchanged(original):
    return lambda self, x0, xt, t: original(self, xt, x0, t)


def next_moment(original):
    return lambda self, moment: original(self, min(moment + 1, 100))


def sentence_stays(original):
    def draw(self):
        before = self.words.value
        original(self)
        self.words.value = before or self.words.value

    return draw


def first_settings_for_ever(original):
    def settings(self):
        if not hasattr(self, "kept"):
            self.kept = original(self)
        return self.kept

    return settings


def deaf_to_all_but_the_first(original):
    def __init__(self, name, frames, controls):
        original(self, name, frames, controls)
        for control in list(self.controls.values())[1:]:
            control.unobserve_all("value")

    return __init__


def starts_too_late(name):
    def plant(original):
        def explorer():
            made = original()
            made.controls[name].min += 1
            return made

        return explorer

    return plant


BY_TEST = {
    "tests/test_views.py": [
        ("noise_view: one step early", f"{VIEWS}.noise_view", one_step_early),
        ("density_histogram: inside only", f"{VIEWS}.density_histogram", only_what_lies_inside),
        ("posterior_view: variance", f"{VIEWS}.posterior_view", variance_for_sigma),
        ("posterior_view: likelihood", f"{VIEWS}.posterior_view", likelihood_not_stretched),
        ("tour_view: knows the chosen", f"{VIEWS}.tour_view", knows_the_chosen_digits_only),
        ("mosaic: column by column", f"{VIEWS}.mosaic", column_by_column),
    ],
    "tests/test_plots.py": [
        ("new_axes: width for height", f"{FIGURES}.new_axes", width_and_height_exchanged),
        ("show: alt not escaped", f"{FIGURES}.show", alt_not_escaped),
        ("png: lowest bit lost", f"{FIGURES}.png", lowest_bit_lost),
        ("plot_images: titles shifted", f"{FIGURES}.plot_images", titles_one_further),
        ("plot_lines: names sorted", f"{FIGURES}.plot_lines", names_in_alphabetical_order),
        ("plot_histogram: standardised", f"{FIGURES}.plot_histogram", standardised),
        ("plot_density: peak of one", f"{FIGURES}.plot_density", peak_of_one),
        ("plot_schedules: decimal logarithm", f"{FIGURES}.plot_schedules", decimal_logarithm),
        ("to_pixels: rescaled", f"{FIGURES}.to_pixels", brightest_pixel_white),
        ("standard_normal: area not one", f"{FIGURES}.standard_normal", area_not_one),
    ],
    "tests/test_widgets.py": [
        ("NoiseFrames: remembers", f"{LIVE}.NoiseFrames.__call__", remembers_the_picture),
        ("NoiseFrames: one noise", f"{LIVE}.NoiseFrames.__init__", one_noise_for_both_photos),
        ("PosteriorFrames: exchanged", f"{LIVE}.PosteriorFrames.__call__", x0_and_xt_exchanged),
        ("TourFrames: next moment", f"{LIVE}.TourFrames.__call__", next_moment),
        ("Explorer.draw: sentence stays", f"{EXPLORERS}.Explorer.draw", sentence_stays),
        ("Explorer.settings: first", f"{EXPLORERS}.Explorer.settings", first_settings_for_ever),
        ("Explorer: deaf", f"{EXPLORERS}.Explorer.__init__", deaf_to_all_but_the_first),
    ],
    "tests/test_widgets.py::test_the_sliders_reach_the_first_and_the_last_step_and_no_further": [
        ("noise_explorer: from 1", f"{EXPLORERS}.noise_explorer", starts_too_late("t")),
        ("posterior_explorer: from 2", f"{EXPLORERS}.posterior_explorer", starts_too_late("t")),
        ("tour_explorer: from 1", f"{EXPLORERS}.tour_explorer", starts_too_late("moment")),
    ],
}
FAULTS = tuple(
    Fault(name, target, replacement, (test,))
    for test, faults in BY_TEST.items()
    for name, target, replacement in faults
)
