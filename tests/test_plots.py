"""Figures are drawn from arrays, in the page's ink, and labelled."""

import re

import numpy as np
import pytest

from backbone import plots
from backbone.palette import CLASSES, COLORS, css_variables, rgb

PAGES = {"light": "#ffffff", "dark": "#121212"}


def luminance(color: str) -> float:
    """Return the relative luminance of "#rrggbb" (WCAG 2.2)."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(color: str, page: str) -> float:
    light, dark = sorted([luminance(color), luminance(page)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("name", COLORS)
def test_every_color_stands_out_on_every_page(name, page):
    assert contrast(COLORS[name], page) >= 3


@pytest.mark.parametrize("color", CLASSES)
def test_colors_of_classes_can_be_seen_on_every_page(color):
    assert min(contrast(color, page) for page in PAGES.values()) >= 2
    assert CLASSES.count(color) == 1


def test_colors_are_the_same_for_python_and_css():
    assert rgb("mark") == tuple(int(COLORS["mark"][i : i + 2], 16) / 255 for i in (1, 3, 5))
    assert css_variables().count("--bb-") == len(COLORS)


def test_signed_colors():
    colors = plots.signed_colors(np.array([[-2.0, 0.0, 1.0, 4.0]]), limit=2)[0]
    np.testing.assert_allclose(colors[:, 3], [1, 0, 0.5, 1])  # clipped at the limit
    np.testing.assert_allclose(colors[0, :3], rgb("negative"))
    np.testing.assert_allclose(colors[3, :3], rgb("positive"))


def test_a_map_of_zeros_is_the_background():
    assert (plots.signed_colors(np.zeros((2, 2)), limit=0)[..., 3] == 0).all()


def test_drawing_functions_return_their_axes():
    left, middle, right = plots.panels(3)
    assert plots.show_image(np.eye(4), left, "a") is left
    assert plots.show_map(np.eye(4) - 0.5, middle, "b") is middle
    assert plots.show_series({"x": [1, 2, 3]}, right, "c") is right
    assert middle.get_title() == "b  (−0.50 to +0.50)"
    plots.Drawing([left, middle, right], alt="three panels")


def test_color_pictures_are_drawn_channels_last():
    (ax,) = plots.panels(1)
    plots.show_image(np.stack([np.ones((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))]), ax)
    assert ax.images[0].get_array().shape == (2, 3, 3)
    plots.Drawing(ax, alt="red")


def test_the_shorter_of_two_series_is_centered():
    (ax,) = plots.panels(1)
    plots.show_series({"row": np.zeros(9), "mean": np.zeros(3)}, ax)
    np.testing.assert_allclose(ax.lines[1].get_xdata(), [3, 4, 5])
    plots.Drawing(ax, alt="two lines")


def test_three_series_are_refused():
    (ax,) = plots.panels(1)
    with pytest.raises(ValueError, match="3 series given"):
        plots.show_series({name: [0] for name in "abc"}, ax)
    plots.Drawing(ax, alt="nothing")


def drawn(title: str = "t") -> str:
    (ax,) = plots.panels(1)
    plots.show_series({"a < b": [0, 1]}, ax, title)
    return plots.Drawing(ax, alt='the "alt" text', caption="look < here")._repr_html_()


def test_a_drawing_takes_the_ink_of_the_page_and_is_labelled():
    html = drawn()
    assert plots.INK not in html
    assert "currentColor" in html
    assert 'role="img" aria-label="the &quot;alt&quot; text"' in html
    assert "<figcaption>look &lt; here</figcaption>" in html
    assert "<script" not in html


def test_drawings_are_the_same_every_time_and_share_no_ids():
    assert drawn() == drawn()
    ids = [set(re.findall(r'\bid="([^"]+)"', drawn(title))) for title in ("one", "two")]
    assert ids[0]
    assert ids[0].isdisjoint(ids[1])
    for html in (drawn("one"), drawn("two")):
        referred = set(re.findall(r'(?:url\(#|href="#)([^")]+)', html))
        assert referred <= set(re.findall(r'\bid="([^"]+)"', html))


def test_a_drawing_without_alt_is_refused():
    (ax,) = plots.panels(1)
    with pytest.raises(ValueError, match="alt is empty"):
        plots.Drawing(ax, alt=" ")


def test_curves_are_labelled_at_their_ends_and_labels_keep_apart():
    (ax,) = plots.panels(1)
    curves = {"one": ([0, 1, 2], [3, 2, 1]), "two": ([0, 1, 2], [0, 1, 1]), "": ([0, 1], [0, 1])}
    assert plots.show_curves(curves, ax, "t", "epoch", "loss") is ax
    ax.figure.canvas.draw()
    names = [text for text in ax.texts if text.get_text() in curves]
    assert [text.get_text() for text in names] == ["one", "two"]
    one, two = (text.get_window_extent() for text in names)
    assert not one.overlaps(two)
    assert all(float(tick).is_integer() for tick in ax.get_xticks())
    plots.Drawing(ax, alt="three curves")


def test_too_many_curves_are_refused():
    (ax,) = plots.panels(1)
    with pytest.raises(ValueError, match="9 curves given; there are 8 colors"):
        plots.show_curves({name: ([0], [0]) for name in "abcdefghi"}, ax)
    plots.Drawing(ax, alt="nothing")


def test_bars_begin_at_the_limit_and_carry_their_numbers():
    (ax,) = plots.panels(1)
    values = {"pixels": 80.0, "HOG": 84.0}
    assert plots.show_bars(values, ax, spread={"pixels": 0, "HOG": 1}, limits=(50, 90), form="{:.1f} %") is ax
    assert [bar.get_width() for bar in ax.patches] == [30, 34]
    assert {bar.get_x() for bar in ax.patches} == {50}
    assert {"80.0 %", "84.0 %"} <= {text.get_text() for text in ax.texts}
    assert [list(line.get_xdata()) for line in ax.lines] == [[83, 85]]
    plots.Drawing(ax, alt="two bars")


@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 3, 4, 6)], ids=["gray", "color"])
def test_pictures_stand_in_rows_with_gaps(shape):
    (ax,) = plots.panels(1)
    pictures = np.random.default_rng(0).random(shape)
    assert plots.show_pictures(pictures, ax, columns=3) is ax
    sheet = ax.images[0].get_array()
    assert sheet.shape == (2 * 4 + 1, 3 * 6 + 2, 4)
    assert (sheet[4] == 0).all()  # the gap is the page itself
    assert (sheet[:4, 6] == 0).all()
    last = pictures[4] if len(shape) == 3 else pictures[4, 0]
    np.testing.assert_allclose(sheet[5:, 7:13, 0], last)
    plots.Drawing(ax, alt="five pictures")


def test_signed_pictures_share_a_scale():
    (ax,) = plots.panels(1)
    plots.show_pictures(np.array([[[1.0]], [[-4.0]]]), ax, signed=True)
    np.testing.assert_allclose(ax.images[0].get_array()[0, ::2, 3], [0.25, 1])
    plots.Drawing(ax, alt="two weights")


def test_a_drawing_is_as_wide_as_its_panels_and_no_wider():
    wide = plots.Drawing(plots.panels(2), alt="two")._repr_html_()
    narrow = plots.Drawing(plots.panels(1, width=480), alt="one")._repr_html_()
    assert f"max-width: {plots.WIDTH}px" in wide
    assert "max-width: 480px" in narrow


# --- Pictures that are none --------------------------------------------------------------------------------------

BYTES = np.full((3, 6, 6), 200, np.uint8)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: plots.show_map([[0, np.nan]], ax), "show_map: feature_map holds NaN or infinity"),
        (lambda ax: plots.show_pictures(np.full((1, 2, 2), np.inf), ax, signed=True), "pictures holds NaN or infinity"),
        (lambda ax: plots.show_bars({"one": np.nan}, ax), "show_bars: values holds NaN or infinity"),
        (lambda ax: plots.show_bars({}, ax), "values is empty; give a dict of names and lengths"),
        (lambda ax: plots.show_series({}, ax), "0 series given; it draws one or two"),
        (lambda ax: plots.show_curves({}, ax), "0 curves given"),
        (lambda ax: plots.panels(0), "count is 0; it must be an integer of at least 1"),
        (lambda ax: plots.show_image(BYTES[0], ax), "show_image: image has .* divide by 255"),
        (lambda ax: plots.show_image(BYTES, ax), "divide by 255"),
        (lambda ax: plots.show_image(np.zeros((6, 7, 3)), ax), r"\(H, W\) or \(3, H, W\) .* move the channels"),
        (lambda ax: plots.show_image(np.zeros((4, 6, 6)), ax), "leave out the fourth channel"),
        (lambda ax: plots.show_image(np.zeros((1, 6, 6)), ax), "take the only channel"),
        (lambda ax: plots.show_pictures(BYTES, ax), "show_pictures: pictures has .* divide by 255"),
        (lambda ax: plots.show_pictures(np.zeros((5, 1, 6, 6)), ax), "take the only channel"),
        (lambda ax: plots.show_pictures(np.zeros((5, 6, 7, 3)), ax), "move the channels to the front"),
        (lambda ax: plots.show_pictures(np.zeros((5, 3, 6, 6)), ax, signed=True), r"must be \(N, H, W\)"),
        (lambda ax: plots.show_map(np.zeros((5, 6, 6)), ax), r"show_map: feature_map has .* must be \(H, W\)"),
    ],
)
def test_pictures_of_another_shape_or_range_are_refused(draw, message):
    (ax,) = plots.panels(1)
    with pytest.raises(ValueError, match=message):
        draw(ax)
    plots.plt.close(ax.figure)


def test_masks_and_bytes_of_zero_and_one_are_pictures():
    (ax,) = plots.panels(1)
    plots.show_image(np.eye(4, dtype=bool), ax)
    plots.show_image(np.eye(4, dtype=np.uint8), ax)
    plots.plt.close(ax.figure)
