"""Exercise: what the two forms cost."""

from diffedu.classroom.checks.exercise import FLOAT32, Both, Exercise, Misconception, at_entry


def multiplications(n, d, d_v):
    """Those of both products of each form, half of the FLOPs of (9.5)."""
    scores, mix = n * d * n, n * n * d_v
    summary, reading = d * n * d_v, n * d * d_v
    return scores + mix, summary + reading


def _cases(generator):
    sizes = ((256, 32, 24), (10, 64, 16), (4096, 5, 48))
    return [{"n": n, "d": d, "d_v": d_v} for n, d, d_v in sizes]


def _both(full, linear):
    """An answer with one formula for each form."""
    return lambda n, d, d_v: (full(n, d, d_v), linear(n, d, d_v))


def _full(n, d, d_v):
    return multiplications(n, d, d_v)[0]


def _linear(n, d, d_v):
    return multiplications(n, d, d_v)[1]


def _told(wrong) -> str:
    sizes = 4096, 32, 64
    (full, linear), right = (float(x) for x in wrong(*sizes)), multiplications(*sizes)
    return (
        "For a map of 64 × 64 pixels, keys of width 32 and values of width 64 it gives "
        f"{full:.3g} and {linear:.3g}, a factor of {full / linear:.3g}; right are {right[0]:.3g} "
        f"and {right[1]:.3g}, a factor of {right[0] / right[1]:.3g}."
    )


EXERCISE = Exercise(
    name="multiplications",
    label="9.5",
    statement=(
        "multiplications(n, d, d_v): two numbers, the multiplications of softmax attention and of "
        "linear attention, for one head with n tokens, keys of width d and values of width d_v. "
        "Count those of the matrix products only."
    ),
    reference=multiplications,
    cases=_cases,
    tolerance=FLOAT32,
    tested="few tokens and many, values wider and narrower than keys.",
    misconceptions=(
        Misconception(
            "additions too",
            _both(lambda *s: 2 * _full(*s), lambda *s: 2 * _linear(*s)),
            "Both numbers are twice too large: these are the FLOPs of (9.5), which count the "
            "additions too.",
            "9.5",
        ),
        Misconception(
            "additions in the first number",
            _both(lambda *s: 2 * _full(*s), _linear),
            "Your first number is twice too large: it counts the additions too, as FLOPs (9.5) "
            "do, and the second one does not.",
            "9.5",
        ),
        Misconception(
            "additions in the second number",
            _both(_full, lambda *s: 2 * _linear(*s)),
            "Your second number is twice too large: it counts the additions too, as FLOPs (9.5) "
            "do, and the first one does not.",
            "9.5",
        ),
        Misconception(
            "wrong order",
            _both(_linear, _full),
            "The two stand in the wrong order: asked for is softmax attention first, then the "
            "linear one, as in (9.5).",
            "9.5",
        ),
        Misconception(
            "exponentials too",
            _both(
                lambda n, d, e: _full(n, d, e) + n * n,
                lambda n, d, e: _linear(n, d, e) + 2 * n * d,
            ),
            "You counted the exponentials too; (9.5) has the matrix products only, and so has "
            "this question.",
            "9.5",
        ),
        Misconception(
            "exponentials in the first number",
            _both(lambda n, d, e: _full(n, d, e) + n * n, _linear),
            "Your first number counts the exponentials too; (9.5) has the matrix products only.",
            "9.5",
        ),
        Misconception(
            "exponentials in the second number",
            _both(_full, lambda n, d, e: _linear(n, d, e) + 2 * n * d),
            "Your second number counts the exponentials too; (9.5) has the matrix products only.",
            "9.5",
        ),
        Misconception(
            "first products only",
            _both(lambda n, d, e: n * n * d, lambda n, d, e: n * d * e),
            "You counted the first product of each form; each has two, see the table above (9.5).",
            "9.5",
        ),
        Misconception(
            "second products only",
            _both(lambda n, d, e: n * n * e, lambda n, d, e: n * d * e),
            "You counted the second product of each form; each has two, see the table above (9.5).",
            "9.5",
        ),
        Misconception(
            "values as wide as keys",
            _both(lambda n, d, e: 2 * n * n * d, lambda n, d, e: 2 * n * d * d),
            "You took d for the width of the values, too; in (9.5) the product with V has d_v "
            "columns.",
            "9.5",
        ),
        Misconception(
            "values as wide as keys, once",
            _both(lambda n, d, e: 2 * n * n * d, _linear),
            "In your first number both products have the factor d; in (9.5) the second one, with "
            "V, has d_v columns.",
            "9.5",
        ),
        Misconception(
            "values as wide as keys in the second number",
            _both(_full, lambda n, d, e: 2 * n * d * d),
            "In your second number the values are as wide as the keys; in (9.5) both its products "
            "have d and d_v.",
            "9.5",
        ),
        Misconception(
            "keys as wide as values",
            _both(lambda n, d, e: 2 * n * n * e, lambda n, d, e: 2 * n * e * e),
            "You took d_v for the width of the keys, too; in (9.5) the product of Q and K has d "
            "terms in each entry.",
            "9.5",
        ),
        Misconception(
            "scores only in the first number",
            _both(lambda n, d, e: n * n * d, _linear),
            "Your first number counts the product of Q and K; the one with V is missing, see the "
            "table above (9.5).",
            "9.5",
        ),
        Misconception(
            "a square summary",
            _both(_full, lambda n, d, e: n * d * (d + e)),
            "One of your two linear products costs n · d · d; the summary of (9.1) has d · d_v "
            "entries, made and read.",
            "9.5",
        ),
        Misconception(
            "linear in n and in d",
            _both(_full, lambda n, d, e: n * (d + e)),
            "Your second number is linear in n, and too small: the summary of (9.1) has d · d_v "
            "entries, and (9.5) pays for each.",
            "9.5",
        ),
        Misconception(
            "one product of the linear form",
            _both(_full, lambda n, d, e: n * d * e),
            "Your second number counts one of two products: making the summary of (9.1), and "
            "reading it.",
            "9.5",
        ),
        Misconception(
            "a summary for each query",
            _both(_full, lambda n, d, e: n * n * d * e + n * d * e),
            "Your second number makes the summary anew for each query; in (9.1) it is the same "
            "for all, and made once.",
            "9.1",
        ),
        Misconception(
            "one product of three sizes",
            _both(lambda n, d, e: n * n * d * e, _linear),
            "Your first number multiplies d and d_v; in (9.5) they belong to two products, one "
            "after the other.",
            "9.5",
        ),
        Misconception(
            "scores only",
            _both(lambda n, d, e: n * n, lambda n, d, e: d * e),
            "You counted the entries of the matrices in the middle; each takes several "
            "multiplications, see (9.5).",
            "9.5",
        ),
        Misconception(
            "brackets not moved",
            _both(_full, _full),
            "Both numbers are those of the left side of (9.1); linear attention computes the right "
            "side.",
            "9.1",
        ),
    ),
    together=(
        Both(
            "additions too",
            "wrong order",
            _both(lambda *s: 2 * _linear(*s), lambda *s: 2 * _full(*s)),
        ),
        Both(
            "additions too",
            "values as wide as keys",
            _both(lambda n, d, e: 4 * n * n * d, lambda n, d, e: 4 * n * d * d),
        ),
    ),
    hints=(
        "How many matrix products does each side of (9.1) have?",
        "A product of sizes (a × b)(b × c) has a · c entries, and each takes b multiplications.",
        "Write the sizes of Q, Kᵀ, V beside each other, put in the brackets, and add up two "
        "products for each form.",
    ),
    consequence=_told,
    where=at_entry,
)
