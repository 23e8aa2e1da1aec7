"""What goes wrong in recipes.py: the two tasks, the two networks, and the excess.

The faults of a run and of what is written are in faults_study.py and gathered here.
"""

import math
from dataclasses import replace

import torch

import faults_study
from planting import Fault

HERE = "diffedu.recipes"


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
    """Another number about samples (N, 64) and the true variance of their mean."""
    true = smooth().mean().item()
    return lambda task, s, n: lambda x: size(x.flatten(1), true).item()


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

    return part


def frozen(original):
    def network(shape, generator):
        model = original(shape, generator)
        model.gain.requires_grad_(False)
        return model

    return network


def learning(*names):
    """The network, these parameters of whose gain are learned after all."""

    def replacement(original):
        def network(shape, generator):
            model = original(shape, generator)
            for name in names:
                getattr(model.gain, name).requires_grad_(True)
            return model

        return network

    return replacement


def measuring(
    size=lambda error: (error**2).mean(),
    ends=lambda low, high: (low, high + 1),
    seeded=lambda g: g.manual_seed(2000),
    shown=lambda x0, xt: xt,
):
    """excess with another size of the error, other ends of the bands, no seed, or clean data."""

    def replacement(original):
        @torch.no_grad()
        def excess(model, task, s, n=4000):
            from diffedu import recipes as r

            g, found = torch.Generator(), []
            seeded(g)
            for low, high in r.BANDS:
                x0 = task.x0[torch.randint(len(task.x0), (n,), generator=g)]
                t = torch.randint(*ends(low, high), (n,), generator=g)
                xt = shown(x0, r.q_sample(x0, t, torch.randn(x0.shape, generator=g), s))
                found.append(size(model(xt, t) - task.best(xt, t)).item())
            return found

        return excess

    return replacement


def fault(name, replacement, file="recipes"):
    return Fault(name, f"{HERE}.{name.split(':')[0]}", replacement, (f"tests/test_{file}.py",))


def of_images(name, **parts):
    return fault(f"images_task: {name}", spoilt(**parts))


def of_both(covariance):
    return {"x0": images_of(covariance), "best": best_of(covariance)}


def of_the_ring(name, **parts):
    return fault(f"ring_task: {name}", spoilt(**parts))


C = smooth()
FAULTS = (
    of_images("distances squared", **of_both(smooth(squared=True))),
    of_images("correlated over 2 pixels", **of_both(smooth(reach=2.0))),
    of_images("variance 1/2", **of_both(smooth(variance=0.5))),
    of_images("drawn without the root", x0=images_of(C, power=1.0)),
    of_images("best without the root", best=best_of(C, factor=lambda a: 1 - a)),
    of_images("best with noise of size 1", best=best_of(C, noise=torch.ones_like)),
    of_images("best of unscaled images", best=best_of(C, factor=lambda a: ((1 - a) / a).sqrt())),
    of_images(
        "brightness, standard deviation", quality=brightness(lambda x, v: x.mean(1).std() / v**0.5)
    ),
    of_images("brightness, of pixels", quality=brightness(lambda x, v: x.var() / v)),
    of_images(
        "brightness over a pixel's variance",
        quality=brightness(lambda x, v: x.mean(1).var() / 0.25),
    ),
    of_images(
        "brightness, divided by n", quality=brightness(lambda x, v: x.mean(1).var(correction=0) / v)
    ),
    of_the_ring("best of the default width", best=ring_of(0.1)),
    of_the_ring("points of the default width", x0=points_of(0.1)),
    of_the_ring("near within 2 sigma", quality=near(lambda d, limit: (d < limit).any(1), sigmas=2)),
    of_the_ring(
        "near within 3 variances", quality=near(lambda d, limit: (d < limit).any(1), sigmas=0.09)
    ),
    of_the_ring("near on average", quality=near(lambda d, limit: d.mean(1) < limit)),
    of_the_ring("near the first mode", quality=near(lambda d, limit: d[:, 0] < limit)),
    fault("plain: the gain is learned", learning("weight", "bias"), "timestep_study"),
    fault("plain: the gain's bias is learned", learning("bias"), "timestep_study"),
    fault("direct: the gain is not learned", frozen, "timestep_study"),
    fault("excess: not squared", measuring(lambda error: error.abs().mean())),
    fault("excess: with a root", measuring(lambda error: (error**2).mean().sqrt())),
    fault("excess: summed over a sample", measuring(lambda e: (e**2).flatten(1).sum(1).mean())),
    fault("excess: the square of the mean", measuring(lambda error: error.mean() ** 2)),
    fault("excess: bands without their last step", measuring(ends=lambda low, high: (low, high))),
    fault(
        "excess: bands from the step before", measuring(ends=lambda low, high: (low - 1 or 1, high))
    ),
    fault("excess: all steps each time", measuring(ends=lambda low, high: (1, 1001))),
    fault("excess: other samples each time", measuring(seeded=lambda g: g.seed())),
    fault("excess: of clean data", measuring(shown=lambda x0, xt: x0)),
    *faults_study.FAULTS,
)
