"""One set of versions: in pyproject.toml, in environment.yml, and in what is installed here."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = PROJECT["dependencies"]
DEV = PROJECT["optional-dependencies"]["dev"]


def pins(requirements: list[str]) -> dict[str, str]:
    """Name -> version of "name==version"; anything looser is an error."""
    pairs = [requirement.split("==") for requirement in requirements]
    assert all(len(pair) == 2 for pair in pairs), requirements
    return dict(pairs)


def conda_environment() -> tuple[list[str], list[str]]:
    """What conda installs and what pip installs after it."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = [entry for entry in entries if isinstance(entry, str)]
    (pip,) = (entry["pip"] for entry in entries if isinstance(entry, dict))
    return conda, pip


def test_environment_yml_pins_the_same_versions_as_pyproject_and_nothing_else():
    conda, pip = conda_environment()
    assert {entry.split("=")[0] for entry in conda} == {"python", "pip"}
    assert pins([entry for entry in pip if not entry.startswith("-")]) == pins(RUNTIME)


def test_environment_yml_takes_the_small_torch_and_this_package():
    _, pip = conda_environment()
    options = [entry for entry in pip if entry.startswith("-")]
    assert options == ["--extra-index-url https://download.pytorch.org/whl/cpu", "-e ."]


def test_conda_takes_a_python_that_the_package_allows():
    conda, _ = conda_environment()
    (python,) = (entry for entry in conda if entry.startswith("python="))
    major, minor = python.removeprefix("python=").split(".")
    assert PROJECT["requires-python"] == ">=3.11"
    assert (int(major), int(minor)) >= (3, 11)


@pytest.mark.parametrize("requirement", [*RUNTIME, *DEV])
def test_the_installed_version_is_the_pinned_one(requirement):
    name, pin = requirement.split("==")
    assert version(name).split("+")[0] == pin  # torch may say 2.13.0+cpu


def test_the_package_and_its_metadata_name_one_version():
    import diffedu

    assert diffedu.__version__ == PROJECT["version"]
