"""The book's colors, defined once: matplotlib figures, widgets and the site's style sheet read them here.

Every color stands on the page's own background, light or dark, with a contrast of at least 3:1 on both. Maps are
painted with opacity instead of a second color, so that zero *is* the background in either theme.
"""

from collections.abc import Mapping
from types import MappingProxyType

COLORS: Mapping[str, str] = MappingProxyType(
    {
        "positive": "#e8590c",  # above zero; opacity grows with the value
        "negative": "#2f7bd9",  # below zero; a blue that color-blind readers tell from the orange
        "mark": "#0f9d76",  # what the reader points at, and where it comes from
    }
)

CLASSES: tuple[str, ...] = ("#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7", "#999999", "#b8a800")
"""Colors that tell classes apart. Okabe and Ito's, but for the last two: their black and their yellow do not stand out
on a dark or on a light page."""


def css_variables() -> str:
    """Return the colors as CSS custom properties, ``--bb-positive: #e8590c;`` and so on."""
    return " ".join(f"--bb-{name}: {color};" for name, color in COLORS.items())


def rgb(name: str) -> tuple[float, float, float]:
    """Return a color as three numbers in [0, 1]."""
    color = COLORS[name]
    return tuple(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
