"""Exercise: one softmax out of two halves."""

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Exercise, Misconception, at_entry
from diffedu.classroom.checks.inputs import normal


def merge_blocks(m1, ell1, o1, m2, ell2, o2):
    """The recursion (8.4) with a second block that has a maximum of its own."""
    m = m1.maximum(m2)
    first, second = (m1 - m).exp(), (m2 - m).exp()
    return m, first * ell1 + second * ell2, first * o1 + second * o2


def _half(n, n_k, d, generator):
    scores = 1.5 * normal((n, n_k), generator)
    m = scores.amax(dim=1, keepdim=True)
    weights = (scores - m).exp()
    return m, weights.sum(dim=1, keepdim=True), weights @ normal((n_k, d), generator)


def _cases(generator):
    names = "m1", "ell1", "o1", "m2", "ell2", "o2"
    cases = []
    for n, n_1, n_2, d in ((6, 4, 5, 3), (9, 2, 7, 4), (5, 8, 3, 6)):
        halves = (*_half(n, n_1, d, generator), *_half(n, n_2, d, generator))
        cases.append(dict(zip(names, halves, strict=True)))
    return cases + [_shifted(case, by) for case, by in zip(cases[:2], (800, -800), strict=True)]


def _shifted(case, by):
    """Maxima far from 0, where exp of a bare one is infinite or 0; steps of 1/64 fit float32."""
    return case | {name: (64 * case[name]).round() / 64 + by for name in ("m1", "m2")}


def _with(factor=lambda m1, m2: 1, scale=(True, True), new=torch.maximum):
    """The sums of both halves, each times `factor`; `scale` says whether ell and o get it."""

    def merge(m1, ell1, o1, m2, ell2, o2):
        m = new(m1, m2)
        first, second = factor(m1, m), factor(m2, m)
        plain = ell1 + ell2, o1 + o2
        scaled = first * ell1 + second * ell2, first * o1 + second * o2
        ell, o = (s if use else p for s, p, use in zip(scaled, plain, scale, strict=True))
        return m, ell, o

    return merge


def _down_to(m_old, m):
    return (m_old - m).exp()


def _only_first(m1, ell1, o1, m2, ell2, o2):
    m = torch.maximum(m1, m2)
    first = (m1 - m).exp()
    return m, first * ell1 + ell2, first * o1 + o2


def _divided(m1, ell1, o1, m2, ell2, o2):
    m, ell, o = merge_blocks(m1, ell1, o1, m2, ell2, o2)
    return m, ell, o / ell


def _swapped(m1, ell1, o1, m2, ell2, o2):
    m = torch.maximum(m1, m2)
    first, second = _down_to(m1, m), _down_to(m2, m)
    return m, second * ell1 + first * ell2, second * o1 + first * o2


def _to_each_other(m1, ell1, o1, m2, ell2, o2):
    first, second = _down_to(m1, m2), _down_to(m2, m1)
    return torch.maximum(m1, m2), first * ell1 + second * ell2, first * o1 + second * o2


def _answers_for_sums(m1, ell1, o1, m2, ell2, o2):
    m, ell, o = merge_blocks(m1, ell1, ell1 * o1, m2, ell2, ell2 * o2)
    return m, ell, o / ell


def _bare_exponentials(m1, ell1, o1, m2, ell2, o2):
    m, first, second = torch.maximum(m1, m2), m1.exp(), m2.exp()
    scale = m.exp()
    return m, (first * ell1 + second * ell2) / scale, (first * o1 + second * o2) / scale


def _of_answers(combine):
    def merge(m1, ell1, o1, m2, ell2, o2):
        m, ell, _ = merge_blocks(m1, ell1, o1, m2, ell2, o2)
        return m, ell, combine(o1 / ell1, o2 / ell2)

    return merge


def _answer(wrong):
    first, second = ((3.0, 1.5, 1.5 * 10), (0.0, 2.0, 2.0 * 90))
    numbers = [torch.full((1, 1), part, dtype=torch.float64) for part in (*first, *second)]
    (_, ell, o), (_, right, target) = wrong(*numbers), merge_blocks(*numbers)
    mine, target = (o / ell).item(), (target / right).item()
    if abs(mine - target) < 1e-6:
        raise ValueError("the answer does not show it")
    return (
        "One half answers 10 with a largest score of 3, the other 90 with a largest score of 0: "
        f"o / ell of your merge is {mine:.1f}; read in one go, it is {target:.1f}."
    )


EXERCISE = Exercise(
    name="merge_blocks",
    label="8.4",
    statement=(
        "merge_blocks(m1, ell1, o1, m2, ell2, o2): m, ell and o of (8.4) for the keys of both "
        "halves. m and ell are (n, 1), o is (n, d) and not divided by ell. Scores may be in the "
        "hundreds."
    ),
    reference=merge_blocks,
    cases=_cases,
    tolerance=FLOAT32,
    tested=(
        "five pairs of halves, the larger score now in the one and now in the other, and scores "
        "far above and far below 0."
    ),
    misconceptions=(
        Misconception(
            "added as they are",
            _with(),
            "You add sums that were made with different maxima; in (8.4) a sum is first brought "
            "to the common one.",
            "8.4",
        ),
        Misconception(
            "only the first rescaled",
            _only_first,
            "You rescale the first half alone; here the second has a maximum of its own, too, "
            "where that block of (8.4) already has the new one.",
            "8.4",
        ),
        Misconception(
            "ell not rescaled",
            _with(_down_to, (False, True)),
            "You rescale o and leave ell; both sums of (8.4) carry the factor of their maximum.",
            "8.4",
        ),
        Misconception(
            "o not rescaled",
            _with(_down_to, (True, False)),
            "You rescale ell and leave o; both sums of (8.4) carry the factor of their maximum.",
            "8.4",
        ),
        Misconception(
            "rescaled the wrong way",
            _with(lambda m_old, m: (m - m_old).exp()),
            "Your factors are at least 1: the exponent has the wrong sign; by (8.4) a larger "
            "maximum makes old terms smaller.",
            "8.4",
        ),
        Misconception(
            "the smaller maximum",
            _with(_down_to, new=torch.minimum),
            "You go to the smaller of the two maxima; o / ell is right, but exponents above 0 may "
            "overflow: (8.4) takes the larger.",
            "8.4",
        ),
        Misconception(
            "factor without the exponential",
            _with(lambda m_old, m: m_old - m),
            "You multiply by the difference of the maxima; in (8.4) it stands in the exponent.",
            "8.4",
        ),
        Misconception(
            "factors swapped",
            _swapped,
            "Each half gets the factor of the other; in (8.4) a sum is multiplied by the factor of "
            "its own old maximum.",
            "8.4",
        ),
        Misconception(
            "from one half to the other",
            _to_each_other,
            "Your factors go from each half's maximum to the other half's; in (8.4) both go to the "
            "new one.",
            "8.4",
        ),
        Misconception(
            "one maximum for all queries",
            _with(_down_to, new=lambda m1, m2: torch.maximum(m1, m2).amax()),
            "You take one maximum for all queries; in (8.4) each query has one of its own, or its "
            "sums may all vanish.",
            "8.4",
        ),
        Misconception(
            "sum of the maxima",
            _with(_down_to, new=lambda m1, m2: m1 + m2),
            "Your new maximum is the sum of the two; in (8.4) it is the larger.",
            "8.4",
        ),
        Misconception(
            "new maximum left out",
            _with(lambda m_old, m: m_old.exp()),
            "Your factors bring both sums to the maximum 0; by (8.4) they must fit the m that you "
            "hand over.",
            "8.4",
        ),
        Misconception(
            "exponentials of bare scores",
            _bare_exponentials,
            "The algebra is right, but exp of a bare score overflows, or gives 0/0; (8.4) takes "
            "the exponential of a difference only.",
            "8.4",
        ),
        Misconception(
            "o taken for an answer",
            _answers_for_sums,
            "You weight each o by its ell, as if it were an answer; o of (8.4) is a sum that is "
            "not divided yet.",
            "8.4",
        ),
        Misconception(
            "divided too early",
            _divided,
            "Your o is already divided by ell; o of (8.4) is a plain sum, so that more blocks may "
            "follow.",
            "8.4",
        ),
        Misconception(
            "mean of the answers",
            _of_answers(lambda one, other: (one + other) / 2),
            "You give both halves the same say; in (8.4) each counts by the sum of its weights.",
            "8.4",
        ),
        Misconception(
            "sum of the answers",
            _of_answers(lambda one, other: one + other),
            "You divide each half by its own ell and add; (8.4) adds the sums, and divides once "
            "at the end.",
            "8.4",
        ),
    ),
    hints=(
        "If both halves had the same maximum, what would you do? Now make the maxima the same.",
        "o1 is a sum of terms with the factor exp(-m1). Which factor turns it into exp(-m)?",
        "Each half gets a factor of its own, 1 for the one that had the larger score; ell and o "
        "of a half get the same.",
    ),
    consequence=_answer,
    where=at_entry,
)
