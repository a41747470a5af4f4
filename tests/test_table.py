"""Tables: what a page, a screen reader and a terminal are given, and which rows are refused."""

import pytest
from bs4 import BeautifulSoup

from backbone import plots
from backbone.table import Table

ROWS = [
    {"network": "a < b", "parameters": "1,204", "error": "9.5 ± 0.3 %", "maps": "6 × 24 × 24"},
    {"network": "VGG-16 & co", "parameters": 61, "error": "–", "maps": 120},
]


def parse(table: Table) -> BeautifulSoup:
    return BeautifulSoup(table._repr_html_(), "html.parser")


def texts(found: BeautifulSoup, cells: str) -> list[str]:
    return [cell.text for cell in found.select(cells)]


def test_plots_has_it():
    assert plots.Table is Table


def test_columns_and_rows_have_headers():
    found = parse(Table(ROWS))
    assert texts(found, "thead th[scope=col]") == list(ROWS[0])
    assert texts(found, "tbody th[scope=row]") == ["a < b", "VGG-16 & co"]
    assert texts(found, "tbody td") == ["1,204", "9.5 ± 0.3 %", "6 × 24 × 24", "61", "–", "120"]


def test_its_text_is_escaped():
    page = Table([{"<i>": "<b>"}], caption='"1" < 2')._repr_html_()
    assert "<i>" not in page
    assert "<b>" not in page
    assert 'aria-label="&quot;1&quot; &lt; 2"' in page
    assert "<figcaption>&quot;1&quot; &lt; 2</figcaption>" in page


def test_numbers_stand_to_the_right_and_the_rest_to_the_left():
    found = parse(Table(ROWS))
    for cells in ("thead th", "tbody tr:first-child > *", "tbody tr:last-child > *"):
        sides = [cell["style"].removeprefix("text-align: ") for cell in found.select(cells)]
        assert sides == ["left", "right", "right", "left"]


@pytest.mark.parametrize(
    "cell",
    [0, 3.5, float("nan"), float("-inf"), "−0.5", "+1.2 points", "1e-07", "6.1e+02", "12 %", "3 of 20", "2.5 to 3.1 %"],
)
def test_what_begins_with_a_number_is_one(cell):
    assert parse(Table([{"x": cell}])).select_one("tbody th")["style"] == "text-align: right"


@pytest.mark.parametrize("cell", ["Conv2d", "3 × 3", "64×5", "3 x 3", "(6, 24, 24)", "[2, 2]", "1×1, 3×3"])
def test_words_and_shapes_are_none(cell):
    assert parse(Table([{"x": cell}])).select_one("tbody th")["style"] == "text-align: left"


def test_what_is_too_wide_scrolls_in_itself_by_key_as_well():
    region = parse(Table(ROWS, caption="Fewer are better.")).select_one("[role=region]")
    assert region["tabindex"] == "0"
    assert "overflow-x: auto" in region["style"]
    assert region["aria-label"] == "Fewer are better."
    # The caption stands outside: it is as wide as the page, not as wide as the table.
    assert region.find("figcaption") is None


def test_without_a_caption_its_columns_name_it():
    found = parse(Table(ROWS))
    assert found.find("figcaption") is None
    assert found.select_one("[role=region]")["aria-label"] == "network, parameters, error, maps"


def test_totals_stand_apart():
    found = parse(Table([{"way": name, "count": 1} for name in "abc"], totals=1))
    assert texts(found, "tbody th") == ["a", "b"]
    assert texts(found, "tfoot tr > *") == ["c", "1"]


def test_a_terminal_gets_columns():
    assert repr(Table(ROWS, caption="Fewer are better.")).splitlines() == [
        "network      parameters        error  maps       ",
        "a < b             1,204  9.5 ± 0.3 %  6 × 24 × 24",
        "VGG-16 & co          61            –  120        ",
        "Fewer are better.",
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"^Table: there are no rows; give one dict for each, such as \{"),
        ([{}], r"^Table: row 0 is \{\}; it must be a dict from the names of columns to cells"),
        (["ab", "cd"], r"^Table: row 0 is 'ab'; it must be a dict from the names of columns to cells"),
        ([("a", 1)], r"^Table: row 0 is \('a', 1\); it must be a dict"),
        ([{"a": 1, "b": 2}, {"a": 1}], r"^Table: row 1 has the columns \['a'\], row 0 has \['a', 'b'\]; give each row"),
        ([{"a": 1, "b": 2}, {"b": 1, "a": 2}], r"^Table: row 1 has the columns \['b', 'a'\]"),
    ],
)
def test_other_rows_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        Table(rows)


@pytest.mark.parametrize("totals", [-1, 1.5, 3])
def test_totals_are_some_of_the_rows(totals):
    with pytest.raises(ValueError, match=r"^Table: totals is .*; it must be an integer from 0 to 2"):
        Table(ROWS, totals=totals)
