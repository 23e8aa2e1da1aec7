"""Exercise: what one attention layer costs."""

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry


def cost_of_attention(height, width, channels, n_heads):
    """Scores, and operations of the two products, for all heads together (8.3)."""
    n = height * width
    return n_heads * n**2, 4 * n**2 * channels


def _cases(generator):
    sizes = ((6, 10, 24, 4), (16, 5, 96, 8), (7, 9, 40, 5))
    names = "height", "width", "channels", "n_heads"
    return [dict(zip(names, size, strict=True)) for size in sizes]


def _with(scores=lambda n, d, heads: heads * n**2, products=lambda n, d, heads: 4 * n**2 * d):
    """The bill with another formula for one of its two entries."""

    def bill(height, width, channels, n_heads):
        n = height * width
        return scores(n, channels, n_heads), products(n, channels, n_heads)

    return bill


def _with_n(tokens):
    return lambda height, width, *rest: cost_of_attention(tokens(height, width), 1, *rest)


def _height_for_heads(height, width, channels, n_heads):
    return height * (height * width) ** 2, 4 * (height * width) ** 2 * channels


def _width_squared(height, width, channels, n_heads):
    return n_heads * height * width**2, 4 * height * width**2 * channels


def _one_head(n, d, heads):
    return n**2


def _half(n, d, heads):
    return 2 * n**2 * d


def _bill(wrong):
    scores, products = (float(part) for part in wrong(64, 64, 128, 8))
    right, most = cost_of_attention(64, 64, 128, 8)
    return (
        f"For 64 x 64 pixels, 128 channels and 8 heads it expects {4 * scores / 1e6:.3g} MB of "
        f"float32 scores and {products / 1e9:.3g} billion operations; right are "
        f"{4 * right / 1e6:.3g} and {most / 1e9:.3g}."
    )


EXERCISE = Exercise(
    name="cost_of_attention",
    label="8.3",
    statement=(
        "cost_of_attention(height, width, channels, n_heads): two numbers for one map, all heads "
        "together: how many scores, and how many operations in both products."
    ),
    reference=cost_of_attention,
    cases=_cases,
    tolerance=FLOAT32,
    tested="three maps with different height and width, 4 to 8 heads.",
    misconceptions=(
        Misconception(
            "scores of one head",
            _with(scores=_one_head),
            "You count the scores of one head; by (8.3) each head has its own n² of them.",
            "8.3",
        ),
        Misconception(
            "half of the operations",
            _with(products=_half),
            "Your second number is half of that in (8.3), which counts both products, and of each "
            "the multiplications and the additions.",
            "8.3",
        ),
        Misconception(
            "multiplications of one product",
            _with(products=lambda n, d, heads: n**2 * d),
            "Your second number is a quarter of that in (8.3), which counts both products, and "
            "the additions as well.",
            "8.3",
        ),
        Misconception(
            "full width for each head",
            _with(products=lambda n, d, heads: 4 * n**2 * d * heads),
            "Your products take all channels in every head; in (8.3) the heads share them.",
            "8.3",
        ),
        Misconception(
            "width of one head",
            _with(products=lambda n, d, heads: 4 * n**2 * d / heads),
            "Your products are those of one head, channels / n_heads wide; (8.3) is for all "
            "heads together.",
            "8.3",
        ),
        Misconception(
            "projections too",
            _with(products=lambda n, d, heads: 4 * n**2 * d + 8 * n * d**2),
            "Your second number has the four projections in it; asked for are the two products "
            "of (8.3) alone.",
            "8.3",
        ),
        Misconception(
            "not squared",
            _with(lambda n, d, heads: heads * n, lambda n, d, heads: 4 * n * d),
            "Your numbers grow with the pixels; those of (8.3) grow with the pairs of pixels.",
            "8.3",
        ),
        Misconception(
            "side for tokens",
            _with_n(lambda height, width: width),
            "You took the width for n; in (8.3) n is the number of tokens, one for each pixel.",
            "8.1",
        ),
        Misconception(
            "height + width tokens",
            _with_n(lambda height, width: height + width),
            "You took height + width for n; there is one token for each pixel, see (8.1).",
            "8.1",
        ),
        Misconception(
            "square of the height",
            _with_n(lambda height, width: height**2),
            "You took the square of the height for n; by (8.1) there are height times width "
            "tokens.",
            "8.1",
        ),
        Misconception(
            "square of the width",
            _with_n(lambda height, width: width**2),
            "You took the square of the width for n; by (8.1) there are height times width tokens.",
            "8.1",
        ),
        Misconception(
            "only the width squared",
            _width_squared,
            "You square the width and leave the height; in (8.3) all of n is squared. Does ** come "
            "before *?",
            "8.3",
        ),
        Misconception(
            "height for heads",
            _height_for_heads,
            "You count as many heads as the map has rows: the h of (8.3) is the number of heads.",
            "8.3",
        ),
        Misconception(
            "bytes for scores",
            _with(scores=lambda n, d, heads: 4 * heads * n**2),
            "Your first number counts bytes, 4 for each score; (8.3) counts the scores.",
            "8.3",
        ),
        Misconception(
            "projections for products",
            _with(products=lambda n, d, heads: 8 * n * d**2),
            "Your second number is that of the projections; asked for are the two products of "
            "(8.3), of queries and keys, and of weights and values.",
            "8.3",
        ),
    ),
    together=(
        Both("scores of one head", "half of the operations", _with(_one_head, _half)),
        Both(
            "half of the operations",
            "full width for each head",
            _with(products=lambda n, d, heads: 2 * n**2 * d * heads),
        ),
        Both(
            "scores of one head",
            "width of one head",
            _with(_one_head, lambda n, d, heads: 4 * n**2 * d / heads),
        ),
    ),
    hints=(
        "How many tokens are there, and how many pairs of a query and a key?",
        "Scores: one for each pair and head. Operations: a product of a×b with b×c takes 2abc.",
        "Write both products of one head, d / h wide, then multiply by the number of heads.",
    ),
    consequence=_bill,
    where=at_entry,
)
