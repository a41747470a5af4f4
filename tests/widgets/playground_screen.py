"""One Playground on a page, and the same network in PyTorch."""

import itertools

import numpy as np
import torch

from backbone.widgets import Playground

ACTIVATIONS = {"none": lambda z: z, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}


class Twin:
    """The network of a Playground in PyTorch, float64, with all its weights as leaves."""

    def __init__(self, layers, activation):
        self.layers = [[torch.tensor(np.asarray(part, float), requires_grad=True) for part in pair] for pair in layers]
        self.activation = ACTIVATIONS[activation]

    def logits(self, points):
        x = torch.tensor(np.asarray(points, float))
        for weight, bias in self.layers[:-1]:
            x = self.activation(x @ weight.T + bias)
        weight, bias = self.layers[-1]
        return (x @ weight.T + bias)[:, 0]

    def loss(self, points, labels):
        target = torch.tensor(np.asarray(labels, float))
        return torch.nn.functional.binary_cross_entropy_with_logits(self.logits(points), target)

    def gradients(self, points, labels):
        """Return the loss and, layer by layer, the gradients of weight and bias."""
        leaves = [part for pair in self.layers for part in pair]
        loss = self.loss(points, labels)
        found = [gradient.numpy() for gradient in torch.autograd.grad(loss, leaves)]
        return loss.item(), list(zip(found[::2], found[1::2], strict=True))

    def learn(self, points, labels, rate, steps):
        """Descend along the gradient."""
        for _ in range(steps):
            _, found = self.gradients(points, labels)
            with torch.no_grad():
                for pair, gradients in zip(self.layers, found, strict=True):
                    for part, gradient in zip(pair, gradients, strict=True):
                        part -= rate * torch.tensor(gradient)
        return self

    def flat(self) -> list[float]:
        return [number for pair in self.layers for part in pair for number in part.detach().ravel().tolist()]


def random_layers(sizes, rng):
    """Return layers with weights and biases that are nowhere zero."""
    pairs = itertools.pairwise(sizes)
    return [(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs)) for inputs, outputs in pairs]


def sent(layers) -> list[dict]:
    """Return layers as the page keeps them."""
    return [{"weight": np.asarray(w).tolist(), "bias": np.asarray(b).tolist()} for w, b in layers]


class Screen:
    """One Playground on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, expected: Playground):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").first
        self.strip, self.plot = self.root.locator(".bb-play-strip"), self.root.locator(".bb-play-plot")
        self.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def choose(self, legend, option):
        group = self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))
        titled = group.locator(f"label[title='{option}']")
        (titled if titled.count() else group.get_by_text(str(option), exact=True)).click()

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def step(self) -> int:
        self.frame()
        return int(self.strip.get_attribute("aria-valuenow"))

    def says(self) -> str:
        self.frame()
        return self.root.locator(".bb-says").inner_text()

    def cells(self) -> list[str]:
        """Return what the fold of numbers holds."""
        self.frame()
        return self.root.locator(".bb-numbers tbody td").all_inner_texts()

    def training(self):
        """Return the points that train, and their labels."""
        points, labels, train = self.expected.shown
        return points[:train], labels[:train]

    def twin(self, steps) -> Twin:
        """Return the network that the page should have after some steps."""
        twin = Twin(self.expected.first_layers(), self.expected.activation)
        return twin.learn(*self.training(), self.expected.rate, steps)

    def check(self, steps, twin=None):
        """Compare what the page says of the network with the network that PyTorch trains."""
        assert self.step() == steps
        twin = twin or self.twin(steps)
        points, labels, train = self.expected.shown
        printed = self.cells()
        for i, part in enumerate([slice(train), slice(train, None)]):
            logits = twin.logits(points[part]).detach().numpy()
            accuracy = 100 * np.mean((logits > 0) == (labels[part] == 1))
            assert abs(float(printed[2 * i]) - twin.loss(points[part], labels[part]).item()) <= 5.01e-4
            assert abs(float(printed[2 * i + 1].removesuffix(" %")) - accuracy) <= 0.501
