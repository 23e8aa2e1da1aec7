"""Exercise: a noise predictor read as a score."""

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.classroom.checks.inputs import cases_of
from diffedu.classroom.checks.simple import common
from diffedu.shapes import per_sample


def score_from_noise(eps_hat, t, s):
    """The score of q(x_t) that a noise prediction stands for (4.10)."""
    std = (1 - s.alpha_bar[t]).sqrt()
    return -eps_hat / per_sample(std, eps_hat)


def _over(eps_hat, divisor):
    return -eps_hat / per_sample(divisor, eps_hat)


def _consequence(wrong):
    def read(xt, t, eps_hat, s):
        alpha_bar = per_sample(s.alpha_bar[t], xt)
        return (xt + (1 - alpha_bar) * wrong(eps_hat, t, s)) / alpha_bar.sqrt()

    return "(4.11) turns it into a guess of x_0. " + common.x0_story(read)


EXERCISE = Exercise(
    name="score_from_noise",
    label="4.10",
    statement=(
        "score_from_noise(eps_hat, t, s): the score of q(x_t), from the best guess of eps. "
        "Samples are points (B, D) or pictures (B, C, H, W)."
    ),
    reference=score_from_noise,
    cases=cases_of("eps_hat", "t", "s"),
    tolerance=Tolerance(2e-3, 1e-5, "1 - alpha_bar[1] in float32 is known to three digits only"),
    tested="three schedules, points and pictures, t from 1 to T.",
    misconceptions=(
        Misconception(
            "wrong sign",
            lambda eps_hat, t, s: -score_from_noise(eps_hat, t, s),
            "Your arrow points along the noise; by (4.10) the score points back, to where it is "
            "denser.",
            "4.10",
        ),
        Misconception(
            "variance used as std",
            lambda eps_hat, t, s: _over(eps_hat, 1 - s.alpha_bar[t]),
            "You divided by the variance of the noise: it belongs below x_t minus the signal in "
            "(4.9). Below eps there stands its root.",
            "4.9",
        ),
        Misconception(
            "multiplied for divided",
            lambda eps_hat, t, s: _over(eps_hat, 1 / (1 - s.alpha_bar[t]).sqrt()),
            "You multiplied by the standard deviation of the noise; (4.10) has it below the line.",
            "4.10",
        ),
        Misconception(
            "only the sign",
            lambda eps_hat, t, s: -eps_hat,
            "You turned the noise round and left its length; (4.10) has a factor that depends "
            "on t.",
            "4.10",
        ),
        Misconception(
            "alpha for alpha_bar",
            lambda eps_hat, t, s: _over(eps_hat, s.beta[t].sqrt()),
            "You took alpha, that is the noise of one step; (4.10) has alpha_bar, for the noise of "
            "all steps so far.",
            "1.4",
        ),
        Misconception(
            "factor of the signal",
            lambda eps_hat, t, s: _over(eps_hat, s.alpha_bar[t].sqrt()),
            "You divided by the factor of x_0 in (1.5); (4.10) has the factor of eps.",
            "4.10",
        ),
        Misconception(
            "index off by one",
            lambda eps_hat, t, s: _over(eps_hat, (1 - s.alpha_bar[t - 1]).sqrt()),
            "You took alpha_bar of the step before; index 0 is the clean data, so alpha_bar_t of "
            "(1.4) stands at index t.",
            "1.4",
        ),
        Misconception(
            "one factor per column",
            lambda eps_hat, t, s: -eps_hat / (1 - s.alpha_bar[t]).sqrt(),
            "Your factor has the shape (B,) and meets the last axis of eps; (4.10) has one factor "
            "for each sample.",
            "4.10",
        ),
    ),
    together=(
        Both(
            "wrong sign",
            "variance used as std",
            lambda eps_hat, t, s: -_over(eps_hat, 1 - s.alpha_bar[t]),
        ),
        Both(
            "wrong sign",
            "multiplied for divided",
            lambda eps_hat, t, s: -_over(eps_hat, 1 / (1 - s.alpha_bar[t]).sqrt()),
        ),
    ),
    hints=(
        "Noise leads away from the data. Which way does the score point?",
        "At small t the density of x_t is nearly as sharp as the data. Is the score long or short?",
        "(4.9) for one x_0 and (4.10) have the same factor: look at the letters below eps.",
    ),
    consequence=_consequence,
)
