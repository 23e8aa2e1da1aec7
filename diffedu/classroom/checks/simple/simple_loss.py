"""Exercise: L_simple for each sample."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.inputs import batches
from diffedu.classroom.checks.simple import common
from diffedu.diffusion.gaussian import fixed_large, q_sample
from diffedu.diffusion.losses import l_simple, l_simple_weight
from diffedu.shapes import mean_over_sample, per_sample


def _a_model(s):
    """Any network will do; this one is a straight line in x and in t, with one trained number."""
    slope = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    return lambda x, t: slope * x + 0.8 * per_sample(t.double() / s.T, x) - 0.2


def _cases(generator):
    return [
        {"model": _a_model(s), "x0": x["x0"], "t": t, "eps": x["eps"], "s": s}
        for x, t, s in batches(generator, "x0", "eps")
    ]


def _no_gradient(returned, case):
    if isinstance(returned, torch.Tensor) and returned.requires_grad:
        return ""
    return (
        "The numbers are right, but no gradient leads from this loss back to the network: is "
        "something detached, under no_grad, or in numpy?"
    )


def _squares(target, guess):
    return mean_over_sample((target - guess) ** 2)


def _alpha_jump(x0, t, eps, s):
    alpha = per_sample(s.alpha[t], x0)
    return alpha.sqrt() * x0 + (1 - alpha).sqrt() * eps


def _rootless_jump(x0, t, eps, s):
    alpha_bar = per_sample(s.alpha_bar[t], x0)
    return alpha_bar * x0 + (1 - alpha_bar) * eps


def _jump_before(x0, t, eps, s):
    alpha_bar = per_sample(s.alpha_bar[t - 1], x0)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * eps


def _swapped_jump(x0, t, eps, s):
    alpha_bar = per_sample(s.alpha_bar[t], x0)
    return (1 - alpha_bar).sqrt() * x0 + alpha_bar.sqrt() * eps


def _unshrunk_jump(x0, t, eps, s):
    return x0 + (1 - per_sample(s.alpha_bar[t], x0)).sqrt() * eps


def _difference_target(model, x0, t, eps, s):
    xt = q_sample(x0, t, eps, s)
    return _squares(xt - x0, model(xt, t))


def _absolute(model, x0, t, eps, s):
    return mean_over_sample((eps - model(q_sample(x0, t, eps, s), t)).abs())


def _elements(x):
    return x[0].numel()


def _weighted(model, x0, t, eps, s):
    return l_simple_weight(s, fixed_large(s))[t] * l_simple(model, x0, t, eps, s)


def _clean_target(model, x0, t, eps, s):
    return _squares(x0, model(q_sample(x0, t, eps, s), t))


def _consequence(wrong):
    told = [f"{common.loss_of_the_best(loss, 300):.3g}" for loss in (wrong, l_simple)]
    common.differ(*told)
    return (
        "The best possible network for data N(.5, .3²) in two dimensions gets, at t = 300 of 1000, "
        f"the loss {told[0]} from this; by (4.3) it gets {told[1]}, the floor of (4.8)."
    )


EXERCISE = Exercise(
    name="simple_loss",
    label="4.3",
    statement=(
        "simple_loss(model, x0, t, eps, s): L_simple for each sample (B,), averaged over the "
        "sample's elements; model(x, t) guesses the noise. eps is given; draw nothing. Samples are "
        "points (B, D) or pictures (B, C, H, W)."
    ),
    reference=l_simple,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules, points and pictures, a network that depends on x and on t.",
    misconceptions=(
        Misconception(
            "target x_0",
            _clean_target,
            "You compared the guess with x_0; the network of (4.3) guesses the noise.",
            "4.3",
        ),
        Misconception(
            "target x_t",
            lambda model, x0, t, eps, s: _squares(
                q_sample(x0, t, eps, s), model(q_sample(x0, t, eps, s), t)
            ),
            "You compared the guess with x_t, which the network is given; (4.3) compares with the "
            "noise.",
            "4.3",
        ),
        Misconception(
            "target x_t - x_0",
            _difference_target,
            "You compared with what was added to the picture; (4.3) compares with eps itself, "
            "which has variance 1 at every t.",
            "4.3",
        ),
        Misconception(
            "model asked at t - 1",
            lambda model, x0, t, eps, s: _squares(eps, model(q_sample(x0, t, eps, s), t - 1)),
            "The network was told t - 1 beside an x_t; in (4.3) both have the same t, and it runs "
            "from 1 to T.",
            "4.3",
        ),
        Misconception(
            "model given x_0",
            lambda model, x0, t, eps, s: _squares(eps, model(x0, t)),
            "The network saw the clean x_0, in which there is no noise to find; (4.3) shows it "
            "x_t.",
            "4.3",
        ),
        Misconception(
            "absolute error",
            _absolute,
            "You took the size of the error; (4.3) has its square, and only that makes the network "
            "learn a mean, (4.7).",
            "4.3",
        ),
        Misconception(
            "sum for mean",
            lambda model, x0, t, eps, s: _elements(x0) * l_simple(model, x0, t, eps, s),
            "You added up the squares of a sample; the task divides (4.3) by the number of its "
            "elements.",
            "4.3",
        ),
        Misconception(
            "one number for the batch",
            lambda model, x0, t, eps, s: l_simple(model, x0, t, eps, s).mean(),
            "You averaged over the batch as well; each sample has its own t in (4.3), and its own "
            "loss is asked for.",
            "4.3",
        ),
        Misconception(
            "alpha for alpha_bar",
            lambda model, x0, t, eps, s: _squares(eps, model(_alpha_jump(x0, t, eps, s), t)),
            "Your x_t has the noise of one step, from alpha; (4.3) has alpha_bar, for all steps "
            "so far.",
            "1.4",
        ),
        Misconception(
            "no roots in x_t",
            lambda model, x0, t, eps, s: _squares(eps, model(_rootless_jump(x0, t, eps, s), t)),
            "Your x_t mixes with alpha_bar and 1 - alpha_bar themselves; (4.3) has their roots.",
            "4.3",
        ),
        Misconception(
            "roots swapped",
            lambda model, x0, t, eps, s: _squares(eps, model(_swapped_jump(x0, t, eps, s), t)),
            "The two factors in your x_t changed places: in (1.5) alpha_bar goes with x_0 and "
            "1 - alpha_bar with eps.",
            "1.5",
        ),
        Misconception(
            "x_0 not shrunk",
            lambda model, x0, t, eps, s: _squares(eps, model(_unshrunk_jump(x0, t, eps, s), t)),
            "Your x_t is all of x_0 with noise on top; in (1.5) only a share of x_0 is left.",
            "1.5",
        ),
        Misconception(
            "index off by one",
            lambda model, x0, t, eps, s: _squares(eps, model(_jump_before(x0, t, eps, s), t)),
            "Your x_t has alpha_bar of the step before; index 0 is the clean data, so alpha_bar_t "
            "of (1.4) stands at index t.",
            "1.4",
        ),
        Misconception(
            "t / T for the model",
            lambda model, x0, t, eps, s: _squares(eps, model(q_sample(x0, t, eps, s), t / s.T)),
            "You told the network the share of the way, t/T; in (4.3) it is told the step, a "
            "number from 1 to T.",
            "4.3",
        ),
        Misconception(
            "root of the mean",
            lambda model, x0, t, eps, s: l_simple(model, x0, t, eps, s).sqrt(),
            "You took the root at the end; (4.3) is the squared error itself.",
            "4.3",
        ),
        Misconception(
            "weight kept",
            _weighted,
            "Your loss still carries the bound's weight (4.1) for σ² = β; (4.3) is what remains "
            "when it is dropped.",
            "4.3",
        ),
    ),
    together=(
        Both(
            "target x_0",
            "model given x_0",
            lambda model, x0, t, eps, s: _squares(x0, model(x0, t)),
        ),
        Both(
            "target x_0",
            "sum for mean",
            lambda model, x0, t, eps, s: _elements(x0) * _clean_target(model, x0, t, eps, s),
        ),
        Both(
            "model asked at t - 1",
            "index off by one",
            lambda model, x0, t, eps, s: _squares(eps, model(_jump_before(x0, t, eps, s), t - 1)),
        ),
    ),
    hints=(
        "Three steps: make x_t, ask the network, compare. What does the network guess in (4.3)?",
        "The network is asked at the x_t and the t that belong together. eps is given twice: in "
        "x_t, and as the right answer.",
        "Average the squares over every axis but the first: a point has one such axis, a picture "
        "three.",
    ),
    consequence=_consequence,
    objection=_no_gradient,
)
