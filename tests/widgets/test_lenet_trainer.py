"""LenetTrainer: what it takes, its mathematics against PyTorch, and its screen in a real browser."""

import json
import re

import numpy as np
import page_checks
import pytest
import torch
from ipywidgets.embed import dependency_state
from page_checks import FRAME
from torch.nn.functional import cross_entropy
from traitlets import TraitError

from backbone.data import FASHION_MNIST_STATISTICS, LabeledImages, fashion_mnist
from backbone.models import lenet
from backbone.widgets import LenetTrainer
from backbone.widgets.base import HERE, join
from backbone.widgets.lenet_trainer import COUNT

TRAIN, LATER = fashion_mnist("train")[:5000], fashion_mnist("train")[5000:]


def balanced(data, each):
    return data[torch.cat([(data.labels == k).nonzero()[:each, 0] for k in range(10)])]


def made(each=6, held=2, **changes):
    return LenetTrainer(balanced(TRAIN, each), balanced(LATER, held), FASHION_MNIST_STATISTICS, **changes)


def test_the_network_sees_the_pictures_in_few_grays():
    widget, given = made(), balanced(TRAIN, 6)
    mean, std = (float(part) for part in (FASHION_MNIST_STATISTICS.mean, FASHION_MNIST_STATISTICS.std))
    for which, images, top in (("train", given.images, 3), ("held_out", balanced(LATER, 2).images, 15)):
        grays = widget.inputs(which) * std + mean
        np.testing.assert_allclose(grays, np.rint(images.numpy() / 255 * top) / top, atol=1e-6)
    assert np.bincount(widget.train_labels).tolist() == [6] * 10


def test_the_state_of_a_page_is_small():
    widget = made(120, 10)
    state = json.dumps(dependency_state([widget], drop_defaults=False))
    assert len(state) - len(json.dumps([widget._esm, widget._css])) <= 400 * 1024  # the code is a file of its own


def test_first_weights_are_pytorchs_kind_and_orders_are_whole():
    widget = made()
    assert widget.parameters.keys() == lenet().state_dict().keys()
    for name, values in widget.parameters.items():
        bound = np.prod(widget.parameters[f"{name.split('.')[0]}.weight"].shape[1:]) ** -0.5
        assert np.abs(values).max() <= bound
        if values.size > 800:
            assert values.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
    assert sorted(widget.order(3)) == list(range(60))
    assert widget.order(0).tolist() != widget.order(1).tolist() != made(seed=1).order(1).tolist()


def test_weights_from_the_page_are_the_parameters():
    widget = made()
    widget.weights = np.arange(COUNT)
    assert widget.parameters["fc3.bias"].tolist() == list(range(COUNT - 10, COUNT))
    assert widget.parameters["conv2.weight"].shape == (16, 6, 5, 5)


def changed(data, **parts):
    return LabeledImages(**({"images": data.images, "labels": data.labels, "classes": data.classes} | parts))


TEN = balanced(TRAIN, 1)


@pytest.mark.parametrize(
    ("train", "options", "message"),
    [
        (changed(TEN, classes=("a",) * 10), {}, "must have the same ten classes"),
        (changed(TEN, images=TEN.images[:, :, 1:]), {"batch": 10}, r"train.images has shape \(10, 1, 27, 28\)"),
        (changed(TEN, labels=TEN.labels.clamp(max=8)), {"batch": 10}, "train.labels must be whole numbers from 0 to 9"),
        (TRAIN[:100], {}, "pictures of its classes; give as many of each"),
        (TEN, {}, "batch is 20, passes 12; give 1 or more, 10 a multiple of batch"),
        (TEN, {"batch": 10, "passes": 0}, "passes 0"),
    ],
)
def test_errors_say_what_is_allowed(train, options, message):
    with pytest.raises(ValueError, match=message):
        LenetTrainer(train, TEN, FASHION_MNIST_STATISTICS, **options)


def test_settings_that_do_not_exist_are_refused():
    for change, message in (
        ({"rate": 0.03}, "rate is 0.03; it must be one of 0.001"),
        ({"weights": np.ones(3)}, r"weights have shape \(3,\)"),
        ({"weights": np.full(COUNT, np.nan)}, "finite numbers, or none"),
        ({"picture": 20}, "picture is 20; there are 20"),
        ({"drawing": np.zeros((27, 28))}, r"drawing has shape \(27, 28\)"),
        ({"answer": "relu1"}, "answer"),
    ):
        with pytest.raises(TraitError, match=message):
            made(**change)


# ---- The mathematics ------------------------------------------------------------------------------------------------

NET = """const net = ({ train, labels, seed, batch, shapes }, Type) => m.begin({
    shapes, labels, batch, input: (i) => Type.from(train[i]), held: [], heldLabels: [],
}, seed, Type);
"""


@pytest.fixture
def module(module_of):
    """Evaluate a script with `net` for a network, given the pictures of a widget and what else is given."""
    call = module_of(join(HERE / "lenet_trainer" / "maths.js"))

    def run(script, widget, **given):
        pictures = widget.inputs().reshape(len(widget.train_labels), -1).astype(float).tolist()
        data = {"train": pictures, "labels": widget.train_labels, "seed": widget.seed, "batch": widget.batch}
        return call(f"(given) => {{ {NET} {script} }}", data | {"shapes": widget.shapes} | given)

    return run


def twin(widget):
    """Return PyTorch's network with the same first weights, in float64."""
    model = lenet()
    model.load_state_dict({name: torch.tensor(values) for name, values in widget.parameters.items()})
    return model.double()


def flat(tensors):
    return torch.cat([one.detach().flatten() for one in tensors]).numpy()


@pytest.mark.parametrize("seed", [0, 7])
def test_page_and_python_draw_the_same_numbers(module, seed):
    widget = made(seed=seed)
    first, *orders = module(
        "const n = net(given, Float32Array); return [n.weights, ...[0, 5].map((pass) => "
        "m.orderOf(given.seed, pass, 60, n.weights.length))];",
        widget,
    )
    np.testing.assert_array_equal(np.float32(first), widget.first)
    assert orders == [widget.order(0).tolist(), widget.order(5).tolist()]


def test_pixels_come_out_of_their_bytes(module_of):
    unpack = module_of(join(HERE / "lenet_trainer" / "maths.js"))
    for bits, pixels in ((2, made().train_pixels), (4, made().held_pixels)):
        found = unpack("([bytes, bits]) => m.unpack(bytes, bits)", [pixels[3].tolist(), bits])
        which = {2: "train", 4: "held_out"}[bits]
        mean, std = made().statistics
        np.testing.assert_allclose((np.array(found) - mean) / std, made().inputs(which)[3].ravel(), atol=1e-5)


def test_gradient_of_each_parameter_is_pytorchs(module):
    widget = made()
    loss, found = module(
        "const n = net(given, Float64Array); let loss = 0;"
        "for (const i of [3, 17, 42]) loss += m.backward(n.parameters, n.data.input(i), n.data.labels[i], n.slopes);"
        "return [loss, n.gradients];",
        widget,
    )
    model, some = twin(widget), [3, 17, 42]
    expected = cross_entropy(
        model(torch.tensor(widget.inputs()[some]).double()), torch.tensor(widget.train_labels)[some], reduction="sum"
    )
    expected.backward()
    assert loss == pytest.approx(expected.item(), abs=1e-9)
    wanted = flat(p.grad for p in model.parameters())
    np.testing.assert_allclose(found, wanted, atol=1e-6 * np.abs(wanted).max())


def test_ten_steps_are_pytorchs(module):
    widget = made(20, rate=0.05)  # ten steps of 20 pictures are one pass
    found, curve = module(
        "const n = net(given, Float64Array); while (n.seen < 200) m.work(n, 0.05); return [n.weights, n.curve];",
        widget,
    )
    model, x, y = twin(widget), torch.tensor(widget.inputs()).double(), torch.tensor(widget.train_labels)
    optimizer, smooth = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9), []
    for some in torch.tensor(widget.order(0)).split(20):
        loss = cross_entropy(model(x[some]), y[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        smooth.append(loss.item() if not smooth else 0.9 * smooth[-1] + 0.1 * loss.item())
    np.testing.assert_allclose(found, flat(model.parameters()), atol=1e-6)
    np.testing.assert_allclose(curve, np.column_stack([np.arange(1, 11) / 10, smooth]), atol=1e-6)


def test_it_learns_in_single_precision_and_its_file_loads_in_python(module, tmp_path):
    widget = made()
    loss, right, scores, text = module(
        "const n = net(given, Float32Array); n.data.held = given.train.map((one) => Float32Array.from(one));"
        "n.data.heldLabels = n.data.labels;"
        "n.says = new Int8Array(60); n.checked = 0; while (n.seen < 2400) m.work(n, 0.02);"
        "n.checked = 0; while (!m.settled(n)) m.work(n);"
        "return m.npyOf(n.weights).arrayBuffer().then((file) => [n.loss, m.rightOf(n), "
        "n.data.held.map((one) => [...m.scoresOf(n, one)]), [...new Uint8Array(file)]]);",
        widget,
    )
    assert loss < 0.8
    assert right > 40
    path = tmp_path / "lenet.npy"
    path.write_bytes(bytes(text))
    source = (HERE / "lenet_trainer" / "text.js").read_text("utf-8")
    code = json.loads('"' + re.search(r'code: *"(.*)",\n', source)[1] + '"').replace("'lenet.npy'", repr(str(path)))
    assert len(code.splitlines()) == 4
    names = {}
    exec(code, names)  # what the reader is told
    with torch.no_grad():
        np.testing.assert_allclose(names["model"](torch.tensor(widget.inputs())), scores, atol=1e-5)


def test_a_rate_that_is_too_large_loses_the_numbers(module):
    script = (
        "const n = net(given, Float32Array); for (let i = 0; i < 900; i++) m.work(n, 1e6); return [n.lost, n.seen];"
    )
    lost, seen = module(script, made())
    assert lost
    assert seen < 900


# ---- The screen -----------------------------------------------------------------------------------------------------


def small(**changes):
    """Return a figure that is done in a second: twenty pictures, sixty times."""
    return made(2, 10, **({"batch": 10, "passes": 60, "rate": 0.02} | changes))


@pytest.fixture
def page(page_with):
    """Return the figure with few pictures."""
    return page_with(small(), width=720)


def says(page):
    page.evaluate(FRAME)
    return page.locator(".bb-says").inner_text()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_play_learns_pause_rests_and_start_again_forgets(page):
    assert "61,706 numbers are random" in says(page)
    before = page.locator(".bb-train-loss").get_attribute("aria-label")
    assert "now 2.30, guessing is 2.30" in before
    press(page, "Play")
    assert page.locator(".bb-invite").is_hidden()
    page.wait_for_function("() => /^[\\d,]+ pictures seen/.test(document.querySelector('.bb-says').textContent)")
    assert page.locator(".bb-train-most").count() == 1
    page.wait_for_function("() => document.querySelector('.bb-primary').textContent === 'Play'")  # all passes are done
    assert "found themselves" in says(page)
    first = page.locator(".bb-train-loss").get_attribute("aria-label")
    press(page, "Play")  # and on
    page.wait_for_timeout(100)
    press(page, "Pause")
    more = says(page)
    page.evaluate(page_checks.FRAMES, 5)
    assert says(page) == more
    press(page, "Start again")
    page.wait_for_function("(was) => document.querySelector('.bb-train-loss').ariaLabel === was", arg=before)
    assert "random" in says(page)
    press(page, "Play")
    page.wait_for_function("(was) => document.querySelector('.bb-train-loss').ariaLabel === was", arg=first)


def test_it_learns_for_readers_who_asked_for_less_motion_and_its_weights_are_told_and_taken(page_with):
    page = page_with(small(), width=720)
    page.emulate_media(reduced_motion="reduce")
    press(page, "Play")
    page.wait_for_function("() => document.querySelector('.bb-primary').textContent === 'Play'")
    assert "found themselves" in says(page)
    page.locator("summary", has_text="More").click()
    with page.expect_download() as download:
        press(page, "Download lenet.npy")
    weights = np.load(download.value.path())
    other = page_with(small(weights=weights), width=720)
    share = "() => document.querySelector('.bb-train-answers').ariaLabel"
    assert other.evaluate(share) == page.evaluate(share)
    assert says(other).startswith("With the weights from outside")


@pytest.mark.parametrize(("answer", "opening"), [("conv1", "Yes, conv1. Each of"), ("fc3", "No, conv1. Each of")])
def test_the_question_shows_the_gradients(page, answer, opening):
    assert page.locator(".bb-train-hidden").count() == 5
    wait, last = page.locator(".bb-train-wait"), page.locator(".bb-train-hidden").last
    assert wait.inner_text() == "Choose a layer, or press Play"
    around, bar = wait.bounding_box(), last.bounding_box()
    assert around["x"] == pytest.approx(bar["x"], abs=1)
    assert around["width"] == pytest.approx(bar["width"], abs=1)
    press(page, answer)
    page.wait_for_function("(text) => document.querySelector('.bb-says').textContent.startsWith(text)", arg=opening)
    assert page.locator(".bb-train-hidden").count() == 0
    assert not wait.is_visible()
    assert page.locator(".bb-train-layers .bb-true").inner_text() == "conv1"
    wide = page.locator(".bb-train-layers .bb-train-bar").evaluate_all(
        "(all) => all.map((one) => Number(one.style.getPropertyValue('--bb-share')))"
    )
    widget = small()
    model = twin(widget)
    loss = cross_entropy(model(torch.tensor(widget.inputs()).double()), torch.tensor(widget.train_labels))
    loss.backward()
    sizes = np.array([p.grad.square().mean().sqrt().item() for n, p in model.named_parameters() if "weight" in n])
    np.testing.assert_allclose(wide, sizes / sizes.max(), atol=2e-4)


def test_the_hand_draws_and_picks(page):
    pad, name = page.locator(".bb-train-pad"), "() => document.querySelector('.bb-train-pad').ariaLabel"
    shares = "() => [...document.querySelectorAll('.bb-train-answer .bb-train-bar')].map((one) => one.style.cssText)"
    shoe, box = page.evaluate(shares), pad.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 120, steps=4)
    page.mouse.move(box["x"] + 900, box["y"] + 120, steps=2)  # past the border
    page.mouse.up()
    page.evaluate(FRAME)
    line = page.evaluate(shares)
    assert line != shoe
    press(page, "Clear")
    page.evaluate(FRAME)
    assert page.evaluate(shares) not in (line, shoe)
    held = page.locator(".bb-train-held")
    held.click(position={"x": 5, "y": 5})
    page.evaluate(FRAME)
    assert "The picture: T-shirt/top" in page.evaluate(name)
    held.evaluate(page_checks.KEYS, ["ArrowRight", "ArrowRight"])  # two columns of five further

    page.evaluate(FRAME)
    assert "The picture: Trouser" in page.evaluate(name)
    pad.evaluate(page_checks.KEYS, ["Enter", "ArrowDown", "ArrowDown"])
    page.evaluate(FRAME)
    assert "The picture: a drawing" in page.evaluate(name)
    page.locator("summary", has_text="More").click()
    press(page, "Shoe")
    page.evaluate(FRAME)
    assert page.evaluate(shares) == shoe


def test_it_is_whole(page):
    acts = [
        [".bb-answers|conv2", None],
        ["input[type=range]", "0"],
        [".bb-primary", None],
        [".bb-primary", None],
        ["button|Start again", None],
        ["button|Clear", None],
        [".bb-train-held", "key ArrowRight"],
    ]
    page_checks.assert_whole(page, *acts)
