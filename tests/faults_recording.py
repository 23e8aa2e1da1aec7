"""What goes wrong in nets/recording.py: hooks left behind, other weights, other names."""

from contextlib import contextmanager, suppress

import torch
from torch import nn

from planting import Fault

ROOM = "diffedu.nets.recording"
HOOKS, WEIGHTS = "tests/test_recording.py", "tests/test_recording_weights.py"


def parts():
    from diffedu.nets import recording

    return recording


def recorder(keep=None, prepare=lambda model: None):
    """record_attention that keeps the hooks in its own way: keep(hooks, cores) is a context."""

    def replacement(original):
        @contextmanager
        def record_attention(model):
            with original(model):
                pass  # its checks
            prepare(model)
            cores = dict(parts()._cores(model))
            maps = {name: [] for name in cores}
            hooks = [c.register_forward_hook(parts()._keep(maps[n])) for n, c in cores.items()]
            with (keep or removed)(hooks, cores):
                yield maps

        return record_attention

    return replacement


@contextmanager
def removed(hooks, cores):
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def only_after_success(hooks, cores):
    yield
    for hook in hooks:
        hook.remove()


@contextmanager
def left_behind(hooks, cores):
    yield


@contextmanager
def all_but_one(hooks, cores):
    with removed(hooks[1:], cores):
        yield


@contextmanager
def with_everybody_elses(hooks, cores):
    try:
        yield
    finally:
        for core in cores.values():
            core._forward_hooks.clear()


def evaluating(model):
    model.eval()


def errors_swallowed(original):
    @contextmanager
    def record_attention(model):
        with original(model) as maps, suppress(ZeroDivisionError):
            yield maps

    return record_attention


def nothing_to_record(original):
    @contextmanager
    def record_attention(model):
        if any(parts()._cores(model)):
            with original(model) as maps:
                yield maps
        else:
            yield {}

    return record_attention


def keeping(change):
    """_keep: a hook from (entries, the right weights, core, inputs, output)."""

    def replacement(original):
        def _keep(entries):
            def hook(core, inputs, output):
                with torch.no_grad():
                    weights = core.weights(*inputs[:2], *inputs[3:])
                return change(entries, weights, core, inputs, output)

            return hook

        return _keep

    return replacement


def append(of):
    """The usual hook, with something else put down."""
    return keeping(lambda entries, weights, core, inputs, output: entries.append(of(weights)))


def last_call(entries, weights, core, inputs, output):
    entries[:] = [weights]


def with_gradient(entries, weights, core, inputs, output):
    entries.append(core.weights(*inputs[:2], *inputs[3:]))


def without_mask(entries, weights, core, inputs, output):
    entries.append(core.weights(*inputs[:2]))


def recomputed(entries, weights, core, inputs, output):
    entries.append(weights)
    return weights @ inputs[2]


def drawing(entries, weights, core, inputs, output):
    entries.append(weights)
    torch.rand(1)


def under_their_own_names(original):
    def _cores(model):
        inside = dict(original(model)).values()
        for name, module in model.named_modules():
            if any(module is core for core in inside):
                yield name, module

    return _cores


def the_innermost(original):
    def _cores(model):
        for name, module in model.named_modules():
            if isinstance(module, parts().AttentionLayer):
                core = next(m for m in module.modules() if isinstance(m, parts().AttentionCore))
                yield name or type(module).__name__, core

    return _cores


def the_first(original):
    return lambda model: list(original(model))[:1]


def once_each_child(original):
    """Only what lies directly in the model."""
    return lambda model: [(n, core) for n, core in original(model) if n.count(".") < 2]


def without_the_dot(original):
    return lambda name, other: name.startswith(other)


def root_unnamed(original):
    def _cores(model):
        isolated = isinstance(model, nn.Module) and isinstance(model, parts().AttentionLayer)
        return [("" if isolated else name, core) for name, core in original(model)]

    return _cores


RECORDER = {
    "hooks left after an error": recorder(only_after_success),
    "hooks left behind": recorder(left_behind),
    "one hook left behind": recorder(all_but_one),
    "other hooks removed too": recorder(with_everybody_elses),
    "the model is left in eval": recorder(prepare=evaluating),
    "errors swallowed": errors_swallowed,
    "a model without attention passes": nothing_to_record,
}
KEEP_HOOKS = {
    "the last call alone": keeping(last_call),
    "with a gradient": keeping(with_gradient),
    "the result computed again": keeping(recomputed),
    "the random state moves": keeping(drawing),
    "heads averaged": append(lambda weights: weights.mean(1, keepdim=True)),
    "the last head alone": append(lambda weights: weights[:, -1:]),
    "the first sample alone": append(lambda weights: weights[:1]),
    "in half precision": append(lambda weights: weights.half()),
}
KEEP_WEIGHTS = {
    "the last head for all": append(lambda weights: weights[:, -1:].expand_as(weights)),
    "mask forgotten": keeping(without_mask),
    "the time token first": append(lambda weights: weights.roll(1, dims=-1)),
    "heads in the other order": append(lambda weights: weights.flip(1)),
    "queries and keys exchanged": append(
        lambda weights: weights.mT if weights.shape[-1] == weights.shape[-2] else weights
    ),
}
CORES = {
    "the names of the cores": under_their_own_names,
    "layers inside layers too": the_innermost,
    "the first layer alone": the_first,
    "none that lies deep": once_each_child,
    "a layer without a name": root_unnamed,
}
BY_NAME = (
    (HOOKS, "record_attention", RECORDER),
    (HOOKS, "_keep", KEEP_HOOKS),
    (WEIGHTS, "_keep", KEEP_WEIGHTS),
    (WEIGHTS, "_precise", {"as it comes": lambda original: lambda x: x}),
    (HOOKS, "_cores", CORES),
    (HOOKS, "_lies_in", {"names that begin alike": without_the_dot}),
)
FAULTS = tuple(
    Fault(f"{target}: {name}", f"{ROOM}.{target}", replacement, (file,))
    for file, target, table in BY_NAME
    for name, replacement in table.items()
)
