"""Figures behind the widgets of the way back: the bound, and the paths of samplers.

As in `live`, each is a function of its settings alone.
"""

import torch

from diffedu import data, expect
from diffedu.classroom.plots.figures import DATA, MODEL, NOISE, XT, Frame, _rgb, freeze, new_axes
from diffedu.classroom.views import BoundView, bound_view, trajectory_views
from diffedu.diffusion.exact import Mixture
from diffedu.diffusion.schedules import cosine

SINGLE = 6  # terms that get a bar of their own, L_0 to L_5
SHORT = (r"$\tilde\beta_t$", r"$\beta_t$", r"$\beta_t$, all t", "best")


def two_modes() -> Mixture:
    """(1/2) N(-1, .3^2) + (1/2) N(1, .3^2): the data of the exact-likelihood laboratory."""
    weight, sigma = (torch.full((2,), value, dtype=torch.float64) for value in (0.5, 0.3))
    return Mixture(weight, torch.tensor([[-1.0], [1.0]], dtype=torch.float64), sigma)


class BoundFrames:
    """The bound of the ideal denoiser term by term, where it loses, and its gap."""

    T_CHOICES = (10, 30, 100, 300, 1000)

    def __init__(self) -> None:
        """Compute every bound once, and lay out the three panels."""
        self.views = {T: bound_view(two_modes(), cosine(T)) for T in self.T_CHOICES}
        self.choices = tuple(self.views[10].terms)
        terms, losses, gaps = new_axes(3, height=2.9, width=8.6)
        names = [f"$L_{k}$" for k in range(SINGLE)] + ["rest", "$L_T$"]
        for ax in (terms, losses):
            ax.set_xticks(range(len(names)), names)
            ax.axhline(0, color="black", lw=0.8)
        self._terms = terms.bar(range(len(names)), 0.0, 0.7, color=MODEL)
        self._losses = losses.bar(range(len(names)), 0.0, 0.7, color=NOISE)
        terms.set(ylim=(-4, 4), ylabel="nats", title="the terms")
        losses.set(ylim=(0, 0.5), title="minus those of the best")
        self._gaps = gaps.barh(range(len(self.choices)), 0.0, 0.7, color="0.8")
        gaps.set_yticks(range(len(self.choices)), SHORT)
        gaps.invert_yaxis()
        gaps.set(xlim=(0, 0.9), xlabel="nats", title="bound minus exact NLL")
        freeze(gaps.figure)

    def __call__(self, T: int, variance: str) -> Frame:
        """The picture for these settings."""
        if T not in self.views:
            expect.fail("T", f"one of {self.T_CHOICES}", T)
        if variance not in self.choices:
            expect.fail("variance", f"one of {self.choices}", variance)
        view = self.views[T]
        chosen, best = grouped(view, variance), grouped(view, "best")
        for k, (term, least) in enumerate(zip(chosen, best, strict=True)):
            self._terms[k].set_height(term)
            self._losses[k].set_height(term - least)
        for bar, choice in zip(self._gaps, self.choices, strict=True):
            bar.set(width=view.gap(choice), color=MODEL if choice == variance else "0.8")
        words = (
            f"T = {T}, variance {variance}: the terms add up to "
            f"{view.terms[variance].sum():.3f} nats; the exact negative log-likelihood is "
            f"{view.nll:.3f}; the gap is {view.gap(variance):.3f}."
        )
        return Frame(_rgb(self._gaps[0].figure), words)


def grouped(view: BoundView, choice: str) -> list[float]:
    """L_0 to L_5, the sum of all others before the last, and L_T."""
    terms = view.terms[choice]
    return [*terms[:SINGLE].tolist(), terms[SINGLE:-1].sum().item(), terms[-1].item()]


class TrajectoryFrames:
    """Two hundred points on their way from noise to the moons, and what is predicted meanwhile."""

    SHOWN, PATHS = 200, 3

    def __init__(self, T: int = 100) -> None:
        """Walk the same noise back with three samplers, once."""
        g = torch.Generator().manual_seed(0)
        self.T = T
        xT = torch.randn(self.SHOWN, 2, generator=g, dtype=torch.float64)
        moons = Mixture(*data.moons_components())
        self.views = trajectory_views(moons, xT, cosine(T))
        real = data.moons(600, g)
        self._points, self._lines = [], []
        for ax, colour, title in zip(
            new_axes(2, height=3.4, width=8.0),
            (XT, MODEL),
            ("$x_t$", r"$\hat x_0$"),
            strict=True,
        ):
            ax.scatter(*real.T, s=3, color=DATA, alpha=0.25, linewidths=0)
            self._lines.append([ax.plot([], [], color=NOISE, lw=0.8)[0] for _ in range(self.PATHS)])
            self._points.append(ax.scatter([], [], s=9, color=colour, linewidths=0))
            ax.set(xlim=(-3.2, 3.2), ylim=(-2.2, 2.2), aspect="equal", title=title)
        freeze(ax.figure)

    def __call__(self, t: int, sampler: str) -> Frame:
        """The picture for these settings."""
        expect.integer("t", t, 0, self.T)
        if sampler not in self.views:
            expect.fail("sampler", f"one of {tuple(self.views)}", sampler)
        view = self.views[sampler]
        for points, lines, states in zip(
            self._points, self._lines, (view.xt, view.x0_hat), strict=True
        ):
            points.set_offsets(states[t].numpy())
            for k, line in enumerate(lines):
                line.set_data(*states[t:, k].T.numpy())
        spread = view.xt[t].std(0).mean(), view.x0_hat[t].std(0).mean()
        words = (
            f"{sampler}, t = {t} of {self.T}: x_t has standard deviation {spread[0]:.2f}, "
            f"the predicted x_0 has {spread[1]:.2f}."
        )
        return Frame(_rgb(self._points[0].figure), words)
