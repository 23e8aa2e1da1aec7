"""Prediction: from how many tokens on linear attention is cheaper."""

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)


def guess_crossover():
    """(9.5): 2 n² (d + d_v) = 4 n d d_v, solved for n with d = d_v = 32."""
    d = d_v = 32
    return 4 * d * d_v / (2 * (d + d_v))


EXERCISE = Prediction(
    name="guess_crossover",
    label="9.5",
    statement=(
        "guess_crossover: heads of width 32, for keys and values. From how many tokens n on does "
        "linear attention need fewer multiplications than softmax attention? One number."
    ),
    reference=guess_crossover,
    cases=no_arguments,
    tolerance=Tolerance(0.1, 0, "one token more or less is no matter"),
    tested=(
        "By (9.5) the ratio of the costs is n/d: equal at n = d, the width of one head. A picture "
        "of 6 × 6 pixels is beyond it, one of 4 × 4 is not."
    ),
    misconceptions=(
        Misconception(
            "always cheaper",
            lambda: 1.0,
            "You expect it to be cheaper always; but the d × d_v summary of (9.1) has to be made "
            "and read, which costs more when tokens are few.",
            "9.5",
        ),
        Misconception(
            "half the width",
            lambda: 16.0,
            "That is half the width of a head; both forms of (9.5) have two products, so no "
            "factor of 2 is left.",
            "9.5",
        ),
        Misconception(
            "twice the width",
            lambda: 64.0,
            "That is twice the width of a head; with the exponentials alone it would be so, but "
            "(9.5) compares the products.",
            "9.5",
        ),
        Misconception(
            "the square of the width",
            lambda: 1024.0,
            "You compared n with d²; in (9.5) both costs have n and d in common already, and what "
            "is left is n against d.",
            "9.5",
        ),
        Misconception(
            "large pictures only",
            lambda: 4096.0,
            "You expect it to pay for large pictures only; counted in products, (9.5) puts the "
            "balance far below.",
            "9.5",
        ),
    ),
    hints=(
        "Write the sizes of both orders of brackets in (9.1) and count the products.",
        "One order makes a matrix of n × n, the other one of 32 × 32. When are they alike?",
        "Divide one cost by the other; almost everything cancels.",
    ),
    where=at_entry,
)
