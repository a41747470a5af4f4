"""ArchitectureExplorer: its counts against PyTorch at several sizes, its tasks, and every control on a page."""

import functools

import page_checks
import pytest
import torch
import traitlets

from backbone import models
from backbone.models import summary
from backbone.widgets import ArchitectureExplorer
from backbone.widgets.architecture_explorer import TASKS, outline

NETWORKS = {
    "AlexNet": models.alexnet,
    "VGG-16": models.vgg16,
    "VGG-19": models.vgg19,
    "GoogLeNet": models.googlenet,
    "ResNet-18": models.resnet18,
    "ResNet-34": models.resnet34,
    "ResNet-50": models.resnet50,
    "ResNet-152": models.resnet152,
}
DEPTHS = {"AlexNet": 8, "VGG-16": 16, "VGG-19": 19, "GoogLeNet": 22, "ResNet-18": 18, "ResNet-34": 34, "ResNet-50": 50}


@functools.cache
def summary_of(name, size=224):
    with torch.device("meta"):
        return summary(NETWORKS[name](), (1, 3, size, size))


def explorer(**traits):
    return ArchitectureExplorer({name: summary_of(name) for name in NETWORKS}, **traits)


# --- Python ---------------------------------------------------------------------------------------------------


def leaves(parts, count=1):
    """Yield each layer of a tree, and how often it is there."""
    for part in parts:
        if "parts" in part:
            yield from leaves(part["parts"], count * part["count"])
        else:
            yield part, count * part["count"]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_tree_holds_the_whole_network(name):
    tree = outline(summary_of(name).rows)["tree"]
    assert sum(count * layer["parameters"] for layer, count in leaves(tree)) == summary_of(name).parameters
    cost = sum(count * layer["each"] * (layer["side"] or 1) ** 2 for layer, count in leaves(tree))
    assert cost == summary_of(name).multiply_adds


@pytest.mark.parametrize(("name", "depth"), DEPTHS.items())
def test_a_networks_depth_is_the_number_in_its_name(name, depth):
    """And GoogLeNet's 22, AlexNet's 8: shortcuts and branches side by side do not make a network deeper."""
    assert sum(part["depth"] * part["count"] for part in outline(summary_of(name).rows)["tree"]) == depth


def test_blocks_alike_are_counted_as_the_papers_table_counts_them():
    tree = outline(summary_of("ResNet-152").rows)["tree"]
    counts = [sum(block["count"] for block in stage["parts"]) for stage in tree if stage["kind"] == "stage"]
    assert counts == list(models.resnet.STAGES[152][1])
    assert [part["kind"] for part in tree] == ["stem", "stage", "stage", "stage", "stage", "head"]
    assert [block["count"] for block in tree[3]["parts"]] == [1, 35]


def test_tasks_are_left_out_with_their_networks():
    made = ArchitectureExplorer({"VGG-16": summary_of("VGG-16")})
    assert list(made.tasks) == ["arithmetic", "pair"]
    assert (made.a, made.b, made.task) == ("VGG-16", "VGG-16", "arithmetic")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": "LeNet"}, "'LeNet' is not a network; there are AlexNet, VGG-16"),
        ({"size": 225}, "size is 225; it must be a multiple of 32 from 64 to 448"),
        ({"size": 480}, "size is 480"),
        ({"path_a": [-1]}, "path_a"),
        ({"task": "none"}, "task"),
        ({"guess": [4]}, "guess"),
    ],
)
def test_errors_say_what_is_allowed(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        explorer(**change)


def test_networks_are_checked():
    with pytest.raises(ValueError, match="networks is empty"):
        ArchitectureExplorer({})
    with pytest.raises(ValueError, match=r"of shape \(2, 1, 28, 28\); it must be of one square picture"):
        ArchitectureExplorer({"two": summary(models.lenet(), (2, 1, 28, 28))})


# --- The functions of the module ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(ArchitectureExplorer._esm)


FLAT = """([network, size]) => {
    const flat = (parts, count) => parts.flatMap((part) =>
        part.parts ? flat(part.parts, count * part.count)
                   : [[part.id, part.side, part.parameters / part.count, part.cost / part.count, count * part.count]]);
    const whole = m.counted(network, size);
    return { rows: flat(whole.parts, 1), parameters: whole.parameters, cost: whole.cost, depth: whole.depth };
}"""


@pytest.mark.browser
def test_tasks_and_networks_stand_in_their_order(page_with):
    root = page_with(explorer()).locator(".bb-widget")
    tasks, names = (root.get_by_label(label).locator("option").all_inner_texts() for label in ("Task", "Network A"))
    assert [text[0] for text in tasks] == ["1", "2", "3", "4", "5"]
    numbers = [int(name.partition("-")[2]) for name in names if name.startswith("ResNet-")]
    assert numbers == sorted(numbers)


@pytest.mark.browser
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [64, 96, 160, 224, 256, 288, 416, 448])
def test_counts_equal_pytorchs_at_every_size(module, name, size):
    """The page knows the network at 224 only; what it works out for another size is what PyTorch gives there."""
    network = explorer().networks[name]
    real = summary_of(name, size)
    rows = {row.name: row for row in real.rows}
    found = module(FLAT, [network, size])
    assert (found["parameters"], found["cost"]) == (real.parameters, real.multiply_adds)
    for layer, side, _, cost, _ in found["rows"]:
        row = rows[layer]
        assert side == (row.shape[2] if len(row.shape) == 4 else 0), layer
        assert cost == row.multiply_adds, layer


@pytest.mark.browser
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


@pytest.mark.browser
def test_columns_add_up_to_the_depth(module):
    for name, network in explorer().networks.items():
        asked = "([n]) => { const w = m.counted(n, 224); return [w.depth, m.columns(w.parts)] }"
        depth, columns = module(asked, [network])
        assert sum(column["depth"] for column in columns) == depth == DEPTHS.get(name, 152)


@pytest.mark.browser
def test_numbers_are_written_with_three_digits(module):
    values = [0, 7, 999, 1000, 9408, 61100840, 99949999, 138357544, 999499999, 999500000, 1814073344, 15470264320]
    assert module("(values) => values.map(m.amount)", values) == [
        "0", "7", "999", "1.00 K", "9.41 K", "61.1 M", "99.9 M", "138 M", "999 M", "1.00 G", "1.81 G", "15.5 G"
    ]  # fmt: skip
    assert module("(values) => values.map(m.shareText)", [0, 0.001, 0.005, 0.5, 1]) == [
        "0 %", "< 1 %", "1 %", "50 %", "100 %"
    ]  # fmt: skip


JUDGED = "([task, networks, now]) => m.judged(task, networks, now)"


def state(**changes):
    return {"a": "VGG-16", "b": "ResNet-152", "size": 224, "paths": [[], []], "guess": [0, 0]} | changes


def judged(module, task, **changes):
    return module(JUDGED, [TASKS[task], explorer().networks, state(**changes)])


@pytest.mark.browser
def test_the_size_task_is_answered_by_pytorch(module):
    small, large = summary_of("ResNet-50"), summary_of("ResNet-50", 448)
    factors = [large.parameters / small.parameters, large.multiply_adds / small.multiply_adds]
    assert factors == pytest.approx([1, 4], rel=0.01)
    right = [[p, c] for p in (0, 1, 2, 4, 8) for c in (0, 1, 2, 4, 8) if judged(module, "size", guess=[p, c])["solved"]]
    assert right == [[1, 4]]
    assert judged(module, "size", guess=[0, 4])["missing"] == 1


@pytest.mark.browser
def test_the_right_layers_are_those_with_more_than_half(module):
    rows = {row.name: row for row in summary_of("AlexNet").rows}
    halves = [name for name, row in rows.items() if row.parameters > summary_of("AlexNet").parameters / 2]
    assert halves == [TASKS["parameters"]["layer"]]
    solved = [
        [i, j]
        for i in range(4)
        for j in range(3)
        if judged(module, "parameters", b="AlexNet", paths=[[], [i, j]])["solved"]
    ]
    assert solved == [[3, 0]]

    rows = summary_of("ResNet-152").rows
    stages = [sum(r.multiply_adds for r in rows if r.name.startswith(f"layer{n}.")) for n in range(1, 5)]
    assert stages[2] > sum(stages) / 2
    block = {row.name: row.multiply_adds for row in rows if row.name.startswith("layer3.1.")}
    assert max(block, key=block.get) == TASKS["deep"]["layer"]
    assert block[TASKS["deep"]["layer"]] > sum(block.values()) / 2
    solved = [
        [i, j, k]
        for i in range(6)
        for j in range(2)
        for k in range(4)
        if judged(module, "deep", paths=[[], [i, j, k]])["solved"]
    ]
    assert solved == [[3, 1, 1]]


@pytest.mark.browser
def test_half_of_the_arithmetic_needs_the_size_that_pytorch_says(module):
    sizes = list(range(64, 449, 32))
    whole = summary_of("VGG-16").multiply_adds
    enough = [size for size in sizes if summary_of("VGG-16", size).multiply_adds <= whole / 2]
    assert [size for size in sizes if judged(module, "arithmetic", size=size)["solved"]] == enough == [64, 96, 128]
    assert judged(module, "arithmetic", a="AlexNet")["absent"] == "VGG-16"


@pytest.mark.browser
def test_one_pair_only_is_as_large_and_not_as_dear(module):
    pairs = [(a, b) for a in NETWORKS for b in NETWORKS if a < b and judged(module, "pair", a=a, b=b)["solved"]]
    assert pairs == [("AlexNet", "ResNet-152")]
    one, other = (summary_of(name) for name in pairs[0])
    assert abs(one.parameters - other.parameters) < 0.02 * one.parameters
    assert other.multiply_adds > 10 * one.multiply_adds


CUT = """(root) => [...root.querySelectorAll(".bb-arch-face")]
    .filter((face) => face.scrollWidth > face.clientWidth + 1).map((face) => face.innerText)"""

# --- On a page --------------------------------------------------------------------------------------------------


def number(text):
    value, _, unit = text.partition(" ")
    return float(value) * {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}[unit]


class Screen:
    """An ArchitectureExplorer on a page, and the settings that it should have by now."""

    def __init__(self, page, **settings):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.want = {"a": "AlexNet", "b": "ResNet-152", "size": 224, "solved": 0} | settings

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def pick(self, side, name):
        self.root.get_by_label(f"Network {side.upper()}").select_option(name)
        self.check(**{side: name})

    def slide(self, size, **changes):
        self.root.locator("input[type=range]").fill(str(size))
        self.check(size=size, **changes)

    def ask(self, task, **changes):
        self.root.get_by_label("Task").select_option(task)
        self.check(**changes)

    def panel(self, side):
        return self.root.locator(".bb-arch-panel").nth("ab".index(side))

    def press(self, side, row, **changes):
        self.panel(side).locator(".bb-arch-row").nth(row).click()
        self.check(**changes)

    def crumb(self, side, name):
        self.panel(side).get_by_role("button", name=name, exact=True).click()
        self.check()

    def rows(self, side):
        return [row.inner_text() for row in self.panel(side).locator(".bb-arch-face").all()]

    def numbers(self, side):
        """Return (parameters, multiply-adds) of each row, as printed."""
        texts = self.panel(side).locator(".bb-arch-list .bb-arch-number").all_inner_texts()
        values = [number(text.partition(",")[0]) for text in texts]
        return list(zip(values[::2], values[1::2], strict=True))

    def verdict(self):
        return self.root.locator(".bb-arch-foot > :first-child").inner_text()

    def check(self, **changes):
        """Compare totals, bars and the picture with PyTorch's counts."""
        self.frame()
        self.want |= changes
        real = [summary_of(self.want[side], self.want["size"]) for side in "ab"]
        for measure, place in (("parameters", 0), ("multiply_adds", 1)):
            values = [getattr(one, measure) for one in real]
            for side, value in zip("ab", values, strict=True):
                line = self.panel(side).locator(".bb-arch-total").nth(place)
                assert number(line.locator(".bb-arch-number").inner_text()) == pytest.approx(value, rel=0.005)
                share = float(line.locator(".bb-arch-fill").get_attribute("style").split("width:")[1].rstrip("%; "))
                assert share == pytest.approx(100 * value / max(values), rel=1e-3)
        self.check_scale()
        assert self.root.locator("output").inner_text() == f"{self.want['size']} × {self.want['size']}"
        assert (
            self.root.locator(".bb-arch-foot > :last-child").inner_text() == f"{self.want['solved']} of 5 tasks solved"
        )
        depths = self.root.locator(".bb-arch-over").all_inner_texts()
        assert depths == [f"{self.want[s]}, {DEPTHS.get(self.want[s], 152)} layers deep" for s in "ab"]

    def check_scale(self):
        """The longest bar of each measure is full, and in one of the two lists."""
        for measure in ("parameters", "cost"):
            styles = [
                fill.get_attribute("style") for fill in self.root.locator(f".bb-arch-list .bb-arch-{measure}").all()
            ]
            assert max(float(style.split("width:")[1].rstrip("%; ")) for style in styles) == pytest.approx(100)


@pytest.fixture
def screen(page_with):
    return Screen(page_with(explorer(), width=722))


@pytest.mark.browser
def test_from_the_whole_to_one_layer_and_back(screen):
    screen.check()
    rows = summary_of("ResNet-152").rows

    def of(prefix):
        inside = [row for row in rows if row.name.startswith(prefix)]
        return sum(row.parameters for row in inside), sum(row.multiply_adds for row in inside)

    stages = [of(f"layer{n}.") for n in range(1, 5)]
    found = screen.numbers("b")
    for got, expected in zip(found[1:5], stages, strict=True):
        assert got == pytest.approx(expected, rel=0.005)
    screen.press("b", 3)
    assert [row.split("\n")[0] for row in screen.rows("b")] == ["block 1", "blocks 2–36"]
    first = of("layer3.0.")
    assert screen.numbers("b")[0] == pytest.approx(first, rel=0.005)
    assert screen.numbers("b")[1] == pytest.approx([a - b for a, b in zip(stages[2], first, strict=True)], rel=0.005)
    screen.press("b", 1)
    block = of("layer3.1.")
    layers = screen.numbers("b")
    assert [sum(column) for column in zip(*layers, strict=True)] == pytest.approx(block, rel=0.005)
    screen.press("b", 1)  # a layer: it is chosen, and the list stays
    assert screen.panel("b").locator("[aria-pressed=true]").count() == 1
    screen.crumb("b", "stage 3")
    assert len(screen.rows("b")) == 2
    screen.crumb("b", "whole network")
    assert len(screen.rows("b")) == 6


@pytest.mark.browser
def test_networks_and_sizes(screen):
    for size in (64, 224, 448, 160):
        screen.slide(size)
    for side, name in (("a", "GoogLeNet"), ("b", "VGG-19"), ("a", "ResNet-18"), ("b", "ResNet-34"), ("a", "VGG-16")):
        screen.pick(side, name)
    screen.root.locator("input[type=range]").press("ArrowRight")
    screen.check(size=192)
    tall = screen.root.locator(".bb-arch-overview").first.locator("rect").first
    height = float(tall.get_attribute("height"))
    screen.slide(384)
    assert float(tall.page.locator(".bb-arch-overview rect").first.get_attribute("height")) == pytest.approx(2 * height)


@pytest.mark.browser
def test_every_task_can_be_solved_by_hand(screen):
    times = screen.root.locator(".bb-choice")
    assert "Two answers are missing" in screen.verdict()
    times.nth(0).locator("label").nth(1).click()
    screen.check()
    times.nth(1).locator("label").nth(1).click()
    screen.check()
    assert "Not both are right" in screen.verdict()
    times.nth(0).locator("label").nth(0).click()
    times.nth(1).locator("label").nth(2).click()
    screen.check(solved=1)
    assert screen.verdict() == "Solved. From 4.09 G to 16.4 G multiply-adds."
    screen.ask("parameters")
    screen.press("a", 3)
    screen.press("a", 1)
    assert screen.verdict() == "Not solved yet. The chosen layer holds 27 % of all parameters."
    screen.press("a", 0, solved=2)
    assert "Solved. The chosen layer holds 62 %" in screen.verdict()
    screen.ask("arithmetic", a="VGG-16")
    screen.slide(160)
    assert "Not solved yet. Now 7.95 G; at most 7.74 G." in screen.verdict()
    screen.slide(128, solved=3)
    screen.ask("deep", size=224)
    for row in (3, 1):
        screen.press("b", row)
    screen.press("b", 0)
    assert "Not solved yet. The chosen layer does 24 %" in screen.verdict()
    screen.press("b", 1, solved=4)
    assert "Solved. The chosen layer does 53 %" in screen.verdict()
    screen.ask("pair")
    assert "Not solved yet. Parameters differ by 56 %" in screen.verdict()
    screen.pick("a", "ResNet-50")
    screen.root.get_by_label("Network A").select_option("AlexNet")
    screen.check(a="AlexNet", solved=5)
    assert screen.verdict() == "Solved. Parameters differ by 1 %, multiply-adds by a factor of 16.1."


@pytest.mark.browser
def test_keys_alone_go_down_and_up(screen):
    screen.panel("b").locator(".bb-arch-row").nth(3).focus()
    screen.page.keyboard.press("Enter")
    screen.frame()
    assert screen.page.evaluate("document.activeElement.innerText").startswith("block 1")
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Space")
    screen.frame()
    assert len(screen.rows("b")) == 3


@pytest.mark.browser
def test_it_follows_python_and_writes_nothing_by_itself(page_with):
    widget = explorer(a="VGG-16", b="ResNet-50", path_b=[3, 1], size=320)
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=722)
    Screen(page, a="VGG-16", b="ResNet-50", size=320).check()
    first, second = page.locator(".bb-widget").all()
    assert first.locator(".bb-arch-list").nth(1).locator("li").count() == 3
    first.get_by_label("Network A").select_option("GoogLeNet")
    page.wait_for_timeout(100)
    assert first.inner_text() == second.inner_text()


@pytest.mark.browser
def test_what_is_seen_is_said(screen):
    live = screen.root.locator("[role=status]")
    assert live.inner_text() == ""
    screen.slide(448)
    screen.page.wait_for_timeout(800)
    assert "ResNet-152: 60.2 M parameters, 46.0 G multiply-adds at 448 pixels." in live.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("settings", [{"path_b": [3, 0], "task": "pair"}, {"b": "GoogLeNet", "path_b": [2, 0]}])
def test_it_fits_and_is_accessible(page_with, settings):
    page = page_with(explorer(path_a=[3], **settings))
    for width in page_checks.WIDTHS:
        page_checks.resize(page, width)
        assert page.locator(".bb-widget").evaluate(CUT) == []
    page_checks.assert_sound(page)


@pytest.mark.browser
@pytest.mark.parametrize("width", [722, 360, 320])
def test_nothing_jumps(page_with, width):
    page = page_with(explorer(), width=width)
    inside = [
        [".bb-arch-panel:first-child .bb-arch-row:first-child", None],
        [".bb-arch-panel:first-child .bb-arch-crumb:first-child", None],
    ]
    acts = [[".bb-arch-task select", task] for task in TASKS]
    for name in NETWORKS:
        acts.append([".bb-controls > .bb-field:first-child select", name])
        acts += [["input[type=range]", size] for size in ("64", "448")]
        acts.append([".bb-arch-panel:first-child .bb-arch-row", None, *inside])
    assert page_checks.jumps(page, acts) == []
