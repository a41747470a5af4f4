"""Exercise ``build_vgg``: layers from a table, each in its place."""

from collections.abc import Callable

import torch
from torch import nn

from backbone.exercises import TEXT, Case, Exercise, Misconception, Report, UnfitError, check

CONVOLUTIONS, RELUS, POOLS = "number of convolutions", "number of ReLUs", "number of poolings"
PARAMETERS = "number of parameters"
SIDE = "side of the map that comes out for 64 x 64 pixels"
NO_RELU = "convolutions that no ReLU follows at once"
LATE = "poolings with no ReLU just before"
ENDS = "1 if the last layer is a pooling, else 0"
QUESTIONS = (CONVOLUTIONS, RELUS, POOLS, PARAMETERS, SIDE, NO_RELU, LATE, ENDS)
CASES = {key: key for key in QUESTIONS}

MESSAGES = {
    "pool each": (
        "A pooling follows every convolution. It closes a stage: count convolutions at one size first, then one "
        "pooling. Try counts (2,) and widths (4,): conv, ReLU, conv, ReLU, pool."
    ),
    "one relu": (
        "Each stage has one ReLU only. Without one between them two convolutions are a single linear map. Try counts "
        "(2,) and widths (4,): conv, ReLU, conv, ReLU, pool."
    ),
    "no relu": (
        "There is no ReLU. Then all convolutions together are one linear map, and depth buys nothing but cost. Put one "
        "after each convolution."
    ),
    "relu late": (
        "The ReLU comes after the pooling. The numbers stay the same, since the larger of two stays the larger, but "
        "the ReLU works on the big map in VGG and the layers' names move. Order: conv, ReLU, pool."
    ),
    "relu first": (
        "The ReLU stands before its convolution. So the picture itself is cut at 0, and the last convolution of a "
        "stage has none before the pooling. Order: conv, ReLU."
    ),
    "no last pool": (
        "The last stage has no pooling. In VGG all stages end with one, the fifth too: 224 pixels become 7. Try counts "
        "(1,): conv, ReLU, pool."
    ),
    "no padding": (
        "The convolutions have no padding, so each takes two pixels off the side. VGG keeps the size within a stage: "
        "padding=1."
    ),
    "depth not carried": (
        "The channels are wrong inside a stage. Only its first convolution sees the stage before; the others see width "
        "channels. Set channels = width after each convolution."
    ),
}


def build_vgg(counts: tuple[int, ...], widths: tuple[int, ...]) -> list[nn.Module]:
    """Do right what the reader is asked to write: the convolutional layers of a VGG, in order, for color pictures.

    Args:
        counts: of 3x3 convolutions in each stage.
        widths: channels of each stage.
    """
    return _built(counts, widths)


def check_build_vgg(reader_function: Callable) -> Report:
    """Check the reader's ``build_vgg(counts, widths)`` by what can be counted and measured on its layers."""
    return check(EXERCISE, reader_function)


def _built(counts, widths, *, stage="CR", last="", end="P", padding=1, carried=True, final=True):
    """Build layers by letters: convolution, ReLU, pooling; the keywords are the places where it goes wrong."""
    layers, channels = [], 3
    for number, (count, width) in enumerate(zip(counts, widths, strict=True), start=1):
        before = channels
        letters = stage * (count - 1) + (last or stage) + end * (final or number < len(counts))
        for letter in letters:
            if letter == "C":
                layers.append(nn.Conv2d(channels, width, 3, padding=padding))
                channels = width if carried else before
            else:
                layers.append(nn.ReLU() if letter == "R" else nn.MaxPool2d(2))
        channels = width
    return layers


def _followed(layers, one, other) -> int:
    """Return how many layers of one kind are not followed at once by one of the other kind."""
    pairs = zip(layers, [*layers[1:], None], strict=True)
    return sum(isinstance(layer, one) and not isinstance(after, other) for layer, after in pairs)


def _side(layers) -> int:
    """Return the side of what comes out, on the meta device, where nothing is computed; 0 where layers do not fit."""
    channels = layers[0].in_channels if isinstance(layers[0], nn.Conv2d) else 3
    try:
        return nn.Sequential(*layers).to("meta")(torch.empty(1, channels, 64, 64, device="meta")).shape[-1]
    except RuntimeError:
        return 0


MEASURES = {
    CONVOLUTIONS: lambda layers: sum(isinstance(layer, nn.Conv2d) for layer in layers),
    RELUS: lambda layers: sum(isinstance(layer, nn.ReLU) for layer in layers),
    POOLS: lambda layers: sum(isinstance(layer, nn.MaxPool2d) for layer in layers),
    PARAMETERS: lambda layers: sum(weight.numel() for layer in layers for weight in layer.parameters()),
    SIDE: _side,
    NO_RELU: lambda layers: _followed(layers, nn.Conv2d, nn.ReLU),
    LATE: lambda layers: _followed(layers[::-1], nn.MaxPool2d, nn.ReLU),
    ENDS: lambda layers: int(isinstance(layers[-1], nn.MaxPool2d)),
}


def _measured(count: Callable) -> Callable:
    def ask(function, counts: tuple, widths: tuple):
        answer = function(counts, widths)
        if not isinstance(answer, list | tuple | nn.Sequential | nn.ModuleList):
            raise UnfitError(answer, TEXT["layers"])
        layers = list(answer)
        if not layers or not all(isinstance(layer, nn.Module) for layer in layers):
            raise UnfitError(answer, TEXT["layers"])
        return count(layers)

    return ask


_WRONG = (
    ("pool each", {"stage": "CRP", "end": ""}),
    ("one relu", {"stage": "C", "last": "CR"}),
    ("no relu", {"stage": "C"}),
    ("relu late", {"last": "C", "end": "PR"}),
    ("relu late", {"stage": "C", "last": "C", "end": "PR"}),
    ("relu first", {"stage": "RC"}),
    ("no last pool", {"final": False}),
    ("no padding", {"padding": 0}),
    ("depth not carried", {"carried": False}),
)

EXERCISE = Exercise(
    title="build_vgg",
    reference=build_vgg,
    cases=tuple(Case(CASES[key], ((2, 1, 3), (8, 12, 20)), _measured(MEASURES[key])) for key in QUESTIONS),
    misconceptions=tuple(
        Misconception(lambda counts, widths, wrong=wrong: _built(counts, widths, **wrong), MESSAGES[name])
        for name, wrong in _WRONG
    ),
    rtol=0,
    atol=0,
)
