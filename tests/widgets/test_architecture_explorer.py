"""ArchitectureExplorer: its counts against PyTorch at several sizes, and its screen in a real browser."""

import functools
import json

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from page_checks import FRAME

from backbone import models
from backbone.models import summary
from backbone.widgets import ArchitectureExplorer
from backbone.widgets.architecture_explorer import outline, stage_ends

NETWORKS = {
    "AlexNet": models.alexnet,
    "VGG-16": models.vgg16,
    "GoogLeNet": models.googlenet,
    "ResNet-50": models.resnet50,
    "ResNet-152": models.resnet152,
}
RNG = np.random.default_rng(5)
PHOTO = RNG.random((3, 40, 40))


@functools.cache
def summary_of(name, size=224):
    with torch.device("meta"):
        return summary(NETWORKS[name](), (1, 3, size, size))


@functools.cache
def outline_of(name):
    return outline(summary_of(name).rows)


def explorer(names=("AlexNet", "VGG-16", "ResNet-50"), **traits):
    maps = {name: [RNG.random((60, 60)) for _ in stage_ends(summary_of(name))] for name in names}
    return ArchitectureExplorer({name: summary_of(name) for name in names}, PHOTO, maps, **traits)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_stages_hold_the_whole_network(name):
    layers = [layer for stage in outline_of(name)["stages"] for layer in stage["layers"]]
    assert sum(layer[5] for layer in layers) == summary_of(name).parameters
    assert sum(layer[6] * (layer[4] or 1) ** 2 for layer in layers) == summary_of(name).multiply_adds


def test_stages_are_those_of_the_papers():
    stages = {name: outline_of(name)["stages"] for name in NETWORKS}
    sides = {name: [stage["layers"][-1][4] for stage in found] for name, found in stages.items()}
    maps = {name: [stage["maps"] for stage in found] for name, found in stages.items()}
    assert sides["VGG-16"] == [224, 112, 56, 28, 14, 0]
    assert maps["VGG-16"] == [64, 128, 256, 512, 512, 1000]
    assert maps["GoogLeNet"] == [192, 480, 832, 1024, 1000]
    assert maps["ResNet-152"] == [64, 256, 512, 1024, 2048, 1000]
    assert [stage["kind"] for stage in stages["ResNet-50"]] == ["stem", "stage", "stage", "stage", "stage", "head"]
    assert stage_ends(summary_of("AlexNet")) == ["features.1", "features.4", "features.11"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": "LeNet"}, "a is 'LeNet'; it must be one of 'AlexNet', 'VGG-16'"),
        ({"size": 225}, "size is 225; it must be a multiple of 32 from 64 to 448"),
        ({"size": 480}, "size is 480"),
        ({"chosen": "c1"}, "chosen is 'c1'; it must be a or b and a stage's number"),
        ({"answer": "none"}, "answer"),
    ],
)
def test_errors_say_what_is_allowed(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        explorer(**change)


def test_networks_pictures_and_maps_are_checked():
    vgg = {"VGG-16": summary_of("VGG-16")}
    with pytest.raises(ValueError, match="networks is empty"):
        ArchitectureExplorer({}, PHOTO, {})
    with pytest.raises(ValueError, match=r"of shape \(2, 1, 28, 28\); it must be of one square picture"):
        ArchitectureExplorer({"two": summary(models.lenet(), (2, 1, 28, 28))}, PHOTO, {})
    with pytest.raises(ValueError, match="VGG-16 has 5 stages with maps; 2 are given"):
        ArchitectureExplorer(vgg, PHOTO, {"VGG-16": [PHOTO[0]] * 2})
    with pytest.raises(ValueError, match=r"a map of VGG-16 has shape \(3, 40, 40\); it must be \(H, W\)"):
        ArchitectureExplorer(vgg, PHOTO, {"VGG-16": [PHOTO] * 5})
    with pytest.raises(ValueError, match=r"photograph has shape \(40, 40\) and dtype float64; it must be \(3, H, W\)"):
        ArchitectureExplorer(vgg, PHOTO[0], {"VGG-16": [PHOTO[0]] * 5})


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [64, 160, 448])
def test_counts_equal_pytorchs_at_every_size(module, name, size):
    """The page knows the network at 224 only; what it works out for another size is what PyTorch gives there."""
    real = summary_of(name, size)
    rows = {row.name: row for row in real.rows}
    found = module("([network, size]) => m.counted(network, size)", [outline_of(name), size])
    assert (found["parameters"], found["cost"]) == (real.parameters, real.multiply_adds)
    for layer in (layer for stage in found["stages"] for layer in stage["layers"]):
        row = rows[layer["name"]]
        assert layer["side"] == (row.shape[2] if len(row.shape) == 4 else 0), layer
        assert layer["cost"] == row.multiply_adds, layer


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 2, 0), (3, 2, 1), (2, 2, 0), (2, 3, 1), (7, 2, 3), (1, 2, 0)]
)
def test_windows_are_counted_as_pytorch_counts_them(module, kernel, stride, padding, ceil):
    pool = torch.nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)
    window = {"kernel": kernel, "stride": stride, "padding": padding, "ceil": ceil}
    sides = list(range(7, 40))
    found = module("([sides, w]) => sides.map((side) => m.placesOf(side, w))", [sides, window])
    assert found == [pool(torch.empty(1, 1, side, side)).shape[2] for side in sides]


def test_numbers_and_boxes(module):
    values = [0, 7, 999, 1000, 9408, 61100840, 99949999, 138357544, 999499999, 999500000, 1814073344, 15470264320]
    assert module("(values) => values.map(m.amount)", values) == [
        "0", "7", "999", "1.00 K", "9.41 K", "61.1 M", "99.9 M", "138 M", "999 M", "1.00 G", "1.81 G", "15.5 G"
    ]  # fmt: skip
    assert module("() => [m.boxOf(448, 1, 448), m.boxOf(112, 4096, 448)]") == [
        {"side": 1, "depth": 0},
        {"side": 0.5, "depth": 1},
    ]


def check(page, widget):
    """Compare boxes, bars and the sentence with PyTorch's counts."""
    page.evaluate(FRAME)
    root, size = page.locator(".bb-widget").first, widget.size
    totals = [summary_of(name, size) for name in (widget.a, widget.b)]
    heights = {"parameters": [], "multiply_adds": []}
    for strip, name, total in zip(root.locator(".bb-arch-strip").all(), (widget.a, widget.b), totals, strict=True):
        assert strip.get_by_role("slider").get_attribute("aria-valuetext") == f"{size} × {size}"
        assert strip.locator("select").input_value() == name
        stages = strip.locator(".bb-arch-stage:visible")
        assert stages.count() == len(outline_of(name)["stages"])
        for stage, parts in zip(stages.all(), outline_of(name)["stages"], strict=True):
            ids = {layer[0] for layer in parts["layers"]}
            rows = [row for row in total.rows if row.name in ids]
            bars = stage.locator(".bb-arch-bar").evaluate_all("(all) => all.map((bar) => parseFloat(bar.style.height))")
            values = [sum(layer[5] for layer in parts["layers"]), sum(row.multiply_adds for row in rows)]
            for (key, found), height, value in zip(heights.items(), bars, values, strict=True):
                assert key in ("parameters", "multiply_adds")
                found.append((height, value))
    for pairs in heights.values():  # one scale for both networks
        drawn, values = np.array(pairs).T
        np.testing.assert_allclose(drawn / drawn.max(), values / values.max(), atol=1e-3)
    if not widget.chosen:
        times = [f"{float(f'{getattr(totals[0], key) / getattr(totals[1], key):.2g}'):g}" for key in heights]
        assert root.locator(".bb-says").inner_text() == (
            f"{widget.a} has {times[0]} times the parameters of {widget.b}, and {times[1]} times the multiply-adds."
        )


def test_the_photograph_is_dragged_and_networks_chosen(page_with):
    settings = {"a": "VGG-16", "b": "ResNet-50"}
    page, widget = page_with(explorer(**settings), width=720), explorer(**settings)
    check(page, widget)
    photo = page.get_by_role("slider").first
    box, corner = photo.locator("canvas").bounding_box(), photo.locator(".bb-arch-grip").bounding_box()
    assert corner["x"] + corner["width"] == pytest.approx(box["x"] + box["width"], abs=1)
    assert corner["y"] + corner["height"] / 2 == pytest.approx(box["y"] + box["height"], abs=1)
    page.mouse.move(corner["x"] + 9, corner["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 900, box["y"] + 90, steps=5)  # past the largest size
    page.mouse.up()
    widget.size = 448
    check(page, widget)
    assert not page.locator(".bb-invite").is_visible()
    for key, size in {"ArrowLeft": 416, "Home": 64, "ArrowUp": 96, "End": 448}.items():
        photo.press(key)
        widget.size = size
        check(page, widget)
    page.get_by_label("Upper network").select_option("AlexNet")
    widget.a = "AlexNet"
    check(page, widget)


def test_the_key_names_the_bars(page_with):
    page = page_with(explorer(), width=720)
    look = "(all) => all.map((one) => getComputedStyle(one).backgroundColor)"
    colors = page.locator(".bb-arch-key .bb-arch-bar").evaluate_all(look)
    assert len(set(colors)) == 2
    assert page.locator(".bb-arch-stage").first.locator(".bb-arch-bar").evaluate_all(look) == colors
    assert page.locator(".bb-arch-key").inner_text().split("\n") == ["parameters", "multiply-adds"]


def test_a_stage_tells_its_share_and_lists_its_layers(page_with):
    page = page_with(explorer(a="VGG-16"), width=720)
    total = summary_of("VGG-16")
    head = page.locator(".bb-arch-stage").nth(5)
    head.press("Enter")
    page.evaluate(FRAME)
    ids = {layer[0]: layer for layer in outline_of("VGG-16")["stages"][5]["layers"]}
    parameters, cost = sum(layer[5] for layer in ids.values()), sum(layer[6] for layer in ids.values())
    assert page.locator(".bb-says").inner_text() == (
        f"VGG-16, head: {100 * parameters / total.parameters:.0f} % of the parameters, "
        f"{100 * cost / total.multiply_adds:.1f} % of the multiply-adds."
    )
    page.locator("summary").click()
    assert page.locator("tbody th").all_inner_texts() == list(ids)
    assert page.locator("tbody tr").first.locator("td").all_inner_texts() == ["", "25088 → 4096", "", "103 M", "103 M"]
    head.click()
    page.evaluate(FRAME)
    rows = [row.name for row in total.rows if row.kind in ("Conv2d", "Linear")]
    assert page.locator("tbody th").all_inner_texts() == rows


@pytest.mark.parametrize(("answer", "opening"), [("both, by four", "No: "), ("orange, by four", "Yes: ")])
def test_the_prediction_is_shown_by_a_movement(page_with, answer, opening):
    page = page_with(explorer(chosen="a1"), width=720)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name=answer).click()
    page.evaluate(FRAME)
    assert page.get_by_role("slider").first.get_attribute("aria-valuenow") == "448"
    assert page.locator(".bb-says").inner_text().startswith(opening)
    assert page.locator(".bb-true").all_inner_texts() == ["orange, by four"]


def test_it_is_whole(page_with):
    page = page_with(explorer(tuple(NETWORKS), a="VGG-16"))
    acts = [[".bb-arch-stage", None], ["select", "GoogLeNet"], ["select", "AlexNet"], [".bb-arch-photo", "key End"]]
    page_checks.assert_whole(page, *acts, then=[[".bb-answers|both, by four", None]])


def test_what_a_page_ships_is_small():
    state = explorer(tuple(NETWORKS)).get_state(["networks", "maps", "photograph"])
    assert len(json.dumps(state["networks"])) < 40_000
    assert len(state["maps"]["data"]) < 60**2 * 30
