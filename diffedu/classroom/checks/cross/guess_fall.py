"""Prediction: how much fainter one token gets in a larger picture."""

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)


def guess_fall():
    """The weight of one token among 16 others, divided by that among 4096, at equal scores."""
    return (4096 + 1) / (16 + 1)


EXERCISE = Prediction(
    name="guess_fall",
    label="10.3",
    statement=(
        "guess_fall: a new layer, whose scores are all about equal. By which factor does the "
        "weight of the one time token fall, from a map of 16 pixels to one of 4096? One number."
    ),
    reference=guess_fall,
    cases=no_arguments,
    tolerance=Tolerance(0.35, 1e-3, "about right is right for a guess"),
    tested="Within 35 %: at equal scores (10.3) is 1/(n + 1), so 4097 voices against 17.",
    misconceptions=(
        Misconception(
            "not at all",
            lambda: 1.0,
            "You expect no change; but by (10.3) all tokens share a weight of 1, and more pixels "
            "take more of it.",
            "10.3",
        ),
        Misconception(
            "with the side",
            lambda: 16.0,
            "You took the side of the map, 4 against 64; tokens are pixels, and (10.3) counts "
            "them all.",
            "10.3",
        ),
        Misconception(
            "with the number of pairs",
            lambda: 65536.0,
            "You compared the numbers of pairs, n²; a pixel shares its weight among n + 1 tokens, "
            "(10.3).",
            "10.3",
        ),
        Misconception(
            "with the logarithm",
            lambda: 3.0,
            "Logarithms tell which lead would make up for it; the weight at equal scores falls "
            "with n itself, (10.3).",
            "10.3",
        ),
        Misconception(
            "to 1/4097",
            lambda: 4097.0,
            "You compared with a weight of 1; at 16 pixels the token has already lost most of it, "
            "(10.3).",
            "10.3",
        ),
        Misconception(
            "the other way up",
            lambda: 17 / 4097,
            "You divided the weight in the large map by that in the small one; asked for is the "
            "factor by which it falls, (10.3).",
            "10.3",
        ),
        Misconception(
            "the weight itself",
            lambda: 1 / 4097,
            "That is the weight in the large map, by (10.3); asked for is the factor from the "
            "small map to it.",
            "10.3",
        ),
    ),
    hints=(
        "How many tokens share each pixel's weight of 1?",
        "17 tokens in the small map, with equal shares. How many in the large one?",
        "Divide one share by the other.",
    ),
    where=at_entry,
)
