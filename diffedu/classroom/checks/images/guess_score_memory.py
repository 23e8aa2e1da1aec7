"""Prediction: the memory of the scores of a large map."""

from diffedu.classroom.checks.exercise import (
    Misconception,
    Prediction,
    Tolerance,
    at_entry,
    no_arguments,
)


def guess_score_memory():
    """Megabytes of h n^2 scores (8.3): 8 heads, n = 64 * 64, 4 bytes each."""
    return 8 * (64 * 64) ** 2 * 4 / 1e6


EXERCISE = Prediction(
    name="guess_score_memory",
    label="8.3",
    statement=(
        "guess_score_memory: the megabytes (10^6 bytes) of all scores of one 64 x 64 map with 8 "
        "heads in float32. One number."
    ),
    reference=guess_score_memory,
    cases=no_arguments,
    tolerance=Tolerance(0.15, 0, "about right is right for a guess, and 2^20 bytes are one, too"),
    tested=(
        "Within 15 %: n = 4096 tokens make 16.8 million pairs by (8.3), for each of 8 heads, 4 "
        "bytes a number."
    ),
    misconceptions=(
        Misconception(
            "one head",
            lambda: guess_score_memory() / 8,
            "That is one head's share; by (8.3) each of the 8 has scores of its own.",
            "8.3",
        ),
        Misconception(
            "numbers for bytes",
            lambda: guess_score_memory() / 4,
            "That is how many millions of scores (8.3) counts; in float32 each takes more than "
            "one byte.",
            "8.3",
        ),
        Misconception(
            "half precision",
            lambda: guess_score_memory() / 2,
            "You count 2 bytes for each score of (8.3); float32 has more.",
            "8.3",
        ),
        Misconception(
            "one score for each pixel",
            lambda: 8 * 64 * 64 * 4 / 1e6,
            "You count one score for each pixel; (8.3) counts one for each pair of pixels.",
            "8.3",
        ),
        Misconception(
            "in step with the pixels",
            lambda: 16 * 8 * (16 * 16) ** 2 * 4 / 1e6,
            "Did you start from 16 x 16 and multiply by 16, as the pixels do? In (8.3) the scores "
            "go with their square.",
            "8.3",
        ),
        Misconception(
            "bits for bytes",
            lambda: 8 * guess_score_memory(),
            "That would be megabits: a float32, one score of (8.3), takes 32 bits, or 4 bytes.",
            "8.3",
        ),
        Misconception(
            "two matrices",
            lambda: 2 * guess_score_memory(),
            "Do you count the softmax as well, or 8 bytes a number? Asked for are the scores of "
            "(8.3), in float32.",
            "8.3",
        ),
        Misconception(
            "bytes",
            lambda: guess_score_memory() * 1e6,
            "Your number fits (8.3) in bytes; megabytes were asked for.",
            "8.3",
        ),
        Misconception(
            "gigabytes",
            lambda: guess_score_memory() / 1000,
            "Your number fits (8.3) in gigabytes; megabytes were asked for.",
            "8.3",
        ),
    ),
    hints=(
        "How many tokens has the map? How many pairs of tokens?",
        "(8.3) counts scores for all heads. How many bytes does one of them take?",
        "4096 tokens, so about 17 million pairs.",
    ),
    where=at_entry,
)
