"""House rules about the source of the package, each a function from source text to complaints.

`module` is the name relative to diffedu ("diffusion.gaussian"), so that rules apply to any text.
A function's lines are those with code on them, from its `def`: docstrings, comments and blank lines
are free. A module's lines all count.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

FUNCTION_LINES, NETWORK_INIT_LINES, MODULE_LINES = 25, 50, 250
MAY_PRINT = ("launch", "__main__", "recipes")
ONLY_IN = {
    "matplotlib": ("classroom.plots",),
    "ipywidgets": ("classroom.widgets",),
    "anywidget": ("classroom.widgets",),
}
SEEDING = ("torch.manual_seed", "torch.random.manual_seed", "torch.cuda.manual_seed", "torch.seed")
DRAWS = "rand randn randint randperm rand_like randn_like randint_like multinomial normal bernoulli"
TORCH_DRAWS = {f"torch.{name}" for name in [*DRAWS.split(), "poisson"]} | set(DRAWS.split()[:7])
IN_PLACE_DRAWS = {"normal_", "uniform_", "bernoulli_", "random_", "exponential_", "multinomial"}
SKLEARN_DRAWS = {"make_moons", "make_circles", "make_blobs", "make_swiss_roll", "train_test_split"}
NUMPY_SEEDED = {"default_rng", "Generator", "SeedSequence", "PCG64"}
# In a docstring (0.5) is a number, so labels of notebook 00 are not looked for.
LABEL = r"[1-9]\d?\.[1-9]\d?"
CITATION = re.compile(rf"(?<![\w)\]}}])\(({LABEL}(?:, {LABEL})*)\)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def foreign_import_complaints(module: str, source: str) -> list[str]:
    """matplotlib, ipywidgets and anywidget have one room each; the random module has none."""
    found = []
    for line, name in _foreign_imports(ast.parse(source)):
        rooms = ONLY_IN.get(name, ("",))
        if not any(module.startswith(room) for room in rooms):
            found.append(f"{module}:{line}: {name} is imported in {', '.join(rooms)} only")
        if name == "random":
            found.append(f"{module}:{line}: the random module has no generator argument")
    return found


def _foreign_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module.split(".")[0]


def print_complaints(module: str, source: str) -> list[str]:
    """A computing module returns; only what talks to a person prints."""
    if module in MAY_PRINT:
        return []
    return [f"{module}:{n}: print" for n, name, _ in _calls(source) if name == "print"]


def device_complaints(module: str, source: str) -> list[str]:
    """The device follows the inputs."""
    return [f"{module}:{n}: .cuda()" for n, name, _ in _calls(source) if name.endswith(".cuda")]


def hidden_import_complaints(module: str, source: str) -> list[str]:
    """An import the floor plan cannot see."""
    hidden = ("importlib.import_module", "import_module", "__import__")
    return [f"{module}:{n}: {name}" for n, name, _ in _calls(source) if name in hidden]


def randomness_complaints(module: str, source: str) -> list[str]:
    """Randomness is an argument: a generator or a seed in each call that draws, none global."""
    found = []
    for line, name, call in _calls(source):
        if name in SEEDING or name.endswith("random.seed"):
            found.append(f"{module}:{line}: {name} sets a global seed")
        elif _draws_in_torch(name) and not _given(call, "generator"):
            found.append(f"{module}:{line}: {name} without generator=")
        elif name.split(".")[-1] in SKLEARN_DRAWS | {"rvs"} and not _given(call, "random_state"):
            found.append(f"{module}:{line}: {name} without random_state=")
        elif name.startswith(("np.random.", "numpy.random.")) and not _seeded_numpy(name, call):
            found.append(f"{module}:{line}: {name} without a seed")
        elif (
            name.endswith("DataLoader")
            and _given(call, "shuffle")
            and not _given(call, "generator")
        ):
            found.append(f"{module}:{line}: {name} shuffles without generator=")
    return found


def _draws_in_torch(name: str) -> bool:
    """A network's initial weights (nn.init) are exempt: torch's own layers take the global ones."""
    *path, last = name.split(".")
    in_place = last in IN_PLACE_DRAWS and path and path[-1] != "init"
    return name in TORCH_DRAWS or bool(in_place)


def _given(call: ast.Call, keyword: str) -> bool:
    values = [k.value for k in call.keywords if k.arg == keyword]
    return any(
        not (isinstance(v, ast.Constant) and (v.value is None or v.value is False)) for v in values
    )


def _seeded_numpy(name: str, call: ast.Call) -> bool:
    return name.split(".")[-1] in NUMPY_SEEDED and bool(call.args or call.keywords)


def _calls(source: str) -> Iterator[tuple[int, str, ast.Call]]:
    """Line, dotted name and node of each call; what is not a plain name is written `?`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield node.lineno, _dotted(node.func), node


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def assert_complaints(module: str, source: str) -> list[str]:
    """`assert` vanishes under python -O and names no argument: tests and notebooks only."""
    nodes = ast.walk(ast.parse(source))
    return [f"{module}:{node.lineno}: assert" for node in nodes if isinstance(node, ast.Assert)]


def length_complaints(module: str, source: str) -> list[str]:
    """Functions of 25 lines, a network's __init__ of 50, modules of 250."""
    found = []
    total = len(source.splitlines())
    if total > MODULE_LINES:
        found.append(f"{module}: {total} lines, at most {MODULE_LINES}")
    code = _code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            network = node.name == "__init__" and module.startswith("nets")
            limit = NETWORK_INIT_LINES if network else FUNCTION_LINES
            lines = code & set(range(node.lineno, node.end_lineno + 1))
            if len(lines) > limit:
                found.append(f"{module}: {node.name} has {len(lines)} lines, at most {limit}")
    return found


def _code_lines(source: str) -> set[int]:
    """The numbers of the lines that hold code: no docstrings, comments or blank lines."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    layout.add(tokenize.ENDMARKER)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {n for t in tokens if t.type not in layout for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return lines


def docstring_complaints(module: str, source: str) -> list[str]:
    """Public functions, classes and methods say what they are; `forward` is its class's."""
    return [
        f"{module}:{node.lineno}: {node.name} has no docstring"
        for node in _public(ast.parse(source))
        if not ast.get_docstring(node) and node.name != "forward"
    ]


def _public(parent: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    for node in parent.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def citation_complaints(module: str, source: str, claimed: set[str]) -> list[str]:
    """An equation of the course that a docstring cites, (2.7), is claimed by a test."""
    documented = ast.Module | ast.ClassDef | Function
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    text = "\n".join(ast.get_docstring(node) or "" for node in nodes)
    cited = {label for match in CITATION.findall(text) for label in match.split(", ")}
    return [f"{module}: no test claims ({label})" for label in sorted(cited - claimed)]


def top_level_complaints(files: list[str], allowed: set[str]) -> list[str]:
    """The top level is the table of contents: a new entry is a decision."""
    return [f"top level: {name}" for name in sorted({f.split("/")[0] for f in files} - allowed)]
