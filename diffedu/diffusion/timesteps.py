r"""How training draws t: uniformly, or by the loss seen there, and the weight that makes up for it.

A sampler has `probability()`, (T+1,) with 0 at index 0, `draw(n, generator)`, `weight(t)`, the
factor of each loss, and `note(t, losses)`, which tells it what the losses were. With
weight(t) = $1/(T p_t)$ and the p_t that t was drawn from, the average of the weighted losses is
the plain mean over t, whatever p_t is: all but `LastLossSteps` leave the objective what it is.
"""

from collections import deque

import torch

from diffedu import expect
from diffedu.diffusion.gaussian import draw_t
from diffedu.diffusion.schedules import Schedule
from diffedu.shapes import PerSample, PerStep, Steps


def importance_weight(probability: PerStep, t: Steps) -> PerSample:
    r"""What makes a loss at a t drawn from p count as if t had been uniform: $1 / (T p_t)$."""
    _check_probability(probability)
    expect.step_index("t", t, len(probability) - 1)
    chosen = probability[t.cpu()]
    expect.positive("probability[t]", chosen)
    return (1 / ((len(probability) - 1) * chosen)).to(t.device)


def draw_steps(probability: PerStep, n: int, generator: torch.Generator) -> Steps:
    """n steps t in 1..T, each with its probability; index 0 of `probability` must be 0."""
    _check_probability(probability)
    expect.integer("n", n, 1)
    expect.generator("generator", generator)
    if probability[0] != 0:
        expect.fail("probability[0]", "0: t starts at 1", probability[0].item())
    device = generator.device
    return torch.multinomial(probability.to(device), n, replacement=True, generator=generator)


class UniformSteps:
    """Every t in 1..T equally likely, every loss with weight 1: what L_simple asks for."""

    def __init__(self, s: Schedule) -> None:
        """The steps of this schedule."""
        expect.schedule("s", s)
        self.s = s

    def probability(self) -> PerStep:
        """1/T each."""
        p = torch.full((self.s.T + 1,), 1 / self.s.T, dtype=torch.float64)
        p[0] = 0
        return p

    def draw(self, n: int, generator: torch.Generator) -> Steps:
        """n steps."""
        return draw_t(n, self.s, generator)

    def weight(self, t: Steps) -> PerSample:
        """1 for each."""
        expect.step_index("t", t, self.s.T)
        return torch.ones(len(t), dtype=torch.float64, device=t.device)

    def note(self, t: Steps, losses: PerSample) -> None:
        """Nothing to remember."""


class LastLossSteps(UniformSteps):
    """t in proportion to the last loss seen there, without weights: another objective.

    A step not seen yet has the loss 1, that of a prediction of 0. Losses are kept above `least`,
    or a t once lucky would never be drawn again.
    """

    least = 1e-4

    def __init__(self, s: Schedule) -> None:
        """The steps of this schedule, none seen yet."""
        super().__init__(s)
        self._last = torch.ones(s.T + 1, dtype=torch.float64)
        self._last[0] = 0

    def probability(self) -> PerStep:
        """The last losses, divided by their sum."""
        return self._last / self._last.sum()

    def draw(self, n: int, generator: torch.Generator) -> Steps:
        """n steps."""
        return draw_steps(self.probability(), n, generator)

    def note(self, t: Steps, losses: PerSample) -> None:
        """Keep the last loss of each t; of two in one batch, either."""
        _check_losses(t, losses, self.s.T)
        self._last[t.cpu()] = losses.detach().double().cpu().clamp(min=self.least)


class WeightedLastLossSteps(LastLossSteps):
    """The same draw with weights 1/(T p_t): right on average, and wild.

    p_t rests on a single noisy loss, so a lucky small one gives its t a huge weight.
    """

    def weight(self, t: Steps) -> PerSample:
        """1/(T p_t), from the present probabilities: ask before `note`."""
        return importance_weight(self.probability(), t)


class SmoothedLossSteps(UniformSteps):
    r"""t by the root mean square of the last `memory` losses, mixed with a uniform share.

    $p_t = (1 - u)\,\sqrt{E[L_t^2]} / \sum_t \sqrt{E[L_t^2]} + u/T$ with u = `uniform_share`, and
    weights $1/(T p_t)$ (Nichol, Dhariwal 2021, eq. 18). Uniform until every t has been seen
    `memory` times.
    """

    def __init__(self, s: Schedule, memory: int = 10, uniform_share: float = 0.001) -> None:
        """The defaults are the authors'."""
        super().__init__(s)
        expect.integer("memory", memory, 1)
        expect.real("uniform_share", uniform_share, 0, 1, wanted="0 < uniform_share <= 1")
        expect.positive("uniform_share", uniform_share)
        self.uniform_share = uniform_share
        self._losses = [deque(maxlen=memory) for _ in range(s.T)]  # entry t - 1 is that of t

    def probability(self) -> PerStep:
        """The mixture above, or uniform while the history is not full."""
        uniform = super().probability()
        if any(len(losses) < losses.maxlen for losses in self._losses):
            return uniform
        size = torch.tensor(self._losses, dtype=torch.float64).square().mean(1).sqrt()
        size = torch.cat([size[:1] * 0, size])
        if size.sum() == 0:
            return uniform
        return (1 - self.uniform_share) * size / size.sum() + self.uniform_share * uniform

    def draw(self, n: int, generator: torch.Generator) -> Steps:
        """n steps."""
        return draw_steps(self.probability(), n, generator)

    def weight(self, t: Steps) -> PerSample:
        """1/(T p_t), from the present probabilities: ask before `note`."""
        return importance_weight(self.probability(), t)

    def note(self, t: Steps, losses: PerSample) -> None:
        """Put each loss in the place of the oldest one of its t."""
        _check_losses(t, losses, self.s.T)
        for step, loss in zip(t.tolist(), losses.detach().tolist(), strict=True):
            self._losses[step - 1].append(loss)


def _check_probability(probability: PerStep) -> None:
    expect.tensor("probability", probability)
    if probability.ndim != 1:
        expect.fail("probability", "shape (T+1,)", tuple(probability.shape))
    expect.variances("probability", probability, len(probability) - 1)
    if abs(probability.sum().item() - 1) > 1e-9:
        expect.fail("probability", "a sum of 1", probability.sum().item())


def _check_losses(t: Steps, losses: PerSample, T: int) -> None:
    expect.step_index("t", t, T)
    expect.tensor("losses", losses)
    if losses.shape != t.shape:
        expect.fail("losses", f"shape {tuple(t.shape)}", tuple(losses.shape))
    expect.finite("losses", losses)
