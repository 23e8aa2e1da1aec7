"""What goes wrong in the figures of attention, and in what the explorer sends to the browser."""

from planting import Fault

FIGURES = ("tests/test_plot_attention.py",)
EXPLORER = ("tests/test_attention_explorer.py",)
PLOTS, WIDGET = "plots.attention", "widgets.attention"


def upside_down(original):
    def plot_map(weights, ax, rows=None, columns=None):
        return original(weights.flip(0), ax, rows, columns)

    return plot_map


def colours_from_the_least(original):
    def plot_map(weights, ax, rows=None, columns=None):
        original(weights, ax, rows, columns)
        ax.images[0].set_clim(weights.min().item())
        return ax

    return plot_map


def frame_of_the_first(original):
    def plot_attention(view, ax, query=0, layer=None, head=None, call=0, reverse=False):
        return original(view, ax, 0, layer, head, call, reverse)

    return plot_attention


def always_forward(original):
    def attention_frame(view, query=0, layer=None, head=None, call=0, reverse=False):
        return original(view, 0, layer, head, call, reverse)

    return attention_frame


def always_wide(original):
    return lambda columns=1, height=2.6, width=8.0: original(columns, height, 8.0)


def levels_first(original):
    def payload(view):
        maps = [layer.maps for layer in view.layers.values()]
        n = sum(4 * m.most.numel() for m in maps)
        return original(view)[n:] + original(view)[:n]

    return payload


def sizes_exchanged(original):
    def spec(view):
        made = original(view)
        for layer in made["layers"]:
            layer["queries"], layer["keys"] = layer["keys"], layer["queries"]
        return made

    return spec


def of_another_view(original):
    def attention_explorer(view):
        explorer = original(view)
        explorer.query = 1
        return explorer

    return attention_explorer


def fault(name, target, replacement, tests):
    return Fault(f"attention view: {name}", f"diffedu.classroom.{target}", replacement, tests)


FAULTS = (
    fault("map upside down", f"{PLOTS}.plot_map", upside_down, FIGURES),
    fault("colours from the least weight", f"{PLOTS}.plot_map", colours_from_the_least, FIGURES),
    fault("figure of query 0", f"{PLOTS}.plot_attention", frame_of_the_first, FIGURES),
    fault("frame of query 0", f"{PLOTS}.attention_frame", always_forward, FIGURES),
    fault("an empty third beside words", f"{PLOTS}.new_axes", always_wide, FIGURES),
    fault("levels before maxima", f"{WIDGET}.payload", levels_first, EXPLORER),
    fault("queries and keys exchanged", f"{WIDGET}.spec", sizes_exchanged, EXPLORER),
    fault("explorer starts at query 1", f"{WIDGET}.attention_explorer", of_another_view, EXPLORER),
)
