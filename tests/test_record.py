"""The list of what is done: kept in one small file, and never in the learner's way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diffedu.classroom.checks import progress
from diffedu.classroom.checks.course import EXERCISES
from diffedu.classroom.checks.record import FILE, Record

ROOT = Path(__file__).parent.parent


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIFFEDU_PROGRESS", raising=False)
    return tmp_path / FILE


def test_the_file_lies_in_the_folder_of_the_notebook_and_can_be_read(file):
    Record().add("one", "tried")
    lines = [json.loads(line) for line in file.read_text().split("\n") if line]
    assert lines == [{"exercise": "one", "event": "tried"}]


def test_another_place_can_be_named(file, monkeypatch, tmp_path):
    monkeypatch.setenv("DIFFEDU_PROGRESS", str(tmp_path / "elsewhere"))
    Record().add("one", "done")
    assert not file.exists()
    assert (tmp_path / "elsewhere").exists()


def test_an_event_is_written_once(file):
    for _ in range(3):
        Record().add("one", "done")
    assert file.read_text().count('"one"') == 1


def test_a_deleted_file_is_an_empty_list(file):
    Record().add("one", "done")
    file.unlink()
    assert Record().events() == (set(), "")


def test_two_kernels_lose_nothing(file):
    first, second = Record(), Record()
    for k in range(20):
        first.add(f"a{k}", "done")
        second.add(f"b{k}", "done")
    assert len(first.events()[0]) == 40


@pytest.mark.slow
def test_four_processes_at_once_lose_nothing(file):
    program = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from diffedu.classroom.checks.record import Record\n"
        "for k in range(100): Record().add(f'{sys.argv[1]}-{k}', 'done')"
    )
    command = [sys.executable, "-c", program]
    kernels = [subprocess.Popen([*command, name, str(ROOT)], cwd=file.parent) for name in "abcd"]
    assert [kernel.wait() for kernel in kernels] == [0] * 4
    known, trouble = Record().events()
    assert (len(known), trouble) == (400, "")


def test_a_torn_line_costs_only_itself(file):
    Record().add("one", "done")
    with file.open("ab") as torn:
        torn.write(b'{"exercise": "tw')
    Record().add("three", "done")
    known, trouble = Record().events()
    assert known == {("one", "done"), ("three", "done")}
    assert trouble == f"1 damaged line of {FILE} is left out; the rest counts."


DAMAGE = (
    b"\x00\xff\xfe garbage",
    b"[1, 2]",
    b'{"exercise": 3, "event": "done"}',
    b'"done"',
    b"null",
)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_without_a_readable_line_is_set_aside_and_the_list_starts_afresh(file, damage):
    file.write_bytes(damage)
    text = str(progress())
    assert f"{FILE} was damaged: it is now {FILE}.damaged, and the list starts afresh." in text
    assert file.with_name(f"{FILE}.damaged").read_bytes() == damage
    Record().add("one", "done")
    assert Record().events() == ({("one", "done")}, "")


def test_a_folder_that_cannot_be_written_costs_only_the_memory(file):
    file.mkdir()  # nobody, not even root, can write to a folder
    record = Record()
    record.add("one", "done")
    known, trouble = record.events()
    assert known == {("one", "done")}
    assert "cannot be read" in trouble


def test_progress_counts_by_notebook_and_shows_one_in_detail(file):
    first = [e for e in EXERCISES if e.notebook == 2]
    Record().add(first[0].name, "tried")
    Record().add(first[0].name, "done")
    text = str(progress(2))
    assert f"Exercises done: 1 of {len(EXERCISES)}" in text
    assert f"Notebook 02: 1 of {len(first)} done." in text
    assert f"✓\N{NO-BREAK SPACE}{first[0].name}" in text
    others = [e.name for e in EXERCISES if e.notebook != 2]
    assert not any(f"·\N{NO-BREAK SPACE}{name}" in text for name in others)


def test_progress_of_a_notebook_that_has_no_exercises_says_so(file):
    with pytest.raises(ValueError, match="notebook: expected one of"):
        progress(77)


def test_an_exercise_of_another_version_of_the_course_is_no_trouble(file):
    Record().add("an_exercise_of_last_year", "done")
    assert "Exercises done: 0" in str(progress())
