"""Exercise: drawing a step for each picture of a batch."""

import torch

from diffedu.classroom.checks.exercise import Exercise, Misconception, Tolerance
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
    """How often each of 0..T+1 came, the share of fractions, and whether the generator moved.

    If one t stands for all, no share is counted: which one it is, is chance.
    """
    (t,), T = values, case["s"].T
    if t.numel() not in (1, case["batch_size"]):
        raise ValueError("not one step per picture")
    whole = t.flatten()[t.flatten() == t.flatten().round()]
    shares = torch.stack([(whole == k).sum() for k in range(T + 2)]) / t.numel()
    fractions = torch.tensor([1 - whole.numel() / t.numel()], dtype=torch.float64)
    alike = bool((t == t.flatten()[0]).all())
    given = case["generator"]
    fresh = torch.Generator().manual_seed(given.initial_seed())
    moved = torch.tensor([float(not torch.equal(given.get_state(), fresh.get_state()))])
    return (torch.cat([0 * shares if alike else shares, fractions, moved]).double(),)


def _place(case, index):
    k, T = index[0], case["s"].T
    other = {T + 2: "the share of fractions", T + 3: "the use of the generator"}
    return other.get(k, f"the share of t = {k}")


def _between(low, up):
    """Draw from low..T+up, without T+up itself."""
    return lambda B, s, generator: torch.randint(low, s.T + up, (B,), generator=generator)


def _uniform(B, s, generator):
    return 1 + (s.T - 1) * torch.rand(B, generator=generator)


def _counted(wrong):
    s, generator = Schedule.from_beta(torch.full((7,), 0.3)), torch.Generator().manual_seed(SEED)
    t, again = wrong(7000, s, generator), wrong(7000, s, generator)
    counts = ", ".join(str((t == k).sum().item()) for k in range(9))
    same = " The next 7000 draws are the same once more." if torch.equal(t, again) else ""
    return (
        f"In 7000 draws from the steps 1..7, the numbers 0, 1, ..., 8 came {counts} times; "
        f"number of different values: {t.unique().numel()}.{same}"
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
    hints=(
        "Which is the smallest t that adds noise, and which is the largest?",
        "Read the documentation of torch.randint: which of its two ends is included?",
        "One call is enough: the ends, the shape of the result, and whose dice it should use.",
    ),
    consequence=_counted,
    measure=_shares,
    where=_place,
)
