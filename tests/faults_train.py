"""What goes wrong in train.py: the loop and the moving average of the weights."""

import copy

import torch

from planting import Fault

HERE = "diffedu.train"


def refuse(step, loss):
    if not loss.isfinite():
        raise ValueError(f"loss at step {step}: expected finite values, got {loss.item()}")


class Loop:
    """The loop written out; a fault overrides one of its parts."""

    def start(self, model):
        return copy.deepcopy(model).requires_grad_(False)

    def rate(self, step, steps):
        return 1 - (step - 1) / steps

    def decay(self, step, ema):
        return min(ema, step / (step + 10))

    def chosen(self, data, n, generator):
        return data[torch.randint(len(data), (n,), generator=generator)]

    def weighted(self, weight, losses):
        return (weight * losses).mean()

    def noted(self, weight, losses):
        return losses

    def move(self, step, adam, loss):
        refuse(step, loss)
        adam.zero_grad()
        loss.backward()
        adam.step()

    def run(self, model, data, s, config=None, *, generator, draw=None):
        from diffedu import train
        from diffedu.diffusion.losses import l_simple
        from diffedu.diffusion.timesteps import UniformSteps

        config, draw = config or train.TrainConfig(), draw or UniformSteps(s)
        adam = torch.optim.Adam(model.parameters(), lr=config.lr)
        ema = self.start(model)
        for step in range(1, config.steps + 1):
            adam.param_groups[0]["lr"] = config.lr * self.rate(step, config.steps)
            x0 = self.chosen(data, config.batch, generator)
            t = draw.draw(config.batch, generator)
            eps = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
            losses = l_simple(model, x0, t, eps, s)
            weight = draw.weight(t).to(losses)
            loss = self.weighted(weight, losses)
            self.move(step, adam, loss)
            train.update_ema(ema, model, self.decay(step, config.ema))
            noted = self.noted(weight, losses).detach()
            draw.note(t, noted)
            yield train.TrainState(step, loss.item(), t, noted, ema)


def loop(**parts):
    """train with other parts."""
    wrong = type("Wrong", (Loop,), parts)()
    return lambda original: lambda *args, **keywords: wrong.run(*args, **keywords)


def move_and_then_look(self, step, adam, loss):
    adam.zero_grad()
    loss.backward()
    adam.step()
    refuse(step, loss)


def move_without_looking(self, step, adam, loss):
    adam.zero_grad()
    loss.backward()
    adam.step()


def gradients_add_up(self, step, adam, loss):
    refuse(step, loss)
    loss.backward()
    adam.step()


def never_the_last_sample(self, data, n, generator):
    return data[torch.randint(len(data) - 1, (n,), generator=generator)]


def by_the_global_state(self, data, n, generator):
    torch.randint(len(data), (n,), generator=generator)
    return data[torch.randint(len(data), (n,))]


def without_the_buffers(original):
    def update_ema(ema, model, decay):
        kept = [buffer.clone() for buffer in ema.buffers()]
        original(ema, model, decay)
        for buffer, before in zip(ema.buffers(), kept, strict=True):
            buffer.copy_(before)

    return update_ema


def fault(name, replacement):
    return Fault(name, f"{HERE}.{name.split(':')[0]}", replacement, ("tests/test_train.py",))


def of_the_loop(name, **parts):
    return fault(f"train: {name}", loop(**parts))


FAULTS = (
    of_the_loop("the rate does not fall", rate=lambda self, step, steps: 1),
    of_the_loop("the rate is 0 at the last step", rate=lambda self, step, steps: 1 - step / steps),
    of_the_loop("the average keeps the first weights", decay=lambda self, step, ema: ema),
    of_the_loop("the average is the model", start=lambda self, model: model),
    of_the_loop("weights left out", weighted=lambda self, weight, losses: losses.mean()),
    of_the_loop(
        "divided by the sum of the weights",
        weighted=lambda self, weight, losses: (weight * losses).sum() / weight.sum(),
    ),
    of_the_loop("weighted losses are noted", noted=lambda self, weight, losses: weight * losses),
    of_the_loop("the step is taken first", move=move_and_then_look),
    of_the_loop("a loss that is not finite goes on", move=move_without_looking),
    of_the_loop("gradients add up", move=gradients_add_up),
    of_the_loop("the last sample is never chosen", chosen=never_the_last_sample),
    of_the_loop("samples by the global state", chosen=by_the_global_state),
    fault(
        "update_ema: shares exchanged",
        lambda original: lambda ema, model, decay: original(ema, model, 1 - decay),
    ),
    fault("update_ema: without the buffers", without_the_buffers),
)
