"""Exercise: what the best network says if the data are a few points."""

import numpy as np
import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.simple import common
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.schedules import linear


def best_guess(points, xt, t, s):
    """E[x_0 | x_t], the target of (4.7), if x_0 is one of these points (N, D), all alike."""
    alpha_bar = s.alpha_bar[t][:, None]
    centre = alpha_bar.sqrt()[..., None] * points  # (B, N, D): where noise carries each to
    squared = ((xt[:, None] - centre) ** 2).sum(2)
    weight = torch.softmax(-squared / (2 * (1 - alpha_bar)), dim=1)  # q(point | x_t), by Bayes
    return weight @ points


def _squared(points, xt, t, s):
    """Squared distances (B, N) to the points as they stand in x_t, and 1 - alpha_bar (B, 1)."""
    alpha_bar = s.alpha_bar[t][:, None, None]
    return ((xt[:, None] - alpha_bar.sqrt() * points) ** 2).sum(2), 1 - alpha_bar[..., 0]


def _shares_of_all(points, xt, t, s):
    squared, variance = _squared(points, xt, t, s)
    weight = (-squared / (2 * variance)).exp()
    return weight / weight.sum() @ points


def _by_logits(logits, dim=1, average=False):
    """A wrong answer that is right but for these logits."""

    def wrong(points, xt, t, s):
        squared, variance = _squared(points, xt, t, s)
        squared = squared / points.shape[1] if average else squared
        return logits(squared, variance).softmax(dim) @ points

    return wrong


def _unscaled(points, xt, t, s, factor=2):
    squared = ((xt[:, None] - points) ** 2).sum(2)
    return (-squared / (factor * (1 - s.alpha_bar[t][:, None]))).softmax(1) @ points


def _unnormalised(points, xt, t, s):
    squared, variance = _squared(points, xt, t, s)
    return (-squared / (2 * variance)).exp() @ points


def _nearest(points, xt, t, s):
    return points[_squared(points, xt, t, s)[0].argmin(1)]


def _still_shrunk(points, xt, t, s):
    return s.alpha_bar[t].sqrt()[:, None] * best_guess(points, xt, t, s)


def _rootless(points, xt, t, s):
    alpha_bar = s.alpha_bar[t][:, None]
    squared = ((xt[:, None] - alpha_bar[..., None] * points) ** 2).sum(2)
    return (-squared / (2 * (1 - alpha_bar))).softmax(1) @ points


def _by_alpha(points, xt, t, s):
    alpha = s.alpha[t][:, None]
    squared = ((xt[:, None] - alpha.sqrt()[..., None] * points) ** 2).sum(2)
    return (-squared / (2 * (1 - alpha))).softmax(1) @ points


def _consequence(wrong):
    """The error of x_0 for the three points -1, 0 and 1, beside the floor."""
    s, points = linear(1000), torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64)
    nodes, weight = (torch.from_numpy(x) for x in np.polynomial.hermite_e.hermegauss(common.NODES))
    x0, eps = (x[:, None] for x in torch.cartesian_prod(points[:, 0], nodes).T)
    weight = (weight / weight.sum() / 3).repeat(3)
    t = torch.full((len(x0),), 300)
    xt = q_sample(x0, t, eps, s)
    guesses = (common.in_shape(way(points, xt, t, s), x0) for way in (wrong, best_guess))
    mine, floor = ((weight * ((x0 - guess) ** 2)[:, 0]).sum().item() for guess in guesses)
    return (
        "For the three points -1, 0 and 1 at t = 300 of 1000, the squared error of x_0 is "
        f"{common.finite(mine):.3g} this way; the floor, which (4.7) says the best guess reaches, "
        f"is {floor:.3g}."
    )


EXERCISE = Exercise(
    name="best_guess",
    label="4.7",
    statement=(
        "best_guess(points, xt, t, s): E[x_0 | x_t] for each x_t (B, D), if x_0 is one of N "
        "equally likely points (N, D)."
    ),
    reference=best_guess,
    cases=common.few_points,
    tolerance=FLOAT32,
    tested="4 to 7 points of 2 and 3 elements, t from 1 to T, and points of 3072 elements.",
    misconceptions=(
        Misconception(
            "softmax over the wrong axis",
            _by_logits(lambda squared, variance: -squared / (2 * variance), dim=0),
            "Your weights add up to 1 over the batch; in (4.7) each x_t has a mean of its own, "
            "with weights that add up to 1 over the points.",
            "4.7",
        ),
        Misconception(
            "not normalised",
            _unnormalised,
            "Your weights do not add up to 1, so what comes out is no mean; (4.7) asks for one.",
            "4.7",
        ),
        Misconception(
            "shares of all weights",
            _shares_of_all,
            "You divided by the sum over the whole batch; for (4.7) divide by the sum of each "
            "x_t's own weights.",
            "4.7",
        ),
        Misconception(
            "brackets missing",
            _by_logits(lambda squared, variance: -squared / 2 * variance),
            "You halved the squared distance and then multiplied by the variance; in the exponent "
            "of the Gaussian (1.5) it stands below the line.",
            "1.5",
        ),
        Misconception(
            "2 forgotten",
            _by_logits(lambda squared, variance: -squared / variance),
            "You divided the squared distance by the variance; the exponent of the Gaussian (1.5) "
            "has half of that.",
            "1.5",
        ),
        Misconception(
            "points not scaled",
            _unscaled,
            "You measured the distance from x_t to the points themselves; by (1.5) the noise lies "
            "around shrunken ones.",
            "1.5",
        ),
        Misconception(
            "std for variance",
            _by_logits(lambda squared, variance: -squared / (2 * variance.sqrt())),
            "You divided by the standard deviation; the squared distance of a Gaussian goes with "
            "the variance in (1.5).",
            "1.5",
        ),
        Misconception(
            "squares averaged",
            _by_logits(lambda squared, variance: -squared / (2 * variance), average=True),
            "You averaged the squares over the axes of a point; independent noise on each axis, "
            "(1.5), multiplies densities, and so adds exponents.",
            "1.5",
        ),
        Misconception(
            "distance not squared",
            _by_logits(lambda squared, variance: -squared.sqrt() / (2 * variance)),
            "You took the distance; in the exponent of the Gaussian (1.5) it is squared.",
            "1.5",
        ),
        Misconception(
            "sign forgotten",
            _by_logits(lambda squared, variance: squared / (2 * variance)),
            "With you the farthest point is the likeliest; under the Gaussian (1.5) the density "
            "falls with the distance.",
            "1.5",
        ),
        Misconception(
            "nearest point",
            _nearest,
            "You chose the likeliest point; a squared error teaches the mean over all that are "
            "possible, (4.7).",
            "4.7",
        ),
        Misconception(
            "mean still shrunk",
            _still_shrunk,
            "You averaged the points as they stand in x_t, shrunk; (4.7) asks for the mean of x_0 "
            "itself.",
            "4.7",
        ),
        Misconception(
            "no root on the signal",
            _rootless,
            "You shrank the points by alpha_bar itself; in (1.5) the share of x_0 is its root.",
            "1.5",
        ),
        Misconception(
            "index off by one",
            lambda points, xt, t, s: best_guess(points, xt, t - 1, s),
            "You took alpha_bar of the step before; index 0 is the clean data, so alpha_bar_t of "
            "(1.4) stands at index t.",
            "1.4",
        ),
        Misconception(
            "alpha for alpha_bar",
            _by_alpha,
            "You took alpha, the share of one step; the jump (1.5) has alpha_bar, the product of "
            "all so far.",
            "1.4",
        ),
    ),
    together=(
        Both(
            "softmax over the wrong axis",
            "2 forgotten",
            _by_logits(lambda squared, variance: -squared / variance, dim=0),
        ),
        Both(
            "points not scaled",
            "2 forgotten",
            lambda points, xt, t, s: _unscaled(points, xt, t, s, factor=1),
        ),
    ),
    hints=(
        "If x_0 can only be one of N points, a mean given x_t is N weights. What do they add up "
        "to?",
        "Bayes: the weight of a point is its density q(x_t | point) over the sum of all N. By "
        "(1.5), where is that Gaussian centred, and how wide is it?",
        "A table (B, N) of squared distances comes first. Its rows, through the exponential, "
        "become the weights, and these multiply the points.",
    ),
    consequence=_consequence,
    measure=common.of_the_short,
    objection=common.underflow,
)
