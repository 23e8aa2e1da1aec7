"""What an attention map says, in words; the browser says the same, letter by letter.

Both work with the same levels in the same order of operations, and round by the same rule, so that
a sentence under a picture and the sentence of the package never differ in the last digit.
"""

from itertools import accumulate

SHARE = 0.9  # "so many keys are enough for 90 % of the row"


def number(x: float) -> str:
    """A weight with two decimals, with up to five if it is small: 0.31, 0.031, 0.0031.

    Half is rounded up: Python and JavaScript round halves differently when they format.
    """
    decimals = 2
    while 0 < x * 10**decimals < 10 and decimals < 5:
        decimals += 1
    scale = 10**decimals
    rounded = int(x * scale + 0.5)
    return f"{rounded // scale}.{rounded % scale:0{decimals}d}"


def holders(weights: list[float]) -> int:
    """The least number of weights that together make 90 % of the sum."""
    running = list(accumulate(sorted(weights, reverse=True)))
    # the margin keeps nine of ten equal weights from being ten by a rounding error
    return next(k for k, sum_ in enumerate(running, 1) if sum_ >= (SHARE - 1e-9) * running[-1])


def row_words(asker: str, names: list[str], weights: list[float]) -> str:
    """Where one query looks; `names` and `weights` are those of all keys."""
    n, most = len(weights), max(weights)
    if n == 1:
        return f"{asker} looks at {names[0]}, the only key (weight {number(most)})."
    if min(weights) == most:
        return f"{asker} looks at all {n} keys alike (weight {number(most)} each)."
    best = names[weights.index(most)]
    few = holders(weights)
    are = "is" if few == 1 else "are"
    return (
        f"{asker} looks most at {'itself' if best == asker else best} (weight {number(most)}); "
        f"of {n} keys, {few} {are} enough for 90 % of the row."
    )


def column_words(asked: str, names: list[str], weights: list[float]) -> str:
    """Who looks at one key; `names` and `weights` are those of all queries."""
    n, most = len(weights), max(weights)
    *_, total = accumulate(weights)
    best = names[weights.index(most)]
    if min(weights) == most:
        who = f"is looked at by all {n} queries alike (weight {number(most)} each)"
    else:
        who = f"is looked at most by {'itself' if best == asked else best} (weight {number(most)})"
    return (
        f"{asked} {who}; the weights that {n} queries give it sum to {number(total)} "
        "(only what one query gives must sum to 1)."
    )
