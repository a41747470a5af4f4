"""What holds for every widget: its code is small and its style stays its own."""

import gzip
import inspect
import re
from pathlib import Path

import backbone_book
import pytest

import backbone.widgets
from backbone import language
from backbone.palette import COLORS
from backbone.widgets.base import BookWidget

CLASSES = [one for one in vars(backbone.widgets).values() if inspect.isclass(one) and issubclass(one, BookWidget)]
EACH = pytest.mark.parametrize("widget", CLASSES, ids=lambda one: one.__name__)


def selectors(css):
    """Return what stands before the braces, one entry for each part of a list."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    rules = re.findall(r"([^{};]+)\{", css)
    return [part.strip() for rule in rules for part in re.split(r",(?![^(]*\))", rule)]


def own_style(widget):
    path = Path(inspect.getfile(widget)).with_name("widget.css")
    return path.read_text("utf-8") if path.exists() else ""


def test_there_are_widgets():
    assert len(CLASSES) >= 3


@EACH
def test_javascript_is_small_and_has_one_export_by_default(widget):
    assert len(gzip.compress(widget._esm.encode())) <= 30 * 1024
    assert widget._esm.count("export default") == 1
    assert not re.search(r"^\s*import\b", widget._esm, re.MULTILINE)


@EACH
def test_no_canvas_is_read_back(widget):
    """Reading makes a canvas slow to draw, and the browser warns of it, but for one that was made to be read."""
    assert widget._esm.count("getImageData") == widget._esm.count("willReadFrequently: true")


@EACH
def test_every_rule_begins_at_the_widgets_root(widget):
    found = selectors(widget._css)
    assert [one for one in found if not one.startswith((".bb-widget", "@container", "@media"))] == []
    assert all(f"--bb-{name}: {color};" in widget._css for name, color in COLORS.items())


@EACH
def test_a_widgets_own_rules_reach_no_other_widget(widget):
    """Styles are global on a page, so a widget's own rules name its own root or carry its own prefix."""
    own = [one for one in selectors(own_style(widget)) if not one.startswith("@")]
    prefixes = {re.match(r"\.bb-widget(?:\.| \.| :is\(\.)(bb-[a-z]+)", one)[1] for one in own}
    assert len(prefixes) <= 1, prefixes
    others = "".join(own_style(one) for one in CLASSES if one is not widget)
    assert not any(re.search(rf"{prefix}\b", others) for prefix in prefixes)


@EACH
def test_room_is_kept_for_all_that_a_widget_can_show(widget):
    shows = getattr(widget.class_traits().get("show"), "values", [""])
    assert set(widget.room) == set(shows)
    assert all(0 < height < 700 for heights in widget.room.values() for height in heights)


def test_a_view_without_a_room_stops_the_build():
    state = {"_anywidget_id": "backbone.widgets.playground.Playground", "show": "nothing"}
    with pytest.raises(backbone_book.PageError, match=r"page: Playground.room has no height for show='nothing'"):
        backbone_book.room("page", state)


def test_a_korean_room_is_that_of_a_widget_and_differs():
    rooms = {widget.__name__: widget.room for widget in CLASSES}
    for name, own in language.table("ko", "rooms").items():
        assert all(tuple(heights) != rooms[name][show] for show, heights in own.items()), name
    state = {"_anywidget_id": "backbone.widgets.stage_explorer.StageExplorer", "show": "front"}
    english, korean = (backbone_book.room("page", state, code) for code in ("en", "ko"))
    assert english == rooms["StageExplorer"]["front"]
    assert korean[1] < english[1]


WORDS = """() => {
    const found = (entry) => typeof entry === "object" ? Object.values(entry).flatMap(found) : [typeof entry];
    return [found(m.TEXT), JSON.stringify(m.TEXT)];
}"""


@EACH
def test_words_are_templates_with_named_places_and_right_for_a_finger_too(widget, module_of):
    """A language replaces the table, so it holds texts alone: no functions and no numbers in it."""
    types, words = module_of(f"{widget._esm}\nexport {{ TEXT }};")(WORDS)
    assert set(types) == {"string"}
    assert re.findall(r"(?i)[^\"]*\b(?:click|hover|mouse|move over)[^\"]*", words) == []
