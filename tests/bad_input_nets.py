"""Wrong arguments of the networks, the training loop and the draws of t; see bad_input.py."""

import torch

from diffedu import train
from diffedu.diffusion import timesteps
from diffedu.nets import blocks, mlp

MODULES = (timesteps, blocks, mlp, train)

NETS = """
time_embedding([1, 2], 8) -> t: expected a tensor, got list
time_embedding(5, 8) -> t: expected a tensor, got int
time_embedding(torch.tensor(5), 8) -> t: expected shape (B,), got ()
time_embedding(t[:, None], 8) -> t: expected shape (B,), got (5, 1)
time_embedding(t[:0], 8) -> t: expected shape (B,), got (0,)
time_embedding(t * nan, 8) -> t: expected finite values, got nan
time_embedding(t, 7) -> d: expected an even number, got 7
time_embedding(t, 2) -> d: expected an integer >= 4, got 2
time_embedding(t, 8.0) -> d: expected an integer >= 4, got 8.0
initialise(net, None) -> generator: expected a torch.Generator, got NoneType
initialise(net, 0) -> generator: expected a torch.Generator, got int
MLP((), generator=g) -> shape: expected a tuple of sizes, got ()
MLP(2, generator=g) -> shape: expected a tuple of sizes, got 2
MLP([3, 2], generator=g) -> shape: expected a tuple of sizes, got [3, 2]
MLP("12", generator=g) -> shape: expected a tuple of sizes, got 12
MLP((3, 0), generator=g) -> shape: expected an integer >= 1, got 0
MLP((3, 2.0), generator=g) -> shape: expected an integer >= 1, got 2.0
MLP((3, 2), 3, generator=g) -> width: expected an integer >= 4, got 3
MLP((3, 2), 8, 0, generator=g) -> blocks: expected an integer >= 1, got 0
MLP((3, 2), 8, True, generator=g) -> blocks: expected an integer >= 1, got True
MLP((3, 2), generator=1) -> generator: expected a torch.Generator, got int
net(x.tolist(), t) -> x: expected a tensor, got list
net(None, t) -> x: expected a tensor, got NoneType
net(x, 500) -> t: expected a tensor, got int
net(x, t.tolist()) -> t: expected a tensor, got list
net(x[:, 0], t) -> x: expected shape (B, 3, 2), got (5, 2)
net(x[:, :, :1], t) -> x: expected shape (B, 3, 2), got (5, 3, 1)
net(x, t[:4]) -> t: expected shape (5,), got (4,)
net(x, t[:, None]) -> t: expected shape (5,), got (5, 1)
"""

TRAIN = """
TrainConfig(0) -> steps: expected an integer >= 1, got 0
TrainConfig(2.5) -> steps: expected an integer >= 1, got 2.5
TrainConfig(batch=0) -> batch: expected an integer >= 1, got 0
TrainConfig(lr=0.0) -> lr: expected values > 0, got 0.0
TrainConfig(lr=inf) -> lr: expected finite values, got inf
TrainConfig(lr="fast") -> lr: expected a tensor or a number, got str
TrainConfig(ema=1.0) -> ema: expected 0 <= ema < 1, got 1.0
TrainConfig(ema=-0.1) -> ema: expected 0 <= ema < 1, got -0.1
TrainConfig(ema=nan) -> ema: expected 0 <= ema < 1, got nan
train(None, x, s, generator=g) -> model: expected a Module, got NoneType
train(model, x, s, generator=g) -> model: expected a Module, got function
train(MLP, x, s, generator=g) -> model: expected a Module, got type
train(net, x, s, {"steps": 9}, generator=g) -> config: expected a TrainConfig, got dict
train(net, x, s, 0, generator=g) -> config: expected a TrainConfig, got int
train(net, x, s, 3000, generator=g) -> config: expected a TrainConfig, got int
train(net, x, s, TrainConfig, generator=g) -> config: expected a TrainConfig, got type
train(net, x, s, generator=g, draw="uniform") -> draw: expected a UniformSteps, got str
train(net, x, s, generator=g, draw=0) -> draw: expected a UniformSteps, got int
train(net, x, s, generator=g, draw=UniformSteps) -> draw: expected a UniformSteps, got type
train(net, x, s, generator=g, draw=draw_t) -> draw: expected a UniformSteps, got function
train(net, x, s, generator=g, draw=UniformSteps(short)) -> draw: {same_T}, got T=1
train(net, x, short, generator=g, draw=LastLossSteps(s)) -> draw: {same_T_1}, got T=1000
train(net, x.numpy(), s, generator=g) -> data: expected a tensor, got ndarray
train(net, x[:0], s, generator=g) -> data: expected at least one sample, got shape (0, 3, 2)
train(net, x * nan, s, generator=g) -> data: expected finite values, got nan
train(net, x, 1000, generator=g) -> s: expected a Schedule, got int
train(net, x, s, generator=None) -> generator: expected a torch.Generator, got NoneType
next(train(net, x[:, 0], s, generator=g)) -> x: expected shape (B, 3, 2), got (256, 2)
update_ema(net, net, 1.5) -> decay: expected 0 <= decay <= 1, got 1.5
update_ema(net, net, nan) -> decay: expected 0 <= decay <= 1, got nan
"""

TIMESTEPS = """
importance_weight(p3, t) -> t: expected 1..3, got 500
importance_weight(p3, steps(0, 1)) -> t: expected 1..3, got 0
importance_weight(p3, 1) -> t: expected a tensor, got int
importance_weight(p3, steps(1, 2, 3)) -> probability[t]: expected values > 0, got 0.0
importance_weight(-p3, steps(1)) -> probability: expected values >= 0, got -0.75
importance_weight(p3.float(), steps(1)) -> {p_dtype}, got torch.float32
importance_weight(p3.tolist(), t) -> probability: expected a tensor, got list
importance_weight(2 * p3, steps(1)) -> probability: expected a sum of 1, got 2.0
importance_weight(p3[None], steps(1)) -> probability: expected shape (T+1,), got (1, 4)
importance_weight(f64(1)[0], steps(1)) -> probability: expected shape (T+1,), got ()
draw_steps([0.0, 1.0], 5, g) -> probability: expected a tensor, got list
draw_steps(f64(0, 0.5, 0.25), 5, g) -> probability: expected a sum of 1, got 0.75
draw_steps(f64(0, 0), 5, g) -> probability: expected a sum of 1, got 0.0
draw_steps(p3[:, None], 5, g) -> probability: expected shape (T+1,), got (4, 1)
draw_steps(f64(), 5, g) -> probability: expected a sum of 1, got 0.0
draw_steps(p3, 0, g) -> n: expected an integer >= 1, got 0
draw_steps(p3, 5, None) -> generator: expected a torch.Generator, got NoneType
draw_steps(p3 * nan, 5, g) -> probability: expected finite values, got nan
draw_steps(p3.flip(0), 5, g) -> probability[0]: expected 0: t starts at 1, got 0.25
draw_steps(p3[1:], 5, g) -> probability[0]: expected 0: t starts at 1, got 0.75
UniformSteps(1000) -> s: expected a Schedule, got int
UniformSteps(s).draw(0, g) -> batch_size: expected an integer >= 1, got 0
UniformSteps(s).weight(t - 1) -> t: expected 1..1000, got 0
LastLossSteps("s") -> s: expected a Schedule, got str
LastLossSteps(s).draw(2.5, g) -> n: expected an integer >= 1, got 2.5
LastLossSteps(s).weight(t + 1) -> t: expected 1..1000, got 1001
LastLossSteps(s).note(t - 1, f64(1, 2, 3, 4, 5)) -> t: expected 1..1000, got 0
LastLossSteps(s).note(t, f64(1, 2, nan, 4, 5)) -> losses: expected finite values, got nan
LastLossSteps(s).note(t, [1.0]) -> losses: expected a tensor, got list
LastLossSteps(s).note(t, f64(1, 2, 3, 4)) -> losses: expected shape (5,), got (4,)
LastLossSteps(s).note(t, f64(2)) -> losses: expected shape (5,), got (1,)
LastLossSteps(s).note(t, x) -> losses: expected shape (5,), got (5, 3, 2)
WeightedLastLossSteps(s).note(t, f64(2)[0]) -> losses: expected shape (5,), got ()
WeightedLastLossSteps(s).weight(t - 1) -> t: expected 1..1000, got 0
SmoothedLossSteps(s, memory=0) -> memory: expected an integer >= 1, got 0
SmoothedLossSteps(s, uniform_share=1.5) -> uniform_share: {share}, got 1.5
SmoothedLossSteps(s, uniform_share=-0.1) -> uniform_share: {share}, got -0.1
SmoothedLossSteps(s, uniform_share=0.0) -> uniform_share: expected values > 0, got 0.0
SmoothedLossSteps(s).note(t - 1, f64(1, 2, 3, 4, 5)) -> t: expected 1..1000, got 0
SmoothedLossSteps(s).note(t, f64(1, inf, 3, 4, 5)) -> losses: expected finite values, got inf
SmoothedLossSteps(s).note(t, 0.5) -> losses: expected a tensor, got float
SmoothedLossSteps(s).note(t, f64(1, 2, 3, 4, 5, 6)) -> losses: expected shape (5,), got (6,)
SmoothedLossSteps(s).note(t, f64(1, 2, 3, 4, 5)[:, None]) -> losses: expected shape (5,), got (5, 1)
SmoothedLossSteps(s).draw(5, None) -> generator: expected a torch.Generator, got NoneType
"""

TABLES = (NETS, TRAIN, TIMESTEPS)

# Where a message would make the line too long
LONG = {
    "p_dtype": "probability: expected dtype torch.float64",
    "same_T": "expected steps of a schedule with T=1000",
    "same_T_1": "expected steps of a schedule with T=1",
    "share": "expected 0 < uniform_share <= 1",
}


def names() -> dict:
    """What these expressions use beside the names of bad_input.py."""
    public = {k: v for module in MODULES for k, v in vars(module).items() if k[0] != "_"}
    own = {
        "net": mlp.MLP((3, 2), generator=torch.Generator()),
        "p3": torch.tensor([0, 0.75, 0, 0.25], dtype=torch.float64),
    }
    return public | own
