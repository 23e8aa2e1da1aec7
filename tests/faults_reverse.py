"""What goes wrong in the figures and the explorers of the way back."""

from dataclasses import replace

import numpy as np

import faults_views_reverse
from planting import Fault

FIGURES = "diffedu.classroom.plots.figures"
LIVE = "diffedu.classroom.plots.live_reverse"
EXPLORERS = "diffedu.classroom.widgets.explorers"


def x_and_y_exchanged(original):
    return lambda points, ax, *style: original(points.flip(1), ax, *style)


def scales_of_their_own(original):
    def plot_points(points, ax, *style):
        original(points, ax, *style).set(aspect="auto")
        return ax

    return plot_points


def heights_without_sign(original):
    return lambda bars, ax, *colour: original({k: abs(v) for k, v in bars.items()}, ax, *colour)


def names_in_alphabetical_order(original):
    def plot_bars(bars, ax, *colour):
        return original(dict(zip(sorted(bars), bars.values(), strict=True)), ax, *colour)

    return plot_bars


def next_bin(original):
    def plot_bins(levels, mean, sigma, level, ax):
        return original(
            levels, mean, sigma, min(level + 1, levels - 1) if level >= 0 else level, ax
        )

    return plot_bins


def variance_for_sigma(original):
    return lambda levels, mean, sigma, level, ax: original(levels, mean, sigma**2, level, ax)


def closed_edge_bins(original):
    """The first and the last bin end as far out as the others."""

    def plot_bins(levels, mean, sigma, level, ax):
        original(levels, mean, sigma, level, ax)
        x, density = ax.lines[0].get_data()
        ax.collections[0].remove()
        walls = ax.collections[0]
        inside = np.abs(x - (2 * level / (levels - 1) - 1)) < 1 / (levels - 1)
        ax.fill_between(x, density, where=inside)
        walls.remove()
        ax.add_collection(walls)
        return ax

    return plot_bins


def not_drawn_first(original):
    return lambda figure: figure.set_layout_engine("none")


def only_drawn(original):
    return lambda figure: figure.canvas.draw()


def wider(original):
    def two_modes():
        mixture = original()
        return replace(mixture, sigma=mixture.sigma.sqrt())

    return two_modes


def prior_among_the_rest(original):
    def grouped(view, choice):
        groups = original(view, choice)
        return [*groups[:6], groups[6] + groups[7], groups[7]]

    return grouped


def first_variance_for_ever(original):
    def __call__(self, T, variance):
        self.first = getattr(self, "first", variance)
        frame = original(self, T, self.first)
        return replace(frame, words=original(self, T, variance).words)

    return __call__


def compared_with_beta_tilde(original):
    def __call__(self, T, variance):
        from diffedu.classroom.plots.live_reverse import grouped

        frame = original(self, T, variance)
        view = self.views[T]
        pairs = zip(grouped(view, variance), grouped(view, "beta-tilde"), strict=True)
        for bar, (term, other) in zip(self._losses, pairs, strict=True):
            bar.set_height(term - other)
        return frame

    return __call__


def gaps_cut_off(original):
    def __init__(self):
        original(self)
        self._gaps[0].axes.set_xlim(0, 0.8)

    return __init__


def paths_to_come(original):
    """The way the points still have to go."""

    def __call__(self, t, sampler):
        frame, view = original(self, t, sampler), self.views[sampler]
        for lines, states in zip(self._lines, (view.xt, view.x0_hat), strict=True):
            for k, line in enumerate(lines):
                line.set_data(*states[: t + 1, k].T.numpy())
        return frame

    return __call__


def paths_pile_up(original):
    """The paths of earlier settings stay when they are longer."""

    def __call__(self, t, sampler):
        self.longest = min(getattr(self, "longest", t), t)
        words = original(self, t, sampler).words
        return replace(original(self, self.longest, sampler), words=words)

    return __call__


def same_panel_twice(original):
    def __call__(self, t, sampler):
        frame, view = original(self, t, sampler), self.views[sampler]
        self._points[1].set_offsets(view.xt[t].numpy())
        return frame

    return __call__


def without_the_last_option(original):
    def explorer():
        made = original()
        made.controls["T"].options = made.controls["T"].options[:-1]
        return made

    return explorer


def starts_too_late(original):
    def explorer():
        made = original()
        made.controls["t"].min += 1
        return made

    return explorer


CALL = f"{LIVE}.BoundFrames.__call__"
WALK = f"{LIVE}.TrajectoryFrames.__call__"
BY_TEST = {
    "tests/test_plots_reverse.py": [
        ("plot_points: exchanged", f"{FIGURES}.plot_points", x_and_y_exchanged),
        ("plot_points: scales", f"{FIGURES}.plot_points", scales_of_their_own),
        ("plot_bars: without sign", f"{FIGURES}.plot_bars", heights_without_sign),
        ("plot_bars: names sorted", f"{FIGURES}.plot_bars", names_in_alphabetical_order),
        ("plot_bins: next bin", f"{FIGURES}.plot_bins", next_bin),
        ("plot_bins: variance for sigma", f"{FIGURES}.plot_bins", variance_for_sigma),
        ("plot_bins: edge bins closed", f"{FIGURES}.plot_bins", closed_edge_bins),
        ("freeze: not drawn first", f"{FIGURES}.freeze", not_drawn_first),
        ("freeze: only drawn", f"{FIGURES}.freeze", only_drawn),
        ("two_modes: wider", f"{LIVE}.two_modes", wider),
        ("grouped: prior among the rest", f"{LIVE}.grouped", prior_among_the_rest),
        ("BoundFrames: against beta-tilde", CALL, compared_with_beta_tilde),
        ("BoundFrames: gaps cut off", f"{LIVE}.BoundFrames.__init__", gaps_cut_off),
        ("TrajectoryFrames: paths to come", WALK, paths_to_come),
        ("TrajectoryFrames: one panel twice", WALK, same_panel_twice),
    ],
    "tests/test_widgets.py": [
        ("BoundFrames: remembers", CALL, first_variance_for_ever),
        ("TrajectoryFrames: remembers", WALK, paths_pile_up),
    ],
    "tests/test_explorers_reverse.py": [
        ("bound_explorer: not 1000", f"{EXPLORERS}.bound_explorer", without_the_last_option),
        ("trajectory_explorer: from 1", f"{EXPLORERS}.trajectory_explorer", starts_too_late),
    ],
}
FAULTS = (
    *faults_views_reverse.FAULTS,
    *(
        Fault(name, target, replacement, (test,))
        for test, faults in BY_TEST.items()
        for name, target, replacement in faults
    ),
)
