"""Figures behind the widgets: built once, then redrawn by changing their artists, which is fast.

Each is a function of its settings alone: the same settings give the same pixels, whatever was shown
before.
"""

import torch

from diffedu import expect
from diffedu.classroom.plots.figures import (
    DATA,
    MODEL,
    NOISE,
    XT,
    Frame,
    _rgb,
    freeze,
    new_axes,
    standard_normal,
    to_pixels,
)
from diffedu.classroom.views import (
    HISTOGRAM_EDGES,
    NoiseView,
    mosaic,
    noise_view,
    posterior_view,
    tour_view,
)
from diffedu.data import digit_halves, photo
from diffedu.diffusion.schedules import SCHEDULES, cosine

LOG_SNR_RANGE = (-16.0, 10.0)


class NoiseFrames:
    """A picture at step t, its pixels' histogram over N(0, 1), and t on the log-SNR curve."""

    def __init__(self, T: int = 1000) -> None:
        """Load the pictures, draw one fixed noise for each, and lay out the three panels."""
        (digits, _), _ = digit_halves()
        self.images = {
            "digits": mosaic(digits[:16], 4),
            "china": photo("china"),
            "flower": photo("flower"),
        }
        self.schedules = {name: make(T) for name, make in SCHEDULES.items()}
        g = torch.Generator().manual_seed(0)
        self.eps = {name: torch.randn(x0.shape, generator=g) for name, x0 in self.images.items()}
        picture, histogram, curve = new_axes(3, height=2.7, width=8.4)
        self._picture = picture.imshow([[[0.0] * 3]], extent=(0, 1, 0, 1), interpolation="nearest")
        picture.axis("off")
        edges = HISTOGRAM_EDGES.numpy()
        self._bars = histogram.stairs(edges[1:] * 0, edges, fill=True, color=XT, alpha=0.6)
        histogram.plot(edges, standard_normal(edges), color=NOISE)
        histogram.set(xlim=(-4, 4), ylim=(0, 1), xlabel="pixel value (bars end at 1)")
        histogram.set(title="pixels and N(0, 1)")
        self._lines = {}
        for name, s in self.schedules.items():
            log_snr = s.snr[1:].log().numpy()
            (self._lines[name],) = curve.plot(range(1, T + 1), log_snr, color="0.8", lw=1)
        (self._point,) = curve.plot([0], [0], "o", color=XT, ms=9, clip_on=False)
        curve.set(ylim=LOG_SNR_RANGE, xlabel="t", title="log SNR(t)")
        freeze(curve.figure)

    def __call__(self, t: int, schedule: str, image: str) -> Frame:
        """The picture for these settings."""
        for name, value, known in (
            ("schedule", schedule, self.schedules),
            ("image", image, self.images),
        ):
            if value not in known:
                expect.fail(name, f"one of {tuple(known)}", value)
        view = noise_view(self.images[image], t, self.schedules[schedule], self.eps[image])
        self._picture.set_data(to_pixels(view.xt))
        self._bars.set_data(view.histogram.clamp(max=1).numpy())
        for name, line in self._lines.items():
            line.set(color=DATA if name == schedule else "0.8", zorder=2 if name == schedule else 1)
        low, high = LOG_SNR_RANGE
        self._point.set_data(
            [t], [min(max(view.log_snr, low), high)]
        )  # infinite at t = 0: at the rim
        return Frame(_rgb(self._point.figure), _noise_words(view, schedule, image))


class PosteriorFrames:
    """The posterior over x_{t-1} in one dimension, between what x_0 and what x_t say about it."""

    def __init__(self, T: int = 20) -> None:
        """A short schedule: with 1000 steps the curves would lie within a line's width."""
        self.schedule = cosine(T)
        (ax,) = new_axes(1, height=2.8, width=8.0)
        names = {
            "prior": (DATA, "--", r"$q(x_{t-1}\mid x_0)$"),
            "likelihood": (NOISE, ":", r"$q(x_t\mid x_{t-1})$, over $x_{t-1}$"),
            "posterior": (MODEL, "-", r"$q(x_{t-1}\mid x_t, x_0)$"),
        }
        self._lines = {}
        for key, (colour, style, label) in names.items():
            (self._lines[key],) = ax.plot([], [], style, color=colour, lw=2, label=label)
        (self._mean,) = ax.plot([], [], color=MODEL, lw=1)
        (self._x0,) = ax.plot([0], [0], "o", color=DATA, ms=8, clip_on=False, label=r"$x_0$")
        (self._xt,) = ax.plot([0], [0], "s", color=XT, ms=8, clip_on=False, label=r"$x_t$")
        ax.set(xlim=(-4, 4), ylim=(0, 2), xlabel=r"$x_{t-1}$", ylabel="density")
        ax.figure.legend(frameon=False, loc="outside right upper", fontsize=9)
        freeze(ax.figure)

    def __call__(self, x0: float, xt: float, t: int) -> Frame:
        """The picture for these settings."""
        view = posterior_view(x0, xt, t, self.schedule)
        for key, line in self._lines.items():
            line.set_data(view.grid.numpy(), getattr(view, key).numpy())
        # the narrow curves near t = 1 need a taller axis; a point needs only a line
        top = max(2.0, 1.1 * max(curve.max().item() for curve in (view.likelihood, view.posterior)))
        self._mean.axes.set_ylim(0, top)
        self._mean.set_data([view.mean, view.mean], [0, top if view.sigma == 0 else 0.05 * top])
        self._x0.set_data([x0], [0])
        self._xt.set_data([xt], [0])
        point = " x_0 is known, so x_(t-1) = x_0 exactly." if t == 1 else ""
        words = (
            f"t = {t}, x_0 = {x0:.2f}, x_t = {xt:.2f}: the posterior has mean {view.mean:.3f} and "
            f"standard deviation {view.sigma:.3f}.{point}"
        )
        return Frame(_rgb(self._mean.figure), words)


class TourFrames:
    """Eight digits on their way into noise, and back by DDIM with the ideal denoiser of 898."""

    def __init__(self) -> None:
        """Precompute the whole way: fifty moments into noise and fifty back."""
        (digits, _), _ = digit_halves()
        self.schedule = cosine(400)
        g = torch.Generator().manual_seed(3)
        eps = torch.randn(8, 1, 8, 8, generator=g)
        self.view = tour_view(digits, digits[:8], self.schedule, eps)
        (ax,) = new_axes(1, height=1.2, width=8.0)
        self._picture = ax.imshow([[[0.0] * 3]], extent=(0, 9, 0, 1), interpolation="nearest")
        ax.axis("off")

    def __call__(self, moment: int) -> Frame:
        """The digits at moment 0..100: 0 to 50 is the way into noise, 50 to 100 the way back."""
        expect.integer("moment", moment, 0, len(self.view.t) - 1)
        t, turn = self.view.t[moment], self.view.turn
        apart = torch.nn.functional.pad(self.view.frames[moment], (0, 1), value=1.0)  # white seams
        self._picture.set_data(to_pixels(mosaic(apart, 8)[0]))
        way = "into noise" if moment <= turn else "back, with the ideal denoiser"
        return Frame(
            _rgb(self._picture.figure), f"moment {moment}: {way}, t = {t} of {self.schedule.T}."
        )


def _noise_words(view: NoiseView, schedule: str, image: str) -> str:
    log_snr = round(view.log_snr, 2) + 0.0  # not "-0.00"
    return (
        f"{image}, {schedule} schedule, t = {view.t}: "
        f"x_t = {view.signal:.3f} x_0 + {view.noise:.3f} eps; log SNR {log_snr:.2f}; "
        f"pixels have mean {view.mean:.2f} and standard deviation {view.std:.2f}."
    )
