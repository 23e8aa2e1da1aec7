"""Exercise: one set of paths, two estimates: the bound and the likelihood itself."""

import math

import torch

from diffedu.classroom.checks.exercise import FLOAT32, Both, Case, Exercise, Misconception
from diffedu.classroom.checks.inputs import normal


def two_estimates(log_p, log_q):
    """From N paths: the bound L (3.2), and -log p(x_0) by importance sampling (3.1)."""
    log_ratio = log_p - log_q
    bound = -log_ratio.mean()
    log_average = log_ratio.logsumexp(0) - math.log(len(log_ratio))
    return bound, -log_average


def _cases(generator: torch.Generator) -> list[Case]:
    """Ratios near 1; so small that exp gives 0; so large that it gives infinity."""
    cases = []
    for count, log_ratio in ((6, -2), (9, -1000), (5, 900)):
        log_q = normal((count,), generator) - 3
        noise = normal((count,), generator)
        cases.append({"log_p": log_q + log_ratio + noise, "log_q": log_q})
    return cases


def _log_average(x):
    return x.logsumexp(0) - math.log(len(x))


def _plain(x):
    """As it stands in (3.1), with numbers that are too small or too large for a computer."""
    return x.exp().mean().log()


def _consequence(wrong) -> str:
    places = torch.linspace(0, 1, 1002, dtype=torch.float64)[1:-1]
    log_q = 5 * torch.sin(1000 * places)
    log_p = log_q + 3 * torch.special.ndtri(places) - 800
    right = [part.item() for part in two_estimates(log_p, log_q)]
    found = [float(part) for part in wrong(log_p, log_q)]
    return (
        "For 1000 paths whose log ratio is -800, give or take 3, this returns "
        f"{found[0]:.2f} and {found[1]:.2f}; right are {right[0]:.2f} and {right[1]:.2f}."
    )


EXERCISE = Exercise(
    name="two_estimates",
    label="3.2",
    statement=(
        "two_estimates(log_p, log_q): from log p(x_0..x_T) and log q(x_1..x_T | x_0) of N paths, "
        "both (N,), a pair: the bound L of (3.2), and -log p(x_0) by the average of (3.1)."
    ),
    reference=two_estimates,
    cases=_cases,
    tolerance=FLOAT32,
    tested="log ratios around -2, and around -1000 and 900, where exp gives 0 and infinity.",
    misconceptions=(
        Misconception(
            "exp of large numbers",
            lambda p, q: (-(p - q).mean(), -_plain(p - q)),
            "Right on paper. But exp gives 0 or infinity here: take the largest term of (3.1) out.",
            "3.1",
        ),
        Misconception(
            "exp and back",
            lambda p, q: (-(p - q).exp().log().mean(), -_plain(p - q)),
            "Your ratios are 0 or infinite before their logarithm comes; (3.2) never leaves logs.",
            "3.2",
        ),
        Misconception(
            "signs forgotten",
            lambda p, q: ((p - q).mean(), _log_average(p - q)),
            "You returned log-likelihoods; (3.2) is about their negatives, which are costs.",
            "3.2",
        ),
        Misconception(
            "ratio upside down",
            lambda p, q: ((p - q).mean(), -_log_average(q - p)),
            "You divided q by p. In (3.1) the paths come from q, so q stands below.",
            "3.1",
        ),
        Misconception(
            "average of logs twice",
            lambda p, q: (-(p - q).mean(), -(p - q).mean()),
            "Both of yours average logarithms. That is L; (3.1) averages the ratios themselves.",
            "3.1",
        ),
        Misconception(
            "log of the average twice",
            lambda p, q: (-_log_average(p - q), -_log_average(p - q)),
            "Both of yours average the ratios. L averages their logarithms instead, see (3.2).",
            "3.2",
        ),
        Misconception(
            "sum for average",
            lambda p, q: (-(p - q).mean(), -(p - q).logsumexp(0)),
            "You added the ratios up; (3.1) averages, or more paths would make x_0 more probable.",
            "3.1",
        ),
        Misconception(
            "ratio of averages",
            lambda p, q: (-(p - q).mean(), _log_average(q) - _log_average(p)),
            "You averaged p and q apart; (3.1) averages the ratio, path by path.",
            "3.1",
        ),
        Misconception(
            "the two exchanged",
            lambda p, q: (-_log_average(p - q), -(p - q).mean()),
            "The two results are exchanged: first the bound of (3.2), then the estimate.",
            "3.2",
        ),
        Misconception(
            "log N added",
            lambda p, q: (-(p - q).mean(), -(p - q).logsumexp(0) - math.log(len(p))),
            "Mind the sign of log N: the average of (3.1) has N below, not above.",
            "3.1",
        ),
        Misconception(
            "largest term not put back",
            lambda p, q: (-(p - q).mean(), -_plain(p - q - (p - q).max())),
            "You took the largest term out of the average (3.1); put it back after the logarithm.",
            "3.1",
        ),
        Misconception(
            "largest term alone",
            lambda p, q: (-(p - q).mean(), -(p - q).max()),
            "You kept the largest ratio and dropped the others; (3.1) averages all N of them.",
            "3.1",
        ),
        Misconception(
            "q left out of L",
            lambda p, q: (-p.mean(), -_log_average(p - q)),
            "Your first number lacks log q: L needs it as well, (3.2) has the same ratio.",
            "3.2",
        ),
        Misconception(
            "q left out",
            lambda p, q: (-p.mean(), -_log_average(p)),
            "You used log p alone. Both estimates start from the ratio of p to q, see (3.1).",
            "3.1",
        ),
        Misconception(
            "sign of L forgotten",
            lambda p, q: ((p - q).mean(), -_log_average(p - q)),
            "Your first number is -L: (3.2) averages a cost, and a cost has a minus.",
            "3.2",
        ),
        Misconception(
            "sum for average in L",
            lambda p, q: (-(p - q).sum(), -_log_average(p - q)),
            "Your first number adds the paths up; (3.2) averages them.",
            "3.2",
        ),
    ),
    together=(
        Both(
            "signs forgotten",
            "exp of large numbers",
            lambda p, q: ((p - q).mean(), _plain(p - q)),
        ),
        Both(
            "ratio upside down",
            "exp of large numbers",
            lambda p, q: ((p - q).mean(), -_plain(q - p)),
        ),
        Both(
            "sum for average",
            "exp of large numbers",
            lambda p, q: (-(p - q).mean(), -(p - q).exp().sum().log()),
        ),
        Both(
            "ratio of averages",
            "exp of large numbers",
            lambda p, q: (-(p - q).mean(), -(p.exp().mean() / q.exp().mean()).log()),
        ),
        Both(
            "sign of L forgotten",
            "exp of large numbers",
            lambda p, q: ((p - q).mean(), -_plain(p - q)),
        ),
        Both(
            "q left out of L",
            "exp of large numbers",
            lambda p, q: (-p.mean(), -_plain(p - q)),
        ),
        Both(
            "q left out",
            "exp of large numbers",
            lambda p, q: (-p.mean(), -_plain(p)),
        ),
        Both(
            "largest term not put back",
            "sum for average",
            lambda p, q: (-(p - q).mean(), (p - q).max() - (p - q).logsumexp(0)),
        ),
    ),
    hints=(
        "Both start from one log ratio for each path. Where does the average go in each?",
        "L averages logarithms; the other is the logarithm of an average. Jensen compares them.",
        "logsumexp adds without overflow. A sum over N paths is not yet their average.",
    ),
    consequence=_consequence,
)
