"""Exercise: on which levels of a UNet attention is allowed."""

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception

TALL = ((64, 16), (32, 8), (16, 4))


def attention_levels(sizes):
    """True where the scores (8.3) are few, at most 256 tokens: on the way down, and back up."""
    down = [h * w <= 256 for h, w in sizes]
    return down + down[::-1]


def _cases(generator):
    lists = (
        ((64, 64), (32, 32), (16, 16), (8, 8)),
        TALL,
        ((16, 64), (8, 32), (4, 16)),
        ((40, 24), (20, 12), (10, 6), (5, 3)),
        ((34, 30), (17, 15), (257, 1)),
    )
    return [{"sizes": list(sizes)} for sizes in lists]


def _there_and_back(allowed):
    return lambda sizes: _mirrored([allowed(h, w) for h, w in sizes])


def _mirrored(down):
    return down + down[::-1]


def _down(sizes, allowed=lambda h, w: h * w <= 256):
    return [allowed(h, w) for h, w in sizes]


def _in_place(sizes):
    return [answer for answer in _down(sizes) for _ in range(2)]


def _width(h, w):
    return w <= 16


def _answers(wrong):
    mine, right = (f(list(TALL)) for f in (wrong, attention_levels))
    if mine == right or isinstance(mine[0], list):
        raise ValueError("these sizes do not show it")
    tokens = [h * w for h, w in TALL]
    said = ", ".join("yes" if part else "no" for part in mine)
    return (
        f"For pictures of 64 x 16, with {tokens[0]}, {tokens[1]}, {tokens[2]} tokens on the way "
        f"down and the same on the way up, it says {said}."
    )


def _at_level(case, index):
    sizes = ", ".join(f"{h} x {w}" for h, w in case["sizes"])
    return f"for {sizes}, at index {index[0]}"


EXERCISE = Exercise(
    name="attention_levels",
    label="8.3",
    statement=(
        "attention_levels(sizes): sizes are pairs (H, W) from the finest level to the coarsest; "
        "one True or False for each level on the way down and then on the way up, 2 len(sizes) in "
        "all. True where a map has at most 256 tokens."
    ),
    reference=attention_levels,
    cases=_cases,
    tolerance=FLOAT32,
    tested="five lists of sizes, square, tall and wide, with 255, 256 and 257 tokens among them.",
    misconceptions=(
        Misconception(
            "width only",
            _there_and_back(_width),
            "You ask for the width alone: a map of 64 x 16 passes with 1024 tokens; n of (8.3) is "
            "H W.",
            "8.3",
        ),
        Misconception(
            "height only",
            _there_and_back(lambda h, w: h <= 16),
            "You ask for the height alone: a map of 16 x 64 passes with 1024 tokens; n of (8.3) "
            "is H W.",
            "8.3",
        ),
        Misconception(
            "both sides",
            _there_and_back(lambda h, w: h <= 16 and w <= 16),
            "You ask that both sides be at most 16, which forbids 32 x 8; the cost (8.3) depends "
            "on H W alone.",
            "8.3",
        ),
        Misconception(
            "one side is enough",
            _there_and_back(lambda h, w: h <= 16 or w <= 16),
            "One short side is enough for you, so 64 x 16 passes with 1024 tokens; the cost "
            "(8.3) depends on H W.",
            "8.3",
        ),
        Misconception(
            "16 tokens",
            _there_and_back(lambda h, w: h * w <= 16),
            "You compare the number of tokens with 16, a side; n of (8.3) at 16 x 16 is 256.",
            "8.3",
        ),
        Misconception(
            "less than 256",
            _there_and_back(lambda h, w: h * w < 256),
            "You leave out exactly 256 tokens: 16 x 16, the very size for which (8.3) is still "
            "cheap, would go without.",
            "8.3",
        ),
        Misconception(
            "the large ones",
            _there_and_back(lambda h, w: h * w >= 256),
            "You allow the large maps; by (8.3) those are the ones that cost most, and 256 "
            "tokens belong to the small.",
            "8.3",
        ),
        Misconception(
            "more than 256",
            _there_and_back(lambda h, w: h * w > 256),
            "You allow every map that is too large, and no other; by (8.3) those are the ones "
            "that cost most.",
            "8.3",
        ),
        Misconception(
            "only on the way down",
            lambda sizes: _down(sizes) + [False] * len(sizes),
            "The way up goes without; its maps have the same sizes, and (8.3) the same cost, as "
            "those of the way down.",
            "8.3",
        ),
        Misconception(
            "way up in the order of the way down",
            lambda sizes: _down(sizes) * 2,
            "Your way up starts at the finest level again; it comes from the coarsest, so its "
            "tokens n of (8.3) grow.",
            "8.3",
        ),
        Misconception(
            "the way down alone",
            _down,
            "Your list ends at the coarsest level; the way up has levels, too, with the n of "
            "(8.3) in the other order.",
            "8.3",
        ),
        Misconception(
            "the coarsest once",
            lambda sizes: _down(sizes) + _down(sizes)[-2::-1],
            "You meet the coarsest level once; here it has one on the way down and one on the way "
            "up, and each costs (8.3).",
            "8.3",
        ),
        Misconception(
            "each answer twice in place",
            _in_place,
            "You give each answer twice in a row; the second half comes after the whole way down, "
            "when n of (8.3) grows again.",
            "8.3",
        ),
        Misconception(
            "from the coarsest",
            lambda sizes: _mirrored(_down(sizes)[::-1]),
            "Your way starts at the coarsest level; a UNet starts at the finest, where n of (8.3) "
            "is largest.",
            "8.3",
        ),
        Misconception(
            "two lists",
            lambda sizes: (_down(sizes), _down(sizes)[::-1]),
            "Your two ways are right, each in a list of its own; one list was asked for, with "
            "every level's n of (8.3) in the order met.",
            "8.3",
        ),
    ),
    together=(
        Both("width only", "the way down alone", lambda sizes: _down(sizes, _width)),
        Both(
            "width only",
            "way up in the order of the way down",
            lambda sizes: _down(sizes, _width) * 2,
        ),
        Both(
            "width only",
            "only on the way down",
            lambda sizes: _down(sizes, _width) + [False] * len(sizes),
        ),
    ),
    hints=(
        "What does the cost of (8.3) depend on: on the width, or on the number of tokens?",
        "Answer for each size on the way down first. In which order do the sizes come on the way "
        "up?",
        "The second half of the list is the first half, read backwards.",
    ),
    consequence=_answers,
    where=_at_level,
)
