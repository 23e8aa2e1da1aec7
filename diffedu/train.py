"""The training loop, as a generator: the caller owns progress bars, logging and stopping."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from diffedu import expect
from diffedu.diffusion.losses import l_simple
from diffedu.diffusion.schedules import Schedule
from diffedu.diffusion.timesteps import UniformSteps
from diffedu.shapes import Batch, PerSample, Steps


@dataclass(frozen=True)
class TrainConfig:
    """How long and how fast: `steps` batches of `batch` samples, Adam with `lr` falling to 0.

    `ema` is the share of the past in the moving average of the weights: .995 looks back over
    about 1 / (1 - ema) = 200 steps. 0 keeps the weights themselves. At step k it is at most
    k / (k + 10), or the first random weights would stay in it too long.
    """

    steps: int = 3000
    batch: int = 256
    lr: float | int = 3e-3
    ema: float | int = 0.995

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with."""
        expect.integer("steps", self.steps, 1)
        expect.integer("batch", self.batch, 1)
        expect.positive("lr", self.lr)
        expect.real("ema", self.ema, 0, 1, wanted="0 <= ema < 1")
        if self.ema == 1:
            expect.fail("ema", "0 <= ema < 1", self.ema)


@dataclass(frozen=True, eq=False)
class TrainState:
    """After step `step` (1, 2, ...): the batch's mean loss, what it was at each t, the average.

    `losses` are the squared errors before any weight. `ema` is one object throughout the training:
    copy it to keep it.
    """

    step: int
    loss: float
    t: Steps
    losses: PerSample
    ema: nn.Module


def train(
    model: nn.Module,
    data: Batch,
    s: Schedule,
    config: TrainConfig | None = None,
    *,
    generator: torch.Generator,
    draw: UniformSteps | None = None,
) -> Iterator[TrainState]:
    r"""Minimise L_simple with `model(x, t)` as eps_theta (DDPM algorithm 1); yields every step.

    $\nabla_\theta\lVert\epsilon - \epsilon_\theta(\sqrt{\bar\alpha_t}x_0 +
    \sqrt{1-\bar\alpha_t}\epsilon, t)\rVert^2$
    with x_0 drawn from `data` (N, ...) with replacement, t from `draw` (uniform unless given) and
    eps from N(0, I), all by `generator`. `model` is changed in place. ValueError as soon as the
    loss is no longer a finite number; the step that would follow from it is not taken.
    """
    config = TrainConfig() if config is None else config
    draw = UniformSteps(s) if draw is None else draw
    _check_kind("model", model, nn.Module)
    expect.batch("data", data)
    expect.schedule("s", s)
    _check_kind("config", config, TrainConfig)
    expect.generator("generator", generator)
    _check_kind("draw", draw, UniformSteps)
    if draw.s.T != s.T:
        expect.fail("draw", f"steps of a schedule with T={s.T}", f"T={draw.s.T}")
    return _train(model, data, s, config, generator, draw)


def _check_kind(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        expect.fail(name, f"a {kind.__name__}", type(value).__name__)


def _train(model, data, s, config, generator, draw) -> Iterator[TrainState]:
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, config.steps)
    ema = copy.deepcopy(model).requires_grad_(False)
    for step in range(1, config.steps + 1):
        chosen = torch.randint(len(data), (config.batch,), generator=generator, device=data.device)
        x0, t = data[chosen], draw.draw(config.batch, generator)
        eps = torch.randn(x0.shape, generator=generator, dtype=x0.dtype, device=x0.device)
        losses = l_simple(model, x0, t, eps, s)
        loss = (draw.weight(t).to(losses) * losses).mean()
        expect.finite(f"loss at step {step}", loss.detach()[None])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
        update_ema(ema, model, min(config.ema, step / (step + 10)))
        draw.note(t, losses.detach())
        yield TrainState(step, loss.item(), t, losses.detach(), ema)


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float | int) -> None:
    r"""Move the average a little: $\bar w \leftarrow d\,\bar w + (1-d)\,w$ for each weight.

    Buffers are copied. `ema` is a deep copy of `model`, never the model itself.
    """
    expect.real("decay", decay, 0, 1, wanted="0 <= decay <= 1")
    for mean, now in zip(ema.parameters(), model.parameters(), strict=True):
        mean.lerp_(now, 1 - decay)
    for mean, now in zip(ema.buffers(), model.buffers(), strict=True):
        mean.copy_(now)
