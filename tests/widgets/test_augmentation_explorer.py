"""AugmentationExplorer: what it takes and refuses, its mathematics against PyTorch, and its screen in a browser."""

import json
import math
import re

import numpy as np
import page_checks
import pytest
import scipy.ndimage
import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own name for it
from ipywidgets.embed import dependency_state
from page_checks import FRAME
from traitlets import TraitError

from backbone import data, pretrained
from backbone.widgets import AugmentationExplorer
from backbone.widgets.augmentation_explorer import LARGEST
from backbone.widgets.base import HERE, join
from backbone.widgets.lenet import SHAPES, pack_lenet, unpack_lenet

TEST = data.fashion_mnist("test")
ONE_EACH = TEST[torch.tensor([int((TEST.labels == k).nonzero()[0]) for k in range(10)])]
TROUSER = 1
X = data.to_float(ONE_EACH.images).double()
PLAIN = {"also": "nothing", "strength": 0, "turn": 0, "push": [0, 0], "erased": [], "seed": 0}


def explorer(**traits):
    given = (ONE_EACH, pretrained.load("lenet").state_dict(), data.FASHION_MNIST_STATISTICS)
    return AugmentationExplorer(*given, **{"picture": TROUSER} | traits)


def rounded_lenet():
    """Return the network as the page has it."""
    model = pretrained.load("lenet")
    rounded = unpack_lenet(*pack_lenet(model.state_dict(), "int16"))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in rounded.items()})
    return model.double()


def shares_of(x):
    """Return what PyTorch's LeNet says of pictures (N, 1, 28, 28) in [0, 1]."""
    statistics = data.FASHION_MNIST_STATISTICS
    standard = (x.double() - float(statistics.mean[0])) / float(statistics.std[0])
    with torch.no_grad():
        return rounded_lenet()(standard).softmax(1).numpy()


def turned(x, degrees):
    """Return pictures turned clockwise about their centers, bilinearly."""
    turn = math.radians(-degrees)
    matrix = torch.tensor(
        [[[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0]]], dtype=torch.float64
    )
    grid = F.affine_grid(matrix.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def changed(x, turn=0, push=(0, 0), erased=()):
    """Return pictures as the page shows them."""
    down, right = push
    x = F.pad(turned(x, turn), [right, -right, down, -down]).flatten(1).clone()
    x[:, list(erased)] = 0
    return x.reshape(-1, 1, 28, 28)


# --- Python --------------------------------------------------------------------------------------------------


def test_state_is_small():
    assert len(json.dumps(dependency_state([explorer()], drop_defaults=False))) <= 400 * 1024


def test_what_it_cannot_show_is_refused():
    parameters, statistics = pretrained.load("lenet").state_dict(), data.FASHION_MNIST_STATISTICS
    with pytest.raises(ValueError, match="pictures have shape"):
        AugmentationExplorer(ONE_EACH[:0], parameters, statistics)
    with pytest.raises(ValueError, match="3 channels"):
        AugmentationExplorer(ONE_EACH, parameters, data.Statistics(torch.zeros(3), torch.ones(3)))
    with pytest.raises(ValueError, match=r"no 'fc3\.bias'"):
        pack_lenet({name: value for name, value in parameters.items() if name != "fc3.bias"}, "int16")
    with pytest.raises(ValueError, match=r"\(120, 400\)"):
        pack_lenet(parameters | {"fc1.weight": torch.zeros(400, 120)}, "int16")
    with pytest.raises(ValueError, match="a NaN or an infinity"):
        pack_lenet(parameters | {"fc3.bias": torch.full((10,), math.nan)}, "int16")
    wrong = {"picture": 10, "turn": 181.0, "push": [0, 21], "erased": [784], "also": "swirl", "strength": 9.0}
    for name, value in wrong.items():
        with pytest.raises(TraitError):
            explorer(**{name: value})


# --- Mathematics, in a browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    source = join(HERE / "augmentation_explorer" / "maths.js")
    return module_of(f"{source}\nexport {{ lenetForward, lenetParameters, softmax }};")


def by_page(module, **settings):
    """Return all ten pictures as the page changes them."""
    apply = "([pictures, settings]) => pictures.map((x) => [...m.changed(x, settings)])"
    return np.reshape(module(apply, [X.flatten(1).tolist(), PLAIN | settings]), X.shape)


@pytest.mark.parametrize("turn", [-180, -37, 0, 15, 90, 141])
def test_turn_push_and_erase_equal_pytorch(module, turn):
    erased = module("() => m.brushed(3, 27)")
    assert sorted(erased) == [28 * i + j for i in range(1, 6) for j in range(25, 28)]
    expected = changed(X, turn, (-3, 5), erased)
    np.testing.assert_allclose(by_page(module, turn=turn, push=[-3, 5], erased=erased), expected, atol=1e-12)


def test_the_other_changes_equal_pytorch(module):
    assert dict(module("() => Object.entries(m.CHANGES).map(([k, v]) => [k, v.largest])")) == dict(LARGEST)
    np.testing.assert_array_equal(by_page(module, also="mirror", strength=1), X.flip(3))
    np.testing.assert_array_equal(by_page(module, also="upside_down", strength=1), X.flip(2))
    matrix = torch.tensor([[[0.5, 0, 0], [0, 0.5, 0]]], dtype=torch.float64).expand(10, 2, 3)
    expected = F.grid_sample(X, F.affine_grid(matrix, list(X.shape), align_corners=False), align_corners=False)
    np.testing.assert_allclose(by_page(module, also="zoom", strength=1), expected, atol=1e-12)
    np.testing.assert_allclose(by_page(module, also="brightness", strength=0.3), 0.7 * X, atol=1e-12)
    middle = X.mean(dim=(1, 2, 3), keepdim=True)
    found = by_page(module, also="contrast", strength=0.7)
    np.testing.assert_allclose(found, (middle + 0.3 * (X - middle)).clamp(0, 1), atol=1e-12)
    noise = np.reshape(module("() => [...m.normals(m.generator(5), 784)]"), (28, 28))
    found = by_page(module, also="noise", strength=0.4, seed=5)
    np.testing.assert_allclose(found, np.clip(X.numpy() + 0.4 * noise, 0, 1), atol=1e-12)
    for deviation in (0.1, 0.7, 6):
        expected = scipy.ndimage.gaussian_filter(X.numpy(), (0, 0, deviation, deviation), mode="constant", truncate=3.0)
        np.testing.assert_allclose(by_page(module, also="blur", strength=deviation), expected, atol=1e-12)


FORWARD = """([shapes, weights, vectors, pictures]) => {
    const parameters = m.lenetParameters(shapes, Int16Array.from(weights), Float32Array.from(vectors));
    const layers = (x) => Object.entries(m.lenetForward(parameters, Float64Array.from(x)));
    return pictures.map((x) => layers(x).map(([name, values]) => [name, [...values]]));
}"""


def test_the_net_equals_pytorch_layer_by_layer(module):
    packed = [part.tolist() for part in pack_lenet(pretrained.load("lenet").state_dict(), "int16")]
    x = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = module(FORWARD, [list(SHAPES.items()), *packed, x.flatten(1).tolist()])
    value = x
    expected = {}
    for name, layer in rounded_lenet().named_children():
        value = layer(value)
        expected[name] = value.detach()
    for number, layers in enumerate(found):
        for name, values in layers:
            wanted = expected[name][number].flatten().numpy()
            assert np.abs(np.array(values) - wanted).max() <= 1e-9 * np.abs(wanted).max(), name
    assert {name for name, _ in found[0]} == set(expected) - {"flatten"}


def test_random_numbers(module):
    uniform = np.array(module("() => { const r = m.generator(7); return Array.from({length: 20000}, r) }"))
    assert 0 <= uniform.min() < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    normal = np.array(module("() => [...m.normals(m.generator(7), 20000)]"))
    assert (normal.mean(), normal.std()) == pytest.approx((0, 1), abs=0.03)
    draw = "(n) => Array.from({length: 3000}, (_, i) => m.drawn({ turn: -40, push: [1, -2], seed: i }, n))"
    draws = module(draw, 3)
    turns = np.array([one["turn"] for one in draws])
    assert np.abs(turns).max() <= 40
    assert turns.mean() == pytest.approx(0, abs=2)
    for axis in (0, 1):
        shares = np.bincount([one["push"][axis] + 2 for one in draws], minlength=5) / 3000
        assert np.allclose(shares, 0.2, atol=0.04)


def test_turns_and_answers(module):
    assert module("() => [-190, 180, 359, 45].map(m.wrapped)") == [170, -180, -1, 45]
    assert module("() => m.firstWrong((turn) => (turn < 31 ? 4 : 2), 4)") == 33
    assert module("() => m.firstWrong(() => 4, 4)") == 180
    assert module("() => [0, 24, 33, 60, 69, 180].map(m.nearest)") == ["few", "few", "some", "some", "many", "many"]
    turns = module("() => m.TURNS")
    assert (turns[0], turns[30], turns[-1], len(turns)) == (-180, 0, 180, 61)


# --- On the screen -------------------------------------------------------------------------------------------


class Screen:
    def __init__(self, page):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.picture, self.dot = self.root.locator(".bb-aug-picture"), self.root.locator(".bb-aug-dot")

    def says(self):
        self.page.evaluate(FRAME)
        return self.root.locator(".bb-says").inner_text()

    def check(self, picture=TROUSER, **settings):
        """Compare pixels, bars and sentence with PyTorch's."""
        says = self.says()
        x = changed(X[picture : picture + 1], **settings)
        shares = shares_of(x)[0]
        read = "(n) => [...n.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"
        np.testing.assert_allclose(self.picture.evaluate(read), 255 * x.flatten(), atol=0.51)
        widths = self.root.locator(".bb-aug-bar").evaluate_all("(all) => all.map((n) => parseFloat(n.style.width))")
        np.testing.assert_allclose(widths, 100 * shares, atol=0.01)
        name, share = re.search(r"the net says (.*), (\d+) %", says).groups()
        assert (name, float(share)) == (TEST.classes[shares.argmax()], pytest.approx(100 * shares.max(), abs=0.51))
        assert says.endswith("That is right.") is bool(shares.argmax() == picture)
        assert float(self.dot.get_attribute("aria-valuenow")) == settings.get("turn", 0)
        return says


@pytest.fixture
def screen(page_with):
    return Screen(page_with(explorer(), width=720))


def pull(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def test_the_picture_is_pushed_turned_and_erased_by_hand(screen):
    assert screen.check(push=(0, 4)).startswith("Pushed 4 right")
    box = screen.picture.bounding_box()
    side = box["width"] / 28
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    pull(screen.page, middle, (middle[0] - 6 * side, middle[1] + 3 * side))
    assert screen.check(push=(3, -2)).startswith("Pushed 3 down, 2 left")
    assert not screen.root.locator(".bb-invite").is_visible()
    pull(screen.page, middle, (middle[0] - 900, middle[1] - 900))
    screen.check(push=(-20, -20))
    screen.root.get_by_role("button", name="Undo all").click()
    assert screen.check().startswith("As it is")
    dot = screen.dot.bounding_box()
    pull(screen.page, (dot["x"] + 13, dot["y"] + 13), (middle[0] + 99, middle[1] + 99))
    assert screen.check(turn=90).startswith("Turned by 90°")
    screen.root.get_by_text("erase", exact=True).click()
    pull(screen.page, middle, (middle[0] + 0.4 * side, middle[1]))
    square = [28 * i + j for i in range(12, 17) for j in range(12, 17)]
    assert screen.check(turn=90, erased=square).startswith("Turned by 90°, partly erased")


def test_keys_do_all_that_the_pointer_does(screen):
    screen.picture.press("ArrowLeft")
    screen.check(push=(0, 3))
    screen.picture.press("ArrowUp")
    screen.check(push=(-1, 3))
    for key, turn in {"ArrowRight": 1, "PageUp": 11, "End": 180, "Home": -180}.items():
        screen.dot.press(key)
        screen.check(turn=turn, push=(-1, 3))
    screen.root.get_by_role("button", name="Undo all").click()
    screen.root.get_by_text("erase", exact=True).click()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        screen.picture.press(key)
    screen.check(erased=[28 * i + j for i in range(14, 19) for j in range(12, 17)])


def test_touch_pushes_and_another_picture_is_chosen(page_with):
    screen = Screen(page_with(explorer(push=[0, 0]), width=360, has_touch=True))
    screen.root.locator(".bb-pictures label").nth(5).tap()
    screen.check(picture=5)
    assert screen.picture.evaluate("(n) => getComputedStyle(n).touchAction") == "none"


@pytest.mark.parametrize(("answer", "opening"), [("about 20°", "Yes: "), ("about 90°", "No: ")])
def test_the_prediction_is_shown_by_a_turn(screen, answer, opening):
    wrong = next(a for a in range(0, 181, 3) if shares_of(changed(X[1:2], turn=a)).argmax() != TROUSER)
    screen.root.get_by_role("button", name=answer, exact=True).click()
    screen.page.wait_for_function("(t) => document.querySelector('.bb-aug-dot').ariaValueNow === t", arg=str(wrong))
    assert screen.check(turn=wrong).startswith(f"{opening}at {wrong}° it is wrong")
    assert screen.root.locator(".bb-true").all_inner_texts() == ["about 20°"]


def test_the_strip_is_the_net_at_every_turn(screen):
    """Where the strip is shaded the net is wrong; the line of the turn moves, and the rest stays."""
    screen.root.get_by_role("button", name="Undo all").click()
    screen.page.evaluate(page_checks.FRAMES, 40)  # a few turns are computed in each
    shaded = """(n) => { const c = n.getContext("2d"), x = (d) => (8 + (d + 180) / 360 * (n.clientWidth - 16));
        const s = n.width / n.clientWidth;
        return [...Array(61).keys()].map((i) => c.getImageData(x(6 * i - 180) * s, 2, 1, 1).data[3] > 20); }"""
    found = screen.root.locator(".bb-aug-strip").evaluate(shaded)
    wrong = [shares_of(changed(X[1:2], turn=a)).argmax() != TROUSER for a in range(-180, 181, 6)]
    wrong[30] = found[30]  # the line stands there
    assert found == wrong


def test_other_changes_and_draws(screen):
    screen.root.locator("summary").click()
    menu, draws = screen.root.get_by_label("Besides"), screen.root.locator(".bb-aug-draws span")
    screen.says()
    before = draws.all_inner_texts()
    assert len(before) == 6
    right = sum(text.startswith("✓ Trouser") for text in before)
    assert f"gives the label in {right} of 6" in screen.root.inner_text()
    for name in list(LARGEST)[1:]:
        menu.select_option(name)
        assert screen.says()
        assert float(screen.root.get_by_label("Strength").input_value()) > 0
    menu.select_option("upside_down")
    assert "upside down" in screen.says()
    screen.root.get_by_role("button", name="Undo all").click()
    screen.check()
    assert len(set(draws.all_inner_texts())) == 1, "without a turn or push every draw is the picture itself"


def test_it_is_whole_and_follows_python(page_with):
    widget = explorer()
    page = page_with(widget, views=[widget.model_id, widget.model_id])
    acts = [[".bb-aug-dot", "key PageDown"], [".bb-aug-picture", "key ArrowUp"], [".bb-segmented input", None]]
    acts += [[".bb-aug-picture", "key Enter"], [".bb-pictures input", None], ["button|Undo all", None]]
    page_checks.assert_whole(page, *acts)
    page.locator(".bb-aug-dot").first.press("PageUp")
    assert page_checks.said_by_both(page).startswith("Turned by 10°")
