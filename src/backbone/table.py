"""A small table, read well on a page, on a phone, by a screen reader and in a terminal."""

import html
import re
from collections.abc import Mapping, Sequence

# What begins as a number; a shape such as 3 × 3 does not count as one.
NUMBER = re.compile(r"[+−-]?\d[\d,.]*+(e[+-]\d+)?+(?! ?[×x])|nan$|[+−-]?inf$")
EMPTY = ("", "–")


class Table:
    """Rows of names and numbers, ready to be the last line of a cell.

    Args:
        rows: a dict for each, from the names of the columns to cells: numbers, or texts that are formatted already.
            The first cell is the row's name. Columns of numbers stand to the right, the others to the left.
        caption: what to look for; stands under the table.
        totals: rows at the end that sum up the others.

    Raises:
        ValueError: there are no rows, their columns differ, or there are fewer than ``totals``.
    """

    def __init__(self, rows: Sequence[Mapping[str, object]], caption: str = "", totals: int = 0):
        if not rows:
            raise ValueError('Table: there are no rows; give one dict for each, such as {"layer": "conv1", "maps": 6}')
        for number, row in enumerate(rows):
            if not isinstance(row, Mapping) or not row:
                raise ValueError(
                    f"Table: row {number} is {row!r}; it must be a dict from the names of columns to cells"
                )
            if list(row) != list(rows[0]):
                raise ValueError(
                    f"Table: row {number} has the columns {list(row)}, row 0 has {list(rows[0])}; "
                    "give each row the same ones, in the same order"
                )
        if totals not in range(len(rows) + 1):
            raise ValueError(f"Table: totals is {totals!r}; it must be an integer from 0 to {len(rows)}")
        self.columns = [str(name) for name in rows[0]]
        self.cells = [[str(cell) for cell in row.values()] for row in rows]
        self.caption, self.totals = caption, totals
        self.sides = [
            "right" if all(cell in EMPTY or NUMBER.match(cell) for cell in column) else "left"
            for column in zip(*self.cells, strict=True)
        ]

    def __repr__(self) -> str:
        lines = [self.columns, *self.cells]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        pads = [str.rjust if side == "right" else str.ljust for side in self.sides]
        padded = ["  ".join(pad(*cell) for pad, *cell in zip(pads, line, widths, strict=True)) for line in lines]
        return "\n".join([*padded, self.caption] if self.caption else padded)

    def _repr_html_(self) -> str:
        body = len(self.cells) - self.totals
        parts = {"thead": [self.columns], "tbody": self.cells[:body], "tfoot": self.cells[body:]}
        table = "".join(
            f"<{part}>{''.join(self._row(line, part) for line in lines)}</{part}>"
            for part, lines in parts.items()
            if lines
        )
        label = html.escape(self.caption or ", ".join(self.columns))
        caption = f"<figcaption>{html.escape(self.caption)}</figcaption>" if self.caption else ""
        # It scrolls inside itself where it is too wide, which must be possible by key as well.
        return (
            '<figure class="bb-table" style="margin: 0">'
            f'<div role="region" aria-label="{label}" tabindex="0" style="overflow-x: auto">'
            f"<table>{table}</table></div>{caption}</figure>"
        )

    def _row(self, line: Sequence[str], part: str) -> str:
        """Return one row; each cell carries its side, for notebooks have style sheets of their own."""
        marks = ['th scope="col"'] * len(line) if part == "thead" else ['th scope="row"'] + ["td"] * (len(line) - 1)
        cells = zip(marks, self.sides, line, strict=True)
        return (
            "<tr>"
            + "".join(
                f'<{mark} style="text-align: {side}">{html.escape(text)}</{mark[:2]}>' for mark, side, text in cells
            )
            + "</tr>"
        )
