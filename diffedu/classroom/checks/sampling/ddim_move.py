"""Exercise: one DDIM step from t to any earlier time."""

from functools import cache

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.inputs import batches
from diffedu.classroom.checks.sampling.common import DATA, ideal_model, jumped, told
from diffedu.diffusion.gaussian import x0_from_eps
from diffedu.diffusion.samplers import ddim_step, strided_times
from diffedu.diffusion.schedules import Schedule, linear
from diffedu.shapes import per_sample


def _cases(generator):
    inputs = batches(generator, "xt", "eps_hat", "noise", first=3)
    return [
        {
            "xt": x["xt"],
            "eps_hat": x["eps_hat"],
            "t": t,
            "t_next": (share * t).long(),  # the smallest t goes to 0
            "s": s,
            "eta": eta,
            "noise": x["noise"],
        }
        for (x, t, s), share, eta in zip(inputs, (0.3, 0.2, 0.3), (0.5, 1.0, 0.0), strict=True)
    ]


def _with(direction=1, power=1, eta_power=2, end=0, signal=0.5, mixed=2, beta=None):
    """(5.4) and (5.5) with one thing changed."""

    def move(xt, eps_hat, t, t_next, s, eta, noise):
        now, after = s.alpha_bar[t], s.alpha_bar[t_next.clamp(min=end)]
        jump = beta(s, t) if beta else 1 - now / after
        variance = eta**eta_power * (1 - after) / (1 - now) * jump
        x0_hat = x0_from_eps(xt, t, eps_hat, s)
        weight = (1 - after - direction * variance ** (mixed / 2)).sqrt()
        mean = per_sample(after**signal, xt) * x0_hat + per_sample(weight, xt) * eps_hat
        return mean + per_sample(variance ** (power / 2), xt) * noise

    return move


def _with_x0(guess):
    """The right step, from another x0_hat."""

    def move(xt, eps_hat, t, t_next, s, eta, noise):
        more = guess(xt, eps_hat, t, t_next, s) - x0_from_eps(xt, t, eps_hat, s)
        signal = per_sample(s.alpha_bar[t_next].sqrt(), xt)
        return ddim_step(xt, eps_hat, t, t_next, s, eta, noise) + signal * more

    return move


def _one_step_x0(xt, eps_hat, t, t_next, s):
    alpha = per_sample(s.alpha[t], xt)
    return (xt - (1 - alpha).sqrt() * eps_hat) / alpha.sqrt()


def _undivided(xt, eps_hat, t, t_next, s):
    return xt - per_sample((1 - s.alpha_bar[t]).sqrt(), xt) * eps_hat


def _at_the_end(xt, eps_hat, t, t_next, s):
    after = per_sample(s.alpha_bar[t_next], xt)
    return (xt - (1 - after).sqrt() * eps_hat) / after.sqrt()


def _all_alpha(xt, eps_hat, t, t_next, s, eta, noise):
    other = Schedule(s.beta, s.alpha, s.alpha, s.snr)
    return _with()(xt, eps_hat, t, t_next, other, eta, noise)


@cache
def _samples(step):
    s = linear(1000)
    model, times = ideal_model(s), strided_times(1000, 50).tolist()[::-1]
    return jumped(lambda x, z, t, u: step(x, model(x, t), t, u, s, 0.5, z), times)


def _consequence(step):
    return told(f"On {DATA} with 50 jumps and η = .5", _samples(step), _samples(ddim_step))


EXERCISE = Exercise(
    name="ddim_move",
    label="5.4",
    statement=(
        "ddim_move(xt, eps_hat, t, t_next, s, eta, noise): x of any shape (B, ...) at the "
        "earlier times t_next (B,), with the σ² of (5.5) and z = noise."
    ),
    reference=ddim_step,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules, η = 0, .5 and 1, short and long jumps, some of them to the clean end.",
    misconceptions=(
        Misconception(
            "direction keeps all noise",
            _with(direction=0),
            "Your weight of eps_hat ignores σ²; fresh noise comes on top, so old and new together "
            "have too much variance for (5.4).",
            "5.4",
        ),
        Misconception(
            "variance used as std",
            _with(power=2),
            "You multiplied the noise by σ², the variance of (5.5); in (5.4) z is multiplied by σ.",
            "5.4",
        ),
        Misconception(
            "σ for σ² below the root",
            _with(mixed=1),
            "You took σ away from 1 - alpha_bar, a standard deviation from a variance; below the "
            "root of (5.4) stands σ².",
            "5.4",
        ),
        Misconception(
            "never quite clean",
            _with(end=1),
            "Where t_next is 0 you took alpha_bar at 1; alpha_bar at 0 is exactly 1, and (5.4) "
            "then gives x0_hat itself.",
            "5.4",
        ),
        Misconception(
            "alpha for alpha_bar",
            _all_alpha,
            "You took alpha where (5.4) and (5.5) have alpha_bar; the paper on DDIM calls alpha "
            "what is alpha_bar here.",
            "5.4",
        ),
        Misconception(
            "x0_hat of one step",
            _with_x0(_one_step_x0),
            "Your x0_hat undoes one step, with alpha_t; eps_hat is the noise of all steps so far, "
            "so (2.12) has alpha_bar.",
            "2.12",
        ),
        Misconception(
            "η not squared",
            _with(eta_power=1),
            "You put η into the variance as it is; it counts standard deviations, so (5.5) squares "
            "it.",
            "5.5",
        ),
        Misconception(
            "always to t - 1",
            lambda xt, eps_hat, t, t_next, s, eta, noise: ddim_step(
                xt, eps_hat, t, t - 1, s, eta, noise
            ),
            "You went to t-1 and ignored t_next; (5.4) may jump to any earlier time, and here it "
            "is given.",
            "5.4",
        ),
        Misconception(
            "x0_hat at full size",
            _with(signal=0),
            "You added x0_hat at full size; at t' only a part of the picture is left, its factor "
            "in (5.4) is missing.",
            "5.4",
        ),
        Misconception(
            "alpha_bar without its root",
            _with(signal=1),
            "You multiplied x0_hat by alpha_bar, its share of the variance; (5.4) has the root.",
            "5.4",
        ),
        Misconception(
            "η ignored",
            lambda xt, eps_hat, t, t_next, s, eta, noise: ddim_step(
                xt, eps_hat, t, t_next, s, 1.0, noise
            ),
            "Your σ² does not know η; with η = 0 the step of (5.5) adds no noise at all.",
            "5.5",
        ),
        Misconception(
            "β of one step in σ²",
            _with(beta=lambda s, t: s.beta[t]),
            "Your σ² has β_t, that of one small step; a jump has a β of its own, see (5.5) and "
            "(5.8).",
            "5.5",
        ),
        Misconception(
            "x0_hat not divided",
            _with_x0(_undivided),
            "You took the noise away and did not divide by the root of alpha_bar; in x_t the "
            "picture is shrunk, (2.12) undoes that.",
            "2.12",
        ),
        Misconception(
            "x0_hat with alpha_bar at t_next",
            _with_x0(_at_the_end),
            "Your x0_hat uses alpha_bar at t_next; x_t has the noise of t, so (2.12) needs "
            "alpha_bar there.",
            "2.12",
        ),
    ),
    together=(
        Both(
            "direction keeps all noise",
            "variance used as std",
            _with(direction=0, power=2),
        ),
        Both(
            "direction keeps all noise",
            "never quite clean",
            _with(direction=0, end=1),
        ),
    ),
    hints=(
        "Guess the picture, then noise it again, down to t'. What do you know about the picture?",
        "First x0_hat by (2.12). Then the three terms of (5.4), with σ² from (5.5).",
        "The squares of the two noise weights must add up to 1 - alpha_bar at t_next. Look up "
        "alpha_bar twice: at t and at t_next.",
    ),
    consequence=_consequence,
)
