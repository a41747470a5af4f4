"""Drawings say what the network is: its shapes, its counts, its ways."""

import re

import numpy as np
import pytest
import torch
from drawn import BLOCKS, BRANCHED, DRAWINGS, drawing, two_towers
from torch import nn

from backbone import diagrams, models, ops
from backbone.diagrams.steps import Fork, Step, steps_of
from backbone.palette import COLORS

every_drawing = pytest.mark.parametrize("name", DRAWINGS)


def words(name: str) -> list[str]:
    """Return the words in a drawing, in order."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", "".join(drawing(name).svgs))


def parameters(steps) -> int:
    """Return how many parameters steps and branches carry."""
    return sum(step.parameters if isinstance(step, Step) else sum(map(parameters, step.branches)) for step in steps)


@every_drawing
def test_a_drawing_is_told_in_words_and_has_a_caption(name):
    figure = drawing(name)
    assert len(figure.alt) > 60
    assert figure._repr_html_().count("<figcaption>c</figcaption>") == 1
    assert f'role="img" aria-label="{figure.alt[:20]}' in figure._repr_html_()


@every_drawing
def test_a_drawing_has_the_ink_of_the_page_and_colors_of_the_palette_alone(name):
    colors = set(re.findall(r'(?:fill|stroke)="([^"]+)"', "".join(drawing(name).svgs)))
    assert colors <= {"none", "currentColor", *COLORS.values()}


def test_drawings_are_the_same_every_time():
    drawn = [diagrams.modules(BLOCKS)._repr_html_() for _ in range(2)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("name", BLOCKS | BRANCHED)
def test_a_module_keeps_its_parameters(name):
    module, shape = (BLOCKS | BRANCHED)[name]
    count = sum(one.numel() for one in module.parameters())
    assert parameters(steps_of(module, shape)) == count
    assert f"{count:,} parameters" in words("blocks" if name in BLOCKS else "branched")


@pytest.mark.parametrize("name", BLOCKS | BRANCHED)
def test_a_module_gives_as_many_maps_as_are_drawn(name):
    module, shape = (BLOCKS | BRANCHED)[name]
    with torch.no_grad():
        out = module.eval()(torch.zeros(shape)).shape[1]
    forks = [step for step in steps_of(module, shape) if isinstance(step, Fork)]
    assert [fork.channels for fork in forks] == [out] * (name != "plain")


def test_what_stands_where_in_a_block():
    residual = steps_of(*BLOCKS["residual"])
    assert residual[0].join == "add"
    assert [] in residual[0].branches
    assert residual[1].lines == ("ReLU",)  # behind the addition
    (inner,) = [branch for branch in residual[0].branches if branch]
    assert [step.lines[-1] for step in inner] == ["ReLU", "BN"]
    assert all(isinstance(step, Step) for step in steps_of(*BLOCKS["plain"]))
    (before,) = steps_of(*BLOCKS["pre-activation"])
    (inner,) = [branch for branch in before.branches if branch]
    assert [step.lines[:2] for step in inner] == [("BN", "ReLU")] * 2
    (zeros,) = [step for step in steps_of(*BLOCKS["zeros"]) if isinstance(step, Fork)]
    assert [Step(("every 2nd place", "+ 64 maps of 0"))] in zeros.branches


def test_the_branches_of_a_module():
    (fork,) = steps_of(*BRANCHED["reduced"], short=True)
    assert fork.join == "cat"
    assert [[step.lines[0] for step in branch] for branch in fork.branches] == [
        ["1×1"],
        ["1×1", "3×3"],
        ["1×1", "3×3"],
        ["max", "1×1"],
    ]
    (last,) = steps_of(*BRANCHED["Mixed_7c"], short=True)
    assert [isinstance(branch[-1], Fork) for branch in last.branches] == [False, True, True, False]


class Never(nn.Module):
    """Two ways that do not meet."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        return self.one(x), x


def test_a_module_whose_ways_never_meet_is_refused():
    with pytest.raises(ValueError, match="never meet"):
        steps_of(Never(), (1, 1, 2, 2))


def test_stacks_show_the_shapes_of_the_network():
    drawn = words("stacks")
    with torch.device("meta"):
        table = models.summary(models.alexnet(), (1, 3, 224, 224))
    assert f"AlexNet: {table.parameters:,} parameters" in drawn
    for row in table.rows:
        if row.kind in ("Conv2d", "Linear", "MaxPool2d"):
            assert diagrams.networks.shape_of(row.shape) in drawn
    assert "conv 11×11 /4" in drawn


def test_columns_have_a_bar_for_each_layer_with_weights():
    assert {"A: 11 layers", "E: 19 layers"} <= set(words("columns"))
    assert drawing("columns").svgs[0].count("<rect") == 11 + 19
    assert "4 at 14 × 14, 3 linear" in drawing("columns").alt


def test_towers_cross_where_a_layer_reads_both():
    alt = drawing("towers").alt
    assert "conv 2 from its own tower, 3 in each; conv 3 from all, 2 in each" in alt
    blue = drawing("towers").svgs[0].count(f'fill="none" stroke="{COLORS["negative"]}"')
    assert blue == 4 + 2  # conv 3 crosses, the last layer is one box
    assert two_towers()(torch.zeros(1, 3, 9, 9)).shape == (1, 10)


def test_a_backbone_has_the_taps_and_counts_of_the_network():
    drawn = words("backbone")
    with torch.device("meta"):
        resnet = models.resnet50()
    taps = [tap for tap in resnet.taps if tap.stride in (4, 8, 16, 32)]
    assert [word for word in drawn if word.startswith("stride")] == [f"stride {tap.stride}" for tap in taps]
    for tap in taps:
        assert f"{tap.channels} × {224 // tap.stride}²" in drawn
    count = sum(one.numel() for name, one in resnet.named_parameters() if not name.startswith("fc"))
    assert f"backbone: {count:,} parameters" in drawn
    # Four 1x1 to 256 maps and four 3x3 from them, each with biases.
    assert f"neck: {(256 + 512 + 1024 + 2048) * 256 + 4 * 9 * 256**2 + 8 * 256:,} parameters" in drawn


def test_numbers_of_a_neuron():
    assert {"0.25", "× −0.25", "bias 0.75"} <= set(words("neuron"))


def test_im2col_is_the_convolution():
    x, kernel = np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]]), np.array([[1.0, 0], [0, -1]])
    out = ops.conv2d(x[None, None], kernel[None, None]).ravel()
    assert drawing("im2col").alt.endswith(f"matrix give {', '.join(map(diagrams.by_hand.number, out))}.")


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.5"), (-2, "−2"), (-0.001, "0"), (10, "10"), (1.256, "1.26")])
def test_numbers_are_short(value, text):
    assert diagrams.by_hand.number(value) == text


# What lies outside the box or the panel that it stands in, and words that are too small.
STICKING_OUT = """() => {
    const inside = (a, b, by) => a.left >= b.left - by && a.right <= b.right + by
        && a.top >= b.top - by && a.bottom <= b.bottom + by;
    return [...document.querySelectorAll(".bb-figure text")].filter((text) => {
        const own = text.getBoundingClientRect(), box = text.closest("[data-box]");
        const shape = box && box.querySelector("rect, circle").getBoundingClientRect();
        const size = parseFloat(getComputedStyle(text).fontSize) * text.getCTM().a;
        return (box && !inside(own, shape, 1.5)) || size < 11
            || !inside(own, text.closest("svg").getBoundingClientRect(), 1.5);
    }).map((text) => text.textContent);
}"""


@pytest.mark.parametrize("column", [328, 684])
def test_every_label_stands_in_its_box(tabs, column):
    body = "<hr>".join(figure._repr_html_() for figure in map(drawing, DRAWINGS))
    with tabs() as tab:
        tab.page.set_content(f'<div style="width: {column}px; font-family: sans-serif">{body}</div>')
        assert tab.page.locator(".bb-figure text").count() > 200
        assert tab.page.evaluate(STICKING_OUT) == []
