"""Exercise: one step of ancestral sampling."""

from diffedu.classroom.checks import bench
from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.inputs import batches
from diffedu.classroom.checks.sampling.common import (
    DATA,
    NOISE,
    between,
    ideal_model,
    jumped,
    told,
)
from diffedu.diffusion.gaussian import fixed_small, reverse_mean
from diffedu.diffusion.samplers import ddpm_step
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def _cases(generator):
    names = ("xt", "eps_hat", "noise")
    inputs = [*batches(generator, *names), next(batches(generator, *names, first=2))]
    return [
        {
            "xt": x["xt"],
            "eps_hat": x["eps_hat"],
            "t": t,
            "s": s,
            "variance": between(s),
            "noise": x["noise"],
        }
        for x, t, s in inputs
    ]


def _weight(s, t):
    return s.beta[t] / (1 - s.alpha_bar[t]).sqrt()


def _scale(s, t):
    return 1 / s.alpha[t].sqrt()


def _with(weight=_weight, scale=_scale, factor="right"):
    """(5.1) with another weight of eps_hat, scale of the bracket or factor of the noise."""

    def step(xt, eps_hat, t, s, variance, noise):
        bracket = xt - per_sample(weight(s, t), xt) * eps_hat
        sigma = NOISE[factor](variance[t], t)
        return per_sample(scale(s, t), xt) * bracket + per_sample(sigma, xt) * noise

    return step


def _noise_in_bracket(xt, eps_hat, t, s, variance, noise):
    sigma = _scale(s, t) * NOISE["right"](variance[t], t)
    return reverse_mean(xt, eps_hat, t, s) + per_sample(sigma, xt) * noise


def _not_shaped(xt, eps_hat, t, s, variance, noise):
    sigma = NOISE["right"](variance[t], t)
    return _scale(s, t) * (xt - _weight(s, t) * eps_hat) + sigma * noise


def _x_alone_rescaled(xt, eps_hat, t, s, variance, noise):
    mean = per_sample(_scale(s, t), xt) * xt - per_sample(_weight(s, t), xt) * eps_hat
    return mean + per_sample(NOISE["right"](variance[t], t), xt) * noise


def _one_decision(xt, eps_hat, t, s, variance, noise):
    return ddpm_step(xt, eps_hat, t, s, variance, noise * (t > 1).all())


def _left_on_a_point(step):
    """The std of samples if all data are one point, with a variance that is not 0 at t = 1."""
    s = linear(1000)
    model, variance, times = ideal_model(s, sigma=0), between(s), list(range(s.T, -1, -1))
    return jumped(lambda x, z, t, t_next: step(x, model(x, t), t, s, variance, z), times)[1]


def _with_beta_given(step):
    """Mean and std of samples with σ_t² = β_t."""
    s = linear(1000)
    model, times = ideal_model(s), list(range(s.T, -1, -1))
    return jumped(lambda x, z, t, t_next: step(x, model(x, t), t, s, s.beta, z), times)


def _consequence(step):
    words, left = bench.by_step(step), _left_on_a_point(step)
    if not 1e-4 < left < 1000:
        mine, right = _with_beta_given(step), _with_beta_given(ddpm_step)
        same_with_small = bench.by_step(ddpm_step) == words
        return told(f"On {DATA} with 1000 steps and β_t", mine, right) if same_with_small else words
    return f"{words} If all data are one point and σ_1 is not 0, {left:.4f}; done right, 0."


EXERCISE = Exercise(
    name="ancestral_step",
    label="5.1",
    statement=(
        "ancestral_step(xt, eps_hat, t, s, variance, noise): x_{t-1} for each sample of a batch "
        "x of any shape (B, ...), with σ_t² = variance[t], z = noise, and no noise where t is 1."
    ),
    reference=ddpm_step,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules, points and pictures, t from 1 to T, batches with t = 1 and without.",
    misconceptions=(
        Misconception(
            "variance used as std",
            _with(factor="variance"),
            "You multiplied the noise by the variance σ_t²; in (5.1) z is multiplied by σ_t, the "
            "standard deviation.",
            "5.1",
        ),
        Misconception(
            "noise at the last step",
            _with(factor="at the end too"),
            "You add noise at t = 1, too; nothing takes it away again, so (5.1) has z = 0 there.",
            "5.1",
        ),
        Misconception(
            "no noise",
            lambda xt, eps_hat, t, s, variance, noise: reverse_mean(xt, eps_hat, t, s),
            "You returned the mean alone; (5.1) draws from a normal distribution around it.",
            "5.1",
        ),
        Misconception(
            "noise inside the bracket",
            _noise_in_bracket,
            "You divided the fresh noise by the root of alpha, too; in (5.1) it stands outside of "
            "the bracket.",
            "5.1",
        ),
        Misconception(
            "beta for the given variance",
            lambda xt, eps_hat, t, s, variance, noise: ddpm_step(xt, eps_hat, t, s, s.beta, noise),
            "You took β_t for σ_t²; (5.1) leaves σ_t² open, and here it is handed to you.",
            "5.1",
        ),
        Misconception(
            "bracket not rescaled",
            _with(scale=lambda s, t: 0 * s.beta[t] + 1),
            "You did not divide by the root of alpha_t; the forward step shrank the picture, and "
            "(5.1) undoes that.",
            "5.1",
        ),
        Misconception(
            "alpha_bar for alpha",
            _with(scale=lambda s, t: 1 / s.alpha_bar[t].sqrt()),
            "You divided by the root of alpha_bar, which undoes all steps; (5.1) undoes one.",
            "5.1",
        ),
        Misconception(
            "root forgotten below beta",
            _with(lambda s, t: s.beta[t] / (1 - s.alpha_bar[t])),
            "You divided β_t by 1 - alpha_bar, a variance; eps_hat has standard deviation 1, and "
            "(5.1) has a root there.",
            "5.1",
        ),
        Misconception(
            "noise of one step removed",
            _with(lambda s, t: s.beta[t].sqrt()),
            "Before eps_hat you have the root of β_t (or alpha for alpha_bar): the noise of one "
            "step; eps_hat is that of all steps, see (5.1).",
            "5.1",
        ),
        Misconception(
            "plus for minus",
            _with(lambda s, t: -_weight(s, t)),
            "You added eps_hat; (5.1) takes noise away.",
            "5.1",
        ),
        Misconception(
            "factors along the last axis",
            _not_shaped,
            "The factors of (5.1), one for each sample, met the last axis of x instead of the "
            "first: (B,) needs more axes beside (B, ...).",
            "5.1",
        ),
        Misconception(
            "tables counted from 0",
            lambda xt, eps_hat, t, s, variance, noise: _with(
                lambda s, t: _weight(s, t - 1), lambda s, t: _scale(s, t - 1)
            )(xt, eps_hat, t, s, variance.roll(1), noise),
            "You read the tables at t-1; here index 0 is the clean data, and step t of (5.1) is at "
            "index t.",
            "5.1",
        ),
        Misconception(
            "beta-tilde for the given variance",
            lambda xt, eps_hat, t, s, variance, noise: ddpm_step(
                xt, eps_hat, t, s, fixed_small(s), noise
            ),
            "You took β̃_t for σ_t²; (5.1) leaves σ_t² open, and here it is handed to you.",
            "5.1",
        ),
        Misconception(
            "one decision for the batch",
            _one_decision,
            "One t = 1 in the batch switches off the noise of all; in (5.1) each sample has its "
            "own t.",
            "5.1",
        ),
        Misconception(
            "multiplied by the root of alpha",
            _with(scale=lambda s, t: s.alpha[t].sqrt()),
            "You multiplied by the root of alpha_t, as the forward step does; (5.1) goes back and "
            "undoes that.",
            "5.1",
        ),
        Misconception(
            "x_t alone rescaled",
            _x_alone_rescaled,
            "You divided x_t alone by the root of alpha_t; in (5.1) the part with eps_hat is "
            "inside of the bracket, too.",
            "5.1",
        ),
    ),
    together=(
        Both("variance used as std", "noise at the last step", _with(factor="both mistakes")),
    ),
    hints=(
        "A step has two parts: the mean, a little cleaner than x_t, and fresh noise around it.",
        "Write the two parts of (5.1) separately. What is the spread of the noise at t = 1?",
        "t is a batch: t > 1 is 0 or 1 for each sample, and can be multiplied. Numbers (B,) need "
        "the shape (B, 1, ..., 1) beside x.",
    ),
    consequence=_consequence,
    built_on=(reverse_mean,),
)
