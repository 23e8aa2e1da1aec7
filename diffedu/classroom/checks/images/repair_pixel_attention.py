"""Find the bug: pixels that become tokens by reshape."""

import torch
from einops import rearrange

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry
from diffedu.classroom.checks.images.common import maps
from diffedu.nets.spatial import to_map, to_tokens


def repair_pixel_attention(x, attend):
    """x + attend(tokens), with the tokens of (8.1) there and back."""
    return x + to_map(attend(to_tokens(x)), x)


def _attend(tokens):
    """Each token hears the mean of those before it, by a code of its place; channels are mixed."""
    n = tokens.shape[1]
    place = torch.arange(1, n + 1, dtype=tokens.dtype)[:, None]
    return tokens.cumsum(dim=1) / place * place.cos() + 0.5 * tokens.roll(1, dims=2)


def _cases(generator):
    return [{"x": x, "attend": _attend} for x in maps(generator)]


def _as_given(x, attend):
    b, c, h, w = x.shape
    tokens = x.reshape(b, h * w, c)
    heard = attend(tokens)
    return x + heard.reshape(b, c, h, w)


def _way_in(x, attend):
    return x + attend(to_tokens(x)).reshape(x.shape)


def _way_out(x, attend):
    b, c, h, w = x.shape
    return x + to_map(attend(x.reshape(b, h * w, c)), x)


def _columns(x, attend):
    tokens = attend(rearrange(x, "b c h w -> b (w h) c"))
    return x + rearrange(tokens, "b (w h) c -> b c h w", h=x.shape[2])


def _columns_back(x, attend):
    return x + rearrange(attend(to_tokens(x)), "b (w h) c -> b c h w", h=x.shape[2])


def _columns_in(x, attend):
    return x + to_map(attend(rearrange(x, "b c h w -> b (w h) c")), x)


def _one_axis_moved(x, attend):
    b, c, h, w = x.shape
    heard = attend(x.transpose(1, 2).reshape(b, h * w, c))
    return x + heard.reshape(b, h, c, w).transpose(1, 2)


def _residual_inside(x, attend):
    tokens = to_tokens(x)
    return (tokens + attend(tokens)).reshape(x.shape)


def _channels(x, attend):
    return x + attend(x.flatten(2)).reshape(x.shape)


def _greyed(wrong):
    """An attend that replaces the channels of each token by their mean."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 12, 16, generator=g)
    grey = x.mean(dim=1, keepdim=True)
    mine = wrong(x.clone(), lambda tokens: tokens.mean(dim=2, keepdim=True).expand_as(tokens))
    share = ((mine - x - grey).norm() / grey.expand_as(x).norm()).item()
    if share < 1e-4:
        raise ValueError("an attend for each token alone does not show it")
    return (
        "Try an attend that replaces the three channels of each token by their mean: what this "
        f"code adds to x is wrong by {100 * share:.0f} % of its size."
    )


EXERCISE = Exercise(
    name="repair_pixel_attention",
    label="8.1",
    statement=(
        "repair_pixel_attention(x, attend): x + attend(tokens of x), back on the grid; attend "
        "takes and returns tokens (B, n, C). The shapes of this code are right."
    ),
    reference=repair_pixel_attention,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three batches of maps, and an attend that knows the order of the tokens.",
    misconceptions=(
        Misconception(
            "reshape for rearrange",
            _as_given,
            "The tokens are cut from memory as it lies: neighbours of one channel, where (8.1) has "
            "the channels of one pixel.",
            "8.1",
        ),
        Misconception(
            "mended on the way in only",
            _way_in,
            "The tokens are now those of (8.1), but on the way back the numbers are still cut as "
            "they lie in memory.",
            "8.1",
        ),
        Misconception(
            "mended on the way out only",
            _way_out,
            "The way back is now that of (8.1), but the tokens that go into attend are still cut "
            "as they lie in memory.",
            "8.1",
        ),
        Misconception(
            "columns first",
            _columns,
            "Each token is one pixel now, but they run down the columns, there and back; in (8.1) "
            "row after row.",
            "8.1",
        ),
        Misconception(
            "h and w swapped on the way back",
            _columns_back,
            "The tokens go in by rows and come back by columns; (8.1) is one order, for both ways.",
            "8.1",
        ),
        Misconception(
            "in by columns",
            _columns_in,
            "The tokens go in by columns and come back by rows; (8.1) is one order, for both ways.",
            "8.1",
        ),
        Misconception(
            "one axis moved, then reshape",
            _one_axis_moved,
            "You moved one axis before you cut: a token gets pieces of one picture row; in (8.1) "
            "C comes behind row and column.",
            "8.1",
        ),
        Misconception(
            "residual joined as it lies",
            _residual_inside,
            "You add the tokens before the way back, and that way cuts as memory lies; so x comes "
            "back in another order than (8.1).",
            "8.1",
        ),
        Misconception(
            "x added twice",
            lambda x, attend: 2 * x + to_map(attend(to_tokens(x)), x),
            "The tokens are those of (8.1) now, but x is added twice; (8.2) adds it once.",
            "8.2",
        ),
        Misconception(
            "channels as tokens",
            _channels,
            "Now the channels are the tokens and the pixels their features; (8.1) has one token "
            "for each pixel.",
            "8.1",
        ),
        Misconception(
            "residual lost",
            lambda x, attend: to_map(attend(to_tokens(x)), x),
            "The tokens are those of (8.1), but x is no longer added, as (8.2) asks; that part was "
            "right.",
            "8.2",
        ),
    ),
    together=(
        Both(
            "residual lost",
            "mended on the way in only",
            lambda x, attend: attend(to_tokens(x)).reshape(x.shape),
        ),
    ),
    hints=(
        "Give it a map with two channels and two pixels, and write down the tokens.",
        "The code never says which axis is which. Where would that matter?",
        "Two lines cut and join without moving anything. By (8.1) the channels must come last.",
    ),
    bug="reshape for rearrange",
    consequence=_greyed,
    where=at_entry,
)
