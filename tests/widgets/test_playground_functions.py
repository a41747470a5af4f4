"""The functions of Playground's module in a real browser against PyTorch, float64."""

import itertools

import numpy as np
import pytest
import torch
from playground_screen import ACTIVATIONS, Twin, random_layers, sent

from backbone.widgets import Playground
from backbone.widgets.base import HERE, join

TOLERANCE = 1e-10  # relative to the largest value
CASES = [
    (activation, depth, width)
    for activation, (depth, width) in itertools.product(ACTIVATIONS, [(0, 1), (1, 1), (1, 8), (2, 5), (4, 8), (4, 3)])
]


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(join(HERE / "playground" / "maths.js"))


def close(found, expected):
    expected = np.asarray(expected, float)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(np.asarray(found, float), expected, rtol=0, atol=TOLERANCE * max(scale, 1e-300))


def case(activation, depth, width):
    rng = np.random.default_rng(100 * depth + width)
    layers = random_layers([2, *[width] * depth, 1], rng)
    x, labels = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)
    return layers, x, labels, Twin(layers, activation)


@pytest.mark.parametrize(("activation", "depth", "width"), CASES)
def test_forward_loss_and_gradients_equal_pytorchs(module, activation, depth, width):
    layers, x, labels, twin = case(activation, depth, width)
    found = module(
        """([layers, activation, x, labels]) => {
            const columns = x.map((column) => Float64Array.from(column));
            const { logits } = m.forward(layers, activation, columns);
            const [score, gradients] = [m.score, m.gradients].map((f) => f(layers, activation, columns, labels));
            return { logits: [...logits], loss: m.crossEntropy(logits, labels), score, gradients };
        }""",
        [sent(layers), activation, x.T.tolist(), labels.tolist()],
    )
    loss, gradients = twin.gradients(x, labels)
    logits = twin.logits(x).detach().numpy()
    close(found["logits"], logits)
    for number in (found["loss"], found["score"]["loss"], found["gradients"]["loss"]):
        assert number == pytest.approx(loss, rel=TOLERANCE)
    assert found["score"]["accuracy"] == pytest.approx(np.mean((logits > 0) == (labels == 1)))
    for layer, (weight, bias) in zip(found["gradients"]["layers"], gradients, strict=True):
        close(layer["weight"], weight)
        close(layer["bias"], bias)


BEGIN = """([layers, activation, x, labels, step = 0]) => {
    const part = { columns: x.map((column) => Float64Array.from(column)), labels };
    const [depth, width] = [layers.length - 1, layers[0].bias.length];
    const parameters = m.flatten(layers);
    const settings = { depth, width, activation, initialization: "random", start: 0, step, parameters };
    const net = m.begin(settings, { train: part, held: part }, new Float64Array(4000));
"""


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_steps_equal_pytorchs_and_can_be_gone_back(module, activation):
    layers, x, labels, twin = case(activation, 2, 5)
    found, back, again, count = module(
        BEGIN
        + """    for (let i = 0; i < 50; i++) m.learn(net, 0.1);
    const found = m.flatten(net.now.layers);
    m.recall(net, 20.4);
    const back = [net.now.step, net.history.at(-1).step];
    for (let i = 0; i < 30; i++) m.learn(net, 0.1);
    return [found, back, m.flatten(net.now.layers), net.history.length];
}""",
        [sent(layers), activation, x.T.tolist(), labels.tolist()],
    )
    np.testing.assert_allclose(found, twin.learn(x, labels, 0.1, 50).flat(), rtol=1e-8, atol=1e-10)
    assert (back, again, count) == ([20, 50], found, 51)


def test_a_long_training_is_remembered_in_part(module):
    layers, x, labels, _ = case("tanh", 1, 1)
    given = [sent(layers), "tanh", x.T.tolist(), labels.tolist(), 3]
    steps = module(f"{BEGIN} for (let i = 0; i < 1500; i++) m.learn(net, 0.1);"
                   "return net.history.map((one) => one.step); }", given)  # fmt: skip
    assert (steps[0], steps[1], steps[-1]) == (3, 4, 1500)
    assert len(steps) < 602
    assert set(np.diff(steps[1:])) == {4}


@pytest.mark.parametrize(("activation", "depth", "width"), CASES)
def test_the_loss_along_each_weight_equals_pytorchs(module, activation, depth, width):
    layers, x, labels, _ = case(activation, depth, width)
    rng = np.random.default_rng(1)
    found = module(
        """([layers, activation, x, labels, values]) => {
            const columns = x.map((column) => Float64Array.from(column));
            const loss = (at, value) => m.score(m.withWeight(layers, at, value), activation, columns, labels).loss;
            return m.addresses(layers).map((at) => [at, values.map((value) => loss(at, value))]);
        }""",
        [sent(layers), activation, x.T.tolist(), labels.tolist(), [-3, 0, 0.5, 40]],
    )
    assert len(found) == sum(weight.size + bias.size for weight, bias in layers)
    for at, losses in [found[i] for i in rng.choice(len(found), min(len(found), 12), replace=False)]:
        layer, to, source = at
        for value, loss in zip([-3, 0, 0.5, 40], losses, strict=True):
            changed = [(weight.copy(), bias.copy()) for weight, bias in layers]
            if source < 0:
                changed[layer][1][to] = value
            else:
                changed[layer][0][to, source] = value
            assert loss == pytest.approx(Twin(changed, activation).loss(x, labels).item(), rel=TOLERANCE)


def test_the_tangent_and_the_steepest_weight(module):
    layers, x, labels, twin = case("tanh", 1, 4)
    probe, steepest = module(
        BEGIN + "const probe = m.probeOf(net, [0, 2, 1], 4);"
        "return [{ ...probe, ...m.movedBy(net, probe, 0.5) }, m.steepest(net)]; }",
        [sent(layers), "tanh", x.T.tolist(), labels.tolist()],
    )
    loss, found = twin.gradients(x, labels)
    assert probe["gradient"] == pytest.approx(found[0][0][2, 1], rel=TOLERANCE)
    assert probe["promised"] == pytest.approx(loss + 0.5 * found[0][0][2, 1], rel=TOLERANCE)
    twin.layers[0][0].data[2, 1] += 0.5
    assert probe["real"] == pytest.approx(twin.loss(x, labels).item(), rel=TOLERANCE)
    assert [probe["curve"][i][0] - probe["value"] for i in (0, 30, 60)] == pytest.approx([-4, 0, 4])
    layer, to, source = steepest
    assert abs(found[layer][1][to] if source < 0 else found[layer][0][to, source]) == max(
        np.abs(part).max() for pair in found for part in pair
    )


def test_cross_entropy_of_huge_logits_stays_finite(module):
    logits, labels = [1000.0, -1000.0, 1000.0, 0.0], [1, 0, 0, 1]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(logits, dtype=torch.float64), torch.tensor(labels, dtype=torch.float64)
    )
    assert module("([z, y]) => m.crossEntropy(z, y)", [logits, labels]) == pytest.approx(expected.item(), rel=1e-14)


def test_a_stack_of_linear_layers_collapses(module):
    layers, x, _, twin = case("none", 4, 5)
    weights = np.array(module("(layers) => m.collapsed(layers)", sent(layers)))
    close(x @ weights[:2] + weights[2], twin.logits(x).detach().numpy())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"depth": 4, "width": 8, "start": 7},
        {"depth": 3, "width": 5, "activation": "relu", "start": 2},
        {"depth": 0},
        {"initialization": "zero"},
        {"depth": 2, "initialization": "equal"},
    ],
)
def test_training_begins_where_python_says(module, settings):
    made = Playground(**settings)
    names = ("depth", "width", "activation", "initialization", "start")
    found = module(
        "([noise, settings]) => m.firstLayers(Float64Array.from(noise), settings)",
        [made.noise.ravel().tolist(), {name: getattr(made, name) for name in names}],
    )
    for layer, (weight, bias) in zip(found, made.first_layers(), strict=True):
        np.testing.assert_allclose(layer["weight"], weight, rtol=1e-15)
        np.testing.assert_array_equal(layer["bias"], bias)


def test_numbers_in_a_row_become_layers_again(module):
    layers = sent(random_layers([2, 3, 3, 1], np.random.default_rng(0)))
    script = "([layers, drop]) => m.unflatten(m.flatten(layers).slice(drop), layers)"
    assert module(script, [layers, 0]) == layers
    assert module(script, [layers, 1]) is None


def test_neurons_that_are_alike_are_found(module):
    rng = np.random.default_rng(0)
    layers = random_layers([2, 3, 3, 1], rng)
    assert module("(layers) => m.twins(layers)", sent(layers)) == -1
    alike = [
        (np.tile(rng.normal(size=2), (3, 1)), np.full(3, 0.2)),
        (np.tile(rng.normal(size=(3, 1)), 3), layers[1][1]),
    ]
    assert module("(layers) => m.twins(layers)", sent([*alike, layers[2]])) == 0
    assert module("(layers) => m.twins(layers)", sent([alike[0], *layers[1:]])) == -1  # they part at the next step
    assert module("(layers) => m.twins(layers)", sent(random_layers([2, 1, 1], rng))) == -1


def test_a_click_finds_lines_and_squares(module):
    script = """([x, y]) => m.hit(m.placesOf(1, 4, 400, 300), x, y)"""
    columns = module("() => m.placesOf(1, 4, 400, 300).columns")
    for to, end in enumerate(columns[1]):
        assert module(script, [end["x"], end["y"]]) == [0, to, -1]
        for source, start in enumerate(columns[0]):
            near_the_end = [0.25 * start[axis] + 0.75 * end[axis] for axis in "xy"]
            assert module(script, near_the_end) == [0, to, source]
    assert module(script, [columns[0][0]["x"], columns[0][0]["y"]]) is None
    assert module(script, [5, 5]) is None
