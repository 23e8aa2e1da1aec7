"""What goes wrong in recipes.py: what a run reports, which runs there are, what is written."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from planting import Fault

HERE = "diffedu.recipes"


class Run:
    """A run written out; a fault overrides one of its parts."""

    seed = staticmethod(lambda seed: seed)
    built = staticmethod(lambda networks, network: networks[network])
    kind = staticmethod(lambda draws, draw: draws[draw])
    kept = staticmethod(lambda drawn: drawn[-200:])
    band = staticmethod(lambda t, low, high: (t >= low) & (t <= high))
    measured = staticmethod(lambda model, ema: ema)
    sampled = staticmethod(lambda model, ema: ema)
    judged = staticmethod(lambda states: states[-1].xt)

    def __call__(self, name, network, steps, draw, seed, task, s):
        from diffedu import recipes as r

        g = torch.Generator().manual_seed(self.seed(seed))
        shape = tuple(task.x0.shape[1:])
        model = self.built(r.NETWORKS, network)(shape, g)
        how = self.kind(r.DRAWS, draw)(s)
        drawn = []
        for state in r.train(model, task.x0, s, r.TrainConfig(steps), generator=g, draw=how):
            drawn.append(state.t)
        late = torch.cat(self.kept(drawn))
        share = [self.band(late, low, high).double().mean().item() for low, high in r.BANDS]
        noise = torch.randn(600, *shape, generator=g)
        net = self.sampled(model, state.ema)
        states = list(r.ddpm_strided(net, noise, s, 250, r.fixed_small, generator=g))
        found = r.excess(self.measured(model, state.ema), task, s)
        quality = task.quality(self.judged(states))
        return r.Row(name, network, steps, draw, seed, found, share, quality)


def running(**parts):
    """run with other parts."""
    wrong = type("Wrong", (Run,), {key: staticmethod(part) for key, part in parts.items()})()
    return lambda original: lambda *args: wrong(*args)


def study(seeds=lambda seeds: seeds, seeds_first=False, schedule="linear"):
    """timestep_study with other seeds, in another order, or with another schedule."""

    def replacement(original):
        def timestep_study():
            from diffedu import recipes as r
            from diffedu.diffusion.schedules import SCHEDULES

            s = SCHEDULES[schedule](1000)
            for name, network, steps in r.RUNS:
                task = r.TASKS[name](s)
                pairs = [(draw, seed) for draw in r.DRAWS for seed in seeds(r.SEEDS)]
                for draw, seed in sorted(pairs, key=lambda p: p[1]) if seeds_first else pairs:
                    yield r.run(name, network, steps, draw, seed, task, s)

        return timestep_study

    return replacement


def shortened(one):
    """rounded, with another way to shorten a single number."""

    def short(value):
        return [short(each) for each in value] if isinstance(value, list) else one(value)

    return lambda original: lambda row: {k: short(v) for k, v in asdict(row).items()}


def four_decimals(value):
    return round(value, 4) if isinstance(value, float) else value


def whole_numbers_too(value):
    return value if isinstance(value, str) else float(f"{value:.4g}")


def place(arguments):
    return Path(arguments[-1] if "--out" in arguments else "data/timestep_study.json")


def written(change):
    """main, which then writes something else: made of the right rows and the unrounded ones."""

    def replacement(original):
        def main(arguments=None):
            from diffedu import recipes

            original(arguments)
            out = place(arguments)
            raw = [asdict(row) for row in recipes.timestep_study()]
            out.write_text(json.dumps(change(json.loads(out.read_text()), raw)))

        return main

    return replacement


def before(first):
    """main, which does something else first."""

    def replacement(original):
        def main(arguments=None):
            if arguments[:1] == ["timesteps"] and "--outer" not in arguments:
                first(arguments)
            original(arguments)

        return main

    return replacement


def make_the_folder(arguments):
    place(arguments).parent.mkdir(parents=True, exist_ok=True)


def run_it_all(arguments):
    from diffedu import recipes

    list(recipes.timestep_study())


def always_the_default(original):
    def main(arguments=None):
        if "--out" in arguments:
            make_the_folder(["timesteps"])
            arguments = arguments[:-2]
        original(arguments)

    return main


def fault(name, replacement):
    target = f"{HERE}.{name.split(':')[0]}"
    return Fault(name, target, replacement, ("tests/test_timestep_study.py",))


FAULTS = (
    fault("run: always seed 0", running(seed=lambda seed: 0)),
    fault("run: always uniform", running(kind=lambda draws, draw: draws["uniform"])),
    fault("run: always plain", running(built=lambda networks, network: networks["plain"])),
    fault("run: shares of all steps", running(kept=lambda drawn: drawn)),
    fault("run: shares of the first steps", running(kept=lambda drawn: drawn[:200])),
    fault("run: shares of 199 steps", running(kept=lambda drawn: drawn[-199:])),
    fault(
        "run: bands without their ends", running(band=lambda t, low, high: (t > low) & (t < high))
    ),
    fault(
        "run: bands without their last step",
        running(band=lambda t, low, high: (t >= low) & (t < high)),
    ),
    fault("run: excess of the last weights", running(measured=lambda model, ema: model)),
    fault("run: samples of the last weights", running(sampled=lambda model, ema: model)),
    fault("run: quality of the first state", running(judged=lambda states: states[0].xt)),
    fault("run: quality one step short", running(judged=lambda states: states[-2].xt)),
    fault("timestep_study: the first seed alone", study(seeds=lambda seeds: seeds[:1])),
    fault("timestep_study: seeds first", study(seeds_first=True)),
    fault("timestep_study: with the cosine schedule", study(schedule="cosine")),
    fault("rounded: four decimals", shortened(four_decimals)),
    fault("rounded: whole numbers too", shortened(whole_numbers_too)),
    fault("main: not rounded", written(lambda rows, raw: raw)),
    fault("main: without the last row", written(lambda rows, raw: rows[:-1])),
    fault("main: the folder is made", before(make_the_folder)),
    fault("main: looks for the folder at the end", before(run_it_all)),
    fault("main: always the default place", always_the_default),
)
