"""Exercise: the posterior from two precisions, with the limit at t = 1."""

import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.posterior.common import by_posterior
from diffedu.diffusion.gaussian import posterior
from diffedu.diffusion.schedules import linear
from diffedu.shapes import per_sample


def posterior_by_precisions(x0, xt, t, s):
    """Mean b/a and variance 1/a of (2.6).

    a and b of (2.4) and (2.5) are both multiplied by 1 - alpha_bar_{t-1}. That leaves b/a as it is,
    divides nothing by 0 at t = 1, and gives (2.10) there by itself.
    """
    alpha, beta, before = s.alpha[t], s.beta[t], s.alpha_bar[t - 1]
    v = 1 - before  # the prior's variance
    a = v * alpha / beta + 1
    b_t, b_0 = v * alpha.sqrt() / beta, before.sqrt()
    return per_sample(b_t / a, xt) * xt + per_sample(b_0 / a, x0) * x0, v / a


def _a_and_b(x0, xt, t, s, alpha=None, before=None, floor=0.0):
    """(2.4) and (2.5) as they stand, or with another alpha, step before, least prior variance."""
    alpha = s.alpha[t] if alpha is None else alpha
    before = s.alpha_bar[t - 1 if before is None else before]
    prior = (1 - before).clamp(min=floor)
    x_weight = per_sample(alpha.sqrt() / s.beta[t], xt)
    b = x_weight * xt + per_sample(before.sqrt() / prior, x0) * x0
    return alpha / s.beta[t] + 1 / prior, b


def _as_it_stands(x0, xt, t, s, **like):
    a, b = _a_and_b(x0, xt, t, s, **like)
    return b / per_sample(a, b), 1 / a


def _large_as_infinite(values, case):
    """1/0, and 1 over somebody's small floor for the prior's variance, count as the same."""
    return tuple(torch.where(x.abs() > 1e5, x * float("inf"), x) for x in values)


def _variances_added(x0, xt, t, s):
    v = s.beta[t] / s.alpha[t] + 1 - s.alpha_bar[t - 1]
    return _as_it_stands(x0, xt, t, s)[0], v


def _precision(x0, xt, t, s):
    return _as_it_stands(x0, xt, t, s)[0], _a_and_b(x0, xt, t, s)[0]


def _b_alone(x0, xt, t, s):
    a, b = _a_and_b(x0, xt, t, s)
    return b, 1 / a


def _precision_with_floor(x0, xt, t, s):
    return posterior(x0, xt, t, s)[0], _a_and_b(x0, xt, t, s, floor=1e-12)[0]


def _b_and_a(x0, xt, t, s):
    return _a_and_b(x0, xt, t, s)[::-1]


def _root_of_variance(x0, xt, t, s):
    mean, variance = _as_it_stands(x0, xt, t, s)
    return mean, variance.sqrt()


def _centred_at_xt(x0, xt, t, s):
    return _as_it_stands(x0, xt, t, s, alpha=torch.ones_like(s.alpha[t]))


def _with_2_10(bare):
    """The same with x_0 and 0 put in at t = 1."""

    def treated(x0, xt, t, s):
        mean, variance = bare(x0, xt, t, s)
        first = (t == 1).view(-1, *(1,) * (x0.ndim - 1))
        return torch.where(first, x0, mean), torch.where(t == 1, 0.0, variance)

    return treated


def _nan_as_0(x0, xt, t, s):
    mean, variance = _as_it_stands(x0, xt, t, s)
    return mean.nan_to_num(), variance


def _xt_at_1(x0, xt, t, s):
    mean, variance = posterior(x0, xt, t, s)
    return torch.where(variance == 0, xt, mean), variance


def _whole_batch(x0, xt, t, s):
    return (x0, 0.0 * t) if (t == 1).any() else posterior(x0, xt, t, s)


def _in_use(wrong) -> str:
    """A sampler, or training where a sampler does not notice."""
    x0, xt = torch.tensor([[0.3], [-1.2]]), torch.tensor([[0.7], [2.0]])
    alone = torch.tensor([[1, 1], [2, 2], [20, 20]])
    for t in alone:
        mine, right = (f(x0, xt, t, linear(25)) for f in (wrong, posterior))
        if not all(
            torch.allclose(one.float().flatten(), other.flatten(), atol=1e-4)
            for one, other in zip(mine, right, strict=True)
        ):
            return by_posterior(wrong)
    share = 100 * (1 - (1 - 1 / 1000) ** 128)
    return (
        "A sampler has one t for all and shows nothing. Of the batches of 128 random steps in "
        f"training, {share:.0f} % hold a t = 1, and all 128 results are wrong."
    )


FIRST = "0/0 at t = 1"
BARE = {
    "variances added": _variances_added,
    "precision for variance": _precision,
    "std for variance": _root_of_variance,
    "likelihood peaks at x_t": _centred_at_xt,
}
EXERCISE = Exercise(
    name="posterior_by_precisions",
    label="2.6",
    statement=(
        "posterior_by_precisions(x0, xt, t, s): mean and variance of q(x_{t-1} | x_t, x_0) from "
        "a and b, for every t from 1 to T; one variance per sample."
    ),
    reference=posterior_by_precisions,
    cases=cases_of("x0", "xt", "t", "s"),
    tolerance=Tolerance(2e-3, 1e-4, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, t from 1 to T in one batch, with x_0 and 0 at t = 1. How you "
    "computed them, no check can see.",
    misconceptions=(
        Misconception(
            FIRST,
            _as_it_stands,
            "At t = 1 the prior has the variance 0, so your a and b are infinite and b/a has no "
            "value; the limit is (2.10).",
            "2.10",
        ),
        Misconception(
            "variances added",
            _with_2_10(_variances_added),
            "Your variance is the sum of two variances; in (2.4) it is their precisions that add.",
            "2.4",
        ),
        Misconception(
            "precision for variance",
            _with_2_10(_precision),
            "Your second result is the precision a of (2.4); (2.6) asks for the variance.",
            "2.6",
        ),
        Misconception(
            "precision for variance, t = 1 too",
            _precision_with_floor,
            "Your second result is the precision a of (2.4), enormous at t = 1; (2.6) asks for the "
            "variance.",
            "2.6",
        ),
        Misconception(
            "std for variance",
            _with_2_10(_root_of_variance),
            "Your second result is a standard deviation; (2.6) asks for its square.",
            "2.6",
        ),
        Misconception(
            "b for b / a, t = 1 too",
            _b_alone,
            "Your first result is b of (2.5), enormous at t = 1; the peak of (2.6) lies between "
            "those of prior and likelihood.",
            "2.6",
        ),
        Misconception(
            "b for b / a",
            _with_2_10(_b_alone),
            "Your first result is b of (2.5); the peak of (2.6) lies between those of prior and "
            "likelihood, and b need not.",
            "2.6",
        ),
        Misconception(
            "likelihood peaks at x_t",
            _with_2_10(_centred_at_xt),
            "Your likelihood has its peak at x_t and the variance β_t; by (1.1) x_t is a shrunken "
            "x_{t-1}, so both are larger as functions of x_{t-1}.",
            "2.4",
        ),
        Misconception(
            "alpha_bar at t in the prior",
            lambda x0, xt, t, s: _as_it_stands(x0, xt, t, s, before=t),
            "Your prior is that of x_t; (2.4) and (2.5) need the one of x_{t-1}, which is a point "
            "at t = 1.",
            "2.4",
        ),
        Misconception(
            "no step before the first",
            lambda x0, xt, t, s: _as_it_stands(x0, xt, t, s, before=(t - 1).clamp(min=1)),
            "At t = 1 you take alpha_bar_1 for the step before; index 0 of s is the clean picture, "
            "alpha_bar_0 = 1, and gives (2.10).",
            "2.10",
        ),
        Misconception(
            "NaN turned into 0",
            _nan_as_0,
            "At t = 1 your mean is 0; b/a has no value there, and its limit is the mean of (2.10).",
            "2.10",
        ),
        Misconception(
            "x_t at t = 1",
            _xt_at_1,
            "At t = 1 you return x_t; what is certain there is the other one, see (2.10).",
            "2.10",
        ),
        Misconception(
            "one t = 1 for the whole batch",
            _whole_batch,
            "As soon as one sample has t = 1, all get x_0 and 0; (2.10) is for that sample only.",
            "2.10",
        ),
    ),
    together=(
        *(Both(FIRST, name, bare) for name, bare in BARE.items()),
        Both("b for b / a", "precision for variance", _with_2_10(_b_and_a)),
        Both("b for b / a, t = 1 too", "precision for variance, t = 1 too", _b_and_a),
    ),
    hints=(
        "How sure is the prior at t = 1, and what does that make of its precision?",
        "Compute a and b as in (2.4) and (2.5). Where alpha_bar[t-1] is 1, two things become "
        "infinite, and their quotient has no value: decide there by (2.10).",
        "Either choose sample by sample, torch.where with the condition shaped (B, 1, ..., 1), or "
        "multiply a and b by the prior's variance before you divide.",
    ),
    consequence=_in_use,
    measure=_large_as_infinite,
    built_on=(per_sample,),
)
