"""Figures from arrays, drawn once for light and dark pages.

A figure is put on the page as SVG whose text and lines take the page's own text color, and whose maps fade into the
page's own background at zero. The drawing functions take arrays and an axes, and return the axes.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from backbone.checks import integer, picture, real_array
from backbone.figure import GAP, Figure
from backbone.palette import CLASSES, COLORS, rgb
from backbone.table import Table as Table

# Drawn in this color, which no data uses; `Drawing` turns it into the color of the text around the figure.
INK = "#010203"
WIDTH = 684  # of the reading column, in CSS pixels
# The colors of curves, in an order in which neighbors differ most.
CURVES = tuple(CLASSES[i] for i in (3, 4, 2, 5, 0, 1, 6, 7))
STYLE = {
    "font.size": 10,
    "figure.constrained_layout.use": True,
    "savefig.transparent": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "svg.fonttype": "none",  # text stays text: searchable, and in the page's own font
    "svg.hashsalt": "backbone",  # without it two builds of one figure differ
    **dict.fromkeys(
        ["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "axes.titlecolor"],
        INK,
    ),
}


class Drawing(Figure):
    """Finished axes, ready to be the last line of a cell.

    Args:
        axes: one axes or several from `panels`; side by side where there is room, else one below the other.
        alt: what the figure shows, for those who do not see it.
        caption: what to look for; stands under the figure.

    Raises:
        ValueError: alt is empty.
    """

    def __init__(self, axes: mpl.axes.Axes | Sequence[mpl.axes.Axes], alt: str, caption: str = ""):
        figures = [ax.figure for ax in np.atleast_1d(axes)]
        widths = [round(96 * figure.get_figwidth()) for figure in figures]
        super().__init__([themed(to_svg(figure)) for figure in figures], widths, alt, caption)


def to_svg(figure: mpl.figure.Figure) -> str:
    """Return a figure as SVG text and close it."""
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return buffer.getvalue()


def themed(svg: str) -> str:
    """Return matplotlib's SVG fit for a page: scalable, in the page's ink, with ids of its own."""
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    svg = svg.replace(size[0], 'aria-hidden="true" style="width: 100%; height: auto"', 1)
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px; font-family: inherit", svg)
    # Several figures share one page, and matplotlib names things alike in each.
    own = "f" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    svg = re.sub(r'\bid="', f'id="{own}-', svg)
    return re.sub(r'(url\(#|href="#)', rf"\1{own}-", svg)


def panels(count: int, height: float = 200, width: float = WIDTH) -> list[mpl.axes.Axes]:
    """Return ``count`` axes, side by side where there is room, each in a figure of its own.

    Args:
        count: number of panels.
        height: CSS pixels.
        width: of all together, in CSS pixels; as wide as the reading column by default. On a phone a panel shrinks to
            330, and its words with it: one that stands alone and has words in it should not be wider than 480.
    """
    count = integer("panels", "count", count, 1)
    inches = ((width - GAP * (count - 1)) / count / 96, height / 96)
    with mpl.rc_context(STYLE):
        return [plt.subplots(figsize=inches)[1] for _ in range(count)]


def show_image(image: ArrayLike, ax: mpl.axes.Axes, title: str = "") -> mpl.axes.Axes:
    """Draw a picture, gray (H, W) or color (3, H, W), values in [0, 1], black at 0; raise ValueError for another."""
    image = picture("show_image", "image", image, "(H, W)", "(3, H, W)").astype(np.float64)
    if image.ndim == 3:
        image = np.moveaxis(image, 0, -1)
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    return bare(ax, title)


def show_map(
    feature_map: ArrayLike, ax: mpl.axes.Axes, title: str = "", limit: float | None = None, scale: bool = True
) -> mpl.axes.Axes:
    """Draw a signed map (H, W): orange above zero, blue below, the page's background at zero.

    Args:
        feature_map: (H, W), any real numbers.
        ax: where to draw.
        title: stands above the map.
        limit: the absolute value painted at full strength; the map's own largest one by default.
        scale: add the limits to the title, as numbers.

    Raises:
        ValueError: the map has other axes, or NaN or infinity in it.
    """
    values = _finite("show_map", "feature_map", real_array("show_map", "feature_map", feature_map, "(H, W)"))
    limit = float(np.abs(values).max()) if limit is None else float(limit)
    ax.imshow(signed_colors(values, limit), interpolation="nearest")
    return bare(ax, f"{title}  (−{limit:.2f} to +{limit:.2f})".strip() if scale else title)


def _finite(name: str, argument: str, values: np.ndarray) -> np.ndarray:
    """Return values as float64, each of which a color or a length can show."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: {argument} holds NaN or infinity, which cannot be drawn; look for where it began")
    return values.astype(np.float64)


def signed_colors(values: np.ndarray, limit: float) -> np.ndarray:
    """Return RGBA colors (H, W, 4) of signed values: the sign chooses the color, the size its opacity."""
    strength = np.clip(np.abs(values) / limit, 0, 1) if limit else np.zeros(values.shape)
    color = np.where((values < 0)[..., None], rgb("negative"), rgb("positive"))
    return np.concatenate([color, strength[..., None]], axis=-1)


def show_series(series: dict[str, ArrayLike], ax: mpl.axes.Axes, title: str = "") -> mpl.axes.Axes:
    """Draw one or two sequences of numbers as lines, each labelled at its right end.

    Args:
        series: name -> values (T,). The shorter of two is centered on the longer: a window of k has no place for its
            middle on the first and last (k - 1) / 2 numbers.
        ax: where to draw.
        title: stands above the lines.

    Raises:
        ValueError: there are none, or more than two.
    """
    looks = [{"color": COLORS["negative"], "linewidth": 1}, {"color": COLORS["positive"], "linewidth": 2}]
    if not 1 <= len(series) <= len(looks):
        raise ValueError(f"show_series: {len(series)} series given; it draws one or two")
    longest = max(len(values) for values in series.values())
    ends = sorted(series, key=lambda name: series[name][-1])
    for (name, values), look in zip(series.items(), looks, strict=False):
        start = (longest - len(values)) / 2
        ax.plot(start + np.arange(len(values)), values, **look)
        # The lines may end at one height, so the upper label is lifted and the lower one lowered.
        lift = 0 if len(series) == 1 else (7 if name == ends[-1] else -7)
        place = (start + len(values) - 1, values[-1])
        ax.annotate(name, place, (6, lift), textcoords="offset points", color=INK, va="center")
    ax.set_title(title)
    return ax


def show_curves(
    curves: dict[str, tuple[ArrayLike, ArrayLike]],
    ax: mpl.axes.Axes,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> mpl.axes.Axes:
    """Draw lines through points, each in a color of its own and labelled at its right end.

    Args:
        curves: name -> (x, y), two sequences of numbers of one length.
        ax: where to draw.
        title: stands above the lines.
        x_label: stands below, with the unit.
        y_label: stands to the left, with the unit.

    Raises:
        ValueError: there are no curves, or more than colors.
    """
    if not 1 <= len(curves) <= len(CURVES):
        raise ValueError(f"show_curves: {len(curves)} curves given; there are {len(CURVES)} colors")
    for (x, y), color in zip(curves.values(), CURVES, strict=False):
        ax.plot(x, y, color=color, linewidth=1.8, marker="o" if len(x) < 12 else None, markersize=3.5)
        if np.asarray(x).dtype.kind in "iu":  # epochs or pixels: no tick between two of them
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(title=title, xlabel=x_label, ylabel=y_label)
    ax.margins(x=0.02)
    _label_ends(curves, ax)
    return ax


def _label_ends(curves: dict[str, tuple[ArrayLike, ArrayLike]], ax: mpl.axes.Axes) -> None:
    """Write each curve's name beside its last point, with a dot of its color; push names apart that would touch."""
    ax.figure.draw_without_rendering()  # only then the axes know where a value lies
    heights = {name: ax.transData.transform((x[-1], y[-1]))[1] for name, (x, y) in curves.items() if name}
    colors = dict(zip(curves, CURVES, strict=False))
    step = 13 * ax.figure.dpi / 72
    last = -np.inf
    for name in sorted(heights, key=heights.get):
        x, y = curves[name]
        last = max(heights[name], last + step)
        lift = (last - heights[name]) * 72 / ax.figure.dpi
        place, look = (x[-1], y[-1]), {"textcoords": "offset points", "va": "center"}
        ax.annotate("●", place, (8, lift), color=colors[name], **look)
        ax.annotate(name, place, (19, lift), color=INK, **look)


def show_bars(
    values: dict[str, float],
    ax: mpl.axes.Axes,
    title: str = "",
    spread: dict[str, float] | None = None,
    limits: tuple[float, float] | None = None,
    form: str = "{:.1f}",
) -> mpl.axes.Axes:
    """Draw horizontal bars, each with its name and its number.

    Args:
        values: name -> length.
        ax: where to draw.
        title: stands above the bars.
        spread: name -> half the length of the line that shows how far the value varies.
        limits: where the axis begins and ends.
        form: how a number is written, such as "{:.1f} %".

    Raises:
        ValueError: there are no values, or NaN or infinity among them.
    """
    names = list(values)
    lengths = _finite("show_bars", "values", np.array([values[name] for name in names], dtype=np.float64))
    if not names:
        raise ValueError("show_bars: values is empty; give a dict of names and lengths")
    low, high = limits or (min(0.0, lengths.min()), lengths.max() * 1.02)
    ax.barh(range(len(names)), lengths - low, left=low, height=0.62, color=COLORS["negative"])
    for row, name in enumerate(names):
        reach = spread[name] if spread else 0
        if reach:
            ax.plot([values[name] - reach, values[name] + reach], [row, row], color=INK, linewidth=1.5)
        place = (max(values[name] + reach, low), row)
        ax.annotate(form.format(values[name]), place, (5, 0), textcoords="offset points", va="center", color=INK)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlim(low, high)
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(bottom=False, labelbottom=False, left=False)
    ax.set_title(title)
    return ax


def show_pictures(
    pictures: ArrayLike,
    ax: mpl.axes.Axes,
    title: str = "",
    columns: int = 10,
    signed: bool = False,
    limit: float | None = None,
) -> mpl.axes.Axes:
    """Draw many small pictures of one size in rows, with a gap between them.

    Args:
        pictures: (N, H, W) gray or (N, 3, H, W) color in [0, 1]; or (N, H, W) of any real numbers where ``signed``.
        ax: where to draw.
        title: stands above.
        columns: pictures in a row.
        signed: paint them as maps are painted, orange above zero and blue below, all on one scale.
        limit: of that scale; the largest absolute value by default.

    Raises:
        ValueError: pictures of another shape or range, or NaN or infinity in signed ones.
    """
    if signed:
        pictures = _finite("show_pictures", "pictures", real_array("show_pictures", "pictures", pictures, "(N, H, W)"))
        colors = [signed_colors(one, limit or float(np.abs(pictures).max())) for one in pictures]
    else:
        pictures = picture("show_pictures", "pictures", pictures, "(N, H, W)", "(N, 3, H, W)").astype(np.float64)
        full = np.ones(pictures.shape[-2:])
        colors = [np.dstack([*(one if one.ndim == 3 else [one] * 3), full]) for one in pictures]
    height, width = pictures.shape[-2:]
    gap = max(1, round(min(height, width) / 12))
    rows = -(-len(colors) // columns)
    sheet = np.zeros((rows * (height + gap) - gap, min(columns, len(colors)) * (width + gap) - gap, 4))
    for number, color in enumerate(colors):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        sheet[top : top + height, left : left + width] = color
    ax.imshow(sheet.clip(0, 1), interpolation="nearest")
    return bare(ax, title)


def bare(ax: mpl.axes.Axes, title: str = "") -> mpl.axes.Axes:
    """Take the frame and the scale off, where a picture speaks for itself."""
    ax.set_axis_off()
    ax.set_title(title)
    return ax
