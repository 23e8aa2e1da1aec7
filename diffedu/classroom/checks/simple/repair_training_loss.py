"""Find the bug: a training loss that keeps x_t within the range of pictures."""

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.simple import common
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.losses import l_simple
from diffedu.shapes import mean_over_sample, per_sample


def _a_model(x, t):
    """Any network will do; this one is a straight line in x and in the root of t."""
    return 0.7 * x + 0.02 * per_sample(t.double().sqrt(), x) - 0.1


def _cases(generator):
    """One element of the noise is huge, so that no limit is far enough out to pass."""
    cases = [{"model": _a_model, **case} for case in cases_of("x0", "t", "eps", "s")(generator)]
    for case in cases:
        case["eps"].view(-1)[0] = 60
    return cases


def _buggy(model, x0, t, eps, s):
    shape = -1, *[1] * (x0.ndim - 1)
    alpha_bar = s.alpha_bar[t].view(shape)
    signal = alpha_bar.sqrt().to(x0)
    noise = (1 - alpha_bar).sqrt().to(x0)
    xt = (signal * x0 + noise * eps).clamp(-1, 1)
    eps_hat = model(xt, t)
    return ((eps - eps_hat) ** 2).flatten(1).mean(1)


def _seen_through(change):
    """The loss if the network sees change(x_t)."""

    def wrong(model, x0, t, eps, s):
        xt = q_sample(x0, t, eps, s)
        return mean_over_sample((eps - model(change(xt), t)) ** 2)

    return wrong


def _cut_off(limit):
    return Misconception(
        f"x_t cut off at {limit}",
        _seen_through(lambda x: x.clamp(-limit, limit)),
        "You cut x_t off further out; noise is normal in (1.5) and has no largest value.",
        "1.5",
    )


def _guess_clipped(model, x0, t, eps, s):
    return l_simple(lambda x, t: model(x, t).clamp(-1, 1), x0, t, eps, s)


def _largest_1(x):
    return x / x.flatten(1).abs().amax(1).view(-1, *[1] * (x.ndim - 1))


def _consequence(wrong):
    told = [common.loss_of_the_best(loss, t) for t in (300, 1000) for loss in (wrong, l_simple)]
    common.differ(*(f"{told[k]:.2g} {told[k + 2]:.1g}" for k in (0, 1)))
    return (
        "The best possible network for data N(.5, .3²) gets the loss "
        f"{told[0]:.3g} at t = 300 and {told[2]:.3g} at t = 1000 from this; "
        f"the floor of (4.8) is {told[1]:.3g} and {told[3]:.1g}."
    )


EXERCISE = Exercise(
    name="repair_training_loss",
    label="4.3",
    statement=(
        "repair_training_loss(model, x0, t, eps, s): L_simple for each sample (B,). One line of "
        "this code is wrong. Samples are points (B, D) or pictures (B, C, H, W)."
    ),
    reference=l_simple,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules, points and pictures, values far beyond -1 and 1.",
    misconceptions=(
        Misconception(
            "x_t clipped",
            _buggy,
            "x_t was cut off at -1 and 1. Data lie there, and (1.5) adds noise that does not: the "
            "network cannot read off what was cut away.",
            "1.5",
        ),
        *map(_cut_off, (3, 5, 10)),
        Misconception(
            "x_0 clipped",
            lambda model, x0, t, eps, s: l_simple(model, x0.clamp(-1, 1), t, eps, s),
            "Now the data are cut off instead; (4.3) takes x_0 as it is.",
            "4.3",
        ),
        Misconception(
            "eps clipped",
            lambda model, x0, t, eps, s: l_simple(model, x0, t, eps.clamp(-1, 1), s),
            "Now the noise is cut off, and its variance is below 1; in (4.3) eps is the normal "
            "noise itself.",
            "4.3",
        ),
        Misconception(
            "guess clipped",
            _guess_clipped,
            "Now the network's guess is cut off; a third of all noise lies beyond -1 and 1, and in "
            "(4.3) the guess may follow it.",
            "4.3",
        ),
        Misconception(
            "x_t squashed",
            _seen_through(lambda x: x.tanh()),
            "You squashed x_t softly; the network of (4.3) sees the sum of signal and noise, "
            "unchanged.",
            "4.3",
        ),
        Misconception(
            "x_t divided by its largest",
            _seen_through(_largest_1),
            "You made the largest element of x_t 1; the network of (4.3) must see x_t at the scale "
            "that belongs to t.",
            "4.3",
        ),
    ),
    hints=(
        "Go through it with t = T: which values does x_t take there, and what does the network "
        "see of them?",
        "The weights and the target are right. Compare what goes into the network with (4.3).",
        "Data lie between -1 and 1. Must x_t lie there as well?",
    ),
    bug="x_t clipped",
    consequence=_consequence,
)
