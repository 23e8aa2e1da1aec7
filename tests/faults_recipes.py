"""What goes wrong in recipes.py: the two tasks, what a run reports, what is written."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import torch

from planting import Fault

HERE = "diffedu.recipes"
TASKS, STUDY = "tests/test_recipes.py", "tests/test_timestep_study.py"


# The tasks


def spoilt(**parts):
    """A task with other parts: each is a function of the right task, s and n."""

    def replacement(original):
        def make(s, n=20_000):
            task = original(s, n)
            return replace(task, **{key: part(task, s, n) for key, part in parts.items()})

        return make

    return replacement


def smooth(reach=4.0, variance=0.25, squared=False):
    """The covariance of the images, with other numbers in it."""
    place = torch.cartesian_prod(torch.arange(8.0), torch.arange(8.0)).double()
    distance = torch.cdist(place, place)
    return variance * torch.exp(-(distance ** (2 if squared else 1)) / reach)


def images_of(covariance, power=0.5):
    """Images drawn with this covariance, or with another power of its eigenvalues."""

    def part(task, s, n):
        size, basis = torch.linalg.eigh(covariance)
        noise = torch.randn(n, 64, generator=torch.Generator().manual_seed(1000)).double()
        return ((noise * size**power) @ basis.T).view(n, 1, 8, 8).float()

    return part


def best_of(covariance, factor=lambda a: (1 - a).sqrt(), noise=lambda a: 1 - a):
    """The linear answer with a wrong part."""

    def part(task, s, n):
        size, basis = torch.linalg.eigh(covariance)

        def best(x, t):
            a = s.alpha_bar[t][:, None]
            gain = factor(a) / (a * size + noise(a))
            return ((x.flatten(1).double() @ basis * gain) @ basis.T).view_as(x).to(x)

        return best

    return part


def brightness(size):
    return spoilt(quality=lambda task, s, n: lambda x: size(x.flatten(1)).item())


def ring_of(width):
    """Another width of the modes for the best answer alone."""

    def part(task, s, n):
        from diffedu import data
        from diffedu.diffusion.exact import Mixture, eps_model

        return eps_model(Mixture(*data.ring_components(width)), s)

    return part


def points_of(width):
    def part(task, s, n):
        from diffedu import data

        return data.ring(n, torch.Generator().manual_seed(1000), width).float()

    return part


def near(within, sigmas=3):
    """The share of samples near a mode, from the distances to all (N, 8)."""

    def part(task, s, n):
        angle = torch.arange(8) * (math.pi / 4)
        modes = torch.stack([angle.cos(), angle.sin()], dim=1).double()
        limit = 0.03 * sigmas

        def quality(x):
            return within(torch.cdist(x.double(), modes), limit).double().mean().item()

        return quality

    return spoilt(quality=part)


# What a run reports


class Run:
    """A run written out; a fault overrides one of its parts."""

    seed = staticmethod(lambda seed: seed)
    kind = staticmethod(lambda draws, draw: draws[draw])
    kept = staticmethod(lambda drawn: drawn[-200:])
    band = staticmethod(lambda t, low, high: (t >= low) & (t <= high))
    measured = staticmethod(lambda model, ema: ema)
    sampled = staticmethod(lambda model, ema: ema)
    judged = staticmethod(lambda states: states[-1].xt)

    def __call__(self, task, name, steps, draw, seed, s):
        from diffedu import recipes as r

        g = torch.Generator().manual_seed(self.seed(seed))
        shape = tuple(task.x0.shape[1:])
        model, config = r.MLP(shape, generator=g), r.TrainConfig(steps)
        how = self.kind(r.DRAWS, draw)(s)
        drawn = []
        for state in r.train(model, task.x0, s, config, generator=g, draw=how):
            drawn.append(state.t)
        late = torch.cat(self.kept(drawn))
        share = [self.band(late, low, high).double().mean().item() for low, high in r.BANDS]
        noise = torch.randn(600, *shape, generator=g)
        net = self.sampled(model, state.ema)
        states = list(r.ddpm_strided(net, noise, s, 250, r.fixed_small, generator=g))
        found = r.excess(self.measured(model, state.ema), task, s)
        return r.Row(name, steps, draw, seed, found, share, task.quality(self.judged(states)))


def running(**parts):
    """run with other parts."""
    wrong = type("Wrong", (Run,), {key: staticmethod(part) for key, part in parts.items()})()
    return lambda original: lambda *args: wrong(*args)


def measuring(size=lambda error: (error**2).mean(), t=lambda low, high: (low, high + 1), seed=2000):
    """excess with another size of the error, other ends of the bands, or without a seed."""

    def replacement(original):
        @torch.no_grad()
        def excess(model, task, s, n=4000):
            from diffedu import recipes as r

            g, found = torch.Generator(), []
            g.manual_seed(seed) if seed is not None else g.seed()
            for low, high in r.BANDS:
                x0 = task.x0[torch.randint(len(task.x0), (n,), generator=g)]
                steps = torch.randint(*t(low, high), (n,), generator=g)
                xt = r.q_sample(x0, steps, torch.randn(x0.shape, generator=g), s)
                found.append(size(model(xt, steps) - task.best(xt, steps)).item())
            return found

        return excess

    return replacement


def from_clean_data(original):
    """The models are shown x_0 with noise of size 1 added, and not x_t."""

    def excess(model, task, s, n=4000):
        def unscaled(x, t):
            return x / s.alpha_bar[t].sqrt().to(x).view(-1, *[1] * (x.ndim - 1))

        def shifted(f):
            return lambda x, t: f(unscaled(x, t), t)

        return original(shifted(model), replace(task, best=shifted(task.best)), s, n)

    return excess


# What is written


def study(seeds=lambda seeds: seeds, seeds_first=False, T=1000):
    """timestep_study with other seeds, in another order, or with another schedule."""

    def replacement(original):
        def timestep_study():
            from diffedu import recipes as r

            s = r.linear(T)
            for name, steps in r.RUNS:
                task = r.TASKS[name](s)
                pairs = [(draw, seed) for draw in r.DRAWS for seed in seeds(r.SEEDS)]
                for draw, seed in sorted(pairs, key=lambda p: p[1]) if seeds_first else pairs:
                    yield r.run(task, name, steps, draw, seed, s)

        return timestep_study

    return replacement


def decimals(row):
    def short(value):
        if isinstance(value, list):
            return [short(one) for one in value]
        return round(value, 4) if isinstance(value, float) else value

    return {name: short(value) for name, value in asdict(row).items()}
