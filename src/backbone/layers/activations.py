"""Activations and their derivatives, in one table.

| name | value | its derivative lies in |
| --- | --- | --- |
| sigmoid | 1 / (1 + exp(-z)) | 0 to 1/4, largest at 0 |
| tanh | (exp(z) - exp(-z)) / (exp(z) + exp(-z)) | 0 to 1, largest at 0 |
| relu | max(z, 0) | 0 or 1 |
| leaky_relu | z above 0, 0.01 z below | 0.01 or 1 |
| elu | z above 0, exp(z) - 1 below | 0 to 1 |
| gelu | z Phi(z), Phi the normal distribution's | -0.13 to 1.13 |
| silu | z sigmoid(z) | -0.10 to 1.10 |

At 0, where ReLU and leaky ReLU have a corner, the derivative is the one that PyTorch takes: that of the left side.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr
from torch import nn

from backbone.checks import to_array

LEAK = 0.01  # the slope of leaky ReLU below 0, PyTorch's default


@dataclass(frozen=True)
class Activation:
    """A function that is applied to each number by itself.

    Attributes:
        title: as it is written in text.
        value: takes sums z of any shape, returns an array of the same shape.
        derivative: likewise; how much the value changes with z.
        module: makes the PyTorch module that computes the same.
        source: where it was proposed, or made known.
    """

    title: str
    value: Callable[[ArrayLike], np.ndarray]
    derivative: Callable[[ArrayLike], np.ndarray]
    module: Callable[[], nn.Module]
    source: str

    def backward(self, grad_output: ArrayLike, z: ArrayLike) -> np.ndarray:
        """Carry the gradient of a loss back: from the values, (any shape), to the sums z, of the same shape."""
        return to_array(self.title, "grad_output", grad_output) * self.derivative(z)


def _array(z: ArrayLike) -> np.ndarray:
    """Return z as an array of floats; integers become float64."""
    z = to_array("activation", "z", z)
    return z if z.dtype.kind == "f" else z.astype(np.float64)


def _sigmoid(z: ArrayLike) -> np.ndarray:
    return expit(_array(z))  # 1 / (1 + exp(-z)) would overflow at -1000


def _sigmoid_derivative(z: ArrayLike) -> np.ndarray:
    # sigmoid(-z) rather than 1 - sigmoid(z), which is 0 from z = 37 on, where the derivative is still 1e-16.
    return _sigmoid(z) * _sigmoid(-_array(z))


def _tanh(z: ArrayLike) -> np.ndarray:
    return np.tanh(_array(z))


def _tanh_derivative(z: ArrayLike) -> np.ndarray:
    # 1 - tanh(z)^2, which would be 0 from z = 19 on.
    return 4 * _sigmoid_derivative(2 * _array(z))


def _relu(z: ArrayLike) -> np.ndarray:
    return np.maximum(_array(z), 0)


def _relu_derivative(z: ArrayLike) -> np.ndarray:
    z = _array(z)
    return (z > 0).astype(z.dtype)


def _leaky_relu(z: ArrayLike) -> np.ndarray:
    z = _array(z)
    return np.where(z > 0, z, LEAK * z)


def _leaky_relu_derivative(z: ArrayLike) -> np.ndarray:
    z = _array(z)
    return np.where(z > 0, 1, LEAK).astype(z.dtype)


def _elu(z: ArrayLike) -> np.ndarray:
    z = _array(z)
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _elu_derivative(z: ArrayLike) -> np.ndarray:
    return np.exp(np.minimum(_array(z), 0))


def _gelu(z: ArrayLike) -> np.ndarray:
    z = _array(z)
    return z * ndtr(z)  # (1 + erf) / 2 would have no digits left below -6


def _gelu_derivative(z: ArrayLike) -> np.ndarray:
    z = _array(z)
    return ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi).astype(z.dtype)


def _silu(z: ArrayLike) -> np.ndarray:
    return _array(z) * _sigmoid(z)


def _silu_derivative(z: ArrayLike) -> np.ndarray:
    return _sigmoid(z) + _array(z) * _sigmoid_derivative(z)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "sigmoid": Activation(
            "sigmoid", _sigmoid, _sigmoid_derivative, nn.Sigmoid, "Rumelhart, Hinton and Williams 1986"
        ),
        "tanh": Activation("tanh", _tanh, _tanh_derivative, nn.Tanh, "LeCun, Bottou, Orr and Müller 1998, section 4.4"),
        "relu": Activation("ReLU", _relu, _relu_derivative, nn.ReLU, "Nair and Hinton 2010"),
        "leaky_relu": Activation(
            "leaky ReLU", _leaky_relu, _leaky_relu_derivative, nn.LeakyReLU, "Maas, Hannun and Ng 2013"
        ),
        "elu": Activation("ELU", _elu, _elu_derivative, nn.ELU, "Clevert, Unterthiner and Hochreiter 2016"),
        "gelu": Activation("GELU", _gelu, _gelu_derivative, nn.GELU, "Hendrycks and Gimpel 2016"),
        "silu": Activation("SiLU", _silu, _silu_derivative, nn.SiLU, "Elfwing, Uchibe and Doya 2018"),
    }
)
