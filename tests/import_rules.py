"""Which module of the package may import which: a house with floors, and the rule that says no."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a module stands and which rooms it may look into; of those, only what lies below it."""

    floor: float
    sees: tuple[str, ...]


GROUND = ("shapes", "expect")
DIFFUSION = (*GROUND, "diffusion")  # knows no network and no data
NETS = (*GROUND, "nets")  # knows no diffusion
ALL = (*GROUND, "diffusion", "nets", "data", "train", "metrics", "classroom")

# "room.*" is the place of a room's modules that are not listed by name. Where one module of a room
# serves the others there, list it by name half a stair below them.
PLACES = {
    "shapes": Place(0, ()),
    "expect": Place(0, ()),
    "diffusion.schedules": Place(1, DIFFUSION),
    "diffusion.decoder": Place(1, DIFFUSION),
    "diffusion.gaussian": Place(2, DIFFUSION),
    "diffusion.losses": Place(3, DIFFUSION),
    "diffusion.samplers": Place(3, DIFFUSION),
    "diffusion.exact": Place(3, DIFFUSION),
    "diffusion.exact_bound": Place(3.5, DIFFUSION),
    "diffusion.ode": Place(3.5, DIFFUSION),
    "diffusion.timesteps": Place(3, DIFFUSION),
    "nets.operators": Place(0.5, NETS),
    "nets.positions": Place(0.5, NETS),
    "nets.norms": Place(0.5, NETS),
    "nets.heads": Place(0.6, NETS),
    "nets.spatial": Place(0.7, NETS),
    "nets.recording": Place(0.7, NETS),
    "nets.attention": Place(1, NETS),
    "nets.blocks": Place(2, NETS),
    "nets.unet": Place(3, NETS),
    "nets.mlp": Place(3, NETS),
    "nets.seq2seq": Place(3, NETS),
    "nets.corners": Place(3, NETS),
    "data": Place(1, GROUND),
    "train": Place(4, (*DIFFUSION, "data")),  # takes any model(x, t)
    "metrics": Place(4, GROUND),
    "classroom.views": Place(4, (*DIFFUSION, "nets", "data")),
    "classroom.attention_tokens": Place(4, GROUND),  # the explorer's maps: knows no network
    "classroom.attention_maps": Place(4, GROUND),
    "classroom.attention_words": Place(4, GROUND),
    "classroom.attention_view": Place(4.1, (*GROUND, "classroom")),
    "classroom.plots.figures": Place(5.0, ALL),
    "classroom.plots.attention": Place(5.1, ALL),
    "classroom.plots.live": Place(5.1, ALL),
    "classroom.plots.live_reverse": Place(5.1, ALL),
    "classroom.plots.live_attention": Place(5.1, ALL),
    "classroom.checks.exercise": Place(5.2, ALL),
    "classroom.checks.record": Place(5.2, ALL),
    "classroom.checks.card": Place(5.2, ALL),
    "classroom.checks.solution": Place(5.3, ALL),
    "classroom.checks.inputs": Place(5.3, ALL),
    "classroom.checks.pictures": Place(5.3, ALL),
    "classroom.checks.bench": Place(5.3, ALL),
    "classroom.checks.outcome": Place(5.25, ALL),
    "classroom.checks.attempt": Place(5.3, ALL),
    "classroom.checks.compare": Place(5.4, ALL),
    "classroom.checks.habits": Place(5.5, ALL),
    "classroom.checks.wording": Place(5.5, ALL),
    "classroom.checks.judge": Place(5.6, ALL),
    "classroom.checks.consequence": Place(5.7, ALL),
    "classroom.checks.answers": Place(5.8, ALL),
    "classroom.checks.forward.common": Place(5.85, ALL),
    "classroom.checks.posterior.common": Place(5.85, ALL),
    "classroom.checks.simple.common": Place(5.85, ALL),
    "classroom.checks.sampling.common": Place(5.85, ALL),
    "classroom.checks.attention.common": Place(5.85, ALL),
    "classroom.checks.heads.common": Place(5.85, ALL),
    "classroom.checks.images.common": Place(5.85, ALL),
    "classroom.checks.linear.common": Place(5.85, ALL),
    "classroom.checks.cross.common": Place(5.85, ALL),
    "classroom.checks.forward.*": Place(5.9, ALL),  # exercises, one notebook a room
    "classroom.checks.posterior.*": Place(5.9, ALL),
    "classroom.checks.bound.*": Place(5.9, ALL),
    "classroom.checks.simple.*": Place(5.9, ALL),
    "classroom.checks.sampling.*": Place(5.9, ALL),
    "classroom.checks.attention.*": Place(5.9, ALL),
    "classroom.checks.heads.*": Place(5.9, ALL),
    "classroom.checks.images.*": Place(5.9, ALL),
    "classroom.checks.linear.*": Place(5.9, ALL),
    "classroom.checks.cross.*": Place(5.9, ALL),
    "classroom.checks.*": Place(6, ALL),
    "classroom.checks.course": Place(6.5, ALL),
    "classroom.widgets.explorers": Place(5.95, ALL),
    "classroom.widgets.*": Place(6, ALL),
    "recipes": Place(6, (*DIFFUSION, "nets", "data", "train", "metrics")),
}
ENTRIES = ("", "__main__", "launch")  # the front door: they import nothing but each other


def import_complaints(module: str, source: str, is_package: bool = False) -> list[str]:
    """Every import that does not go strictly down into a room the module may see.

    Names are relative to diffedu: "diffusion.gaussian", "" for the package itself. Imports inside
    functions and under TYPE_CHECKING count.
    """
    inside = module if is_package else module.rpartition(".")[0]
    targets = sorted(set(_targets(ast.parse(source), inside)))
    if module in ENTRIES:
        outside = [target for target in targets if target not in ENTRIES]
        return [f"{module or 'diffedu'}: an entry imports no room, got {t}" for t in outside]
    if is_package and _place(module) is None:  # a room's door may show what is in the room
        outside = [t for t in targets if not t.startswith(f"{module}.")]
        return [f"{module}: __init__ imports its own modules only, got {t}" for t in outside]
    if _place(module) is None:
        return [f"{module}: not in the table: add it to PLACES in tests/import_rules.py"]
    return [complaint for target in targets for complaint in _look(module, target)]


def _look(module: str, target: str) -> Iterator[str]:
    place, floor = _place(module), _floor(target)
    if target in ENTRIES:
        yield f"{module}: imports {target or 'diffedu'}, the front door"
    elif floor is None:
        yield f"{module}: imports {target}, which is not in the table: add it to PLACES"
    elif not any(target == room or target.startswith(f"{room}.") for room in place.sees):
        yield f"{module}: may not look into {target}"
    elif floor >= place.floor:
        yield f"{module} (floor {place.floor}): imports {target} (floor {floor}), not below it"


def _place(module: str) -> Place | None:
    return PLACES.get(module) or PLACES.get(f"{module.rpartition('.')[0]}.*")


def _floor(target: str) -> float | None:
    """The floor of a module; of a room, that of its highest module."""
    if place := _place(target):
        return place.floor
    return max(
        (p.floor for name, p in PLACES.items() if name.startswith(f"{target}.")), default=None
    )


def _is_module(name: str) -> bool:
    return name in ENTRIES or _floor(name) is not None


def _targets(tree: ast.Module, package: str) -> Iterator[str]:
    """What of diffedu is imported, by names relative to it; `package` is where the dots start."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".", 1) for alias in node.names]
            yield from (rest[0] if rest else "" for first, *rest in names if first == "diffedu")
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            for alias in node.names if base is not None else ():
                full = f"{base}.{alias.name}".lstrip(".")
                yield full if _is_module(full) else base


def _base(node: ast.ImportFrom, package: str) -> str | None:
    """The module after `from`, relative to diffedu; None if it is another library's."""
    name = node.module or ""
    if node.level == 0:
        first, _, rest = name.partition(".")
        return rest if first == "diffedu" else None
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, *([name] if name else [])])
