"""The attention explorer: drawn in the browser from one block of bytes, with no kernel needed."""

from pathlib import Path

import anywidget
import traitlets

from diffedu import expect
from diffedu.classroom.attention_tokens import Tokens
from diffedu.classroom.attention_view import AttentionView

HERE = Path(__file__).parent


def module(*names: str) -> str:
    """One ES module out of several files; only the last one exports."""
    return "\n".join((HERE / f"{name}.js").read_text(encoding="utf-8") for name in names)


class AttentionExplorer(anywidget.AnyWidget):
    """A view on the page; its state can be read and set: `explorer.head = 2` draws head 2.

    layer: a name; head: a number, None for the mean over the heads; call, query: numbers from 0;
    reverse: whether `query` is a key that asks who looks at it. `sentence` says what is on show.
    """

    _esm = module("canvas", "attention_data", "attention_panels", "attention")
    spec = traitlets.Dict().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    layer = traitlets.Unicode().tag(sync=True)
    head = traitlets.Int(None, allow_none=True).tag(sync=True)
    call = traitlets.Int(0).tag(sync=True)
    query = traitlets.Int(0).tag(sync=True)
    reverse = traitlets.Bool(False).tag(sync=True)

    def __init__(self, view: AttentionView) -> None:
        """Start with the first layer, the mean over its heads, the first call and query 0."""
        self.view = view
        super().__init__(spec=spec(view), data=payload(view), layer=view.layer().name)

    @property
    def state(self) -> dict[str, object]:
        """The question on show, as arguments for the functions of the view."""
        return {name: getattr(self, name) for name in ("query", "layer", "head", "call", "reverse")}

    @property
    def sentence(self) -> str:
        """What the browser says about it."""
        return self.view.sentence(**self.state)

    @traitlets.validate("layer", "head", "call", "query")
    def _known(self, proposal: traitlets.Bunch) -> object:
        name, value = proposal.trait.name, proposal.value
        layer = self.view.layer(value if name == "layer" else self.layer or None)
        if name == "call":
            expect.integer(name, value, 0, len(self.view.calls) - 1)
        if name == "head" and value is not None:
            expect.integer(name, value, 0, layer.heads - 1)
        if name == "query":
            tokens = layer.keys if self.reverse else layer.queries
            expect.integer(name, value, 0, len(tokens) - 1)
        return value

    @traitlets.observe("layer", "reverse")
    def _stay_inside(self, _: traitlets.Bunch) -> None:
        """A layer with fewer heads or tokens: take the mean, and the last token."""
        layer = self.view.layer(self.layer)
        if self.head is not None and self.head >= layer.heads:
            self.head = None
        tokens = layer.keys if self.reverse else layer.queries
        self.query = min(self.query, len(tokens) - 1)


def attention_explorer(view: AttentionView) -> AttentionExplorer:
    """Layer, head, call and query -> where the query looks; or who looks at a key."""
    return AttentionExplorer(view)


def spec(view: AttentionView) -> dict:
    """How the bytes are to be read."""
    return {
        "calls": list(view.calls),
        "pictures": None if view.pictures is None else list(view.pictures.shape[:3]),
        "layers": [
            {
                "name": layer.name,
                "heads": layer.heads,
                "queries": _tokens(layer.queries),
                "keys": _tokens(layer.keys),
            }
            for layer in view.layers.values()
        ],
    }


def payload(view: AttentionView) -> bytes:
    """All row maxima (float32), then all levels, then the pictures; float32 lies first to align."""
    maps = [layer.maps for layer in view.layers.values()]
    parts = [m.most.numpy().astype("<f4") for m in maps] + [m.levels.numpy() for m in maps]
    if view.pictures is not None:
        parts.append(view.pictures.numpy())
    return b"".join(part.tobytes() for part in parts)


def _tokens(tokens: Tokens) -> dict:
    return vars(tokens) | {"words": list(tokens.words)}
