"""Equation labels, the tests that claim them, and links: functions from text to complaints.

A boxed equation is `\\tag{2.7}` with `<a id="eq-2-7"></a>` in the same markdown cell of notebook 2.
A reference is `[(2.7)](02_the_posterior.ipynb#eq-2-7)`, or `[(2.7)](#eq-2-7)` in that notebook.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

TAG = re.compile(r"\\tag\{([^}]*)\}")
EQ_ANCHOR = re.compile(r"<a id=\"eq-([\d-]+)\"></a>")
ANY_ID = re.compile(r"<[^>]*\b(?:id|name)=\"([^\"]+)\"")
LINK = re.compile(r"\[([^\[\]]*)\]\(<?([^()\s>]+)[^()]*\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(<?([^()\s>]+)[^()]*\)")
HTML_LINK = re.compile(r"<a\s[^>]*href=\"([^\"]+)\"|<img\s[^>]*src=\"([^\"]+)\"")
CODE = re.compile(r"```.*?```|~~~.*?~~~|`[^`\n]+`", re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"^(https?:|mailto:|data:|attachment:|//)")


def markdown_of(notebook: dict) -> list[str]:
    """The text of each markdown cell."""
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]


def labels_in(notebook: dict) -> list[str]:
    """The labels of a notebook's boxed equations, in order."""
    return [label for text in markdown_of(notebook) for label in TAG.findall(_no_code(text))]


def label_complaints(name: str, notebook: dict) -> list[str]:
    """Each \\tag carries the notebook's number and stands in one cell with its anchor."""
    found = []
    number = int(name[:2])
    for text in map(_no_code, markdown_of(notebook)):
        tags = set(TAG.findall(text))
        anchors = {anchor.replace("-", ".") for anchor in EQ_ANCHOR.findall(text)}
        missing = [
            f'{name}: ({t}) has no <a id="{anchor_of(t)}"></a>' for t in sorted(tags - anchors)
        ]
        found += missing + [f"{name}: {anchor_of(a)} has no \\tag" for a in sorted(anchors - tags)]
        found += [
            f"{name}: ({tag}) is not of the form {number}.M"
            for tag in sorted(tags)
            if not re.fullmatch(rf"{number}\.[1-9]\d?", tag)
        ]
    return found


def duplicate_complaints(names_by_place: dict[str, list[str]], what: str) -> list[str]:
    """A label, or a function, that occurs twice in the course."""
    places = {}
    for place, names in names_by_place.items():
        for name in names:
            places.setdefault(name, []).append(place)
    twice = {name: where for name, where in places.items() if len(where) > 1}
    return [f"{what} {name} is in {' and '.join(where)}" for name, where in sorted(twice.items())]


def anchor_of(label: str) -> str:
    """2.7 -> eq-2-7"""
    return f"eq-{label.replace('.', '-')}"


def claims_in(source: str) -> list[str]:
    """The labels in `pytest.mark.identity("2.7", ...)` anywhere in a test file."""
    return [
        argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.identity")
        for argument in node.args
    ]


def claim_complaints(labels: set[str], claims: set[str]) -> list[str]:
    """Every boxed equation is claimed by a test, and every claim is of an equation that exists."""
    unclaimed = [f"no test claims ({label})" for label in sorted(labels - claims)]
    return unclaimed + [
        f"a test claims ({c}), which no notebook has" for c in sorted(claims - labels)
    ]


def link_complaints(name: str, texts: list[str], folder: Path) -> list[str]:
    """Relative links lead to a file, and to an anchor in it; `(2.7)` leads to eq-2-7.

    `texts` are the markdown cells of a notebook, or a whole markdown file; they lie in `folder`.
    """
    found = []
    for text in map(_no_code, texts):
        for shown, target in _links(text):
            path, _, anchor = unquote(target).partition("#")
            file = folder / (path or name)
            if path and not file.exists():
                found.append(f"{name}: {target} leads nowhere")
            elif anchor and anchor not in _anchors(file, None if path else texts):
                found.append(f"{name}: {target}: no such anchor")
            elif re.fullmatch(r"\(\d+\.\d+\)", shown) and anchor != anchor_of(shown[1:-1]):
                found.append(f"{name}: the link {shown} leads to {target}")
    return found


def _links(text: str) -> Iterator[tuple[str, str]]:
    # Pictures first: in [![badge](a.png)](b.md) one link is inside another.
    links = PICTURE.findall(text) + LINK.findall(PICTURE.sub("picture", text))
    links += [("", href or src) for href, src in HTML_LINK.findall(text)]
    yield from ((shown, target) for shown, target in links if not ELSEWHERE.match(target))


def _anchors(file: Path, texts: list[str] | None) -> set[str]:
    """Explicit ids and headings; JupyterLab keeps a heading's capitals, GitHub does not."""
    if texts is None and file.suffix == ".ipynb":
        texts = markdown_of(json.loads(file.read_text()))
    elif texts is None:
        texts = [file.read_text()] if file.is_file() else []
    text = "\n".join(texts)
    headings = [re.sub(r"[*`]", "", heading) for heading in HEADING.findall(text)]
    lab = {heading.replace(" ", "-") for heading in headings}
    github = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    return set(ANY_ID.findall(text)) | (lab if file.suffix == ".ipynb" else github)


def alt_complaints(name: str, text: str) -> list[str]:
    """Every picture in markdown or HTML says in words what it shows."""
    found = [
        f"{name}: ![]({src}) without a text"
        for alt, src in PICTURE.findall(text)
        if not alt.strip()
    ]
    for image in re.findall(r"<img\b[^>]*>", text):
        alt = re.search(r"\balt=(\"[^\"]*\"|'[^']*')", image)
        if not alt or not alt[1][1:-1].strip():
            found.append(f"{name}: <img> without alt: {image[:60]}")
    return found


def _no_code(text: str) -> str:
    """A link or a tag inside backquotes is an example."""
    return CODE.sub("", text)
