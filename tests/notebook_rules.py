"""House rules about a notebook, each a function from its name and its JSON to complaints."""

import ast
import json
import re
from collections.abc import Iterator

from label_rules import alt_complaints

NAME = re.compile(r"\d\d_[a-z0-9_]+\.ipynb")
SLIDE_TYPES = ("slide", "subslide", "fragment", "notes", "skip", "-")
CODE_LINES, CODE_CELLS_IN_A_ROW, MAX_BYTES = 20, 2, 1_000_000
OPENING = ("**You will be able to**", "**You need**", "**Time**")
CLOSING = ("## Summary", "## Further reading")
WIDGET_MIMES = (
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.jupyter.widget-state+json",
)
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.~/-])/(?:home|root|tmp|Users|work|opt|var|usr|mnt|private)/\w"
    r"|\b[A-Z]:\\+(?:Users|Windows|Program Files|Temp|Documents)\b"
)
BASE64 = re.compile(r"base64,[A-Za-z0-9+/=\s]+")


def execution_complaints(name: str, notebook: dict) -> list[str]:
    """Run top to bottom in one fresh kernel, with no error."""
    counts = [c["execution_count"] for _, c in _cells(notebook, "code") if _source(c).strip()]
    found = []
    if counts != list(range(1, len(counts) + 1)):
        found.append(f"{name}: execution counts are {counts}: run tools/execute_notebooks.py")
    errors = [i for i, _, out in _outputs(notebook) if out["output_type"] == "error"]
    return found + [f"{name}: cell {i} ends in an error" for i in errors]


def widget_complaints(name: str, notebook: dict) -> list[str]:
    """No widget state, and no view without it: it shows as "Error displaying widget"."""
    found = [f"{name}: metadata.widgets"] if "widgets" in notebook["metadata"] else []
    for i, _, out in _outputs(notebook):
        found += [
            f"{name}: cell {i} holds {mime}" for mime in WIDGET_MIMES if mime in out.get("data", {})
        ]
    return found


def path_complaints(name: str, notebook: dict) -> list[str]:
    """No path of somebody's machine, in sources or outputs."""
    texts = [(i, _source(cell)) for i, cell in enumerate(notebook["cells"])]
    texts += [(i, text) for i, _, out in _outputs(notebook) for text in _texts(out)]
    hits = [(i, ABSOLUTE_PATH.search(BASE64.sub("", text))) for i, text in texts]
    return [f"{name}: cell {i}: absolute path {hit[0]}..." for i, hit in hits if hit]


def size_complaints(name: str, text: str) -> list[str]:
    """Small enough for a code host to render."""
    size = len(text.encode())
    return [f"{name}: {size} bytes, less than {MAX_BYTES} wanted"] if size >= MAX_BYTES else []


def metadata_complaints(name: str, notebook: dict) -> list[str]:
    """The kernel everybody has, and a place on the slides for every cell."""
    found = []
    kernel = notebook["metadata"].get("kernelspec", {}).get("name")
    if kernel != "python3":
        found.append(f"{name}: kernelspec: expected python3, got {kernel}")
    for i, cell in enumerate(notebook["cells"]):
        slide = cell["metadata"].get("slideshow", {}).get("slide_type")
        if slide not in SLIDE_TYPES:
            found.append(
                f"{name}: cell {i}: slide_type: expected one of {SLIDE_TYPES}, got {slide}"
            )
    return found


def cell_complaints(name: str, notebook: dict) -> list[str]:
    """A cell is one idea: prose, then a few lines of code."""
    found = []
    in_a_row = 0
    for i, cell in enumerate(notebook["cells"]):
        in_a_row = in_a_row + 1 if cell["cell_type"] == "code" else 0
        if in_a_row > CODE_CELLS_IN_A_ROW:
            found.append(f"{name}: cell {i} is code cell number {in_a_row} in a row")
        lines = len(_source(cell).strip().splitlines())
        if cell["cell_type"] == "code" and lines > CODE_LINES:
            found.append(f"{name}: cell {i} has {lines} lines of code, at most {CODE_LINES}")
    return found


def frame_complaints(name: str, notebook: dict) -> list[str]:
    """Opens with what it gives, needs and costs; closes with what was found and where to go on."""
    texts = [_source(cell) for _, cell in _cells(notebook, "markdown")]
    first = texts[0] if texts and notebook["cells"][0]["cell_type"] == "markdown" else ""
    found = [f"{name}: the first cell misses {words}" for words in OPENING if words not in first]
    if not first.startswith("# "):
        found.append(f"{name}: the first cell is not a title")
    headings = re.findall(r"^## .*$", "\n".join(texts), re.MULTILINE)
    last = [h for h in headings if h.startswith(CLOSING)]
    if last != list(CLOSING) or headings[-1] != CLOSING[-1]:
        found.append(f"{name}: does not close with {' and, last, '.join(CLOSING)}")
    return found


def image_complaints(name: str, notebook: dict) -> list[str]:
    """A figure comes with words, through show(fig, alt)."""
    found = []
    for i, cell in _cells(notebook, "markdown"):
        found += alt_complaints(f"{name}: cell {i}", _source(cell))
    for i, _, out in _outputs(notebook):
        html = "".join(out.get("data", {}).get("text/html", ""))
        found += alt_complaints(f"{name}: cell {i}", html)
        bare = [mime for mime in out.get("data", {}) if mime.startswith("image/")]
        if bare and "<img" not in html:
            found.append(f"{name}: cell {i} shows a bare {bare[0]}: use show(fig, alt)")
    return found


def definitions_in(notebook: dict) -> list[str]:
    """Names of the functions and classes a notebook defines at the top of its cells."""
    names = {name for _, cell in _cells(notebook, "code") for name in _defined(_source(cell))}
    return sorted(names)


def _defined(source: str) -> Iterator[str]:
    for node in ast.parse(_without_magics(source)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _without_magics(source: str) -> str:
    if source.lstrip().startswith("%%"):
        return ""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def _cells(notebook: dict, kind: str) -> Iterator[tuple[int, dict]]:
    return ((i, cell) for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == kind)


def _outputs(notebook: dict) -> Iterator[tuple[int, dict, dict]]:
    return ((i, cell, out) for i, cell in _cells(notebook, "code") for out in cell["outputs"])


def _source(cell: dict) -> str:
    return "".join(cell["source"])


def _texts(output: dict) -> Iterator[str]:
    """Every text of an output; a picture is none."""
    yield "".join(output.get("text", ""))
    yield "\n".join(output.get("traceback", ()))
    for mime, data in output.get("data", {}).items():
        if not mime.startswith("image/") or mime == "image/svg+xml":
            yield json.dumps(data) if isinstance(data, dict) else "".join(data)
