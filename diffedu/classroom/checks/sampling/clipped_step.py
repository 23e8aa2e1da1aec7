"""Exercise: one ancestral step with x0_hat kept in the range of the data."""

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception
from diffedu.classroom.checks.inputs import batches
from diffedu.classroom.checks.sampling.common import between
from diffedu.diffusion.gaussian import eps_from_x0, fixed_small, q_sample, x0_from_eps
from diffedu.diffusion.samplers import ddpm_step
from diffedu.shapes import per_sample


def clipped_step(xt, eps_hat, t, s, variance, noise):
    """(5.1) with x0_hat cut off at -1 and 1, and with the eps_hat that belongs to it."""
    x0_hat = x0_from_eps(xt, t, eps_hat, s).clamp(-1, 1)
    eps_hat = eps_from_x0(xt, t, x0_hat, s)
    return ddpm_step(xt, eps_hat, t, s, variance, noise)


def _cases(generator):
    return [
        {
            "xt": q_sample(x["x0"], t, x["eps"], s),
            "eps_hat": x["eps"] + 0.1 * x["error"],
            "t": t,
            "s": s,
            "variance": between(s),
            "noise": x["noise"],
        }
        for x, t, s in batches(generator, "x0", "eps", "error", "noise")
    ]


def _old_eps(xt, eps_hat, t, s, variance, noise):
    x0_hat = x0_from_eps(xt, t, eps_hat, s).clamp(-1, 1)
    before, sigma2 = s.alpha_bar[t - 1], variance[t] * (t > 1)
    direction = (1 - before - sigma2).clamp(min=0).sqrt()
    mean = per_sample(before.sqrt(), xt) * x0_hat + per_sample(direction, xt) * eps_hat
    return mean + per_sample(sigma2.sqrt(), xt) * noise


def _to_unit(xt, eps_hat, t, s, variance, noise):
    x0_hat = x0_from_eps(xt, t, eps_hat, s).clamp(0, 1)
    return ddpm_step(xt, eps_from_x0(xt, t, x0_hat, s), t, s, variance, noise)


EXERCISE = Exercise(
    name="clipped_step",
    label="5.1",
    statement=(
        "clipped_step(xt, eps_hat, t, s, variance, noise): x_{t-1} by (5.1) for x of any shape "
        "(B, ...), after x0_hat was cut off at -1 and 1 and eps_hat recomputed from it."
    ),
    reference=clipped_step,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three schedules, points and pictures, with x0_hat inside of the range and far outside.",
    misconceptions=(
        Misconception(
            "no clipping",
            ddpm_step,
            "Your result is that without clipping; a small error in eps_hat is a large one in "
            "x0_hat (4.6). If you cut x0_hat off, it did not reach the step.",
            "4.6",
        ),
        Misconception(
            "clips x_t",
            lambda xt, eps_hat, t, s, variance, noise: ddpm_step(
                xt.clamp(-1, 1), eps_hat, t, s, variance, noise
            ),
            "You cut x_t off; by (1.5) it is mostly noise and may leave the range, only the guess "
            "x0_hat may not.",
            "1.5",
        ),
        Misconception(
            "clips the result",
            lambda xt, eps_hat, t, s, variance, noise: ddpm_step(
                xt, eps_hat, t, s, variance, noise
            ).clamp(-1, 1),
            "You cut x_{t-1} off; it still has noise by (1.5) and may leave the range, only the "
            "guess x0_hat may not.",
            "1.5",
        ),
        Misconception(
            "clips eps_hat",
            lambda xt, eps_hat, t, s, variance, noise: ddpm_step(
                xt, eps_hat.clamp(-1, 1), t, s, variance, noise
            ),
            "You cut eps_hat off; noise is normal, a third of it lies outside. Only x0_hat of "
            "(2.12) has a known range.",
            "2.12",
        ),
        Misconception(
            "old eps_hat kept",
            _old_eps,
            "You cut x0_hat off and kept the old eps_hat: by (2.12) the two no longer make up the "
            "same x_t.",
            "2.12",
        ),
        Misconception(
            "noise at the last step",
            lambda xt, eps_hat, t, s, variance, noise: (
                clipped_step(xt, eps_hat, t, s, variance, noise)
                + per_sample(variance[t].sqrt() * (t == 1), xt) * noise
            ),
            "You add noise at t = 1, too; nothing takes it away again, so (5.1) has z = 0 there.",
            "5.1",
        ),
        Misconception(
            "clips to [0, 1]",
            _to_unit,
            "You cut x0_hat off at 0 and 1; the data that (1.5) makes noisy here go from -1 to 1.",
            "1.5",
        ),
        Misconception(
            "x0_hat returned",
            lambda xt, eps_hat, t, s, variance, noise: x0_from_eps(xt, t, eps_hat, s).clamp(-1, 1),
            "You returned the cut-off x0_hat itself; it is only a guess on the way, (5.1) goes one "
            "step towards it.",
            "5.1",
        ),
        Misconception(
            "beta-tilde for the given variance",
            lambda xt, eps_hat, t, s, variance, noise: clipped_step(
                xt, eps_hat, t, s, fixed_small(s), noise
            ),
            "You took β̃_t for σ_t²; (5.1) leaves σ_t² open, and here it is handed to you.",
            "5.1",
        ),
        Misconception(
            "variance used as std",
            lambda xt, eps_hat, t, s, variance, noise: clipped_step(
                xt, eps_hat, t, s, variance**2, noise
            ),
            "You multiplied the noise by the variance σ_t²; in (5.1) z is multiplied by σ_t, the "
            "standard deviation.",
            "5.1",
        ),
        Misconception(
            "no noise",
            lambda xt, eps_hat, t, s, variance, noise: clipped_step(
                xt, eps_hat, t, s, variance, 0 * noise
            ),
            "You returned the mean alone; (5.1) draws from a normal distribution around it.",
            "5.1",
        ),
        Misconception(
            "clips x0_hat and the result",
            lambda xt, eps_hat, t, s, variance, noise: clipped_step(
                xt, eps_hat, t, s, variance, noise
            ).clamp(-1, 1),
            "You cut x0_hat off, and x_{t-1} as well; x_{t-1} still has noise by (1.5) and may "
            "leave the range.",
            "1.5",
        ),
    ),
    together=(
        Both(
            "clips x_t",
            "clips the result",
            lambda xt, eps_hat, t, s, variance, noise: ddpm_step(
                xt.clamp(-1, 1), eps_hat, t, s, variance, noise
            ).clamp(-1, 1),
        ),
    ),
    hints=(
        "Of x_t, eps_hat and x0_hat, for which one do you know the range beforehand?",
        "Three moves: from eps_hat to x0_hat by (2.12), cut off, and back to an eps_hat that fits.",
        "`x0_from_eps` and `eps_from_x0` of diffedu.diffusion.gaussian are the two ways of (2.12); "
        "after them comes an ordinary step. Or put the x0_hat you cut into the mean (2.8).",
    ),
    built_on=(x0_from_eps, eps_from_x0),
)
