"""What several exercises of this room share: inputs, factors and a picture."""

from collections.abc import Callable

import torch
from torch import Tensor

from diffedu.classroom.checks.exercise import Case, Tolerance, Values
from diffedu.classroom.checks.inputs import cases_of, normal
from diffedu.classroom.checks.pictures import curves
from diffedu.classroom.plots import Frame
from diffedu.diffusion.schedules import Schedule, linear
from diffedu.shapes import per_sample

NOISING = Tolerance(1e-3, 1e-4, "1 - alpha_bar[1] in float32 is known to three digits only")


def mixed(x: Tensor, signal: Tensor, eps: Tensor, noise: Tensor) -> Tensor:
    """signal * x + noise * eps, with one factor of each kind per sample."""
    return per_sample(signal, x) * x + per_sample(noise, x) * eps


def noising_cases(x: str):
    """Inputs for f(x, t, eps, s). One batch has no t = T: a table of T entries gets through it."""
    usual = cases_of(x, "t", "eps", "s")

    def cases(generator: torch.Generator) -> list[Case]:
        data, eps = normal((3, 5), generator), normal((3, 5), generator)
        inside = {x: data, "t": torch.tensor([20, 7, 33]), "eps": eps, "s": linear(50)}
        return [*usual(generator), inside]

    return cases


def factors(noising: Callable[..., Tensor], s: Schedule) -> tuple[Tensor, Tensor]:
    """Of x and of eps at every step 1..T, read off a function (x, t, eps, s)."""
    t = torch.arange(1, s.T + 1)
    one = torch.ones(s.T, 1, dtype=torch.float64)
    signal = noising(one, t, 0 * one, s).reshape(s.T)
    noise = noising(0 * one, t, one, s).reshape(s.T)
    alone = noising(one[-1:], t[-1:], 0 * one[-1:], s).reshape(())
    if abs(alone - signal[-1]) > 1e-9:
        raise RuntimeError("a sample depends on the others in its batch")
    return signal, noise


def shades(noising: Callable[..., Tensor], s: Schedule) -> str:
    """What happens to white pictures in a batch as large as they are wide, without noise."""
    white = torch.ones(4, 1, 4, 4, dtype=torch.float64)
    t = torch.tensor([1, 250, 500, 750])
    inside = noising(white, t, 0 * white, s).reshape(4, 16).std(1, correction=0).max()
    if inside < 1e-9:
        raise ValueError("white pictures do not show it")
    return (
        "Four white pictures of 4 by 4 pixels, with eps = 0 and t = 1, 250, 500, 750, should each "
        f"keep one shade. Here the pixels of one picture have a standard deviation of {inside:.2g}."
    )


def told(sentence: Callable[..., str], wrong: Callable[..., Tensor]) -> str:
    """A sentence that reads the factors off; if that fails, what does happen."""
    try:
        return sentence(wrong)
    except IndexError as error:
        return f"It stops at t = T: {error}."
    except RuntimeError:  # the factors do not fit the batch
        return shades(wrong, linear(1000))


def from_step_1(ylabel: str):
    """A picture for results with one number for each of the steps 1..T."""

    def draw(yours: Values, target: Values) -> Frame:
        steps = torch.arange(1, target[0].numel() + 1, dtype=torch.float64)
        return curves("t", ylabel, steps)(yours, target)

    return draw
