"""Exercise: the order of norm, attention and residual."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.images.common import maps


def residual_block(x, norm, attend):
    """The block (8.2): what was heard is added to x, and only what goes in is normalised."""
    return x + attend(norm(x))


def _norm(x):
    """Over the channels of each pixel, with a scale and a shift: twice is not once."""
    mean, spread = x.mean(dim=1, keepdim=True), x.std(dim=1, keepdim=True)
    return 0.7 * (x - mean) / (spread + 0.1) + 0.4


def _attend(x):
    """Every pixel hears the mean of all, and bends its own neighbouring channel."""
    return 0.5 * x.mean(dim=(2, 3), keepdim=True) + 0.3 * x.roll(1, dims=1) ** 2


def _cases(generator):
    return [{"x": x, "norm": _norm, "attend": _attend} for x in maps(generator)]


def _outside(x, norm, attend):
    normed = norm(x)
    return normed + attend(normed)


def _size_at_the_start(wrong):
    g = torch.Generator().manual_seed(0)
    x = 5 * torch.randn(2, 16, 8, 9, generator=g)
    size = wrong(x, _norm, torch.zeros_like).std().item()
    if abs(size - x.std().item()) < 0.01:
        raise ValueError("a new block does not show it")
    return (
        f"A new block, whose attention still says 0, turns features of size {x.std():.2f} into "
        f"size {size:.2f}; by (8.2) it would leave them as they are."
    )


EXERCISE = Exercise(
    name="residual_block",
    label="8.2",
    statement=(
        "residual_block(x, norm, attend): y of (8.2) for maps x; norm(...) normalises, "
        "attend(...) attends and projects, and both take and return a map of this shape."
    ),
    reference=residual_block,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches of maps, a norm with a scale and a shift, an attend that is no line.",
    misconceptions=(
        Misconception(
            "norm outside the residual",
            _outside,
            "You add to the normalised map, so x itself is lost; in (8.2) the residual is x, and "
            "the norm stands inside.",
            "8.2",
        ),
        Misconception(
            "norm after the sum",
            lambda x, norm, attend: norm(x + attend(x)),
            "You normalise the sum, as the first transformer did; in (8.2) the norm stands "
            "before the heads, and nothing follows the sum.",
            "8.2",
        ),
        Misconception(
            "norm after attending",
            lambda x, norm, attend: x + norm(attend(x)),
            "You normalise what was heard; (8.2) normalises what goes into the heads, so that a "
            "block can start by saying 0.",
            "8.2",
        ),
        Misconception(
            "no residual",
            lambda x, norm, attend: attend(norm(x)),
            "You return what was heard, without x; in (8.2) it is added to x.",
            "8.2",
        ),
        Misconception(
            "no norm",
            lambda x, norm, attend: x + attend(x),
            "The norm is missing: the heads get x as large as it has become; (8.2) gives them "
            "norm(x).",
            "8.2",
        ),
        Misconception(
            "a product for the sum",
            lambda x, norm, attend: x * attend(norm(x)),
            "You multiply x by what was heard; (8.2) adds it, so that saying 0 changes nothing.",
            "8.2",
        ),
        Misconception(
            "normalised again at the end",
            lambda x, norm, attend: norm(x + attend(norm(x))),
            "Inside all is as in (8.2), but you normalise the result once more, and x does not "
            "pass untouched.",
            "8.2",
        ),
        Misconception(
            "norm before and after",
            lambda x, norm, attend: x + norm(attend(norm(x))),
            "You normalise what goes in and also what was heard; (8.2) has one norm, before the "
            "heads.",
            "8.2",
        ),
        Misconception(
            "minus for plus",
            lambda x, norm, attend: x - attend(norm(x)),
            "You subtract what was heard; (8.2) adds it to x.",
            "8.2",
        ),
        Misconception(
            "x added twice",
            lambda x, norm, attend: 2 * x + attend(norm(x)),
            "You add x twice, so a new block doubles its features; in (8.2) x is added once.",
            "8.2",
        ),
        Misconception(
            "only the residual is normalised",
            lambda x, norm, attend: norm(x) + attend(x),
            "You normalise the x that is added, and give the raw one to the heads; (8.2) has it "
            "the other way round.",
            "8.2",
        ),
    ),
    together=(
        Both("no residual", "no norm", lambda x, norm, attend: attend(x)),
        Both("no residual", "norm after attending", lambda x, norm, attend: norm(attend(x))),
    ),
    hints=(
        "Suppose attend says 0 for every pixel. What should the block return?",
        "In (8.2) x occurs twice. One of the two goes through the norm.",
        "Three steps: normalise, let the result attend, add. To what do you add?",
    ),
    consequence=_size_at_the_start,
    where=at_entry,
)
