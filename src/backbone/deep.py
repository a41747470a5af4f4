"""A deep network before any training: how signals fare on their way forward, and gradients on their way back.

The network: `depth` hidden layers of `width` units each on flattened pictures, then a linear layer for the logits.
There are no biases, since biases start at 0, and no normalization has a scale or a shift, since those start at 1 and 0.

| layer | plain | residual (pre-activation: He, Zhang, Ren, Sun 2016, arXiv:1603.05027) |
| --- | --- | --- |
| 1 | h = phi(norm(W x)) | the same: x has another size than h, there is nothing to add to |
| l | h' = phi(norm(W h)) | h' = h + W phi(norm(h)) |
| logits | W h | W h |

Forward and backward are written out in NumPy, float64: a gradient of 1e-50 would be 0 in float32, which ends at 1e-45.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from torch import nn

from backbone.checks import integer, one_of, to_array
from backbone.layers import ACTIVATIONS, Activation
from backbone.layers.normalization import normalize, normalize_backward

_IDENTITY = Activation("none", lambda z: np.array(z, float), lambda z: np.ones_like(z, float), nn.Identity, "")
FUNCTIONS: Mapping[str, Activation] = MappingProxyType({"none": _IDENTITY, **ACTIVATIONS})
"""What may stand for phi: the seven activations, and "none", which leaves a linear network."""

INITIALIZATIONS: Mapping[str, str] = MappingProxyType(
    {
        "normal": "standard deviation 0.01, whatever the layer's size",
        "xavier": "variance 2 / (inputs + outputs): Glorot and Bengio 2010, equation 12",
        "he": "variance 2 / inputs: He, Zhang, Ren and Sun 2015, arXiv:1502.01852, equation 10",
    }
)
"""Ways to draw the first weights. All three draw from a normal distribution with mean 0."""

NORMALIZATIONS: Mapping[str | None, int | None] = MappingProxyType({None: None, "batch": 0, "layer": 1})
"""The axis of (pictures, units) along which each normalization takes mean and variance."""

EPSILON = 1e-5  # added to the variance, as PyTorch does
SATURATED = 0.01  # of the activation's largest slope


@dataclass(frozen=True)
class Network:
    """A network as it stands before training.

    Attributes:
        weights: one array (outputs, inputs) for each hidden layer, then that of the output layer, float64.
        activation: a name in ``FUNCTIONS``.
        normalization: None, "batch" or "layer".
        residual: whether layers 2 to `depth` add to what they get.
    """

    weights: tuple[np.ndarray, ...]
    activation: str
    normalization: str | None = None
    residual: bool = False

    @property
    def depth(self) -> int:
        """Number of hidden layers."""
        return len(self.weights) - 1


@dataclass(frozen=True)
class Trace:
    """All that one pass forward and one pass back gave; one array for each hidden layer, float64.

    Attributes:
        loss: mean cross-entropy over the pictures; the gradients are this loss's.
        h: what each layer hands on (N, width).
        slope: phi' at the numbers that phi was applied to in the layer (N, width).
        grad_h: dL/dh (N, width).
        grad_w: dL/dW (outputs, inputs), those of the output layer last.
    """

    loss: float
    h: tuple[np.ndarray, ...]
    slope: tuple[np.ndarray, ...]
    grad_h: tuple[np.ndarray, ...]
    grad_w: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class GradientProfile:
    """One number for each hidden layer, float64 arrays (depth,), the layer next to the pictures first.

    |.| is the root of the mean square over all entries: the size of a typical entry. Layers of different size compare,
    as they would not with the root of the sum of squares, which grows with the number of entries: the first layer's
    weight has 784 inputs, those of the others have `width`.

    Attributes:
        grad_h: |dL/dh|, over pictures and units. L is the mean loss, so each entry is one picture's share of it.
        grad_w: |dL/dW|, over the entries of the layer's weight.
        mean: of h, over pictures and units.
        std: its standard deviation.
        saturated: share of pictures and units, 0 to 1, at which |phi'| is below 1 % of the activation's largest slope.
            For ReLU these are the units that are off; leaky ReLU's leak is 1 %, not below it, and never counts.
        dead: share of units at which phi' is 0 for every picture: nothing that these pictures say can change them.
        loss: the mean cross-entropy.
    """

    grad_h: np.ndarray
    grad_w: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    saturated: np.ndarray
    dead: np.ndarray
    loss: float

    @property
    def ratio(self) -> float:
        """|dL/dh| of the first layer over that of the last: what is left after depth - 1 layers."""
        return float(self.grad_h[0] / self.grad_h[-1]) if self.grad_h[-1] else float("nan")

    @property
    def factor(self) -> float:
        """What one layer multiplies |dL/dh| by on its way back, the geometric mean over the layers."""
        return self.ratio ** (1 / (len(self.grad_h) - 1))


def make_network(
    depth: int = 50,
    width: int = 100,
    activation: str = "relu",
    init: str = "he",
    gain: float = 1.0,
    normalization: str | None = None,
    residual: bool = False,
    seed: int = 0,
    *,
    inputs: int = 784,
    classes: int = 10,
) -> Network:
    """Draw a network's first weights.

    The output layer is always drawn with "xavier" and gain 1: whatever is chosen for the hidden layers, the gradient
    sets out on its way from the same layer.

    Args:
        depth: number of hidden layers, 2 to 1000.
        width: units of each.
        activation: phi; a name in ``backbone.layers.ACTIVATIONS``, or "none".
        init: "normal", "xavier" or "he"; see ``INITIALIZATIONS``.
        gain: factor on the weights of the hidden layers.
        normalization: None, "batch" or "layer".
        residual: whether layers 2 to `depth` add to what they get.
        seed: of the weights.
        inputs: numbers a picture has.
        classes: logits.

    Raises:
        ValueError: an argument is outside its range.

    Chapter: Vanishing gradients.
    """
    depth = integer("make_network", "depth", depth, 2, 1000)
    width, inputs = integer("make_network", "width", width, 1), integer("make_network", "inputs", inputs, 1)
    seed = integer("make_network", "seed", seed, 0)
    one_of("make_network", "init", init, INITIALIZATIONS)
    if isinstance(gain, str) or not 0 < gain < np.inf:
        raise ValueError(f"make_network: gain is {gain!r}; it must be a number above 0; 1 leaves the weights as drawn")
    one_of("make_network", "residual", residual, (False, True))
    rng = np.random.default_rng(seed)
    sizes = [inputs, *[width] * depth]
    hidden = [_draw(rng, sizes[i + 1], sizes[i], init) * gain for i in range(depth)]
    weights = (*hidden, _draw(rng, integer("make_network", "classes", classes, 2), width, "xavier"))
    network = Network(weights, activation, normalization, bool(residual))
    _check(network)
    return network


def _draw(rng: np.random.Generator, outputs: int, inputs: int, init: str) -> np.ndarray:
    """Return a weight (outputs, inputs)."""
    std = {"normal": 0.01, "xavier": np.sqrt(2 / (inputs + outputs)), "he": np.sqrt(2 / inputs)}[init]
    return rng.standard_normal((outputs, inputs)) * std


def trace(network: Network, x: ArrayLike, labels: ArrayLike) -> Trace:
    """Go forward with pictures x (N, inputs) of classes `labels` (N,), and back with the loss's gradient."""
    _check(network)
    x, labels = to_array("trace", "x", x).astype(np.float64), to_array("trace", "labels", labels)
    if x.ndim != 2 or x.shape[1] != network.weights[0].shape[1]:
        raise ValueError(f"trace: x has shape {x.shape}; the network takes (N, {network.weights[0].shape[1]})")
    if labels.shape != x.shape[:1]:
        raise ValueError(f"trace: labels have shape {labels.shape}; x has {len(x)} pictures, so it is ({len(x)},)")
    h, notes = [x], []
    for weight in network.weights[:-1]:
        out, note = _layer(network, h[-1], weight, first=not notes)
        h.append(out)
        notes.append(note)
    loss, grad_logits = _cross_entropy(h[-1] @ network.weights[-1].T, labels)
    grad_h, grad_w = _back(network, h, notes, grad_logits)
    return Trace(loss, tuple(h[1:]), tuple(note["slope"] for note in notes), grad_h, grad_w)


def profile_of(network: Network, x: ArrayLike, labels: ArrayLike) -> GradientProfile:
    """Send pictures x (N, inputs) forward and the gradient of the loss for `labels` (N,) back; measure each layer."""
    found, function = trace(network, x, labels), FUNCTIONS[network.activation]
    largest = function.derivative(np.linspace(-10, 10, 20_001)).max()
    return GradientProfile(
        grad_h=np.array([rms(grad) for grad in found.grad_h]),
        grad_w=np.array([rms(grad) for grad in found.grad_w[:-1]]),
        mean=np.array([h.mean() for h in found.h]),
        std=np.array([h.std() for h in found.h]),
        saturated=np.array([(np.abs(slope) < SATURATED * largest).mean() for slope in found.slope]),
        dead=np.array([(slope == 0).all(axis=0).mean() for slope in found.slope]),
        loss=found.loss,
    )


def rms(values: ArrayLike) -> float:
    """Return the root of the mean square of all entries, safe where their squares leave the range of numbers."""
    values = np.abs(np.asarray(values, np.float64))
    largest = values.max()
    return float(largest * np.sqrt(np.mean((values / largest) ** 2))) if largest else 0.0


# ---- One layer, forward and back ------------------------------------------------------------------------------------


def _layer(network: Network, h: np.ndarray, weight: np.ndarray, first: bool) -> tuple[np.ndarray, dict]:
    """Return what a layer makes of h (N, inputs), and what its way back will need."""
    phi = FUNCTIONS[network.activation]
    adds = network.residual and not first
    z, scale = _normalize(h if adds else h @ weight.T, network.normalization)
    note = {"z": z, "scale": scale, "slope": phi.derivative(z), "adds": adds}
    return (h + phi.value(z) @ weight.T, note) if adds else (phi.value(z), note)


def _layer_back(network: Network, grad: np.ndarray, h: np.ndarray, weight: np.ndarray, note: dict) -> tuple:
    """Return dL/dh of what the layer got, and dL/dW, from `grad`, dL/dh of what it handed on."""
    value = FUNCTIONS[network.activation].value
    through = grad @ weight if note["adds"] else grad
    grad_z = _normalize_back(through * note["slope"], note["z"], note["scale"], network.normalization)
    if note["adds"]:
        return grad + grad_z, grad.T @ value(note["z"])
    return grad_z @ weight, grad_z.T @ h


def _normalize(z: np.ndarray, kind: str | None) -> tuple[np.ndarray, np.ndarray | float]:
    """Give z mean 0 and variance 1 along the axis of this normalization; return what it was multiplied by, too."""
    return (z, 1.0) if kind is None else normalize(z, (NORMALIZATIONS[kind],), EPSILON)


def _normalize_back(grad: np.ndarray, z: np.ndarray, scale: np.ndarray | float, kind: str | None) -> np.ndarray:
    """Carry a gradient back through the normalization; z is what came out of it."""
    return grad if kind is None else normalize_backward(grad, z, scale, (NORMALIZATIONS[kind],))


def _back(network: Network, h: list, notes: list, grad_logits: np.ndarray) -> tuple[tuple, tuple]:
    """Return dL/dh of each hidden layer and dL/dW of each layer, from dL/dlogits (N, classes)."""
    grads_h, grads_w = [grad_logits @ network.weights[-1]], [grad_logits.T @ h[-1]]
    for layer in reversed(range(network.depth)):
        grad, grad_w = _layer_back(network, grads_h[-1], h[layer], network.weights[layer], notes[layer])
        grads_h.append(grad)
        grads_w.append(grad_w)
    return tuple(grads_h[-2::-1]), tuple(grads_w[::-1])  # the last of grads_h is that of the pictures


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy of logits (N, classes), and its gradient: (softmax - one-hot) / N."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    grad = np.exp(log_p)
    grad[rows, labels] -= 1
    return float(-log_p[rows, labels].mean()), grad / len(labels)


def _check(network: Network) -> None:
    one_of("Network", "activation", network.activation, FUNCTIONS)
    one_of("Network", "normalization", network.normalization, NORMALIZATIONS)
