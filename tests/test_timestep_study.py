"""One run of the study with known parts in it, the list of runs, and the command line."""

import itertools
import json
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from diffedu import recipes
from diffedu.diffusion.schedules import linear
from diffedu.diffusion.timesteps import LastLossSteps, UniformSteps
from diffedu.nets.mlp import MLP
from diffedu.recipes import (
    DRAWS,
    NETWORKS,
    Row,
    images_task,
    main,
    ring_task,
    rounded,
    run,
)
from diffedu.train import TrainConfig, train

S = linear(1000)


@pytest.fixture
def two_steps(monkeypatch):
    """Sampling in 2 steps, where the samples do not matter."""
    strided = recipes.ddpm_strided
    monkeypatch.setattr(recipes, "ddpm_strided", lambda *args, **g: strided(*args[:3], 2, **g))


def trained_already(monkeypatch, task, times=((1, 1000),)):
    """`run` without training: the average is the best answer, and these t were drawn."""
    asked = {}

    def train(model, data, s, config, *, generator, draw):
        asked.update(model=model, data=data, s=s, config=config, draw=draw)
        for t in times:
            yield SimpleNamespace(t=torch.tensor(t), ema=task.best)

    monkeypatch.setattr(recipes, "train", train)
    return asked


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_run_trains_a_network_of_its_seed_as_it_is_told(two_steps, monkeypatch, network, draw):
    task = images_task(S, n=20)
    asked = trained_already(monkeypatch, task)
    row = run("mine", network, 7, draw, 3, task, S)
    assert (row.task, row.network, row.steps, row.draw, row.seed) == ("mine", network, 7, draw, 3)
    assert asked["data"] is task.x0 and asked["s"] is S
    assert asked["config"] == TrainConfig(steps=7)
    assert type(asked["draw"]) is DRAWS[draw] and asked["draw"].s is S
    first = MLP((1, 8, 8), generator=torch.Generator().manual_seed(3)).state_dict()
    torch.testing.assert_close(asked["model"].state_dict(), first, rtol=0, atol=0)
    assert asked["model"].gain.weight.requires_grad == (network == "direct path")


@pytest.mark.parametrize("network", NETWORKS)
def test_the_gain_is_learned_by_the_network_with_a_direct_path_alone(network):
    g = torch.Generator().manual_seed(6)
    model = NETWORKS[network]((2,), g)
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    list(train(model, ring_task(S, n=20).x0, S, TrainConfig(3, 5), generator=g))
    moved = {name for name, now in model.state_dict().items() if not now.equal(before[name])}
    gain = {"gain.weight", "gain.bias"}
    assert moved == (set(before) if network == "direct path" else set(before) - gain)
    assert not any(before[name].any() for name in gain)  # 0, so without learning there is no path


@pytest.mark.parametrize("before", [0, 1, 30])
def test_the_shares_are_those_of_the_last_200_steps(two_steps, monkeypatch, before):
    task = ring_task(S, n=20)
    late = [(50, 51, 500, 501, 900), (901, 1000, 1000, 1000, 1000)] * 100
    trained_already(monkeypatch, task, [(1, 1, 1, 1, 1)] * before + late)
    share = run("ring", "plain", 1, "uniform", 0, task, S).share
    assert share == pytest.approx([0.1, 0.2, 0.2, 0.5])


def test_fewer_steps_than_200_all_count(two_steps, monkeypatch):
    task = ring_task(S, n=20)
    trained_already(monkeypatch, task, [(1, 2, 3), (1, 999, 700), (60, 60, 499)])
    assert run("ring", "plain", 1, "uniform", 0, task, S).share == pytest.approx(
        [4 / 9, 3 / 9, 1 / 9, 1 / 9]
    )


def test_excess_and_quality_are_those_of_the_average_and_the_best_is_good(monkeypatch):
    """The network itself, which was never trained, says 0 and would be far from both."""
    near = 1 - math.exp(-(3**2) / 2)
    sound = {images_task: (1, math.sqrt(2 / 599)), ring_task: (near, math.sqrt(near / 600 / 90))}
    for make, (quality, spread) in sound.items():
        task = make(S)
        trained_already(monkeypatch, task)
        row = run("any", "plain", 1, "uniform", 2, task, S)
        assert row.excess == [0.0] * 4
        assert abs(row.quality - quality) < 5 * spread


def test_quality_looks_at_600_samples_that_depend_on_the_seed(two_steps, monkeypatch):
    seen = []
    task = replace(ring_task(S, n=20), quality=lambda x: seen.append(x) or float(len(x)))
    trained_already(monkeypatch, task)
    rows = [run("ring", "plain", 1, "uniform", seed, task, S) for seed in (4, 4, 5)]
    assert [row.quality for row in rows] == [600.0] * 3
    assert [tuple(x.shape) for x in seen] == [(600, 2)] * 3
    assert seen[0].equal(seen[1]) and not seen[0].equal(seen[2])


def test_a_run_depends_on_its_seed_and_its_draw_and_on_nothing_else(two_steps):
    task, rows = ring_task(S, n=200), []
    for global_seed, draw, seed in ((1, "last loss", 5), (2, "last loss", 5), (1, "uniform", 5)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(global_seed)
            rows.append(run("ring", "plain", 3, draw, seed, task, S))
    assert rows[0] == rows[1]
    assert rows[0].excess != rows[2].excess and rows[0].share != rows[2].share


def test_rounding_keeps_four_digits_and_leaves_whole_numbers_and_words_alone():
    row = Row(
        "images", "plain", 123456, "last loss", 7, [1.23456e-5, 0.5], [99995.1, 2 / 3], 181.2501
    )
    expected = {"task": "images", "network": "plain", "steps": 123456}
    expected |= {"draw": "last loss", "seed": 7}
    expected |= {"excess": [1.235e-5, 0.5], "share": [1e5, 0.6667], "quality": 181.3}
    assert rounded(row) == expected
    assert type(rounded(row)["steps"]) is int and list(rounded(row)) == list(expected)


def a_row(name, network, steps, draw, seed, task, s):
    return Row(name, network, steps, draw, seed, [1 / 3] * 4, [0.25] * 4, 2 / 3)


def keys(rows):
    return [tuple(row[key] for key in ("task", "network", "steps", "draw", "seed")) for row in rows]


def planned():
    """Each run with each way of drawing t, and each of those with each seed."""
    product = itertools.product(recipes.RUNS, recipes.DRAWS, recipes.SEEDS)
    return [(*one, draw, seed) for one, draw, seed in product]


def test_the_study_is_every_run_with_every_draw_and_every_seed_in_order(monkeypatch):
    given = []

    def spy(name, network, steps, draw, seed, task, s):
        given.append((tuple(task.x0.shape), name, s.alpha_bar))
        return a_row(name, network, steps, draw, seed, task, s)

    monkeypatch.setattr(recipes, "run", spy)
    assert keys(map(rounded, recipes.timestep_study())) == planned()
    shape = {"images": (20_000, 1, 8, 8), "ring": (20_000, 2)}
    assert all(size == shape[name] for size, name, _ in given)
    assert all(alpha_bar.equal(S.alpha_bar) for *_, alpha_bar in given)


@pytest.fixture
def tiny(two_steps, monkeypatch, tmp_path):
    """A study of two runs, in a folder of its own."""
    monkeypatch.setattr(recipes, "RUNS", (("ring", "direct path", 2),))
    monkeypatch.setattr(recipes, "SEEDS", (4,))
    monkeypatch.setattr(recipes, "DRAWS", {"even": UniformSteps, "by loss": LastLossSteps})
    monkeypatch.setitem(recipes.TASKS, "ring", lambda s: ring_task(s, n=50))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_writes_the_rounded_rows_and_shows_them_meanwhile(tiny, capsys):
    (tiny / "data").mkdir()
    main(["timesteps"])
    rows = json.loads((tiny / "data" / "timestep_study.json").read_text())
    draws = ("even", "by loss")
    assert keys(rows) == planned() == [("ring", "direct path", 2, draw, 4) for draw in draws]
    assert rows == [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    again = run("ring", "direct path", 2, "by loss", 4, ring_task(S, n=50), S)
    assert rows[1] == rounded(again)


def test_the_command_writes_where_it_is_told(tiny, monkeypatch):
    monkeypatch.setattr(recipes, "run", a_row)
    main(["timesteps", "--out", str(tiny / "mine.json")])
    assert [path.name for path in tiny.iterdir()] == ["mine.json"]
    rows = json.loads((tiny / "mine.json").read_text())
    assert keys(rows) == planned() and rows[0]["quality"] == 0.6667


@pytest.mark.parametrize("out", ["nowhere/study.json", "folder", "."])
def test_a_place_that_cannot_be_written_is_refused_before_the_first_run(tiny, monkeypatch, out):
    started = []
    monkeypatch.setattr(recipes, "run", lambda *args: started.append(args) or a_row(*args))
    (tiny / "folder").mkdir()
    message = f"^--out: expected a file in a folder that exists, got {out}$"
    with pytest.raises(ValueError, match=message):
        main(["timesteps", "--out", out])
    assert not started and [path.name for path in tiny.iterdir()] == ["folder"]


@pytest.mark.parametrize("arguments", [[], ["time"], ["timesteps", "--outer", "x"]])
def test_an_unknown_recipe_is_refused_with_the_known_ones(tiny, capsys, arguments):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "timesteps" in capsys.readouterr().err
