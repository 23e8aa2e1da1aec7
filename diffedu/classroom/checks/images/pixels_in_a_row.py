"""Exercise: a feature map as a row of tokens."""

import torch
from einops import rearrange

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.images.common import maps
from diffedu.nets.spatial import to_tokens


def _cases(generator):
    return [{"x": x} for x in maps(generator)]


def _in_memory(x):
    b, c, h, w = x.shape
    return x.reshape(b, h * w, c)


def _one_axis_moved(x):
    b, c, h, w = x.shape
    return x.transpose(1, 2).reshape(b, h * w, c)


def _rows_of_height(x):
    b, c, h, w = x.shape
    tokens = torch.zeros(b, h * w, c, dtype=x.dtype)
    for i in range(h):
        for j in range(w):
            tokens[:, i * h + j] = x[:, :, i, j]
    return tokens


def _as(pattern):
    return lambda x: rearrange(x, pattern)


def _of_one_pixel(wrong):
    """Each pixel carries its own number in all channels, so a token shows where it came from."""
    numbers = torch.arange(1.0, 769).view(1, 1, 24, 32).expand(1, 3, 24, 32)
    tokens = torch.as_tensor(wrong(numbers.clone())).reshape(768, 3)
    one = (tokens == tokens[:, :1]).all(dim=1) & (tokens[:, 0] > 0)
    placed = one & (tokens[:, 0] == torch.arange(1, 769))
    if placed.all():
        raise ValueError("a single picture does not show it")
    return (
        f"On a map of 24 x 32 pixels with 3 channels, {one.sum()} of the 768 tokens hold the "
        f"channels of one pixel, {placed.sum()} of them at its place; done right, all."
    )


EXERCISE = Exercise(
    name="pixels_in_a_row",
    label="8.1",
    statement=(
        "pixels_in_a_row(x): the tokens (B, n, C) of feature maps x (B, C, H, W), n = H W, one "
        "token for each pixel in reading order."
    ),
    reference=to_tokens,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches of maps in which B, C, H and W all differ.",
    misconceptions=(
        Misconception(
            "reshape for rearrange",
            _in_memory,
            "You cut the numbers as they lie in memory, so a token holds neighbours from one "
            "channel; in (8.1) it holds all channels of one pixel.",
            "8.1",
        ),
        Misconception(
            "columns first",
            _as("b c h w -> b (w h) c"),
            "Your tokens run down the columns; in (8.1) token i W + j is the pixel of row i and "
            "column j, row after row.",
            "8.1",
        ),
        Misconception(
            "channels as tokens",
            _as("b c h w -> b c (h w)"),
            "Your tokens are the channels and their features the pixels; (8.1) has it the other "
            "way round.",
            "8.1",
        ),
        Misconception(
            "still a grid",
            _as("b c h w -> b h w c"),
            "The channels are last, but the pixels still form a grid; (8.1) counts them through "
            "in one row.",
            "8.1",
        ),
        Misconception(
            "all pictures in one row",
            _as("b c h w -> (b h w) c"),
            "The pixels of all pictures stand in one row, so pictures would attend to each other; "
            "(8.1) holds for each alone.",
            "8.1",
        ),
        Misconception(
            "one token for each row",
            _as("b c h w -> b h (w c)"),
            "Each of your tokens is a whole row of pixels; in (8.1) a token is one pixel.",
            "8.1",
        ),
        Misconception(
            "height for the length of a row",
            _rows_of_height,
            "You count i H + j; a row holds W pixels, so by (8.1) i full rows are i W.",
            "8.1",
        ),
        Misconception(
            "the first picture only",
            lambda x: x[0].flatten(1).T,
            "You return the tokens of the first picture; (8.1) holds for each picture of the "
            "batch.",
            "8.1",
        ),
        Misconception(
            "one axis moved, then reshape",
            _one_axis_moved,
            "Before you merge, the axes are B, H, C, W: a token gets pieces of one picture row; "
            "(8.1) has C last, behind row and column.",
            "8.1",
        ),
    ),
    hints=(
        "Take one pixel of one picture. Which numbers belong to it, and where do they lie in x?",
        "By (8.1) the last axis of the result counts channels. First bring the axes into the "
        "order in which the result counts.",
        "Name the axes before and after: batch, channel, row, column on the left; which two "
        "belong together on the right?",
    ),
    consequence=_of_one_pixel,
    where=at_entry,
)
