"""What stands around a figure on a page: its place, what it shows for those who do not see it, its caption."""

import html
from collections.abc import Sequence

GAP = 12  # between two panels, in CSS pixels


class Figure:
    """Finished SVGs, ready to be the last line of a cell.

    Args:
        svgs: panels as SVG texts; side by side where there is room, else one below the other.
        widths: of the panels, in CSS pixels, where there is room.
        alt: what the figure shows, for those who do not see it.
        caption: what to look for; stands under the figure.

    Raises:
        ValueError: alt is empty.
    """

    def __init__(self, svgs: Sequence[str], widths: Sequence[int], alt: str, caption: str = ""):
        if not alt.strip():
            raise ValueError(f"{type(self).__name__}: alt is empty; say in a sentence what the figure shows")
        self.svgs, self.alt, self.caption = list(svgs), alt, caption
        # As many side by side as fit at four fifths of their size; on a phone one below the other.
        least = sum(widths) * 4 // (5 * len(widths))
        self.layout = (
            f"display: grid; gap: {GAP}px; max-width: {sum(widths) + GAP * (len(widths) - 1)}px; margin: 0 auto; "
            f"grid-template-columns: repeat(auto-fit, minmax(min(100%, {least}px), 1fr))"
        )

    def _repr_html_(self) -> str:
        caption = f"<figcaption>{html.escape(self.caption)}</figcaption>" if self.caption else ""
        return (
            '<figure class="bb-figure" style="margin: 0">'
            f'<div role="img" aria-label="{html.escape(self.alt)}" style="{self.layout}">{"".join(self.svgs)}</div>'
            f"{caption}</figure>"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.alt}"
