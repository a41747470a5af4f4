"""AugmentationExplorer: what it takes and refuses, its mathematics against PyTorch in a browser, and every control."""

import gzip
import json
import math

import augmentations
import numpy as np
import pytest
import scipy.ndimage
import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own name for it
from ipywidgets.embed import dependency_state
from sent import REVIVED, sent
from traitlets import TraitError

from backbone import data, pretrained
from backbone.widgets import AugmentationExplorer
from backbone.widgets.augmentation_explorer import LARGEST
from backbone.widgets.lenet import SHAPES, pack_lenet, unpack_lenet

TEST = data.fashion_mnist("test")
ONE_EACH = TEST[torch.tensor([int((TEST.labels == k).nonzero()[0]) for k in range(10)])]
SANDAL = 5


def explorer(**traits):
    given = (ONE_EACH, pretrained.load("lenet").state_dict(), data.FASHION_MNIST_STATISTICS)
    return AugmentationExplorer(*given, **{"picture": SANDAL} | traits)


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


# --- Python --------------------------------------------------------------------------------------------------


def test_code_and_state_are_small():
    made = explorer()
    assert len(gzip.compress(made._esm.encode())) <= 30 * 1024
    assert len(json.dumps(dependency_state([made], drop_defaults=False))) <= 400 * 1024


def test_what_it_cannot_show_is_refused():
    parameters, statistics = pretrained.load("lenet").state_dict(), data.FASHION_MNIST_STATISTICS
    with pytest.raises(ValueError, match="pictures have shape"):
        AugmentationExplorer(ONE_EACH[:0], parameters, statistics)
    colors = data.Statistics(torch.zeros(3), torch.ones(3))
    with pytest.raises(ValueError, match="3 channels"):
        AugmentationExplorer(ONE_EACH, parameters, colors)
    with pytest.raises(ValueError, match=r"no 'fc3\.bias'"):
        pack_lenet({name: value for name, value in parameters.items() if name != "fc3.bias"}, "int16")
    with pytest.raises(ValueError, match=r"\(120, 400\)"):
        pack_lenet(parameters | {"fc1.weight": torch.zeros(400, 120)}, "int16")
    with pytest.raises(ValueError, match="a NaN or an infinity"):
        pack_lenet(parameters | {"fc3.bias": torch.full((10,), math.nan)}, "int16")
    for name, value in {"picture": 10, "augmentation": "swirl", "strength": 181.0, "seed": 10_000}.items():
        with pytest.raises(TraitError):
            explorer(**{name: value})


# --- Mathematics, in a browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(f"{AugmentationExplorer._esm}\nexport {{ lenetForward, lenetParameters, softmax }};")


X = data.to_float(ONE_EACH.images).double()
AUGMENT = "([name, pictures, settings]) => pictures.map((x, k) => [...m.augment(name, x, settings[k])])"


def by_page(module, name, settings, x=X):
    """Return the pictures as the page changes each with its own settings."""
    return np.reshape(module(AUGMENT, [name, x.flatten(1).tolist(), settings]), x.shape)


def seeded(number=3):
    return torch.Generator().manual_seed(number)


def test_a_rotation_in_pytorch_is_scipys():
    x = torch.zeros(1, 1, 21, 21, dtype=torch.float64)
    x[0, 0, 6:15, 8:12] = torch.rand(9, 4, generator=seeded(9), dtype=torch.float64)
    y = augmentations.random_rotation(x, seeded(1), degrees=40)
    angle = (torch.rand(1, generator=seeded(1)).item() * 2 - 1) * 40
    expected = [scipy.ndimage.rotate(x[0, 0].numpy(), sign * angle, reshape=False, order=1) for sign in (1, -1)]
    assert min(np.abs(y[0, 0].numpy() - one).max() for one in expected) < 1e-6
    np.testing.assert_allclose(augmentations.random_rotation(x, seeded(), degrees=0), x, atol=1e-12)


def test_a_rotation_of_a_picture_that_is_not_square_does_not_shear():
    x = torch.zeros(1, 1, 21, 41, dtype=torch.float64)
    x[0, 0, 6:15, 18:23] = 1
    y = augmentations.random_rotation(x, seeded(1), degrees=90)
    assert y.sum() == pytest.approx(x.sum().item(), rel=0.03)


def test_erasing_covers_one_square_with_its_center_inside():
    y = augmentations.random_erase(torch.ones(200, 2, 10, 10), seeded(), size=4, fill=0.25)
    for one in y:
        rows, columns = np.nonzero(one[0].numpy() == 0.25)
        assert torch.equal(one[0], one[1])
        assert 2 <= np.ptp(rows) + 1 <= 4
        assert 2 <= np.ptp(columns) + 1 <= 4
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


@pytest.mark.browser
def test_the_table_of_strengths_is_pythons(module):
    found = module("() => Object.entries(m.CHANGES).map(([name, { largest }]) => [name, largest])")
    assert dict(found) == dict(LARGEST)
    for name, largest in LARGEST.items():
        steps = module("(name) => m.strengths(name)", name)
        assert (steps[0], steps[-1]) == (0, largest)


@pytest.mark.browser
@pytest.mark.parametrize(("axis", "name"), [("horizontal", "mirror"), ("vertical", "upside_down")])
def test_flips_equal_random_flip(module, axis, name):
    expected = data.random_flip(X, seeded(), axis)
    settings = [{"on": bool(on)} for on in torch.rand(10, generator=seeded()) < 0.5]
    assert any(one["on"] for one in settings)
    np.testing.assert_array_equal(by_page(module, name, settings), expected)


@pytest.mark.browser
def test_shift_equals_random_crop(module):
    top, left = torch.randint(9, (2, 10, 1), generator=seeded())
    settings = [{"down": 4 - int(t), "right": 4 - int(u)} for t, u in zip(top, left, strict=True)]
    np.testing.assert_array_equal(by_page(module, "shift", settings), data.random_crop(X, seeded(), padding=4))


@pytest.mark.browser
@pytest.mark.parametrize("degrees", [15, 180])
def test_rotation_equals_random_rotation(module, degrees):
    turns = (torch.rand(10, generator=seeded()) * 2 - 1) * degrees
    found = by_page(module, "rotate", [{"degrees": float(turn)} for turn in turns])
    np.testing.assert_allclose(
        found, augmentations.random_rotation(X, seeded(), degrees), atol=2e-5
    )  # its angles are float32


@pytest.mark.browser
def test_zoom_equals_grid_sample(module):
    factors = [0.25, 0.5, 0.9, 1.0, 1.1, 1.7, 2.0, 3.0, 4.0, 1.3]
    matrices = torch.tensor([[[1 / f, 0, 0], [0, 1 / f, 0]] for f in factors], dtype=torch.float64)
    expected = F.grid_sample(X, F.affine_grid(matrices, list(X.shape), align_corners=False), align_corners=False)
    np.testing.assert_allclose(by_page(module, "zoom", [{"factor": f} for f in factors]), expected, atol=1e-12)


@pytest.mark.browser
def test_erase_equals_random_erase(module):
    for size in (1, 7, 8, 28):
        generator = seeded()
        rows, columns = (torch.randint(28, (10, 1, 1, 1), generator=generator).flatten().tolist() for _ in range(2))
        settings = [{"row": r, "column": c, "size": size} for r, c in zip(rows, columns, strict=True)]
        np.testing.assert_array_equal(by_page(module, "erase", settings), augmentations.random_erase(X, seeded(), size))


@pytest.mark.browser
def test_brightness_equals_random_brightness(module):
    factors = 1 + (torch.rand(10, generator=seeded()) * 2 - 1) * 0.8
    found = by_page(module, "brightness", [{"factor": float(factor)} for factor in factors])
    np.testing.assert_allclose(found, data.random_brightness(X, seeded(), 0.8), atol=1e-6)


@pytest.mark.browser
def test_contrast_noise_and_blur(module):
    middle = X.mean(dim=(1, 2, 3), keepdim=True)
    found = by_page(module, "contrast", [{"factor": 0.3}] * 10)
    np.testing.assert_allclose(found, (middle + 0.3 * (X - middle)).clamp(0, 1), atol=1e-12)
    noise = np.random.default_rng(0).normal(size=784)
    found = by_page(module, "noise", [{"deviation": 0.4, "noise": noise.tolist()}] * 10)
    np.testing.assert_allclose(found, np.clip(X.numpy() + 0.4 * noise.reshape(28, 28), 0, 1), atol=1e-12)
    for deviation in (0, 0.1, 0.7, 2, 6):
        found = by_page(module, "blur", [{"deviation": deviation}] * 10)
        expected = scipy.ndimage.gaussian_filter(X.numpy(), (0, 0, deviation, deviation), mode="constant", truncate=3.0)
        np.testing.assert_allclose(found, expected, atol=1e-12)


FORWARD = """([shapes, weights, vectors, pictures]) => {
    const parameters = m.lenetParameters(shapes, Int16Array.from(weights), Float32Array.from(vectors));
    const layers = (x) => Object.entries(m.lenetForward(parameters, Float64Array.from(x)));
    return pictures.map((x) => layers(x).map(([name, values]) => [name, [...values]]));
}"""


@pytest.mark.browser
def test_the_net_equals_pytorch_layer_by_layer(module):
    packed = [part.tolist() for part in pack_lenet(pretrained.load("lenet").state_dict(), "int16")]
    x = torch.randn(3, 1, 28, 28, generator=seeded(), dtype=torch.float64)
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


@pytest.mark.browser
def test_random_numbers(module):
    uniform = np.array(module("() => { const r = m.generator(7); return Array.from({length: 20000}, r) }"))
    assert 0 <= uniform.min() < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    assert np.corrcoef(uniform[:-1], uniform[1:])[0, 1] == pytest.approx(0, abs=0.03)
    normal = np.array(module("() => [...m.normals(m.generator(7), 20000)]"))
    assert np.isfinite(normal).all()
    assert (normal.mean(), normal.std()) == pytest.approx((0, 1), abs=0.03)
    # The draws of neighboring seeds and numbers go to both sides, and grow with the strength.
    degrees = (
        "(s) => Array.from({length: 600}, (_, i) => m.drawnSettings('rotate', s, Math.floor(i / 6), i % 6).degrees)"
    )
    small, large = np.array(module(degrees, 10)), np.array(module(degrees, 180))
    np.testing.assert_allclose(large, 18 * small)
    assert np.abs(small).max() <= 10
    assert small.mean() == pytest.approx(0, abs=1)
    assert np.corrcoef(small[:-1], small[1:])[0, 1] == pytest.approx(0, abs=0.15)
    shifts = "() => Array.from({length: 3000}, (_, i) => m.drawnSettings('shift', 2, i, 0).down)"
    assert np.allclose(np.bincount(np.array(module(shifts)) + 2, minlength=5) / 3000, 0.2, atol=0.04)


@pytest.mark.browser
def test_what_a_reader_says(module):
    says = "(all) => all.reduce((marks, [answer, s]) => m.judged(marks, answer, s), { yes: null, no: null })"
    answers = "([marks, all]) => all.map((s) => m.answerAt(marks, s))"
    assert module(says, [["yes", 3]]) == {"yes": 3, "no": None}
    assert module(says, [["yes", 3], ["no", 9], ["yes", 5], ["no", 7]]) == {"yes": 5, "no": 7}
    assert module(says, [["no", 5], ["yes", 8]]) == {"yes": 8, "no": None}  # the later answer counts
    assert module(says, [["yes", 8], ["no", 5]]) == {"yes": None, "no": 5}
    assert module(answers, [{"yes": 3, "no": 6}, [0, 3, 4, 6, 9]]) == ["yes", "yes", None, "no", "no"]
    assert module(answers, [{"yes": None, "no": None}, [0, 9]]) == [None, None]


@pytest.mark.browser
def test_runs_of_wrong_choices(module):
    runs = """([choices, label]) => m.wrongRuns(choices.map((choice, i) => ({ strength: i, choice })), label)"""
    assert module(runs, [[1, 1, 2, 3, 1, 2], 1]) == [[2, 3], [5, 5]]
    assert module(runs, [[2, 2, 2], 1]) == [[0, 2]]
    assert module(runs, [[1, 1], 1]) == []


# --- On the screen -------------------------------------------------------------------------------------------


class Screen:
    def __init__(self, page):
        self.page = page
        self.slider = page.get_by_role("slider", name="Strength")

    def settle(self):
        self.page.evaluate("() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))")
        return self

    def pixels(self, selector, index=0):
        read = """([selector, index]) => {
            const canvas = document.querySelectorAll(selector + " canvas")[index];
            return [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
        }"""
        return np.reshape(self.page.evaluate(read, [selector, index]), (28, 28))

    def shares(self):
        return [int(text.removesuffix(" %")) for text in self.page.locator(".bb-aug-share").all_inner_texts()]

    def said(self):
        return self.page.locator(".bb-aug-verdict").inner_text()

    def draws(self):
        return self.page.locator(".bb-aug-draw .bb-caption").all_inner_texts()

    def pull(self, value):
        self.slider.fill(str(value))
        return self.settle()


@pytest.fixture
def screen(page_with):
    return Screen(page_with(explorer(), width=720))


@pytest.mark.browser
def test_the_scores_on_screen_are_pytorchs(screen):
    for degrees in (0, 45, 180):
        screen.pull(degrees)
        turn = math.radians(-degrees)
        matrix = torch.tensor([[[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0]]])
        x = X[SANDAL : SANDAL + 1]
        grid = F.affine_grid(matrix.double(), list(x.shape), align_corners=False)
        x = F.grid_sample(x, grid, align_corners=False)
        np.testing.assert_allclose(screen.pixels(".bb-aug-after"), 255 * x[0, 0], atol=0.51)
        np.testing.assert_allclose(screen.shares(), 100 * shares_of(x)[0], atol=0.51)
    assert screen.slider.get_attribute("aria-valuetext") == "180°"


@pytest.mark.browser
def test_every_change_works_and_the_slider_keeps_its_share(screen):
    plain = screen.pixels(".bb-aug-before")
    menu = screen.page.get_by_label("Change")
    for name, largest in LARGEST.items():
        menu.select_option(name)
        screen.settle()
        expected = largest if name in ("mirror", "upside_down") else largest / 4  # 45 of 180 degrees
        assert float(screen.slider.input_value()) == pytest.approx(expected, abs=0.051)
        screen.pull(largest)
        assert (screen.pixels(".bb-aug-after") != plain).any()
        assert screen.pixels(".bb-aug-before").tolist() == plain.tolist()
        screen.pull(0)
        np.testing.assert_allclose(screen.pixels(".bb-aug-after"), plain, atol=1)
        assert len(set(screen.draws())) == 1  # without strength every draw is the picture itself
        screen.pull(largest / 4)


@pytest.mark.browser
def test_answers_are_kept_for_each_picture_and_set_against_the_net(screen):
    yes, no = screen.page.get_by_label("yes"), screen.page.get_by_label("no", exact=True)
    assert not yes.is_checked()
    assert "It first changes its mind at" in screen.said()
    screen.pull(15)
    yes.check(force=True)
    screen.pull(9)
    assert yes.is_checked()
    screen.pull(180)
    assert not yes.is_checked()
    no.check(force=True)
    screen.settle()
    assert "You said no at 180°, after the net." in screen.said()
    screen.page.get_by_title("Bag").locator("input").check(force=True)
    screen.settle()
    assert not no.is_checked()
    screen.page.get_by_title("Sandal").locator("input").check(force=True)
    screen.settle()
    assert no.is_checked()
    screen.pull(3)
    no.check(force=True)
    screen.settle()
    assert "You said no at 3°, before the net." in screen.said()
    screen.page.get_by_role("button", name="Start again").click()
    screen.settle()
    assert not no.is_checked()
    assert screen.slider.input_value() == "45"


@pytest.mark.browser
def test_a_change_that_is_on_or_off_is_spoken_of_so(screen):
    screen.page.get_by_label("Change").select_option("upside_down")
    screen.settle()
    screen.page.get_by_label("no", exact=True).check(force=True)
    screen.settle()
    assert screen.said().endswith("You and the net changed your minds together, when upside down.")


@pytest.mark.browser
def test_draws_are_repeated_by_their_seed(screen):
    menu = screen.page.get_by_label("Change")
    menu.select_option("noise")
    screen.settle()
    cell = screen.page.get_by_role("textbox", name="Seed")
    first = [screen.pixels(".bb-aug-draw", k) for k in range(6)]
    assert len({picture.tobytes() for picture in first}) == 6
    screen.page.get_by_role("button", name="Draw again").click()
    screen.settle()
    assert cell.input_value() == "1"
    assert (screen.pixels(".bb-aug-draw") != first[0]).any()
    cell.fill("0")
    screen.settle()
    for k, picture in enumerate(first):
        np.testing.assert_array_equal(screen.pixels(".bb-aug-draw", k), picture)
    right = sum(text.startswith("✓ Sandal") for text in screen.draws())
    assert screen.page.get_by_text(f"The net gives the label in {right} of 6.").is_visible()


@pytest.mark.browser
def test_keys_are_enough(screen):
    screen.slider.focus()
    screen.page.keyboard.press("ArrowRight")
    screen.settle()
    assert screen.slider.input_value() == "48"
    screen.page.keyboard.press("End")
    screen.settle()
    assert screen.slider.get_attribute("aria-valuetext") == "180°"
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Space")
    screen.settle()
    assert screen.page.get_by_label("yes").is_checked()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(320, "light"), (360, "dark"), (720, "light"), (1280, "dark")])
def test_it_fits_the_page_and_does_not_jump(page_with, width, theme):
    screen = Screen(page_with(explorer(), width=width, theme=theme))
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    height = screen.page.evaluate("document.querySelector('.bb-augment').offsetHeight")
    menu = screen.page.get_by_label("Change")
    for name, largest in LARGEST.items():
        menu.select_option(name)
        for value in (0, largest / 4 if largest > 1 else largest, largest):
            screen.pull(value)
            assert screen.page.evaluate("document.querySelector('.bb-augment').offsetHeight") == height
        screen.page.get_by_label("no", exact=True).check(force=True)
        screen.settle()
        assert screen.page.evaluate("document.querySelector('.bb-augment').offsetHeight") == height
    for k in range(10):
        screen.page.locator("input[name]").nth(k).check(force=True)
        screen.settle()
        assert screen.page.evaluate("document.querySelector('.bb-augment').offsetHeight") == height


@pytest.mark.browser
def test_the_curve_says_what_its_axes_are(screen):
    for name, ends in {"rotate": ("0°", "180°"), "shift": ("0 pixels", "20 pixels"), "zoom": ("× 1", "× 4")}.items():
        screen.page.get_by_label("Change").select_option(name)
        screen.settle()
        assert tuple(screen.page.locator(".bb-aug-ends span").all_inner_texts()) == ends
    assert "0 %" in screen.page.locator(".bb-aug-curve .bb-caption").inner_text()


@pytest.mark.browser
def test_a_view_writes_nothing_before_the_reader_acts_and_lets_go(module):
    watch = """async (state) => {
        const written = [], listeners = [];
        const model = {
            get: (name) => REVIVED(state[name]),
            set: (...change) => written.push(change), save_changes: () => written.push("saved"),
            on: (...listener) => listeners.push(listener), off: (...listener) => listeners.pop(),
        };
        const el = document.body.appendChild(document.createElement("div"));
        const clean = m.default.render({ model, el });
        await new Promise((f) => requestAnimationFrame(f));
        const drawn = el.childElementCount;
        clean();
        return [written.length, drawn, el.childElementCount, listeners.length];
    }""".replace("REVIVED", REVIVED)
    assert module(watch, sent(explorer())) == [0, 1, 0, 0]
