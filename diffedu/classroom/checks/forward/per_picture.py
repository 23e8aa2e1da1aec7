"""Exercise: each sample of a batch times its own number."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import IMAGES, SQUARE, normal
from diffedu.shapes import per_sample

# Where B is the size of another axis too, a factor on the wrong axis raises no error.
SHAPES = ((4, 4), IMAGES, SQUARE, (5, 3, 5, 2), (3, 3, 4, 2), (7,))


def per_picture(coefficient, x):
    """Multiply sample b of x by coefficient[b]; (1.5) needs it for both of its factors."""
    return per_sample(coefficient, x) * x


def _cases(generator):
    return [
        {"coefficient": normal(shape[:1], generator), "x": normal(shape, generator)}
        for shape in SHAPES
    ]


def _tiled(coefficient, x):
    return coefficient.repeat(x[0].numel()).view(x.shape) * x


def _on_white(wrong):
    factor = torch.tensor([1.0, 0.7, 0.4, 0.1], dtype=torch.float64)
    x = wrong(factor, torch.ones(4, 4, 4, 4, dtype=torch.float64))
    means = ", ".join(f"{mean:.2f}" for mean in x.reshape(4, -1).mean(1).tolist())
    if means == "1.00, 0.70, 0.40, 0.10":
        raise ValueError("these pictures do not show it")
    inside = x.reshape(4, -1).std(1, correction=0).max()
    shades = f", and inside one picture a standard deviation of {inside:.2f}" if inside else ""
    return (
        "Four white pictures, 4 by 4 pixels and four channels, times 1, .7, .4, .1, get the means "
        f"{means}{shades}."
    )


EXERCISE = Exercise(
    name="per_picture",
    label="1.5",
    statement=(
        "per_picture(coefficient, x): each sample of x (B, ...) times its own number; "
        "coefficient is (B,), x has any number of axes."
    ),
    reference=per_picture,
    cases=_cases,
    tolerance=FLOAT32,
    tested="batches with one, two and four axes, also where B is the width or the height.",
    misconceptions=(
        Misconception(
            "lines up with the last axis",
            lambda coefficient, x: coefficient * x,
            "A bare (B,) meets the last axis of x, the width; (1.5) has one factor per picture.",
            "1.5",
        ),
        Misconception(
            "always four axes",
            lambda coefficient, x: coefficient.view(-1, 1, 1, 1) * x,
            "You give the factors four axes, whatever x has; (1.5) holds for points (B, D), too.",
            "1.5",
        ),
        Misconception(
            "always two axes",
            lambda coefficient, x: coefficient[:, None] * x,
            "You give the factors two axes, which meet the last two of x; (1.5) needs the first.",
            "1.5",
        ),
        Misconception(
            "always three axes",
            lambda coefficient, x: coefficient[:, None, None] * x,
            "You give the factors three axes, which meet the channels of pictures; in (1.5) they "
            "belong to the batch.",
            "1.5",
        ),
        Misconception(
            "one factor per channel",
            lambda coefficient, x: coefficient.view(1, -1, 1, 1) * x,
            "You put the factors on the second axis, the channels; in (1.5) they belong to the "
            "pictures, the first.",
            "1.5",
        ),
        Misconception(
            "tiled pixel by pixel",
            _tiled,
            "Your factors take turns from pixel to pixel; in (1.5) a whole picture shares one.",
            "1.5",
        ),
        Misconception(
            "the first for all",
            lambda coefficient, x: coefficient[0] * x,
            "You multiply all pictures by the first factor; in (1.5) each has its own.",
            "1.5",
        ),
        Misconception(
            "the mean for all",
            lambda coefficient, x: coefficient.mean() * x,
            "You multiply all pictures by the mean factor; in (1.5) each has its own.",
            "1.5",
        ),
        Misconception(
            "sum for product",
            lambda coefficient, x: per_sample(coefficient, x) + x,
            "You add the numbers to the pictures; the factors of (1.5) multiply them.",
            "1.5",
        ),
    ),
    hints=(
        "Multiply a (3,) by a (3, 3) of ones and look: did rows or columns get the numbers?",
        "Axes are matched from the right. How many axes of length 1 does the (B,) need behind it?",
        "The number of those axes follows from x.ndim; a reshape can take them as a tuple.",
    ),
    consequence=_on_white,
    where=at_entry,
    built_on=(per_sample,),
)
