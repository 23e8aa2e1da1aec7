"""Exercise: drawing a step for each picture of a batch."""

import numpy as np
import torch

from diffedu.classroom.checks.exercise import Both, Exercise, Misconception, Tolerance
from diffedu.diffusion.gaussian import draw_t
from diffedu.diffusion.schedules import Schedule, linear

DRAWS, SEED = 20_000, 5


def _cases(generator):
    few = [Schedule.from_beta(torch.full((T,), 0.3)) for T in (3, 7)]
    return [
        {"batch_size": DRAWS, "s": s, "generator": torch.Generator().manual_seed(SEED)}
        for s in (*few, linear(25))
    ]


def _shares(values, case):
    """The form, how often each of 0..T+1 and other numbers came, and how they were made.

    If one t stands for all, no share is counted: which one it is, is chance.
    """
    (t,), T = values, case["s"].T
    flat = t.flatten()
    if not flat.numel():
        raise ValueError("no steps at all")
    alike = bool((flat == flat[0]).all())
    whole = flat[flat == flat.round()]
    count = [0 if alike else (whole == k).sum() / len(flat) for k in range(T + 2)]
    beyond = ((whole < 0) | (whole > T + 1)).sum() / len(flat)
    form = [0, 0] if alike else [len(flat) - case["batch_size"], t.ndim - 1]
    turns = not alike and _takes_turns(flat, T)
    unused = not (turns or form[0]) and _untouched(case["generator"])
    found = [*form, *count, beyond, 1 - len(whole) / len(flat), turns, unused]
    return (torch.tensor(found, dtype=torch.float64),)


def _takes_turns(t, T):
    """Whether nearly all t follow from the one before, as in 1, 2, 3, 1, 2, 3 or 1, 1, 2, 2."""
    further = t.diff().remainder(T)
    return bool((further == further.mode()[0]).double().mean() > 0.9)


def _untouched(generator):
    fresh = torch.Generator().manual_seed(generator.initial_seed())
    return torch.equal(generator.get_state(), fresh.get_state())


def _place(case, index):
    T = case["s"].T
    return (
        "how many t there are",
        "how many axes t has",
        *(f"the share of t = {k}" for k in range(T + 2)),
        "the share outside 0..T+1",
        "the share of fractions",
        "the share that only follows from the t before",
        "the share drawn without the given generator",
    )[index[0]]


def _not_whole(returned, case):
    if torch.is_tensor(returned):
        whole = not returned.is_floating_point()
    else:
        whole = np.issubdtype(np.asarray(returned).dtype, np.integer)
    return "" if whole else "Your t are floats: they cannot index s.alpha_bar, as (1.5) needs."


def _between(low, up):
    """Draw from low..T+up, without T+up itself."""
    return lambda B, s, generator: torch.randint(low, s.T + up, (B,), generator=generator)


def _own_dice(low, up):
    return lambda B, s, generator: _between(low, up)(B, s, torch.Generator().manual_seed(1))


def _uniform(B, s, generator):
    return 1 + (s.T - 1) * torch.rand(B, generator=generator)


def _counted(wrong):
    s, generator = Schedule.from_beta(torch.full((7,), 0.3)), torch.Generator().manual_seed(SEED)
    t, again = wrong(7000, s, generator), wrong(7000, s, generator)
    counts = ", ".join(str((t == k).sum().item()) for k in range(9))
    shape = "" if t.shape == (7000,) else f" The shape is {tuple(t.shape)}."
    same = " The next 7000 draws are the same once more." if torch.equal(t, again) else ""
    return (
        f"In 7000 draws from the steps 1..7, the numbers 0, 1, ..., 8 came {counts} times; "
        f"number of different values: {t.unique().numel()}.{shape}{same}"
    )


EXERCISE = Exercise(
    name="draw_steps",
    label="1.5",
    statement=(
        "draw_steps(batch_size, s, generator): a step t for each picture, (B,), drawn from 1..T "
        "with equal chances."
    ),
    reference=draw_t,
    cases=_cases,
    tolerance=Tolerance(
        0, 0.025, "two shares of 1/3, each from 20 000 draws, differ by .0047 (one sigma) by chance"
    ),
    tested="20 000 draws each from 3, 7 and 25 steps: how often each t comes.",
    misconceptions=(
        Misconception(
            "T never drawn",
            _between(1, 0),
            "Your t never is T, the upper end, and (1.5) holds up to T.",
            "1.5",
        ),
        Misconception(
            "counted from 0",
            _between(0, 0),
            "Your t goes from 0 to T - 1; in (1.5) it goes from 1 to T, and t = 0 is clean.",
            "1.5",
        ),
        Misconception(
            "0 included",
            _between(0, 1),
            "Your t may be 0, where there is no noise to learn from; (1.5) begins at t = 1.",
            "1.5",
        ),
        Misconception(
            "from 0 and T - 1 missing",
            _between(0, -1),
            "Your t goes from 0 to T - 2; in (1.5) it goes from 1 to T, both included.",
            "1.5",
        ),
        Misconception(
            "beyond T",
            _between(1, 2),
            "Your t may be T + 1, for which no schedule has an entry; (1.5) ends at T.",
            "1.5",
        ),
        Misconception(
            "1000 for T",
            lambda B, s, generator: torch.randint(1, 1001, (B,), generator=generator),
            "Your t goes up to 1000 whatever s.T is; in (1.5) it ends at this schedule's T.",
            "1.5",
        ),
        Misconception(
            "a column",
            lambda B, s, generator: torch.randint(1, s.T + 1, (B, 1), generator=generator),
            "Your t have a second axis (B, 1), or are a list of tensors; (1.5) needs one plain "
            "number for each picture.",
            "1.5",
        ),
        Misconception(
            "no number twice",
            lambda B, s, generator: torch.randperm(s.T, generator=generator)[:B] + 1,
            "You shuffle the steps, so no t comes twice and a large batch gets too few; each t of "
            "(1.5) is drawn on its own.",
            "1.5",
        ),
        Misconception(
            "taking turns",
            lambda B, s, generator: torch.arange(B) % s.T + 1,
            "Your t take turns in a fixed order; for (1.5), each is drawn by chance.",
            "1.5",
        ),
        Misconception(
            "one t for all",
            lambda B, s, generator: torch.randint(1, s.T + 1, (1,), generator=generator).expand(B),
            "You draw one t for the whole batch; in (1.5) each picture has its own.",
            "1.5",
        ),
        Misconception(
            "rounded to the nearest",
            lambda B, s, generator: _uniform(B, s, generator).round(),
            "Rounding gives 1 and T half the chance of the others; each t of (1.5) should have the "
            "same.",
            "1.5",
        ),
        Misconception(
            "between the steps",
            _uniform,
            "Your t are fractions; the t of (1.5) counts steps, and is an index.",
            "1.5",
        ),
        Misconception(
            "generator not used",
            lambda B, s, generator: draw_t(B, s, torch.Generator().manual_seed(1)),
            "You draw the t for (1.5) without the given generator, so its seed has no say in them.",
            "1.5",
        ),
    ),
    together=(
        Both("T never drawn", "generator not used", _own_dice(1, 0)),
        Both("counted from 0", "generator not used", _own_dice(0, 0)),
    ),
    hints=(
        "Which is the smallest t that adds noise, and which is the largest?",
        "Read the documentation of torch.randint: which of its two ends is included?",
        "One call is enough: the ends, the shape of the result, and whose dice it should use.",
    ),
    consequence=_counted,
    measure=_shares,
    objection=_not_whole,
    where=_place,
)
