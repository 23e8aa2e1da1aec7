"""Mechanical mutations of a function: every way to write it slightly wrong, one at a time.

The formula lines only: docstrings, annotations and the checks of arguments are left out. What the
function calls in the package is mutated too, because the formula may stand there.
"""

import ast
import copy
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass

OTHER_OPERATOR = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
OTHER_COMPARISON = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}
OTHER_COMPARISON |= {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
DROPPED = {"sqrt", "log", "exp", "square", "softmax", "cumprod", "clamp", "round"}
OTHER_REDUCTION = {"sum": "mean", "mean": "sum", "sum_over_sample": "mean_over_sample"}
OTHER_REDUCTION |= {"mean_over_sample": "sum_over_sample"}
AXES = {"sum", "mean", "softmax", "logsumexp", "cumsum", "cumprod", "amax", "cat", "stack", "var"}
NOT_A_FORMULA = ("diffedu.expect",)


@dataclass(frozen=True)
class Mutant:
    """One wrong version; `name` says in which function what became what."""

    name: str
    function: Callable


def mutants_of(reference: Callable) -> Iterator[Mutant]:
    """Every mutant of a function and of the package's functions that it calls."""
    parts = formula_functions(reference)
    for part in parts:
        tree = _tree(part)
        for name, changed in _changes(tree):
            yield Mutant(f"{part.__name__}: {name}", _rebuilt(reference, {part: changed}, parts))


def formula_functions(reference: Callable) -> list[types.FunctionType]:
    """The function itself and, once each, those of the package that it calls by name."""
    found, open_ = [], [inspect.unwrap(reference)]
    while open_:
        function = open_.pop()
        if function not in found:
            found.append(function)
            open_ += _called(function).values()
    return found


def _called(function: types.FunctionType) -> dict[str, types.FunctionType]:
    names = {node.id for node in ast.walk(_tree(function)) if isinstance(node, ast.Name)}
    values = {name: function.__globals__.get(name) for name in sorted(names)}
    plain = {n: inspect.unwrap(v) for n, v in values.items() if inspect.isfunction(v)}
    return {n: v for n, v in plain.items() if _is_ours(v) and v is not function}


def _is_ours(function: types.FunctionType) -> bool:
    module = function.__module__ or ""
    return module.startswith("diffedu.") and not module.startswith(NOT_A_FORMULA)


def _rebuilt(function, changed: dict, parts: list) -> Callable:
    """The function made anew, calling the changed version of whatever is changed below it."""
    function = inspect.unwrap(function)  # under pytest, argument checks are wrapped around it
    names = {name: part for name, part in _called(function).items() if part in parts}
    space = dict(function.__globals__)
    space |= {name: _rebuilt(part, changed, parts) for name, part in names.items()}
    tree = changed.get(function) or _tree(function)
    module = ast.Module([tree], type_ignores=[])
    exec(compile(ast.fix_missing_locations(module), "<mutant>", "exec"), space)
    return space[tree.name]


def _tree(function: types.FunctionType) -> ast.FunctionDef:
    """The formula lines: no decorators, annotations, docstring or checks of arguments."""
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    tree = ast.parse(source).body[0]
    tree.decorator_list, tree.returns = [], None
    for argument in (*tree.args.args, *tree.args.kwonlyargs):
        argument.annotation = None
    tree.body = [line for line in tree.body if not _is_check(line)] or [ast.Pass()]
    return tree


def _is_check(line: ast.stmt) -> bool:
    if isinstance(line, ast.Expr):
        text = ast.unparse(line)
        return isinstance(line.value, ast.Constant) or text.startswith(("expect.", "_check"))
    if isinstance(line, ast.If):
        return all(_is_check(inner) for inner in line.body) and not line.orelse
    return isinstance(line, ast.For) and all(_is_check(inner) for inner in line.body)


def _changes(tree: ast.FunctionDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Each change on a copy of its own."""
    count = sum(1 for _ in ast.walk(tree))
    seen = {ast.unparse(tree)}
    for position in range(count):
        node = _at(tree, position)
        for variant in _variants(node):
            fresh = copy.deepcopy(tree)
            fresh = _Replace(_at(fresh, position), variant).visit(fresh)
            text = ast.unparse(ast.fix_missing_locations(fresh))
            if text not in seen:
                seen.add(text)
                yield f"{ast.unparse(node)} -> {ast.unparse(variant)}", fresh


def _at(tree: ast.AST, position: int) -> ast.AST:
    return next(node for k, node in enumerate(ast.walk(tree)) if k == position)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    kinds = {
        ast.BinOp: _operators,
        ast.UnaryOp: _sign,
        ast.Call: _calls,
        ast.Subscript: _indices,
        ast.Compare: _comparisons,
    }
    yield from kinds.get(type(node), lambda node: ())(copy.deepcopy(node))


def _operators(node: ast.BinOp) -> Iterator[ast.AST]:
    other = OTHER_OPERATOR.get(type(node.op))
    if other is not None:
        yield ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, ast.Sub | ast.Div):
        yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node.op, ast.Pow):
        yield node.left


def _sign(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node.operand


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name in DROPPED:
        owner = getattr(node.func, "value", None)
        is_module = isinstance(owner, ast.Name) and owner.id in ("torch", "math")
        yield node.args[0] if is_module or owner is None else owner
    if name in OTHER_REDUCTION:
        yield _renamed(node, OTHER_REDUCTION[name])
    for k in range(len(node.args) - 1):
        args = list(node.args)
        args[k], args[k + 1] = args[k + 1], args[k]
        yield ast.Call(node.func, args, node.keywords)
    if name in AXES:
        yield from _axes(node)


def _renamed(node: ast.Call, name: str) -> ast.Call:
    func = copy.deepcopy(node.func)
    setattr(func, "attr" if isinstance(func, ast.Attribute) else "id", name)
    return ast.Call(func, node.args, node.keywords)


def _axes(node: ast.Call) -> Iterator[ast.AST]:
    places = [(node.args, k) for k in range(len(node.args))]
    for values, k in places:
        if isinstance(values[k], ast.Constant) and values[k].value in (0, 1):
            args = list(values)
            args[k] = ast.Constant(1 - values[k].value)
            yield ast.Call(node.func, args, node.keywords)
    for k, keyword in enumerate(node.keywords):
        if keyword.arg in ("dim", "axis") and isinstance(keyword.value, ast.Constant):
            keywords = copy.deepcopy(node.keywords)
            keywords[k].value = ast.Constant(0 if keyword.value.value else 1)
            yield ast.Call(node.func, node.args, keywords)


def _indices(node: ast.Subscript) -> Iterator[ast.AST]:
    for operator in (ast.Add(), ast.Sub()):
        if isinstance(node.slice, ast.Slice):
            for bound in ("lower", "upper"):
                if getattr(node.slice, bound) is not None:
                    moved = copy.deepcopy(node.slice)
                    setattr(moved, bound, ast.BinOp(getattr(moved, bound), operator, _one()))
                    yield ast.Subscript(node.value, moved, node.ctx)
        elif not isinstance(node.slice, ast.Tuple):
            yield ast.Subscript(node.value, ast.BinOp(node.slice, operator, _one()), node.ctx)


def _one() -> ast.Constant:
    return ast.Constant(1)


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    other = OTHER_COMPARISON.get(type(node.ops[0]))
    if other is not None:
        yield ast.Compare(node.left, [other()], node.comparators)
