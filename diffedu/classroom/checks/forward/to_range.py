"""Exercise: pixels from 0..255 to the range that the chain works in."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception

LEVELS = torch.tensor([0, 100, 200, 255], dtype=torch.uint8)


def to_range(pixels):
    """Levels 0..255 as float64 from -1 (black) to 1 (white), centred like the noise of (1.5)."""
    return pixels.double() / 127.5 - 1


def _cases(generator):
    every = torch.randperm(256, generator=generator).to(torch.uint8).view(4, 1, 8, 8)
    colour = torch.randint(0, 256, (2, 3, 5, 7), generator=generator).to(torch.uint8)
    dark = torch.randint(0, 100, (3, 1, 6, 4), generator=generator).to(torch.uint8)
    return [{"pixels": pixels} for pixels in (every, colour, dark)]


def _standardised(pixels):
    x = pixels.double()
    return (x - x.mean()) / x.std()


def _stretched(pixels):
    x = pixels.double()
    return 2 * (x - x.min()) / (x.max() - x.min()) - 1


def _shown(wrong):
    grey = (127.5 * (wrong(LEVELS.clone()) + 1)).clamp(0, 255).flatten()
    if (grey - LEVELS).abs().max() < 1e-3:
        raise ValueError("these levels do not show it")
    seen = ", ".join(f"{level:.0f}" for level in grey.tolist())
    return f"Shown with -1 as black and 1 as white, the levels 0, 100, 200, 255 look like {seen}."


EXERCISE = Exercise(
    name="to_range",
    label="1.5",
    statement=(
        "to_range(pixels): pictures of whole numbers 0..255 (dtype uint8) as floats, "
        "0 at -1 and 255 at 1."
    ),
    reference=to_range,
    cases=_cases,
    tolerance=FLOAT32,
    tested="grey and colour pictures, all 256 levels.",
    misconceptions=(
        Misconception(
            "from 0 to 1",
            lambda pixels: pixels / 255,
            "Your pixels lie between 0 and 1, all on one side; the noise of (1.5) has mean 0.",
            "1.5",
        ),
        Misconception(
            "128 for 127.5",
            lambda pixels: pixels / 128 - 1,
            "You scale as if white were 256, so 255 ends below 1; the middle should be at 0, as "
            "that of the noise in (1.5).",
            "1.5",
        ),
        Misconception(
            "only made float",
            lambda pixels: pixels.double(),
            "Your pixels still go up to 255; beside them the noise of (1.5) is nothing.",
            "1.5",
        ),
        Misconception(
            "shifted, not scaled",
            lambda pixels: pixels - 127.5,
            "Your pixels are centred, but of size 100; (1.2) wants data with a variance near 1.",
            "1.2",
        ),
        Misconception(
            "half the range",
            lambda pixels: pixels / 255 - 0.5,
            "Your pixels go from -.5 to .5: half the range, and a quarter of the variance that "
            "(1.2) starts from.",
            "1.2",
        ),
        Misconception(
            "upside down",
            lambda pixels: 1 - pixels / 127.5,
            "Your black and white changed places: the x_0 that (1.5) gets is a negative.",
            "1.5",
        ),
        Misconception(
            "uint8 wraps when doubled",
            lambda pixels: 2 * pixels / 255 - 1,
            "uint8 has no number above 255: doubled, bright levels start again at 0. When do they "
            "become the floats that (1.5) needs?",
            "1.5",
        ),
        Misconception(
            "uint8 wraps below 0",
            lambda pixels: (pixels - 128) / 128,
            "uint8 has no number below 0: subtract 128 and dark levels come out brightest. When do "
            "they become the floats that (1.5) needs?",
            "1.5",
        ),
        Misconception(
            "uint8 wraps on both sides",
            lambda pixels: (2 * pixels - 255) / 255,
            "uint8 ends at 0 and at 255: doubled and less 255, levels start again. When do they "
            "become the floats that (1.5) needs?",
            "1.5",
        ),
        Misconception(
            "from 0 to 2",
            lambda pixels: pixels / 255 * 2,
            "Your pixels go from 0 to 2: the length is right, but the noise of (1.5) has mean 0.",
            "1.5",
        ),
        Misconception(
            "rounded down",
            lambda pixels: pixels // 127.5 - 1,
            "Your division rounds down, so x_0 of (1.5) is left with black, grey and a little "
            "white.",
            "1.5",
        ),
        Misconception(
            "standardised",
            _standardised,
            "You use the mean and the std of this batch, so each batch has its own scale; the x_0 "
            "of (1.5) need one for all.",
            "1.5",
        ),
        Misconception(
            "stretched to the batch",
            _stretched,
            "You use the smallest and the largest level of this batch, so each batch has its own "
            "scale; the x_0 of (1.5) need one for all.",
            "1.5",
        ),
    ),
    hints=(
        "Where should a medium grey end up, if black is at -1 and white at 1?",
        "Two things are needed, a factor and a shift. How long is the interval from -1 to 1?",
        "Find the straight line through (0, -1) and (255, 1), and mind that uint8 cannot hold it.",
    ),
    consequence=_shown,
)
