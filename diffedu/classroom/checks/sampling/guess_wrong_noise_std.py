"""Prediction: the spread of samples if noise is multiplied by a variance."""

import math

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)
from diffedu.diffusion.gaussian import fixed_small
from diffedu.diffusion.schedules import linear


def guess_wrong_noise_std():
    """The recursion (5.3) for data of std .3, with C = beta-tilde instead of its root."""
    s, variance = linear(1000), 1.0
    spread = s.alpha_bar * 0.3**2 + 1 - s.alpha_bar  # the variance of x_t
    A = (1 - s.beta / spread) / s.alpha.sqrt()
    C = fixed_small(s)
    for t in range(1000, 0, -1):
        variance = A[t].item() ** 2 * variance + C[t].item() ** 2
    return math.sqrt(variance)


EXERCISE = Prediction(
    name="guess_wrong_noise_std",
    label="5.3",
    statement=(
        "guess_wrong_noise_std: data N(.5, .3²), 1000 ancestral steps, and the noise multiplied by "
        "the variance β̃ instead of its root. Which standard deviation do the samples get? One "
        "number."
    ),
    reference=guess_wrong_noise_std,
    cases=no_arguments,
    tolerance=Tolerance(0.4, 1e-3, "the order of magnitude is what a guess can tell"),
    tested=(
        "The order of magnitude is right: by (5.3) every step pulls the samples together, and only "
        "fresh noise keeps them apart."
    ),
    misconceptions=(
        Misconception(
            "no change",
            lambda: 0.3,
            "You expect little or no change; fresh noise is what keeps samples apart in (5.3), "
            "and β̃ is far smaller than its root.",
            "5.3",
        ),
        Misconception(
            "spread squared",
            lambda: 0.09,
            "About a third, or .3 squared? In (5.3) the noise is squared, not the result: at a "
            "thousand steps, each by a factor of its own.",
            "5.3",
        ),
        Misconception(
            "a tenth",
            lambda: 0.03,
            "A tenth would be right if every root were a tenth; in (5.3) the last steps decide, "
            "and their roots are smaller.",
            "5.3",
        ),
        Misconception(
            "no spread",
            lambda: 0.0,
            "You expect samples that are all alike; little noise is not none, and (5.3) adds C² in "
            "every step.",
            "5.3",
        ),
        Misconception(
            "stays noise",
            lambda: 1.0,
            "You expect the spread of pure noise; in (5.3) A still pulls the samples together, it "
            "does not know about the mistake.",
            "5.3",
        ),
    ),
    hints=(
        "Without any noise, the thousand steps pull all samples to one place.",
        "The betas go up to .02; their roots are about ten times larger than they are.",
        "The last few dozen steps decide, and there beta is near .0005. Its root is near .02.",
    ),
    where=at_entry,
)
