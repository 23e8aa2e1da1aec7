"""Exercise: FiLM, a factor and a summand for each channel of each sample."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal

# B, C, H, W: all differ; then such that (B, C), or (C,), would fit the last axes by mistake
SHAPES = ((2, 5, 3, 4), (3, 4, 3, 4), (2, 3, 5, 3))


def scale_and_shift(h, scale, shift):
    """(10.4): FiLM; one factor and one summand for each channel, the same at every pixel."""
    return (1 + scale[:, :, None, None]) * h + shift[:, :, None, None]


def _cases(generator):
    return [
        {
            "h": normal(shape, generator),
            "scale": normal(shape[:2], generator),
            "shift": normal(shape[:2], generator),
        }
        for shape in SHAPES
    ]


def _shaped(formula):
    """A formula of h, scale and shift that have one axis for each of h."""

    def wrong(h, scale, shift):
        return formula(h, scale[:, :, None, None], shift[:, :, None, None])

    return wrong


def _consequence(wrong):
    """Mean and spread of features that are scaled by 1.5 and shifted by -1."""
    h = normal((2, 3, 5, 4), torch.Generator().manual_seed(0))
    h = (h - h.mean()) / h.std()
    half, one = torch.full((2, 3), 0.5).double(), torch.ones(2, 3).double()
    mine, right = wrong(h, half, -one), scale_and_shift(h, half, -one)
    if torch.allclose(mine, right):
        raise ValueError("wrong: expected something else than the right result")
    return (
        f"Features of mean 0 and spread 1, with scale 0.5 and shift -1, get the mean "
        f"{_plain(mine.mean())} and the spread {_plain(mine.std())}; done right, "
        f"{_plain(right.mean())} and {_plain(right.std())}."
    )


def _plain(x: torch.Tensor) -> str:
    """Two decimals, and no minus before a zero."""
    return f"{round(x.item(), 2) + 0.0:.2f}"


EXERCISE = Exercise(
    name="scale_and_shift",
    label="10.4",
    statement=(
        "scale_and_shift(h, scale, shift): FiLM for feature maps h (B, C, H, W); scale and shift "
        "are (B, C)."
    ),
    reference=scale_and_shift,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three shapes, among them one with (H, W) = (B, C).",
    misconceptions=(
        Misconception(
            "scale without 1",
            _shaped(lambda h, s, b: h * s + b),
            "You multiplied by the scale itself; the factor of (10.4) is 1 + scale, so that a "
            "scale of 0 changes nothing.",
            "10.4",
        ),
        Misconception(
            "shift scaled too",
            _shaped(lambda h, s, b: (1 + s) * (h + b)),
            "You added the shift before the factor, which then scales it, too; (10.4) adds it "
            "at the end.",
            "10.4",
        ),
        Misconception(
            "scale and shift exchanged",
            _shaped(lambda h, s, b: (1 + b) * h + s),
            "Scale and shift have changed places: in (10.4) 1 + scale multiplies and shift is "
            "added.",
            "10.4",
        ),
        Misconception(
            "brackets lost",
            _shaped(lambda h, s, b: 1 + s * h + b),
            "Your 1 is added to the features; in (10.4) it is added to the scale.",
            "10.4",
        ),
        Misconception(
            "no shift",
            _shaped(lambda h, s, b: (1 + s) * h),
            "The shift is missing; (10.4) has a factor and a summand.",
            "10.4",
        ),
        Misconception(
            "no scale",
            _shaped(lambda h, s, b: h + b),
            "The scale is missing; (10.4) has a factor and a summand.",
            "10.4",
        ),
        Misconception(
            "along rows and columns",
            lambda h, scale, shift: (1 + scale) * h + shift,
            "Unshaped (B, C) lines up with height and width; (10.4) has one number for each "
            "channel of each sample.",
            "10.4",
        ),
        Misconception(
            "along the columns",
            lambda h, scale, shift: (1 + scale[:, None, None]) * h + shift[:, None, None],
            "Your scale and shift run along the width of the map; in (10.4) they run along the "
            "channels.",
            "10.4",
        ),
        Misconception(
            "shift subtracted",
            _shaped(lambda h, s, b: (1 + s) * h - b),
            "You subtracted the shift; (10.4) adds it.",
            "10.4",
        ),
        Misconception(
            "exponential of the scale",
            _shaped(lambda h, s, b: s.exp() * h + b),
            "Your factor is the exponential of the scale, as in other layers; that of (10.4) is "
            "1 + scale.",
            "10.4",
        ),
        Misconception(
            "features added again",
            _shaped(lambda h, s, b: h + (1 + s) * h + b),
            "Your features count twice; the 1 of (10.4) is h itself already.",
            "10.4",
        ),
        Misconception(
            "first sample's scale",
            lambda h, scale, shift: scale_and_shift(
                h, scale[:1].expand_as(scale), shift[:1].expand_as(shift)
            ),
            "Every sample gets scale and shift of the first one; in (10.4) they come from its "
            "own time.",
            "10.4",
        ),
    ),
    together=(
        Both("scale without 1", "shift scaled too", _shaped(lambda h, s, b: s * (h + b))),
        Both(
            "scale without 1",
            "along rows and columns",
            lambda h, scale, shift: scale * h + shift,
        ),
    ),
    hints=(
        "Which of the four axes of h do scale and shift belong to? The others need length 1.",
        "Try scale = 0 and shift = 0: h must come back unchanged.",
        "One factor, 1 + scale, and one summand, both of shape (B, C, 1, 1).",
    ),
    consequence=_consequence,
    where=at_entry,
)
