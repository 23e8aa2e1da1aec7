"""The training loop and its average, against ten lines by hand, spies and an exact floor."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from diffedu.diffusion.exact import eps_model, gaussian, sample
from diffedu.diffusion.gaussian import q_sample
from diffedu.diffusion.schedules import linear
from diffedu.diffusion.timesteps import UniformSteps
from diffedu.nets.mlp import MLP
from diffedu.train import TrainConfig, train, update_ema

S = linear(40)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


DATA = draw(9, 3, 2, seed=1)


def network(seed=0, shape=(3, 2)):
    """A small one in float64 whose last layer is not 0."""
    model = MLP(shape, width=6, blocks=2, generator=seeded(seed)).double()
    nn.init.normal_(model.leave[1].weight, 0, 0.3, generator=seeded(seed + 100))
    return model


class WeightIsT(UniformSteps):
    """Draws as usual, weighs with t / 10, and writes down what it is asked and told."""

    def __init__(self, s):
        super().__init__(s)
        self.calls = []

    def draw(self, n, generator):
        self.calls.append(("draw", n))
        return super().draw(n, generator)

    def weight(self, t):
        self.calls.append(("weight", t))
        return t.double() / 10

    def note(self, t, losses):
        self.calls.append(("note", t, losses))


def by_hand(model, config, g, weight):
    """DDPM's algorithm 1 with torch's own Adam; (t, losses, loss, weights, average) per step."""
    alpha_bar = (1 - S.beta[1:]).cumprod(0)
    adam, ema = torch.optim.Adam(model.parameters()), [p.detach().clone() for p in weights(model)]
    for k in range(config.steps):
        x0 = DATA[torch.randint(9, (config.batch,), generator=g)]
        t = torch.randint(1, 41, (config.batch,), generator=g)
        eps = torch.randn(x0.shape, generator=g, dtype=torch.float64)
        a = alpha_bar[t - 1].view(-1, 1, 1)
        losses = ((eps - model(a.sqrt() * x0 + (1 - a).sqrt() * eps, t)) ** 2).mean((1, 2))
        loss = (weight(t) * losses).mean()
        adam.param_groups[0]["lr"] = config.lr * (config.steps - k) / config.steps
        adam.zero_grad()
        loss.backward()
        adam.step()
        share = min(config.ema, (k + 1) / (k + 11))
        ema = [share * old + (1 - share) * p for old, p in zip(ema, weights(model), strict=True)]
        yield t, losses.detach(), loss.item(), copy.deepcopy(weights(model)), ema


def weights(model):
    return [p.detach() for p in model.parameters()]


@pytest.mark.parametrize("kind", [UniformSteps, WeightIsT])
def test_training_is_the_loop_by_hand(kind):
    config = TrainConfig(steps=6, batch=7, lr=0.01, ema=0.2)  # the cap is reached at step 3
    mine, other = network(), network()
    factor = UniformSteps(S).weight if kind is UniformSteps else lambda t: t.double() / 10
    expected = by_hand(other, config, seeded(2), factor)
    states = train(mine, DATA, S, config, generator=seeded(2), draw=kind(S))
    for k, (state, (t, losses, loss, now, ema)) in enumerate(zip(states, expected, strict=True), 1):
        assert (state.step, state.t.tolist()) == (k, t.tolist())
        torch.testing.assert_close(state.losses, losses, rtol=1e-9, atol=0)
        torch.testing.assert_close(state.loss, loss, rtol=1e-9, atol=0)
        torch.testing.assert_close(weights(mine), now, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(weights(state.ema), ema, rtol=1e-9, atol=1e-9)


def test_t_is_uniform_and_unweighted_unless_something_else_is_asked_for():
    config = TrainConfig(steps=3, batch=7)
    runs = [
        [state.loss for state in train(network(), DATA, S, config, generator=seeded(3), draw=d)]
        for d in (None, UniformSteps(S))
    ]
    assert runs[0] == runs[1]


def test_the_learning_rate_falls_in_equal_steps_to_zero():
    rates = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
    )
    config = TrainConfig(steps=5, batch=2, lr=0.05)
    try:
        list(train(network(), DATA, S, config, generator=seeded(4)))
    finally:
        hook.remove()
    torch.testing.assert_close(rates, [0.05, 0.04, 0.03, 0.02, 0.01], rtol=1e-9, atol=0)


class Spy(nn.Module):
    """Predicts w x_t and keeps what it was shown."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w, dtype=torch.float64))
        self.seen = []

    def forward(self, x, t):
        self.seen.append((x, t))
        return self.w * x


def test_what_a_model_is_shown_depends_on_the_generator_alone():
    seen = []
    for global_seed, w, lr, seed in ((1, 0.1, 1e-3, 5), (2, -7.0, 0.3, 5), (1, 0.1, 1e-3, 6)):
        spy, config = Spy(w), TrainConfig(steps=4, batch=7, lr=lr)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(global_seed)
            before = torch.get_rng_state()
            list(train(spy, DATA, S, config, generator=seeded(seed)))
            assert torch.get_rng_state().equal(before)
        seen.append(spy.seen)
    torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=0)
    assert not seen[0][0][0].equal(seen[2][0][0])


def test_every_sample_comes_up_and_equally_often():
    data = 10_000 * torch.arange(9.0)[:, None]  # so far apart that x_t tells which one it was
    spy, config = Spy(0.0), TrainConfig(steps=1, batch=18_000)
    next(train(spy.float(), data, S, config, generator=seeded(7)))
    x, t = spy.seen[0]
    which = (x[:, 0] / S.alpha_bar[t].sqrt().float() / 10_000).round().long()
    count = torch.bincount(which, minlength=9)
    spread = math.sqrt(18_000 / 9 * 8 / 9)
    assert len(count) == 9 and (count - 2000).abs().max() < 5 * spread


def test_the_draw_is_asked_for_t_then_for_weights_and_told_the_unweighted_losses():
    spying = WeightIsT(S)
    for state in train(network(), DATA, S, TrainConfig(3, 7), generator=seeded(8), draw=spying):
        (first, n), (second, weighed), (third, noted, losses) = spying.calls[-3:]
        assert (first, second, third, n) == ("draw", "weight", "note", 7)
        assert len(spying.calls) == 3 * state.step
        assert weighed.equal(state.t) and noted.equal(state.t) and losses.equal(state.losses)
        assert not losses.requires_grad
        mean = sum(t / 10 * loss for t, loss in zip(state.t.tolist(), losses.tolist(), strict=True))
        torch.testing.assert_close(state.loss, mean / 7, rtol=1e-9, atol=0)


def test_the_average_is_one_object_that_shares_nothing_with_the_model():
    model = network()
    states = list(train(model, DATA, S, TrainConfig(4, 3, ema=0.0), generator=seeded(9)))
    ema = states[0].ema
    assert ema is not model and all(state.ema is ema for state in states)
    torch.testing.assert_close(weights(ema), weights(model), rtol=0, atol=1e-15)  # no share of old
    assert not any(p.requires_grad for p in ema.parameters())
    assert all(p.requires_grad for p in model.parameters())
    kept = copy.deepcopy(weights(model))
    for p in ema.parameters():
        p.add_(1)
    torch.testing.assert_close(weights(model), kept, rtol=0, atol=0)


class Overflows(nn.Module):
    """Predicts w, whose square is no longer a number from the second call on."""

    def __init__(self, large):
        super().__init__()
        self.w, self.large, self.calls = nn.Parameter(torch.ones(())), large, 0

    def forward(self, x, t):
        self.calls += 1
        return 0 * x + self.w * (self.large if self.calls > 1 else 1)


@pytest.mark.parametrize(
    ("large", "message"),
    [
        (1e30, "loss at step 2: expected finite values, got inf"),
        (math.nan, "eps_hat: expected finite values, got nan"),
    ],
)
def test_a_loss_that_is_not_finite_stops_before_the_step(large, message):
    model, told = Overflows(large), WeightIsT(S)
    states = train(model, DATA.float(), S, TrainConfig(9, 3), generator=seeded(10), draw=told)
    ema, now = next(states).ema, model.w.item()
    average = ema.w.item()
    with pytest.raises(ValueError, match=message):
        next(states)
    assert (model.w.item(), ema.w.item()) == (now, average)
    assert [call[0] for call in told.calls].count("note") == 1
    assert list(states) == []


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9, 1.0])
def test_the_average_moves_by_its_formula_and_buffers_are_copied(decay):
    ema, model = (nn.BatchNorm1d(3).double() for _ in range(2))
    for norm, seed in ((ema, 11), (model, 12)):
        for values in (*norm.parameters(), norm.running_mean, norm.running_var):
            values.data.normal_(generator=seeded(seed))
    model.num_batches_tracked += 4
    before, now = copy.deepcopy(ema.state_dict()), copy.deepcopy(model.state_dict())
    update_ema(ema, model, decay)
    expected = {n: decay * before[n] + (1 - decay) * now[n] for n in ("weight", "bias")}
    torch.testing.assert_close(dict(ema.state_dict()), {**now, **expected}, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(model.state_dict(), now, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_on_gaussian_data_the_average_comes_near_the_exact_floor(seed):
    s, g = linear(100), seeded(seed)
    truth = gaussian(0.7, 0.5, dims=2)
    data = sample(truth, 20_000, g).float()
    model = MLP((2,), width=32, blocks=2, generator=g)
    states = train(model, data, s, TrainConfig(1500, 256, 5e-3), generator=g)
    *_, end = states
    x0, t = sample(truth, 50_000, g).float(), torch.randint(1, 101, (50_000,), generator=g)
    eps = torch.randn(x0.shape, generator=g)
    xt = q_sample(x0, t, eps, s)
    with torch.no_grad():
        learned, best = end.ema(xt, t), eps_model(truth, s)(xt, t)
    excess, floor = ((learned - best) ** 2).mean().item(), ((eps - best) ** 2).mean().item()
    assert excess < 0.01 * floor
