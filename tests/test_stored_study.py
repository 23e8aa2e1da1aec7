"""The study's file in the repository: every row is there, means what it says, and comes again."""

import itertools
import json
import math
from dataclasses import fields
from pathlib import Path

import pytest

from diffedu.diffusion.schedules import linear
from diffedu.recipes import BANDS, DRAWS, RUNS, SEEDS, Row, images_task, rounded, run

STORED = Path(__file__).parent.parent / "data" / "timestep_study.json"


@pytest.fixture(scope="module")
def stored():
    return json.loads(STORED.read_text())


def test_the_stored_study_has_every_row_in_order(stored):
    assert {tuple(row) for row in stored} == {tuple(field.name for field in fields(Row))}
    found = [(r["task"], r["network"], r["steps"], r["draw"], r["seed"]) for r in stored]
    planned = itertools.product(RUNS, DRAWS, SEEDS)
    assert found == [
        (*task_network_steps, draw, seed) for task_network_steps, draw, seed in planned
    ]
    lines = [json.dumps(rounded(Row(**row))) for row in stored]
    assert STORED.read_text() == "[\n" + ",\n".join(lines) + "\n]\n"


def test_the_stored_numbers_are_what_their_names_say(stored):
    for row in stored:
        assert len(row["excess"]) == len(row["share"]) == len(BANDS)
        assert min(row["excess"]) > 0 and min(row["share"]) > 0
        assert sum(row["share"]) == pytest.approx(1, abs=4e-4)
        assert 0 < row["quality"] <= (1 if row["task"] == "ring" else math.inf)


def test_stored_uniform_draws_fill_each_band_by_its_width(stored):
    uniform = [row["share"] for row in stored if row["draw"] == "uniform"]
    for shares in uniform:
        for share, (low, high) in zip(shares, BANDS, strict=True):
            p = (high - low + 1) / 1000
            # the last 200 batches of 256, and four digits
            assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / (200 * 256)) + 1e-4
    assert len(uniform) == len(RUNS) * len(SEEDS)


@pytest.mark.slow
def test_the_first_row_comes_out_again(stored):
    """Nearly: another machine or number of threads rounds differently, and training amplifies."""
    first, s = stored[0], linear(1000)
    assert (first["network"], first["steps"], first["draw"]) == ("plain", 800, "uniform")
    row = rounded(run("images", "plain", 800, "uniform", 0, images_task(s), s))
    assert row["share"] == first["share"]  # t is drawn by the generator alone
    assert row["excess"] == pytest.approx(first["excess"], rel=0.2)
    assert row["quality"] == pytest.approx(first["quality"], abs=0.15)
