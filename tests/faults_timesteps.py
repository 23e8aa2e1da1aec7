"""What goes wrong in timesteps.py: probabilities, draws, weights and what is remembered."""

import torch

from planting import Fault

HERE = "diffedu.diffusion.timesteps"


def of_result(wrong):
    """The right function, whose result is spoilt afterwards."""
    return lambda original: lambda *args: wrong(original(*args))


def normalised(change):
    """Probabilities from changed ones, 0 at index 0 and adding up to 1 again."""

    def wrong(p):
        size = change(p)
        size[0] = 0
        return size / size.sum()

    return of_result(wrong)


def weight(formula):
    """importance_weight from the number of steps and the p_t of the chosen t."""
    return lambda original: lambda p, t: formula(len(p) - 1, p[t])


def of_the_draws(formula):
    """A method `weight` from the draw's own probabilities."""

    def replacement(original):
        def weight(self, t):
            p = self.probability()
            return formula(len(p) - 1, p[t])

        return weight

    return replacement


def shifted_by_one(original):
    """Index i of probability[1:] taken for the step."""
    return lambda p, n, g: torch.multinomial(p[1:], n, replacement=True, generator=g)


def never_the_last_step(original):
    def draw(self, n, generator):
        return torch.randint(1, self.s.T, (n,), generator=generator)

    return draw


def uniform(original):
    def draw(self, n, generator):
        return torch.randint(1, self.s.T + 1, (n,), generator=generator)

    return draw


def remembers(original):
    def note(self, t, losses):
        self.weight = lambda now: losses.double().mean().expand(len(now))

    return note


# What the last losses do


def added_up(original):
    def note(self, t, losses):
        self._last.index_add_(0, t, losses.detach().double())

    return note


def without_a_floor(original):
    def note(self, t, losses):
        self._last[t] = losses.detach().double()

    return note


def at_the_step_before(original):
    return lambda self, t, losses: original(self, (t - 1).clamp(min=1), losses)


# What the smoothed losses do


def smoothed(size=lambda losses: losses.square().mean(1).sqrt(), share=lambda u: (1 - u, u)):
    """The mixture written out, with a wrong part."""

    def replacement(original):
        def probability(self):
            uniform = torch.full((self.s.T,), 1 / self.s.T, dtype=torch.float64)
            if all(len(losses) == losses.maxlen for losses in self._losses):
                kept = size(torch.tensor(self._losses, dtype=torch.float64))
                by_loss, even = share(self.uniform_share)
                if kept.sum() > 0:
                    uniform = by_loss * kept / kept.sum() + even * uniform
            return torch.cat([torch.zeros(1).double(), uniform])

        return probability

    return replacement


def as_soon_as_all_were_seen(original):
    """A full history is not waited for."""

    def probability(self):
        if any(len(losses) == 0 for losses in self._losses):
            return original(self)
        size = [torch.tensor(list(kept)).double().square().mean().sqrt() for kept in self._losses]
        size = torch.stack([0 * size[0], *size])
        even = torch.full_like(size, 1 / self.s.T)
        even[0] = 0
        if size.sum() == 0:
            return even
        return (1 - self.uniform_share) * size / size.sum() + self.uniform_share * even

    return probability


def the_first_are_kept(original):
    def note(self, t, losses):
        for step, loss in zip(t.tolist(), losses.tolist(), strict=True):
            kept = self._losses[step - 1]
            if len(kept) < kept.maxlen:
                kept.append(loss)

    return note


def of_the_next_step(original):
    return lambda self, t, losses: original(self, t % self.s.T + 1, losses)


def fault(name, replacement, *identities):
    target = f"{HERE}.{name.split(':')[0]}"
    return Fault(name, target, replacement, ("tests/test_timesteps.py",), identities)


FAULTS = (
    fault("importance_weight: 1/p", weight(lambda T, p: 1 / p), "4.13"),
    fault("importance_weight: T + 1 for T", weight(lambda T, p: 1 / ((T + 1) * p)), "4.13"),
    fault("importance_weight: p for 1/p", weight(lambda T, p: T * p), "4.13"),
    fault("importance_weight: with a root", weight(lambda T, p: (T * p).rsqrt()), "4.13"),
    fault("draw_steps: from 0 to T - 1", shifted_by_one),
    fault(
        "draw_steps: the root of the probabilities",
        lambda original: lambda p, n, g: original(p.sqrt() / p.sqrt().sum(), n, g),
    ),
    fault(
        "UniformSteps.probability: a step 0 too",
        of_result(lambda p: torch.full_like(p, 1 / len(p))),
    ),
    fault("UniformSteps.draw: never T", never_the_last_step),
    fault(
        "UniformSteps.weight: 1/T", lambda original: lambda self, t: original(self, t) / self.s.T
    ),
    fault("UniformSteps.note: remembers", remembers),
    fault("LastLossSteps.probability: squared", normalised(lambda p: p**2)),
    fault("LastLossSteps.probability: softmax", normalised(lambda p: p.softmax(0))),
    fault("LastLossSteps.draw: uniform", uniform),
    fault("LastLossSteps.note: added up", added_up),
    fault("LastLossSteps.note: no least loss", without_a_floor),
    fault("LastLossSteps.note: at the step before", at_the_step_before),
    fault("WeightedLastLossSteps.weight: 1", of_the_draws(lambda T, p: torch.ones_like(p))),
    fault(
        "WeightedLastLossSteps.weight: T + 1 for T", of_the_draws(lambda T, p: 1 / ((T + 1) * p))
    ),
    fault("SmoothedLossSteps.probability: mean loss", smoothed(lambda losses: losses.mean(1))),
    fault(
        "SmoothedLossSteps.probability: no root", smoothed(lambda losses: losses.square().mean(1))
    ),
    fault("SmoothedLossSteps.probability: no uniform share", smoothed(share=lambda u: (1, 0))),
    fault(
        "SmoothedLossSteps.probability: shares add up to more than 1",
        smoothed(share=lambda u: (1, u)),
    ),
    fault("SmoothedLossSteps.probability: history not full", as_soon_as_all_were_seen),
    fault("SmoothedLossSteps.draw: uniform", uniform),
    fault("SmoothedLossSteps.weight: 1/p", of_the_draws(lambda T, p: 1 / p)),
    fault("SmoothedLossSteps.weight: 1", of_the_draws(lambda T, p: torch.ones_like(p))),
    fault("SmoothedLossSteps.note: the first losses are kept", the_first_are_kept),
    fault("SmoothedLossSteps.note: of the next step", of_the_next_step),
)
