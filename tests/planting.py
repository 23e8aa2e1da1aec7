"""The machinery behind `pytest --fault NAME`: put a wrong function in the place of a right one."""

import functools
import gc
import importlib
import inspect
import pkgutil
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One wrong version and the tests that must notice it; `faults.py` says how to write one."""

    name: str
    target: str
    replacement: Callable[[Callable], Callable]
    tests: tuple[str, ...]
    identities: tuple[str, ...] = ()

    def __post_init__(self):
        # A bare string is a tuple of letters: ("test_gaussian.py") is the easy mistake.
        for field in ("tests", "identities"):
            value = getattr(self, field)
            if not isinstance(value, tuple):
                raise TypeError(f"{self.name}: {field}: expected a tuple of strings, got {value!r}")
        if not self.tests:
            raise ValueError(f"{self.name}: tests: expected at least one, got none")


def modules_of(package: str) -> list[types.ModuleType]:
    """Import a package (or module) with all its modules but __main__, and return them."""
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(getattr(root, "__path__", []), f"{package}.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    return [root, *map(importlib.import_module, names)]


def locate(target: str) -> tuple[object, str]:
    """Split a dotted target into the module or class that holds it, and its name there."""
    *path, name = target.split(".")
    holder = importlib.import_module(path[0])
    for position, part in enumerate(path[1:], 2):
        if isinstance(holder, types.ModuleType) and not hasattr(holder, part):
            holder = importlib.import_module(".".join(path[:position]))
        else:
            holder = getattr(holder, part)
    inspect.getattr_static(holder, name)  # the AttributeError says what is missing where
    return holder, name


def plant(target: str, replacement: Callable[[Callable], Callable]) -> None:
    """Put the faulty function wherever anything holds the right one."""
    modules_of("diffedu")
    holder, name = locate(target)
    original = inspect.getattr_static(holder, name)
    if isinstance(holder, type):  # a method is reached through its class alone
        setattr(holder, name, _faulty(original, replacement))
        return
    holders = gc.get_referrers(original)  # before the faulty one, which must keep its original
    _exchange(holders, original, _faulty(original, replacement))


def _faulty(original: object, replacement: Callable[[Callable], Callable]) -> object:
    """Wrap what is inside a classmethod, staticmethod or property, and leave it what it was."""
    if isinstance(original, (classmethod, staticmethod)):
        return type(original)(_faulty(original.__func__, replacement))
    if isinstance(original, property):
        return property(_faulty(original.fget, replacement))
    if not inspect.isfunction(original):
        raise TypeError(f"target: expected a function, got {original!r}")
    return functools.wraps(original)(replacement(original))


def _exchange(holders: list, old: object, new: object) -> None:
    """Exchange old for new in namespaces, tables, lists, closures, default arguments and objects.

    Going over the module namespaces alone would miss a table of functions and a default argument.
    """
    # The files of faults compare with the right function: leave them theirs.
    spared = {id(vars(m)) for n, m in list(sys.modules.items()) if n.startswith("faults")}
    for holder in holders:
        if id(holder) in spared or isinstance(holder, types.FrameType):
            continue
        if isinstance(holder, dict):
            holder.update({key: new for key, value in list(holder.items()) if value is old})
        elif isinstance(holder, list):
            holder[:] = [new if value is old else value for value in holder]
        elif isinstance(holder, types.CellType):
            holder.cell_contents = new
        elif type(holder) is tuple:
            swapped = tuple(new if value is old else value for value in holder)
            _exchange(gc.get_referrers(holder), holder, swapped)
        elif isinstance(holder, types.FunctionType) and holder.__defaults__ is old:
            holder.__defaults__ = new
        elif hasattr(holder, "__dict__") and not isinstance(holder, types.FunctionType):
            _exchange([vars(holder)], old, new)
