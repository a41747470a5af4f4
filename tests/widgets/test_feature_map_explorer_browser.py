"""FeatureMapExplorer in a real browser: every control, and every number held against PyTorch."""

import re

import numpy as np
import pytest
from maps_screen import LAYERS, SEARCHED, Screen, best, explorer, maps_of, number, probabilities_of, rounded
from page_checks import WIDTHS, assert_colors, assert_fits, assert_structure

from backbone.data import FASHION_MNIST_STATISTICS, fashion_mnist
from backbone.palette import COLORS
from backbone.widgets import FeatureMapExplorer

pytestmark = pytest.mark.browser


@pytest.fixture
def screen(page_with):
    """The explorer alone on a page, as wide as the column of text."""
    made = explorer()
    return Screen(page_with(made, width=722), made)


def rgb(name):
    return np.array([int(COLORS[name][i : i + 2], 16) for i in (1, 3, 5)], float)


def drawn(canvas, points) -> np.ndarray:
    """Return red, green, blue and opacity of canvas points, given as parts of its width and height."""
    return np.array(
        canvas.evaluate(
            """(canvas, points) => points.map(([x, y]) => {
                const at = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
                return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
            })""",
            points,
        ),
        float,
    )


def middle(row, column, side=28):
    """Return the middle of a place of a map, in parts of a square's width and height."""
    return [(2 + (column + 0.5) * 28 / side) / 32, (2 + (row + 0.5) * 28 / side) / 32]


# --- Pictures, networks, units --------------------------------------------------------------------------------


def test_it_starts_with_a_right_answer(screen):
    screen.check()
    assert screen.chosen("Network") == "trained"
    assert screen.verdict.nth(0).inner_text().endswith("The label says Ankle boot: right.")


def test_every_picture_with_every_network(screen):
    names = screen.group("Picture").locator("label").evaluate_all("(labels) => labels.map((label) => label.title)")
    assert names == [*(screen.made.classes[label] for label in screen.made.labels), "your drawing"]
    for index, name in enumerate(names[:-1]):
        screen.choose("Picture", name)
        screen.choose("Network", "untrained")
        screen.check(picture=index, network="untrained")
        assert "a right answer is luck" in screen.verdict.nth(2).inner_text()
        screen.choose("Network", "trained")
        screen.check(network="trained")


@pytest.mark.parametrize("width", [722, 360])
def test_every_layer_by_pointer(page_with, width):
    made = explorer()
    screen = Screen(page_with(made, width=width), made)
    rng = np.random.default_rng(0)
    for layer, (units, _) in LAYERS.items():
        for unit in {0, units - 1, int(rng.integers(units))}:
            screen.pick(layer, unit)
            screen.check()


def test_the_place_is_kept_from_layer_to_layer(screen):
    screen.click(screen.map, 20, 6)
    screen.check(position=[20, 6])
    for layer, place in {"relu1": [20, 6], "pool1": [10, 3], "relu1 ": [20, 6], "conv2": [8, 1]}.items():
        screen.pick(layer.strip(), 2)
        assert np.abs(np.subtract(screen.made.position, place)).max() <= 1
        screen.check()


def test_the_parts_of_a_sum(screen):
    for layer, count in {"conv2": 6, "fc1": 16}.items():
        screen.pick(layer, 5)
        labels = screen.root.locator(".bb-parts:visible label")
        assert labels.count() == count
        for channel in (count - 1, 1):
            labels.nth(channel).click()
            screen.check()
            caption = screen.root.locator(".bb-equation .bb-caption").first.inner_text()
            assert caption == f"pool{1 if layer == 'conv2' else 2}, unit {channel}"


def test_the_largest_terms_lead_to_their_units(screen):
    for layer, before in {"fc3": "fc2", "fc2": "fc1"}.items():
        if layer == "fc3":
            screen.pick("fc3", 9)
        screen.check()
        maps, model = maps_of(rounded(screen.made), screen.made.input), rounded(screen.made)
        terms = maps[before] * getattr(model, layer).weight.detach().numpy()[screen.made.unit]
        button = screen.root.locator(".bb-terms button").first
        unit = int(np.abs(terms).argmax())
        assert button.inner_text().startswith(f"{before}, unit {unit}: ")
        button.click()
        screen.check(layer=before, unit=unit)


def test_contributions_under_the_pointer(screen):
    screen.pick("fc3", 9)
    maps, weight = maps_of(rounded(screen.made), screen.made.input), rounded(screen.made).fc3.weight.detach().numpy()
    screen.map.hover(position={"x": 232 * (2 + 2.8 * 3.4) / 32, "y": 232 * (2 + 2.8 * 2.4) / 32})
    screen.frame()
    caption = screen.root.locator(".bb-squares .bb-caption").nth(1)
    unit, value, factor, product = re.match(r"fc2, unit (\d+)\n(\S+) × (\S+) = (\S+)", caption.inner_text()).groups()
    assert int(unit) == 23
    assert number(value) == pytest.approx(maps["fc2"][23], abs=6e-4)
    assert number(factor) == pytest.approx(weight[9, 23], abs=6e-4)
    assert number(product) == pytest.approx(weight[9, 23] * maps["fc2"][23], abs=6e-4)
    screen.map.click(position={"x": 232 * (2 + 2.8 * 3.4) / 32, "y": 232 * (2 + 2.8 * 2.4) / 32})
    screen.check(layer="fc2", unit=23)
    screen.pick("fc1", 7)
    screen.map.click(position={"x": 232 * (2 + 7 * 2 + 3) / 32, "y": 232 * (2 + 7 + 3) / 32})
    screen.made.layer, screen.made.unit = "pool2", 6
    screen.check(position=screen.place())


def test_softmax_is_said(screen):
    screen.pick("fc3", 9)
    scores = maps_of(rounded(screen.made), screen.made.input)["fc3"].astype(float)
    said = re.search(r"Softmax: e\^(\S+) divided by the sum of all ten, (.+), is (.+)\.$", screen.result.inner_text())
    assert number(said[1]) == pytest.approx(scores[9], abs=6e-4)
    powers = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
    value, _, power = said[2].partition(" · 10")
    assert number(value) * 10 ** int(power.translate(powers) or 0) == pytest.approx(np.exp(scores).sum(), rel=2e-3)
    Screen.check_share(said[3], probabilities_of(rounded(screen.made), screen.made.input)[9])


# --- The map and its field ------------------------------------------------------------------------------------


def test_pointing_at_the_map_and_at_the_picture(screen):
    for row, column in [(0, 0), (27, 27), (5, 20)]:
        screen.click(screen.map, row, column)
        screen.check(position=[row, column])
        screen.click(screen.input, column, row)
        screen.check(position=[column, row])
    screen.drag(screen.map, (3, 3), (10, 12), (40, 12))
    screen.check(position=[27, 12])


def test_the_strongest_place(screen):
    for layer in ("conv1", "pool1", "conv2", "pool2"):
        screen.pick(layer, 3)
        screen.press("To its strongest place")
        maps = maps_of(rounded(screen.made), screen.made.input)[layer][3]
        screen.check(position=[int(at) for at in np.unravel_index(maps.argmax(), maps.shape)])
    screen.pick("fc1", 3)
    assert screen.root.get_by_role("button", name="To its strongest place").is_disabled()


@pytest.mark.parametrize("layer", SEARCHED[:4])
def test_the_field_is_marked_in_the_picture(screen, layer):
    screen.pick(layer, 1)
    found = best()["trained"][layer]
    size, jump, start = (getattr(found.fields[0], name) for name in ("size", "jump", "start"))
    top, left = (start + jump * at for at in screen.made.position)
    edges = [
        (top, left + size / 2),
        (top + size, left + size / 2),
        (top + size / 2, left),
        (top + size / 2, left + size),
    ]
    found = drawn(screen.input, [[(x + 2) / 32, (y + 2) / 32] for y, x in edges])
    np.testing.assert_allclose(found[:, :3], [rgb("mark")] * 4, atol=60)
    assert (
        screen.root.locator(".bb-squares .bb-caption").first.inner_text()
        == f"input, 28 × 28\nfield of {size} × {size} marked"
    )


def test_hovering_previews_the_field_and_the_value(screen):
    screen.page.mouse.move(*screen.spot(screen.map, 3, 22))
    screen.frame()
    value = maps_of(rounded(screen.made), screen.made.input)["conv1"][0, 3, 22]
    caption = screen.root.locator(".bb-squares .bb-caption").nth(1)
    assert caption.inner_text().startswith("conv1, unit 0\nrow 3, column 22: ")
    assert number(caption.inner_text().split(": ")[1]) == pytest.approx(value, abs=6e-4)
    screen.page.mouse.move(2, 2)
    screen.check()


@pytest.mark.parametrize("layer", ["conv1", "relu1", "pool1", "conv2", "pool2"])
def test_maps_are_painted_on_the_scale_of_their_stage(screen, layer):
    screen.pick(layer, 2)
    values = maps_of(rounded(screen.made), screen.made.input)[layer][2]
    low, high = (
        screen.root.locator(".bb-strip .bb-legend").nth(int(layer.endswith("2"))).locator("span:not(.bb-ramp)").all()
    )
    limit = number(high.inner_text())
    assert number(low.inner_text()) == -limit
    side = len(values)
    places = [
        (r, c) for r in range(side) for c in range(side) if np.abs(np.subtract((r, c), screen.made.position)).max() > 3
    ]
    for (row, column), (*color, opacity) in zip(
        places, drawn(screen.map, [middle(*p, side) for p in places]), strict=True
    ):
        value = values[row, column]
        assert opacity == pytest.approx(min(255, 255 * abs(value) / limit), abs=0.6)
        if opacity > 25:
            assert np.abs(color - rgb("negative" if value < 0 else "positive")).max() <= 255 / opacity


def test_the_scale_is_the_same_for_both_networks_or_each_its_own(screen):
    def ends():
        screen.frame()
        spans = screen.root.locator(".bb-strip .bb-legend span:last-child").all_inner_texts()
        return [number(text) for text in spans]

    same = ends()
    screen.choose("Network", "untrained")
    assert ends() == same
    screen.choose("Color scale", "its own")
    own = ends()
    assert all(small < large for small, large in zip(own, same, strict=True))
    screen.choose("Network", "trained")
    assert ends() == same  # the trained network has the larger numbers
    screen.check(scale="own")


# --- Best patches ---------------------------------------------------------------------------------------------


def patches(screen):
    """Return the pixels of the nine patches (9, h, w, 4), and how they are called."""
    screen.frame()
    pixels = screen.patches.evaluate_all(
        """(all) => all.map((canvas) => {
            const { width, height } = canvas;
            return [...canvas.getContext("2d").getImageData(0, 0, width, height).data];
        })"""
    )
    side = round((len(pixels[0]) / 4) ** 0.5)
    return np.reshape(pixels, (9, side, side, 4)), [one.get_attribute("aria-label") for one in screen.patches.all()]


@pytest.mark.parametrize("network", ["trained", "untrained"])
def test_best_patches_are_those_of_the_probes(screen, network):
    labels, classes = fashion_mnist("test").labels, screen.made.classes
    screen.choose("Network", network)
    screen.made.network = network
    for layer in LAYERS:
        screen.pick(layer, 4)
        found = best()[network][layer.replace("relu", "conv")]
        pixels, names = patches(screen)
        expected = found.patches[4, :, 0].numpy() >> 4  # 16 grays
        inside = pixels[..., 3] == 255
        assert inside.mean() > 0.3
        np.testing.assert_array_equal(pixels[..., 0][inside], 17 * expected[inside])
        for rank, (name, picture) in enumerate(zip(names, found.pictures[4], strict=True), 1):
            assert name.startswith(f"{rank}: {classes[labels[picture]]}")


def test_without_best_patches_that_is_said(page_with):
    full = explorer()
    test = fashion_mnist("test")
    made = FeatureMapExplorer(test[:3], {"trained": full.parameters}, FASHION_MNIST_STATISTICS)
    screen = Screen(page_with(made, width=722), made)
    assert screen.root.get_by_text("There are no best patches for this network.").is_visible()
    assert not screen.patches.first.is_visible()
    screen.check()


def test_a_browser_that_cannot_unpack_them_does_not_say_that_there_are_none(page_with):
    made = explorer()
    page = page_with(made, width=722)
    page.add_init_script("delete window.DecompressionStream")
    page.reload()
    screen = Screen(page, made)
    screen.root.get_by_text("This browser cannot unpack the best patches; a newer one can.").wait_for()
    assert not screen.root.get_by_text("There are no best patches").count()
    screen.check()


# --- Cover ----------------------------------------------------------------------------------------------------


def covered(made, cover, size, gray):
    image = made.pixels[made.picture].copy()
    image[cover[0] : cover[0] + size, cover[1] : cover[1] + size] = gray
    return image


def searched(screen):
    """Wait until the cover was tried everywhere."""
    screen.page.wait_for_function("() => !document.querySelector('.bb-stack button[disabled]:not(.bb-away *)')")
    screen.frame()


def test_covering_by_pointer_and_keys(screen):
    screen.choose("On the picture", "Cover")
    screen.check(tool="cover")
    for row, column in [(4, 4), (14, 20), (27, 27)]:
        screen.click(screen.input, row, column)
        expected = [min(max(int(np.floor(at + 0.5 - 4 + 0.5)), 0), 20) for at in (row, column)]
        screen.check(cover=expected)
    screen.drag(screen.input, (10, 10), (20, 3), (20, -9))
    assert (
        screen.root.locator(".bb-squares .bb-caption").first.inner_text() == "input, covered\nrows 17–24, columns 0–7"
    )
    screen.check(cover=[17, 0])
    screen.input.focus()
    for keys, cover in {"ArrowUp ArrowRight": [16, 1], "Shift+ArrowDown": [20, 1], "ArrowDown": [20, 1]}.items():
        screen.keys(*keys.split())
        screen.check(cover=cover)
    for size in (4, 12, 8):
        screen.choose("Size of the square", size)
        caption = screen.root.locator(".bb-squares .bb-caption").first.inner_text()
        top, left = (int(at) for at in re.match(r"input, covered\nrows (\d+)–\d+, columns (\d+)", caption).groups())
        screen.check(cover=[top, left], cover_size=size)
    for fill, text in {"black": "black", "mean": "data mean", "gray": "gray"}.items():
        screen.choose("Filled with", text)
        screen.check(cover_fill=fill)
    screen.choose("Network", "untrained")
    screen.check(network="untrained")
    screen.choose("On the picture", "Look")
    screen.check(tool="look")


@pytest.mark.parametrize(("size", "fill", "gray"), [(8, "gray", 128), (12, "black", 0), (4, "data mean", 73)])
def test_the_cover_at_every_place(screen, size, fill, gray):
    screen.choose("Picture", "Shirt")
    screen.made.picture = 7
    screen.choose("On the picture", "Cover")
    screen.choose("Size of the square", size)
    screen.choose("Filled with", fill)
    searched(screen)
    side, model = 29 - size, rounded(screen.made)
    truth = screen.made.labels[7]
    places = [(row, column) for row in range(side) for column in range(side)]
    shares = np.reshape(
        [probabilities_of(model, covered(screen.made, place, size, gray))[truth] for place in places], (side, side)
    )
    screen.press("To the lowest")
    lowest = np.unravel_index(shares.argmin(), shares.shape)
    caption = screen.root.locator(".bb-squares .bb-caption").first.inner_text()
    assert caption.startswith(f"input, covered\nrows {lowest[0]}–")
    assert f"columns {lowest[1]}–" in caption
    shown = screen.root.locator(".bb-squares .bb-caption").last.inner_text()
    assert shown.startswith("probability of Shirt\nhere ")
    Screen.check_share(shown.split("here ")[1], shares.min())
    first = (size - 1) / 2
    far = [place for place in places if np.abs(np.subtract(place, lowest)).max() > 2]
    found = drawn(screen.heat, [middle(first + row, first + column) for row, column in far])
    np.testing.assert_allclose(found[:, 3], [255 * shares[place] for place in far], atol=0.6)


def test_pointing_at_the_probabilities_moves_the_cover(screen):
    screen.choose("On the picture", "Cover")
    searched(screen)
    screen.click(screen.heat, 12 + 3.5, 5 + 3.5)
    screen.check(tool="cover", cover=[12, 5])
    screen.heat.focus()
    screen.keys("ArrowLeft", "ArrowUp")
    screen.check(cover=[11, 4])
    screen.keys("Home")
    lowest = screen.root.locator(".bb-squares .bb-caption").last.inner_text()
    assert number(re.search(r"([\d.]+) %", lowest)[1]) < 1
    text = screen.verdict.nth(2).inner_text()
    assert text.startswith("Probability of Ankle boot: ")
    assert text.endswith("without.")


def test_the_search_does_not_block_the_page(screen):
    """The page has its turn many times before all places were tried; the button to the lowest waits for that."""
    turns = screen.page.evaluate(
        """async () => {
            const named = (kind, text) => [...document.querySelectorAll(kind)].find((n) => n.textContent === text);
            named("label", "Cover").click();
            for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
            const button = named("button", "To the lowest");
            let turns = 0;
            for (; button.disabled; turns++) await new Promise((done) => setTimeout(done, 0));
            return turns;
        }"""
    )
    assert turns > 2


def test_the_lowest_place_may_be_asked_for_before_it_is_found(screen):
    screen.group("On the picture").evaluate(
        """(tools) => {
            tools.querySelector("input[value=cover]").click();
            const buttons = [...tools.closest(".bb-widget").querySelectorAll("button")];
            buttons.find((button) => button.textContent === "To the lowest").click();
        }"""
    )
    screen.frame()
    screen.check(tool="cover")


# --- Drawing --------------------------------------------------------------------------------------------------


def test_drawing_by_pointer(screen):
    screen.choose("On the picture", "Draw")
    screen.check(tool="draw", picture=-1)
    assert screen.chosen("Picture") == "your drawing"
    screen.drag(screen.input, (6, 10), (22, 10), (22, 18), (6, 18), (6, 10))
    screen.drag(screen.input, (8, 14), (20, 14))
    image = screen.pixels()
    assert (image == 255).sum() > 100
    screen.check(drawing=image)
    np.testing.assert_array_equal(screen.made.input, image)
    assert screen.verdict.nth(0).inner_text().endswith("A drawing has no true class.")
    assert "“none of these” is not among the ten" in screen.verdict.nth(2).inner_text()
    screen.choose("Network", "untrained")
    screen.check(network="untrained")
    screen.choose("Network", "trained")
    screen.choose("Ink", "black")
    screen.choose("Brush", "thin")
    screen.drag(screen.input, (14, 2), (14, 26))
    erased = screen.pixels()
    assert erased[14, 10:18].max() == 0
    assert (erased <= image).all()
    screen.check(network="trained", drawing=erased)
    screen.press("Clear")
    screen.check(drawing=np.zeros((28, 28)))
    assert not screen.pixels().any()
    screen.press("Start from Ankle boot")
    screen.check(drawing=screen.made.pixels[0])
    screen.choose("On the picture", "Cover")
    screen.check(tool="cover")
    screen.choose("Picture", "Bag")
    screen.check(picture=3)


def test_drawing_by_keys(screen):
    screen.group("Picture").get_by_title("your drawing").click()
    screen.choose("Brush", "thin")
    screen.input.focus()
    screen.keys("ArrowUp", "ArrowUp", "Space")
    assert np.unravel_index(screen.pixels().argmax(), (28, 28)) == (12, 14)
    screen.keys("Enter", *["ArrowRight"] * 5)
    assert (screen.pixels()[12, 14:20] == 255).all()
    assert (
        screen.root.locator(".bb-squares .bb-caption").first.inner_text()
        == "input, yours to draw\nrow 12, column 19, pen down"
    )
    screen.keys("Enter", *["ArrowDown"] * 6, "Shift+ArrowLeft")
    image = screen.pixels()
    assert not image[16:, :].any()
    screen.check(picture=-1, tool="draw", drawing=image)
    assert (
        screen.root.locator(".bb-squares .bb-caption").first.inner_text() == "input, yours to draw\nrow 18, column 15"
    )


def test_drawing_by_touch(page_with):
    made = explorer()
    screen = Screen(page_with(made, width=360, has_touch=True), made)
    action = "(canvas) => getComputedStyle(canvas).touchAction"
    assert screen.input.evaluate(action) == "pan-y"
    screen.group("On the picture").get_by_text("Draw", exact=True).tap()
    screen.frame()
    assert screen.input.evaluate(action) == "none"
    assert screen.map.evaluate(action) == "pan-y"
    screen.input.scroll_into_view_if_needed()
    screen.page.touchscreen.tap(*screen.spot(screen.input, 10, 10))
    image = screen.pixels()
    assert image[10, 10] == 255
    screen.check(tool="draw", picture=-1, drawing=image)


def test_an_empty_drawing_gets_a_class(screen):
    screen.choose("On the picture", "Draw")
    screen.check(tool="draw", picture=-1)
    assert "so does an empty square" in screen.verdict.nth(2).inner_text()


# --- Keyboard -------------------------------------------------------------------------------------------------


def test_choosing_units_by_keys(screen):
    layer = screen.layer("conv2")
    layer.focus()
    screen.keys("Space")
    screen.made.layer, screen.made.unit, screen.made.position = "conv2", 0, screen.place()
    for key, unit in {"ArrowRight": 1, "ArrowDown": 3, "ArrowLeft": 2, "ArrowUp": 0, "Enter": 0}.items():
        screen.keys(key)
        screen.check(unit=unit)
    screen.keys("ArrowUp", "ArrowLeft")
    screen.check(unit=0)
    screen.layer("conv1").focus()
    screen.keys("ArrowDown")
    screen.check(layer="conv1", unit=0, position=screen.place())
    screen.keys("ArrowDown", "ArrowRight", "ArrowUp")
    screen.check(unit=1)


def test_moving_on_the_map_and_the_picture_by_keys(screen):
    for canvas in (screen.map, screen.input):
        canvas.focus()
        place = screen.place()
        screen.keys("ArrowUp", "ArrowUp", "ArrowRight", "Shift+ArrowDown")
        screen.check(position=[place[0] + 2, place[1] + 1])
    screen.map.focus()
    screen.keys("Home")
    maps = maps_of(rounded(screen.made), screen.made.input)["conv1"][0]
    screen.check(position=[int(at) for at in np.unravel_index(maps.argmax(), maps.shape)])
    screen.keys(*["Shift+ArrowRight"] * 8, *["Shift+ArrowUp"] * 8)
    screen.check(position=[0, 27])


def test_everything_is_reached_by_tab(screen):
    screen.group("Picture").locator("input:checked").focus()
    seen = []
    for _ in range(20):
        screen.page.keyboard.press("Tab")
        seen.append(
            screen.page.evaluate(
                "(() => { const node = document.activeElement;"
                "const group = node.closest('fieldset')?.querySelector('legend').textContent;"
                "return node.getAttribute('aria-label') ?? group ?? node.textContent })()"
            )
        )
        shown = "[document.activeElement, document.activeElement.closest('label')].filter(Boolean)"
        assert "solid" in screen.page.evaluate(f"{shown}.map((one) => getComputedStyle(one).outlineStyle)")
        if seen[-1] == "scores":
            break
    assert seen[:4] == ["Network", "Color scale", "On the picture", "To its strongest place"]
    assert seen[4].startswith("Input picture")
    assert seen[5].startswith("Map of the chosen unit")
    assert [name.split(",")[0] for name in seen[6:14]] == [
        *("conv1", "ReLU after conv1", "pool1", "conv2", "ReLU after conv2", "pool2", "fc1", "fc2")
    ]
    assert seen[14] == "scores"


def test_scores_by_keys(screen):
    screen.pick("fc3", 9)
    screen.root.locator(".bb-scores input:checked").focus()
    screen.keys("ArrowUp")
    screen.check(unit=8)


# --- The page around it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 360, 722, 1280])
def test_sizes_and_accessibility(page_with, width):
    made = explorer()
    screen = Screen(page_with(made, width=width), made)
    for state in ("look", "pool1", "conv2", "fc1", "fc2", "fc3", "Cover", "Draw"):
        if state in LAYERS:
            screen.pick(state, 3)
        elif state != "look":
            screen.choose("On the picture", state)
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert_fits(screen.root)
    assert_structure(screen.page)
    if width in WIDTHS:
        assert_colors(screen.page, set())


@pytest.mark.parametrize(("width", "air"), [(722, 1), (360, 0), (320, 0)])
def test_numbers_fit_in_their_cells(page_with, width, air):
    """A minus and four digits are the longest; in the column they do not touch the border on either side."""
    made = explorer()
    screen = Screen(page_with(made, width=width), made)
    for layer in ("conv1", "conv2", "fc1", "pool2"):
        screen.pick(layer, 3)
        spare = screen.root.evaluate(
            """(root) => [...root.querySelectorAll(".bb-cell")].filter((cell) => cell.clientWidth).map((cell) => {
                const range = document.createRange();
                range.selectNodeContents(cell);
                return (cell.clientWidth - range.getBoundingClientRect().width) / 2;
            })"""
        )
        assert min(spare) >= air, layer


@pytest.mark.parametrize("width", [722, 360, 320])
def test_nothing_jumps(page_with, width):
    """What a reader points at stays where it is; in the column's width the whole widget does."""
    made = explorer()
    screen = Screen(page_with(made, width=width), made)
    seen = set()

    def measure(height=True):
        screen.frame()
        boxes = [screen.input.bounding_box(), screen.layer("conv1").bounding_box(), screen.layer("fc2").bounding_box()]
        if width == 722 and height:
            boxes.append(screen.root.bounding_box())
        offset = screen.page.evaluate("scrollY")
        seen.add(tuple((box["x"], round(box["y"] + offset), box["width"], box["height"]) for box in boxes))

    measure()
    for layer, (units, _) in LAYERS.items():
        screen.pick(layer, units // 2)
        measure()
    screen.pick("conv1", 0)
    for picture in ("Shirt", "Bag", "Coat"):
        screen.choose("Picture", picture)
        measure()
    for network in ("untrained", "trained"):
        screen.choose("Network", network)
        measure()
    for tool in ("Cover", "Draw", "Look") if width == 722 else ():  # elsewhere each has rows of its own
        screen.choose("On the picture", tool)
        measure()
    assert len(seen) == 1, seen


def test_it_speaks_after_a_move_and_not_before(screen):
    live = screen.root.locator(".bb-hidden[role=status]")
    screen.page.wait_for_timeout(600)
    assert live.text_content() == ""
    screen.map.focus()
    screen.page.keyboard.press("ArrowRight")
    screen.page.wait_for_timeout(700)
    assert live.text_content().startswith("conv1, unit 0, row 14, column 15: ")
    assert "Ankle boot" in live.text_content()


def test_everything_has_a_name(screen):
    screen.choose("On the picture", "Cover")
    screen.pick("fc1", 3)
    names = screen.root.locator("canvas, input, select, button, [role=group], fieldset").evaluate_all(
        """(nodes) => nodes.filter((node) => node.checkVisibility()).map((node) => [
            node.getAttribute("aria-label"), node.labels?.[0]?.textContent, node.labels?.[0]?.title, node.textContent,
        ].find((text) => text?.trim()))"""
    )
    assert all(names)


def test_two_views_stay_in_step(page_with):
    made = explorer()
    page = page_with(made, views=[made.model_id] * 2, width=722)
    first, second = Screen(page, made, 0), Screen(page, made, 1)
    first.choose("Network", "untrained")
    first.pick("conv2", 3)
    second.check(network="untrained")


def test_settings_that_are_too_large_are_moved_inside(page_with):
    made = explorer(layer="pool2", unit=50, position=[20, 3], tool="cover", cover=[24, 24], cover_size=12)
    screen = Screen(page_with(made, width=722), made)
    screen.check(unit=15, position=[4, 3])


def test_less_motion(page_with):
    made = explorer()
    screen = Screen(page_with(made, width=722, reduced_motion="reduce"), made)
    assert screen.page.evaluate("document.querySelector('.bb-widget').getAnimations({ subtree: true }).length") == 0
    screen.check()


def test_a_drag_repaints_once_a_frame(screen):
    screen.choose("On the picture", "Draw")
    painted = screen.input.evaluate(
        """async (canvas) => {
            const ask = requestAnimationFrame, box = canvas.getBoundingClientRect(), painted = [];
            let times = 0;
            window.requestAnimationFrame = (paint) => ask((now) => (times++, paint(now)));
            canvas.setPointerCapture = () => {};
            canvas.hasPointerCapture = () => true;
            for (let i = 0; i < 60; i++) {
                times = 0;
                for (const part of [0, 1 / 3, 2 / 3]) canvas.dispatchEvent(
                    new PointerEvent(i + part ? "pointermove" : "pointerdown", {
                        clientX: box.left + box.width * (0.5 + 0.3 * Math.sin((i + part) / 5)),
                        clientY: box.top + box.height * (0.2 + (i + part) / 100),
                    }),
                );
                await new Promise((done) => ask(() => ask(done)));
                painted.push(times);
            }
            return painted;
        }"""
    )
    assert painted == [1] * 60
