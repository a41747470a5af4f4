"""The few shapes that all drawings of networks are put together from, as SVG in the page's ink.

A sheet is as wide as a phone's column, so that its words have the same size there as anywhere.
"""

import html
import math
from collections.abc import Sequence

from backbone.figure import Figure
from backbone.palette import COLORS

WIDTH = 328  # of a sheet, in CSS pixels
LARGEST = 1.25  # times that, where a sheet stands alone and there is room
TEXT = 12.5  # size of the words
LINE = 15  # from one line of words to the next
LETTER = 7.0  # a little more than the mean letter of a wide font
ROUND = 9  # radius of a sign such as the one for an addition
# Filled: what has weights. Green, as in the book's first figure: feature maps. Blue: the way past the layers.
LOOKS = {
    "weights": 'fill="currentColor" fill-opacity=".12" stroke="currentColor"',
    "plain": 'fill="none" stroke="currentColor" stroke-dasharray="4 2.5"',
    "maps": f'fill="{COLORS["mark"]}" fill-opacity=".28" stroke="{COLORS["mark"]}"',
    "outline": 'fill="none" stroke="currentColor"',
}
WAYS = {
    "": 'stroke="currentColor" stroke-width="1.3"',
    "past": f'stroke="{COLORS["negative"]}" stroke-width="2.2"',
    "taps": 'stroke="currentColor" stroke-width="1.3" stroke-dasharray="4 2.5"',
}
INKS = {"": "currentColor", "past": COLORS["negative"], "taps": "currentColor"}


def width_of(lines: Sequence[str], least: float = 36) -> float:
    """Return how wide a box must be for these lines of words."""
    return max(least, *(LETTER * len(line) + 10 for line in lines))


class Sheet:
    """One panel in the making: boxes, ways with arrows, signs and words, placed in CSS pixels."""

    def __init__(self, title: str = ""):
        self.parts, self.top = [], 0.0
        if title:
            self.text(0, 13, title, anchor="start", bold=True)
            self.top = 22.0

    def box(self, x: float, y: float, width: float, height: float, lines: Sequence[str] = (), look: str = "weights"):
        """Draw a box around (x, y), its left side and its middle, with words in it."""
        size = f'x="{x:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}"'
        first = y + TEXT * 0.36 - LINE * (len(lines) - 1) / 2
        words = "".join(_words(x + width / 2, first + LINE * row, line) for row, line in enumerate(lines))
        self.parts.append(f'<g data-box=""><rect {size} rx="3" stroke-width="1.3" {LOOKS[look]}/>{words}</g>')

    def text(self, x: float, y: float, words: str, anchor: str = "middle", bold: bool = False, ink: str = ""):
        """Write words on the line at y."""
        self.parts.append(_words(x, y, words, anchor, bold, INKS[ink]))

    def way(self, *points: tuple[float, float], arrow: bool = True, look: str = ""):
        """Draw a line through points, with an arrow at its end."""
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f'<path d="{path}" fill="none" {WAYS[look]}/>')
        if arrow:
            (x0, y0), (x1, y1) = points[-2:]
            far = math.hypot(x1 - x0, y1 - y0)
            u, v = (x1 - x0) / far, (y1 - y0) / far
            corners = [(x1, y1), *((x1 - 6 * u + s * 3.2 * v, y1 - 6 * v - s * 3.2 * u) for s in (1, -1))]
            shape = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
            self.parts.append(f'<path d="M{shape}z" fill="{INKS[look]}" stroke="none"/>')

    def sign(self, x: float, y: float, words: str, radius: float = ROUND):
        """Draw a circle around (x, y) with a sign in it, such as + for an addition."""
        circle = (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="none" stroke="currentColor" stroke-width="1.3"/>'
        )
        self.parts.append(f'<g data-box="">{circle}{_words(x, y + TEXT * 0.36, words)}</g>')

    def svg(self, height: float) -> str:
        """Return the panel."""
        return (
            f'<svg viewBox="0 0 {WIDTH} {height:.0f}" aria-hidden="true" style="width: 100%; height: auto" '
            f'font-size="{TEXT}" font-family="inherit" fill="currentColor">{"".join(self.parts)}</svg>'
        )


def _words(
    x: float, y: float, words: str, anchor: str = "middle", bold: bool = False, ink: str = "currentColor"
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"{weight}>{html.escape(words)}</text>'


def figure(svgs: Sequence[str], alt: str, caption: str) -> Figure:
    """Put panels on a page; one that stands alone may grow a little."""
    width = WIDTH if len(svgs) > 1 else round(LARGEST * WIDTH)
    return Figure(svgs, [width] * len(svgs), alt, caption)
