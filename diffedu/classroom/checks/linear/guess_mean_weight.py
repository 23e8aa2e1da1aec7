"""Prediction: how sharply linear attention can look at many places."""

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)


def guess_mean_weight():
    """(9.6): a budget of d for n tokens, which groups of equal size use up."""
    n, d = 64 * 64, 32
    return d / n


EXERCISE = Prediction(
    name="guess_mean_weight",
    label="9.6",
    statement=(
        "guess_mean_weight: 64 × 64 tokens, a head of width 32; each query wants a token of its "
        "own, no two the same. The largest possible mean weight on the wanted one, in linear "
        "attention; one number from 0 to 1."
    ),
    reference=guess_mean_weight,
    cases=no_arguments,
    tolerance=Tolerance(0.2, 7e-4, "1/128, .008 and about 1 % are all right"),
    tested=(
        "By (9.6) all tokens together get at most d = 32, so one of the 4096 gets 32/4096 = 1/128 "
        "on average. Softmax attention could give all of them nearly 1."
    ),
    misconceptions=(
        Misconception(
            "as sharp as softmax",
            lambda: 1.0,
            "You expect that each query can have a light of its own; all queries mix the same 32 "
            "spotlights, and (9.6) is their budget.",
            "9.6",
        ),
        Misconception(
            "in percent",
            lambda: 0.78,
            "Is that in percent? As a share from 0 to 1 it would be far beyond the budget of "
            "(9.6): 32 lights for 4096 tokens.",
            "9.6",
        ),
        Misconception(
            "the whole budget",
            lambda: 32.0,
            "That is the budget of (9.6) for all tokens together; asked for is the mean over the "
            "queries, each with a token of its own.",
            "9.6",
        ),
        Misconception(
            "one half",
            lambda: 0.5,
            "You expect some loss, but the loss of (9.6) is large: 32 lights for 4096 tokens.",
            "9.6",
        ),
        Misconception(
            "one over d",
            lambda: 1 / 32,
            "That is one over the width of the head; wider heads make sharper looks, not blunter "
            "ones, and n matters in (9.6).",
            "9.6",
        ),
        Misconception(
            "uniform",
            lambda: 1 / 4096,
            "That is a uniform row; some sharpness is left in (9.6), since a spotlight need not "
            "light all tokens.",
            "9.6",
        ),
        Misconception(
            "one over the side",
            lambda: 1 / 64,
            "That is one over the side of the picture; (9.6) knows the number of tokens and the "
            "number of spotlights only.",
            "9.6",
        ),
    ),
    hints=(
        "How many different distributions over the tokens does a head have to choose from?",
        "Each spotlight has a total weight of 1 to give. How much have all of them together?",
        "All of it, shared evenly among all the tokens.",
    ),
    where=at_entry,
)
