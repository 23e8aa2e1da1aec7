"""Which network is trained on which data with which schedule: the command line.

    python -m diffedu.recipes timesteps     makes data/timestep_study.json, in about 20 minutes

The study compares four ways to draw t in training, on two data sets whose best eps_hat is known:
the excess of the error over its floor needs no estimate of the floor.
"""

import argparse
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from diffedu import data, expect
from diffedu.diffusion.exact import Mixture, eps_model
from diffedu.diffusion.gaussian import fixed_small, q_sample
from diffedu.diffusion.samplers import ddpm_strided
from diffedu.diffusion.schedules import Schedule, linear
from diffedu.diffusion.timesteps import (
    LastLossSteps,
    SmoothedLossSteps,
    UniformSteps,
    WeightedLastLossSteps,
)
from diffedu.nets.mlp import MLP
from diffedu.shapes import EpsModel
from diffedu.train import TrainConfig, train

DRAWS = {
    "uniform": UniformSteps,
    "last loss": LastLossSteps,
    "last loss, weighted": WeightedLastLossSteps,
    "smoothed, weighted": SmoothedLossSteps,
}
BANDS = ((1, 50), (51, 500), (501, 900), (901, 1000))
RUNS = (
    ("images", "plain", 800),
    ("images", "plain", 5000),
    ("images", "direct path", 800),
    ("ring", "plain", 800),
    ("ring", "plain", 4000),
)
SEEDS = (0, 1, 2)
RING_WIDTH = 0.03


@dataclass(frozen=True, eq=False)
class Task:
    """Data (N, ...) float32, their best eps_hat, and one number that says how good samples are."""

    x0: Tensor
    best: EpsModel
    quality: Callable[[Tensor], float]


@dataclass(frozen=True)
class Row:
    """What one training run came to; `excess` and `share` have one entry for each of BANDS."""

    task: str
    network: str
    steps: int
    draw: str
    seed: int
    excess: list[float]
    share: list[float]
    quality: float


def images_task(s: Schedule, n: int = 20_000) -> Task:
    r"""Smooth random 8x8 images: Gaussian, with correlation exp(-distance / 4 pixels).

    The best eps_hat is linear: with covariance C it is
    $\sqrt{1-\bar\alpha_t}\,(\bar\alpha_t C + (1-\bar\alpha_t) I)^{-1} x_t$. The quality is the
    variance of the samples' mean brightness divided by the true one: 1 is right.
    """
    place = torch.cartesian_prod(torch.arange(8.0), torch.arange(8.0)).double()
    covariance = 0.25 * torch.exp(-torch.cdist(place, place) / 4)
    power, basis = torch.linalg.eigh(covariance)
    g = torch.Generator().manual_seed(1000)
    noise = torch.randn(n, 64, generator=g, dtype=torch.float64)
    x0 = noise @ torch.linalg.cholesky(covariance).T  # unlike eigenvectors, unique

    def best(x: Tensor, t: Tensor) -> Tensor:
        alpha_bar = s.alpha_bar[t][:, None]
        gain = (1 - alpha_bar).sqrt() / (alpha_bar * power + 1 - alpha_bar)
        return ((x.flatten(1).double() @ basis * gain) @ basis.T).view_as(x).to(x)

    def brightness(samples: Tensor) -> float:
        return samples.flatten(1).mean(1).var().item() / covariance.mean().item()

    return Task(x0.view(n, 1, 8, 8).float(), best, brightness)


def ring_task(s: Schedule, n: int = 20_000) -> Task:
    """Eight narrow Gaussians on a circle; quality: the share of samples within 3 sigma of one."""
    components = data.ring_components(RING_WIDTH)
    x0 = data.ring(n, torch.Generator().manual_seed(1000), RING_WIDTH)

    def near(samples: Tensor) -> float:
        distance = torch.cdist(samples.double(), components[1]).min(1).values
        return (distance < 3 * RING_WIDTH).double().mean().item()

    return Task(x0.float(), eps_model(Mixture(*components), s), near)


def plain(shape: tuple[int, ...], generator: torch.Generator) -> MLP:
    """The MLP without its direct path from input to output: the gain stays 0."""
    model = MLP(shape, generator=generator)
    model.gain.requires_grad_(False)
    return model


def direct(shape: tuple[int, ...], generator: torch.Generator) -> MLP:
    """The MLP as it is."""
    return MLP(shape, generator=generator)


NETWORKS = {"plain": plain, "direct path": direct}
TASKS = {"images": images_task, "ring": ring_task}


def run(name: str, network: str, steps: int, draw: str, seed: int, task: Task, s: Schedule) -> Row:
    """Train one network and measure it; the last 200 steps say which t were drawn."""
    g = torch.Generator().manual_seed(seed)
    model = NETWORKS[network](tuple(task.x0.shape[1:]), g)
    config, drawn = TrainConfig(steps), deque(maxlen=200)
    for state in train(model, task.x0, s, config, generator=g, draw=DRAWS[draw](s)):
        drawn.append(state.t)
    late = torch.cat(list(drawn))
    share = [((late >= low) & (late <= high)).double().mean().item() for low, high in BANDS]
    noise = torch.randn(600, *task.x0.shape[1:], generator=g)
    *_, end = ddpm_strided(state.ema, noise, s, 250, fixed_small, generator=g)
    found = excess(state.ema, task, s), share, task.quality(end.xt)
    return Row(name, network, steps, draw, seed, *found)


@torch.no_grad()
def excess(model: EpsModel, task: Task, s: Schedule, n: int = 4000) -> list[float]:
    """Mean squared distance of eps_hat to the best eps_hat, for t in each of BANDS."""
    g = torch.Generator().manual_seed(2000)
    found = []
    for low, high in BANDS:
        x0 = task.x0[torch.randint(len(task.x0), (n,), generator=g)]
        t = torch.randint(low, high + 1, (n,), generator=g)
        xt = q_sample(x0, t, torch.randn(x0.shape, generator=g), s)
        found.append(((model(xt, t) - task.best(xt, t)) ** 2).mean().item())
    return found


def timestep_study() -> Iterator[Row]:
    """Every run of the study, one after another."""
    s = linear(1000)
    for name, network, steps in RUNS:
        task = TASKS[name](s)
        for draw in DRAWS:
            for seed in SEEDS:
                yield run(name, network, steps, draw, seed, task, s)


def rounded(row: Row) -> dict:
    """Four digits of each number: more would differ from machine to machine."""

    def short(value: object) -> object:
        if isinstance(value, list):
            return [short(one) for one in value]
        return float(f"{value:.4g}") if isinstance(value, float) else value

    return {name: short(value) for name, value in asdict(row).items()}


def main(arguments: list[str] | None = None) -> None:
    """Run one recipe and write what it makes."""
    parser = argparse.ArgumentParser(prog="python -m diffedu.recipes", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("recipe", choices=["timesteps"])
    parser.add_argument("--out", type=Path, default=Path("data/timestep_study.json"))
    options = parser.parse_args(arguments)
    if options.out.is_dir() or not options.out.parent.is_dir():
        expect.fail("--out", "a file in a folder that exists", options.out)
    rows = []
    for row in timestep_study():
        print(json.dumps(rounded(row)), flush=True)
        rows.append(rounded(row))
    lines = ",\n".join(json.dumps(row) for row in rows)
    options.out.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
