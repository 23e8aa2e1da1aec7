"""Exercise: a mask that hides the future."""

import torch

from diffedu.classroom.checks.exercise import Exercise, Misconception, Tolerance, at_entry


def past_mask(n):
    """(7.4), entry by entry: the place of the key is not behind that of the query."""
    query, key = torch.arange(n)[:, None], torch.arange(n)
    return key <= query


def _cases(generator):
    return [{"n": n} for n in (5, 8, 2)]


def _ones(n):
    return torch.ones(n, n)


def _objection(returned, case):
    if isinstance(returned, torch.Tensor) and returned.dtype != torch.bool:
        return (
            f"The pattern is right, in {returned.dtype}; asked are truth values. As numbers, the "
            "mask would do something else when it is used: add `.bool()`."
        )
    return ""


def _to_add(name, mask):
    """A mask of numbers to be added to the scores."""
    return Misconception(
        name,
        mask,
        "These numbers could be added to the scores; asked are the m_ij of (7.4), true or false.",
        "7.4",
    )


def _sights(mask):
    """Where each query may look under a mask (n, n), in words."""
    weights = torch.zeros(len(mask), len(mask)).masked_fill(~mask, -torch.inf).softmax(dim=1)
    seen = []
    for i, row in enumerate(weights):
        keys = " ".join(str(j) for j in row.nonzero().flatten().tolist())
        keys = "nothing (its weights are NaN)" if row.isnan().any() else keys
        seen.append(f"query {i} at {keys}")
    return ", ".join(seen)


def _consequence(wrong):
    mask = wrong(3)
    read = "" if mask.dtype == torch.bool else ", read as truth values"
    mine, right = _sights(mask.bool()), _sights(past_mask(3))
    return f"Who looks where, for n = 3 with this mask{read}: {mine}. Right is: {right}."


EXERCISE = Exercise(
    name="past_mask",
    label="7.4",
    statement=(
        "past_mask(n): the causal mask (n, n) as truth values; entry [i, j] is True where query i "
        "may look at key j."
    ),
    reference=past_mask,
    cases=_cases,
    tolerance=Tolerance(0, 0.25, "true is 1 and false is 0"),
    tested="three lengths, entry by entry, and that they are truth values.",
    misconceptions=(
        Misconception(
            "upside down",
            lambda n: _ones(n).triu().bool(),
            "This shows the future and hides the past; in (7.4) query i sees keys j up to i. Rows "
            "are queries.",
            "7.4",
        ),
        Misconception(
            "strict",
            lambda n: _ones(n).tril(-1).bool(),
            "The diagonal is missing: the first query may look nowhere, and (6.5) has no answer "
            "for it. (7.4) includes j = i, which is past by the shift.",
            "7.4",
        ),
        Misconception(
            "True hides",
            lambda n: _ones(n).triu(1).bool(),
            "True marks what is hidden here (torch's MultiheadAttention takes it so); in (7.4) "
            "and in this course it marks what may be seen.",
            "7.4",
        ),
        _to_add("minus infinity", lambda n: torch.full((n, n), -torch.inf).triu(1)),
        _to_add("0 times minus infinity", lambda n: -torch.inf * _ones(n).triu(1)),
        _to_add("minus a billion", lambda n: -1e9 * _ones(n).triu(1)),
        Misconception(
            "sees one ahead",
            lambda n: _ones(n).tril(1).bool(),
            "Query i sees key i + 1, one symbol of the future: by the shift it is the very answer; "
            "(7.4) ends at j = i.",
            "7.4",
        ),
        Misconception(
            "everything",
            lambda n: _ones(n).bool(),
            "Nothing is hidden: this is no mask at all, while (7.4) hides every j > i.",
            "7.4",
        ),
        Misconception(
            "only itself",
            lambda n: torch.eye(n).bool(),
            "Each query sees itself alone; (7.4) leaves it the whole past, j ≤ i.",
            "7.4",
        ),
        Misconception(
            "one row",
            lambda n: torch.ones(n).bool(),
            "This is one row for all queries; (7.4) depends on both i and j, so n rows are needed.",
            "7.4",
        ),
    ),
    hints=(
        "Draw it for n = 3: nine boxes, a row for each query. Which boxes may query 0 look into?",
        "Row i has i + 1 times True.",
        "Compare two rows of numbers: j along the keys and i along the queries.",
    ),
    objection=_objection,
    consequence=_consequence,
    where=at_entry,
)
