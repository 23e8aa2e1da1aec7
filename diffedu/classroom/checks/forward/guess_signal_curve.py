"""A sketch: how alpha_bar falls."""

import torch

from diffedu.classroom.checks.exercise import Misconception, Prediction, Tolerance, no_arguments
from diffedu.classroom.checks.pictures import curves
from diffedu.diffusion.schedules import linear

PLACES = (200, 400, 600, 800)


def guess_signal_curve():
    """alpha_bar (1.4) at t = 200, 400, 600 and 800 of DDPM's 1000 steps."""
    return linear(1000).alpha_bar[[200, 400, 600, 800]].tolist()


def _truth():
    return torch.tensor(guess_signal_curve(), dtype=torch.float64)


def _above_1(values, case):
    """All guesses with a number above 1 count as 100 throughout: they are one mistake."""
    (guess,) = values
    return (torch.full_like(guess, 100) if (guess > 1).any() else guess,)


def _picture(yours, target):
    if (yours[0] > 1).any():
        return None  # the right curve would be flat beside it
    return curves("t", "alpha_bar", torch.tensor(PLACES, dtype=torch.float64))(yours, target)


EXERCISE = Prediction(
    name="guess_signal_curve",
    label="1.4",
    statement=(
        "guess_signal_curve: alpha_bar at t = 200, 400, 600 and 800 of DDPM's 1000 steps. "
        "A list of four numbers."
    ),
    reference=guess_signal_curve,
    cases=no_arguments,
    tolerance=Tolerance(0.1, 0.08, "a sketch: the shape is what counts"),
    tested=(
        "Close at all four places: the product (1.4) starts slowly, falls fast, and is almost 0 "
        "long before the end."
    ),
    misconceptions=(
        Misconception(
            "a straight line",
            lambda: [0.8, 0.6, 0.4, 0.2],
            "Your points lie near a straight line; (1.4) is a product, and even equal betas would "
            "bend it.",
            "1.4",
        ),
        Misconception(
            "all betas alike",
            lambda: [(1 - linear(1000).beta[1:].mean().item()) ** t for t in PLACES],
            "You let it fall fastest at first; the first betas are tiny, so (1.4) starts slowly.",
            "1.4",
        ),
        Misconception(
            "half each time",
            lambda: [0.5, 0.25, 0.125, 0.0625],
            "You let equal shares go in equal times; the first betas are tiny, so (1.4) starts "
            "slowly.",
            "1.4",
        ),
        Misconception(
            "per cent",
            lambda: [80.0, 60.0, 40.0, 20.0],
            "Some of your numbers are above 1, as if in per cent; alpha_bar (1.4) is a share, 1 at "
            "the start.",
            "1.4",
        ),
        Misconception(
            "one step's share",
            lambda: linear(1000).alpha[list(PLACES)].tolist(),
            "You stay near 1, as alpha of one step does; (1.4) multiplies all alphas so far.",
            "1.4",
        ),
        Misconception(
            "noise for signal",
            lambda: (1 - _truth()).tolist(),
            "Your curve rises: that is the share of the noise; (1.4) is the share of the signal.",
            "1.4",
        ),
        Misconception(
            "root of it",
            lambda: _truth().sqrt().tolist(),
            "You drew the factor of x_0 in (1.5); alpha_bar is its square and falls faster.",
            "1.5",
        ),
    ),
    hints=(
        "Where are the betas small, and where are they large?",
        "A product of factors just below 1 is nearly the exponential of minus the betas' sum.",
        "Up to t the betas add up to about .00001 t². Work out the exponential at the four places.",
    ),
    measure=_above_1,
    picture=_picture,
    where=lambda case, index: f"at t = {PLACES[index[0]]}",
)
