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


def _shown(wrong):
    levels = LEVELS.clone()
    seen = ", ".join(f"{127.5 * (x + 1):.0f}" for x in wrong(levels).flatten().tolist())
    return (
        f"Shown with -1 as black and 1 as white, the levels 0, 100, 200, 255 come out as {seen}; "
        "what lies outside 0..255 is cut off."
    )


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
            "You scale as if white were 256; then white stays below 1, and (1.5) starts off-centre.",
            "1.5",
        ),
        Misconception(
            "only made float",
            lambda pixels: pixels.double(),
            "Your pixels still go up to 255: next to them the noise of (1.5), of size 1, is nothing.",
            "1.5",
        ),
        Misconception(
            "shifted, not scaled",
            lambda pixels: pixels - 127.5,
            "Your pixels are centred but still of size 100; by (1.2) data should have variance near 1.",
            "1.2",
        ),
        Misconception(
            "half the range",
            lambda pixels: pixels / 255 - 0.5,
            "Your pixels go from -.5 to .5: half of what is asked for, a quarter of the variance (1.2).",
            "1.2",
        ),
        Misconception(
            "upside down",
            lambda pixels: 1 - pixels / 127.5,
            "Your black and white changed places: x_0 in (1.5) would be the negative of the picture.",
            "1.5",
        ),
        Misconception(
            "uint8 wraps when doubled",
            lambda pixels: 2 * pixels / 255 - 1,
            "uint8 has no number above 255: doubled, bright levels start again at 0. "
            "Make x_0 of (1.5) float first.",
            "1.5",
        ),
        Misconception(
            "uint8 wraps below 0",
            lambda pixels: (pixels - 128) / 128,
            "uint8 has no number below 0: less 128, dark levels jump to the top. "
            "Make x_0 of (1.5) float first.",
            "1.5",
        ),
        Misconception(
            "standardised",
            _standardised,
            "You subtract the mean and divide by the std of this batch; then each batch has another "
            "scale, and (1.5) wants one.",
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
