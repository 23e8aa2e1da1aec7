"""The house rules hold: floors, sizes, notebooks, labels, links.

The rules themselves are tested in `test_layout_rules.py` and `test_notebook_rules.py`.
"""

import json
import subprocess
from pathlib import Path

import pytest

import import_rules
import label_rules
import layout_rules
import notebook_rules

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    *(".ci", ".gitattributes", ".gitignore", "LICENSE", "Makefile", "README.md"),
    *("environment.yml", "pyproject.toml"),
    *("bench", "data", "diffedu", "notebooks", "tests", "tools"),
}


def read(files) -> dict[str, str]:
    return {str(file.relative_to(ROOT)): file.read_text() for file in sorted(files)}


def module_name(path: str) -> str:
    """diffedu/diffusion/gaussian.py -> diffusion.gaussian"""
    return path.removesuffix(".py").removesuffix("__init__").strip("/").replace("/", ".")[8:]


PACKAGE = read((ROOT / "diffedu").rglob("*.py"))
TOOLS = read((ROOT / "tools").glob("*.py"))
TESTS = read((ROOT / "tests").rglob("*.py"))
NOTEBOOK_TEXTS = read((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = {Path(path).name: json.loads(text) for path, text in NOTEBOOK_TEXTS.items()}
CLAIMS = {label for source in TESTS.values() for label in label_rules.claims_in(source)}


def report(complaints) -> None:
    found = list(complaints)
    assert not found, "\n".join(["", *found])


def tracked(*patterns: str) -> list[str]:
    """Files git knows or would add, without the ignored ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [name for name in listing.stdout.splitlines() if (ROOT / name).exists()]


def test_imports_go_strictly_down():
    for path, source in PACKAGE.items():
        report(
            import_rules.import_complaints(module_name(path), source, path.endswith("__init__.py"))
        )


SOURCE_RULES = (
    layout_rules.foreign_import_complaints,
    layout_rules.print_complaints,
    layout_rules.device_complaints,
    layout_rules.hidden_import_complaints,
    layout_rules.randomness_complaints,
    layout_rules.assert_complaints,
    layout_rules.length_complaints,
    layout_rules.docstring_complaints,
)


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_the_package_follows_the_rule(rule):
    report(found for path, source in PACKAGE.items() for found in rule(module_name(path), source))


def test_equations_cited_in_docstrings_are_claimed_by_a_test():
    rule = layout_rules.citation_complaints
    report(c for path, source in PACKAGE.items() for c in rule(module_name(path), source, CLAIMS))


def test_tools_are_short_too():
    report(
        c for path, source in TOOLS.items() for c in layout_rules.length_complaints(path, source)
    )


def test_test_modules_are_short_too():
    limit = layout_rules.MODULE_LINES
    sizes = {path: len(source.splitlines()) for path, source in TESTS.items()}
    report(f"{path}: {size} lines, at most {limit}" for path, size in sizes.items() if size > limit)


def test_the_top_level_is_the_table_of_contents():
    report(layout_rules.top_level_complaints(tracked(), TOP_LEVEL))


NOTEBOOK_RULES = (
    notebook_rules.execution_complaints,
    notebook_rules.widget_complaints,
    notebook_rules.path_complaints,
    notebook_rules.metadata_complaints,
    notebook_rules.cell_complaints,
    notebook_rules.frame_complaints,
    notebook_rules.image_complaints,
    label_rules.label_complaints,
)


@pytest.mark.parametrize("rule", NOTEBOOK_RULES, ids=lambda rule: rule.__name__)
def test_the_notebooks_follow_the_rule(rule):
    report(found for name, notebook in NOTEBOOKS.items() for found in rule(name, notebook))


def test_notebooks_are_numbered_and_small():
    report(
        f"{n}: expected NN_topic.ipynb" for n in NOTEBOOKS if not notebook_rules.NAME.fullmatch(n)
    )
    report(label_rules.duplicate_complaints({name: [name[:2]] for name in NOTEBOOKS}, "number"))
    report(c for n, text in NOTEBOOK_TEXTS.items() for c in notebook_rules.size_complaints(n, text))


def test_no_function_is_defined_in_two_notebooks():
    definitions = {name: notebook_rules.definitions_in(nb) for name, nb in NOTEBOOKS.items()}
    report(label_rules.duplicate_complaints(definitions, "function"))


def test_equation_labels_are_unique_in_the_course():
    labels = {name: label_rules.labels_in(notebook) for name, notebook in NOTEBOOKS.items()}
    report(label_rules.duplicate_complaints(labels, "equation"))


def test_every_equation_is_claimed_by_a_test_and_every_claim_has_an_equation():
    labels = {label for notebook in NOTEBOOKS.values() for label in label_rules.labels_in(notebook)}
    report(label_rules.claim_complaints(labels, CLAIMS))


def test_links_in_notebooks_lead_somewhere():
    for name, notebook in NOTEBOOKS.items():
        texts = label_rules.markdown_of(notebook)
        report(label_rules.link_complaints(name, texts, ROOT / "notebooks"))


def test_markdown_files_have_working_links_and_texts_for_pictures():
    for path in tracked("*.md"):
        text = (ROOT / path).read_text()
        report(label_rules.link_complaints(Path(path).name, [text], (ROOT / path).parent))
        report(label_rules.alt_complaints(path, text))
