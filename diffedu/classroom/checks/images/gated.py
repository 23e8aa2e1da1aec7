"""Exercise: a spatial gate."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.images.common import maps


def gated(x, g):
    """Each pixel times a factor between 0 and 1 (8.5)."""
    return x * torch.sigmoid(g(x))


def _one_number(x):
    """A map (B, 1, H, W) that is large and small, above and below 0."""
    return 1.7 * x.mean(dim=1, keepdim=True) - 0.4 * x[:, :1] * x[:, 1:2]


def _cases(generator):
    return [{"x": x, "g": _one_number} for x in maps(generator)]


def _over_pixels(x, g):
    found = g(x)
    return x * found.flatten(2).softmax(dim=-1).view_as(found)


def _factors(wrong):
    x = torch.ones(1, 1, 1, 3)
    spread = torch.tensor([-6.0, 0.0, 6.0]).view(1, 1, 1, 3)
    low, middle, high = torch.as_tensor(wrong(x, lambda x: spread)).flatten().tolist()
    return (
        f"Where g says -6, 0 and 6, it turns a pixel of 1 into {low:.2f}, {middle:.2f} and "
        f"{high:.2f}; a gate is all but closed, half open, and all but open there."
    )


EXERCISE = Exercise(
    name="gated",
    label="8.5",
    statement=(
        "gated(x, g): the gate (8.5) for maps x (B, C, H, W); g(...) takes a map and returns one "
        "number for each pixel, (B, 1, H, W)."
    ),
    reference=gated,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches of maps, gates from nearly closed to nearly open.",
    misconceptions=(
        Misconception(
            "x added again",
            lambda x, g: x * torch.sigmoid(g(x)) + x,
            "You add x once more, so the factor lies between 1 and 2 and can silence nothing; in "
            "(8.5) it lies between 0 and 1.",
            "8.5",
        ),
        Misconception(
            "the factor alone",
            lambda x, g: torch.sigmoid(g(x)),
            "You return the factor; (8.5) multiplies x by it.",
            "8.5",
        ),
        Misconception(
            "no sigmoid",
            lambda x, g: x * g(x),
            "You multiply by g(x) as it is, which may be negative or large; (8.5) brings it "
            "between 0 and 1 first.",
            "8.5",
        ),
        Misconception(
            "softmax over the pixels",
            _over_pixels,
            "You let the pixels compete for a sum of 1, and nearly all are silenced; in (8.5) each "
            "pixel is gated by itself.",
            "8.5",
        ),
        Misconception(
            "a sum for the product",
            lambda x, g: x + torch.sigmoid(g(x)),
            "You add the factor to x; (8.5) multiplies.",
            "8.5",
        ),
        Misconception(
            "sigmoid outside",
            lambda x, g: torch.sigmoid(x * g(x)),
            "You squeeze the product, x and all, between 0 and 1; in (8.5) the sigmoid is around "
            "g(x) alone.",
            "8.5",
        ),
        Misconception(
            "tanh for sigmoid",
            lambda x, g: x * torch.tanh(g(x)),
            "Your factor lies between -1 and 1, so it can turn a pixel's sign; the σ of (8.5) lies "
            "between 0 and 1.",
            "8.5",
        ),
        Misconception(
            "relu for sigmoid",
            lambda x, g: x * torch.relu(g(x)),
            "Your factor has no upper limit, so it can amplify; the σ of (8.5) lies between 0 and "
            "1.",
            "8.5",
        ),
        Misconception(
            "sigmoid inside g",
            lambda x, g: x * g(torch.sigmoid(x)),
            "You squeeze x before g sees it, and the factor is free; in (8.5) the sigmoid comes "
            "after g.",
            "8.5",
        ),
        Misconception(
            "g gates itself",
            lambda x, g: g(x) * torch.sigmoid(g(x)),
            "You multiply g(x) by its own factor, and x is gone; (8.5) multiplies x.",
            "8.5",
        ),
        Misconception(
            "softmax over a row",
            lambda x, g: x * g(x).softmax(dim=-1),
            "You let the pixels of a row compete for a sum of 1; in (8.5) each pixel is gated by "
            "itself.",
            "8.5",
        ),
        Misconception(
            "sigmoid twice",
            lambda x, g: x * torch.sigmoid(torch.sigmoid(g(x))),
            "You take the sigmoid of a sigmoid, which lies between .5 and .73; (8.5) takes it "
            "once, and can come near to 0 and to 1.",
            "8.5",
        ),
        Misconception(
            "closed for open",
            lambda x, g: x * (1 - torch.sigmoid(g(x))),
            "Your gate is open where g says closed: in (8.5) the factor grows with g(x).",
            "8.5",
        ),
        Misconception(
            "gated by itself",
            lambda x, g: x * torch.sigmoid(x),
            "Every number is gated by itself and g is never asked; the factor of (8.5) is made "
            "from g(x).",
            "8.5",
        ),
    ),
    together=(
        Both("x added again", "no sigmoid", lambda x, g: x * g(x) + x),
        Both("x added again", "tanh for sigmoid", lambda x, g: x * torch.tanh(g(x)) + x),
    ),
    hints=(
        "What should happen to a pixel for which g says a very negative number?",
        "(8.5) has three parts: g of x, a function that lies between 0 and 1, a product.",
        "First a = g(x), one number per pixel; then σ(a); then each channel times it.",
    ),
    consequence=_factors,
    where=at_entry,
)
