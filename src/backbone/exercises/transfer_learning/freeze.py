"""Exercise ``freeze``: a body in which nothing moves, neither weights nor the buffers of batch normalization."""

from collections.abc import Callable

import torch
from torch import nn

from backbone.exercises import TEXT, Case, Exercise, Misconception, Report, UnfitError, check

LEARNS, MOVED, RANDOM, CHANGED = range(4)

CASES = {
    "plain learns": "a convolution alone, weights that still ask for a gradient",
    "norm learns": "a convolution and a batch normalization, weights that still ask for a gradient",
    "norm moves": "a convolution and a batch normalization, buffers that moved when pictures passed through",
    "blocks learn": "layers inside blocks, weights that still ask for a gradient",
    "blocks move": "layers inside blocks, buffers that moved when pictures passed through",
    "dropout moves": "a dropout at the end, buffers that moved when pictures passed through",
    "dropout draws": "a dropout at the end, places where two passes of the same pictures differ",
    "blocks keep": "layers inside blocks, weights and buffers that differ from before",
}

MESSAGES = {
    "weights only": (
        "The weights are frozen, but the buffers moved. A batch normalization in training mode updates its running "
        "mean and variance in each forward pass, whatever requires_grad says. Call model.eval() too."
    ),
    "mode only": (
        "The model is in evaluation mode, but its weights still ask for a gradient, and an optimizer will move them. "
        "Call model.requires_grad_(False), with the underscore: model.requires_grad = False only makes an attribute "
        "that nothing reads."
    ),
    "nothing": (
        "Nothing is frozen. A torch.no_grad() ends with its block, and model.requires_grad = False only makes an "
        "attribute that nothing reads. Call model.requires_grad_(False) and model.eval()."
    ),
    "top level": (
        "Only the layers at the top of the model were put into evaluation mode. A batch normalization inside a block "
        "still moves. model.eval() reaches all of them; so does a loop over model.modules()."
    ),
    "norm only": (
        "The batch normalizations are still, but dropout is not: two passes of one picture differ. A frozen body "
        "should give a picture the same features each time. Put the whole model into evaluation mode."
    ),
}


def freeze(model: nn.Module) -> nn.Module:
    """Do right what the reader is asked to write: no weight and no buffer moves any more."""
    return model.requires_grad_(False).eval()


def check_freeze(reader_function: Callable) -> Report:
    """Check the reader's ``freeze(model)`` by what moves in four small networks."""
    return check(EXERCISE, reader_function)


def _model(name: str) -> nn.Module:
    """Return one of four networks, in training mode, with the same weights each time."""
    parts = {
        "plain": lambda: [nn.Conv2d(2, 3, 3), nn.ReLU()],
        "norm": lambda: [nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)],
        "blocks": lambda: [nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()), nn.BatchNorm2d(3)],
        "dropout": lambda: [nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5)],
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(*parts[name]()).train()


def _measured(network: str, measure: int) -> Callable:
    def ask(function):
        model = _model(network)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        frozen = function(model)
        if not isinstance(frozen, nn.Module):
            raise UnfitError(frozen, TEXT["model"])
        return _count(frozen, before, measure)

    return ask


def _count(model: nn.Module, before: dict, measure: int) -> int:
    """Count what the measure names; the numbers that PyTorch draws meanwhile are given back."""
    if measure == LEARNS:
        return sum(weight.requires_grad for weight in model.parameters())
    if measure == CHANGED:
        after = model.state_dict()
        return sum(key not in after or not torch.equal(value, after[key]) for key, value in before.items())
    old = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(4)
        x = torch.randn(4, 2, 5, 5)
        one, other = model(x), model(x)
    if measure == MOVED:
        return sum(not torch.equal(old[name], buffer) for name, buffer in model.named_buffers())
    return int((one != other).sum())


def _with_still(model: nn.Module, layers) -> nn.Module:
    for layer in layers(model):
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
    return model.requires_grad_(False)


_WRONG = (
    ("weights only", lambda model: model.requires_grad_(False)),
    ("mode only", lambda model: model.eval()),
    ("nothing", lambda model: model),
    ("top level", lambda model: _with_still(model, nn.Module.children)),
    ("norm only", lambda model: _with_still(model, nn.Module.modules)),
)
_ASKED = {
    "plain learns": ("plain", LEARNS),
    "norm learns": ("norm", LEARNS),
    "norm moves": ("norm", MOVED),
    "blocks learn": ("blocks", LEARNS),
    "blocks move": ("blocks", MOVED),
    "dropout moves": ("dropout", MOVED),
    "dropout draws": ("dropout", RANDOM),
    "blocks keep": ("blocks", CHANGED),
}

EXERCISE = Exercise(
    title="freeze",
    reference=freeze,
    cases=tuple(Case(CASES[name], (), _measured(*asked)) for name, asked in _ASKED.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
)
