"""Exercise ``param_groups``: two learning rates, and every weight in exactly one group."""

from collections.abc import Callable

import torch
from torch import nn

from backbone.exercises import TEXT, Case, Exercise, Misconception, Report, UnfitError, check

NO_RATE = -1
MISSED_HEAD = "weights of the head in no group"
MISSED_REST = "other weights in no group"
TWICE = "weights that stand in more than one place"
HEAD_RATE = "learning rate of the head, times 1,000 (-1: none, or several)"
REST_RATE = "learning rate of the rest, times 1,000 (-1: none, or several)"

_MEASURES = {
    "head": MISSED_HEAD,
    "rest": MISSED_REST,
    "twice": TWICE,
    "head rate": HEAD_RATE,
    "rest rate": REST_RATE,
}
_SIZES = {"narrow": (3, 0.01), "wide": (5, 0.002)}  # channels, learning rate
CASES = {f"{size} {measure}": f"a {size} network, {what}" for size in _SIZES for measure, what in _MEASURES.items()}

MESSAGES = {
    "head missed": (
        "The new head is in no group, so it keeps its random first weights for ever. Add a group with "
        "model.head.parameters()."
    ),
    "body missed": (
        "Only the head is in a group. The rest is then frozen as far as the optimizer goes. Add a group with all the "
        "other weights, at a tenth of the rate."
    ),
    "duplicated": (
        "The head stands in two groups: model.parameters() holds its weights as well. PyTorch's optimizers refuse "
        "that. Leave the head's weights out of the other group."
    ),
    "swapped": "The rates are swapped: the new head takes the full rate, and what is already trained a tenth of it.",
    "one rate": (
        "All weights have one rate. What is already trained takes a tenth of it: give its group an lr of its own."
    ),
    "stem missed": (
        "The weights of model.stem are in no group, and never move. Do not list parts by name: take all parameters, "
        "except those of the head."
    ),
}


class Parts(nn.Module):
    """A network of three parts, as the hidden cases have it."""

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3)
        self.body = nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, width, 3))
        self.head = nn.Linear(width, classes)


def param_groups(model: nn.Module, rate: float) -> list[dict]:
    """Do right what the reader is asked to write: the head at the full rate, all else at a tenth."""
    return _groups(model, rate)


def check_param_groups(reader_function: Callable) -> Report:
    """Check the reader's ``param_groups(model, rate)`` by where each weight stands."""
    return check(EXERCISE, reader_function)


def _groups(model, rate, rest=None, head=True, factors=(1, 0.1)):
    """Return the groups; the keywords are the places where it goes wrong."""
    own = {id(p) for p in model.head.parameters()}
    others = rest(model) if rest else [p for p in model.parameters() if id(p) not in own]
    groups = [{"params": list(model.head.parameters()), "lr": factors[0] * rate}] if head else []
    return groups + ([{"params": list(others), "lr": factors[1] * rate}] if others != () else [])


def _measured(measure: str) -> Callable:
    def ask(function, model: nn.Module, rate: float):
        groups = function(model, rate)
        if not isinstance(groups, list | tuple) or not all(isinstance(group, dict) for group in groups):
            raise UnfitError(groups, TEXT["groups"])
        return _count(model, rate, groups, measure)

    return ask


def _count(model: nn.Module, rate: float, groups, measure: str) -> float:
    listed = [(id(p), group.get("lr", rate)) for group in groups for p in _tensors(group)]
    head = {id(p) for p in model.head.parameters()}
    rest = {id(p) for p in model.parameters()} - head
    if measure == TWICE:
        return len(listed) - len({key for key, _ in listed})
    wanted = head if measure in (MISSED_HEAD, HEAD_RATE) else rest
    if measure in (MISSED_HEAD, MISSED_REST):
        return len(wanted - {key for key, _ in listed})
    rates = {float(lr) for key, lr in listed if key in wanted}
    return 1000 * max(rates) if rates and max(rates) - min(rates) < 1e-12 else NO_RATE


def _tensors(group: dict) -> list:
    given = group.get("params", ())
    return [given] if isinstance(given, torch.Tensor) else list(given)


_WRONG = (
    ("head missed", {"head": False}),
    ("body missed", {"rest": lambda model: ()}),
    ("duplicated", {"rest": lambda model: model.parameters()}),
    ("swapped", {"factors": (0.1, 1)}),
    ("one rate", {"factors": (1, 1)}),
    ("stem missed", {"rest": lambda model: model.body.parameters()}),
)


def _mistaken(changes) -> Callable:
    return lambda model, rate: _groups(model, rate, **changes)


EXERCISE = Exercise(
    title="param_groups",
    reference=param_groups,
    cases=tuple(
        Case(CASES[f"{name} {measure}"], (Parts(width, 4), rate), _measured(what))
        for name, (width, rate) in _SIZES.items()
        for measure, what in _MEASURES.items()
    ),
    misconceptions=tuple(Misconception(_mistaken(changes), MESSAGES[name]) for name, changes in _WRONG),
)
