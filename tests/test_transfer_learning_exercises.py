"""The exercises of the chapter on transfer learning, held against functions as readers write them."""

import pytest
import torch
from torch import nn

from backbone.exercises import transfer_learning
from backbone.exercises.transfer_learning import cache_features as caching
from backbone.exercises.transfer_learning import freeze as freezing
from backbone.exercises.transfer_learning import param_groups as grouping

MODULES = {"freeze": freezing, "param_groups": grouping, "cache_features": caching}


def report_of(name, function):
    return getattr(transfer_learning, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


# --- Right, in another way ----------------------------------------------------------------------------------


def freeze_by_loops(model):
    for weight in model.parameters():
        weight.requires_grad = False
    for layer in model.modules():
        layer.training = False
    return model


def groups_by_name(model, rate):
    head = [p for name, p in model.named_parameters() if name.startswith("head.")]
    rest = (p for name, p in model.named_parameters() if not name.startswith("head."))
    return ({"params": rest, "lr": rate / 10}, {"params": head})


def cache_in_batches(body, prepare, x_train, x_test):
    body = body.eval()
    with torch.inference_mode():
        train = torch.cat([body(prepare(x[None], False)) for x in x_train])
        test = torch.cat([body(prepare(x[None], False)) for x in x_test])
    center, spread = train.mean(0), train.var(0, unbiased=False).sqrt()
    return ((train - center) / spread).numpy(), ((test - center) / spread).numpy()


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("freeze", freezing.freeze),
        ("freeze", freeze_by_loops),
        ("param_groups", grouping.param_groups),
        ("param_groups", groups_by_name),
        ("cache_features", caching.cache_features),
        ("cache_features", cache_in_batches),
    ],
)
def test_right_ways_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


def test_pytorch_takes_the_groups_and_refuses_the_duplicated_ones():
    model = grouping.Parts(3, 4)
    torch.optim.SGD(grouping.param_groups(model, 0.01), lr=0.01)
    twice = [{"params": list(model.head.parameters())}, {"params": list(model.parameters())}]
    with pytest.raises(ValueError, match="more than one parameter group"):
        torch.optim.SGD(twice, lr=0.01)


# --- Wrong ways -----------------------------------------------------------------------------------------------


def attribute(model):
    model.requires_grad = False
    return model


def without_gradients(model):
    with torch.no_grad():
        return model


def norms_at_the_top(model):
    model.requires_grad_(False)
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
    return model


def head_twice(model, rate):
    return [{"params": model.parameters(), "lr": rate / 10}, {"params": model.head.parameters(), "lr": rate}]


def body_only(model, rate):
    return [{"params": [*model.stem.parameters(), *model.body.parameters()], "lr": rate / 10}]


def head_only(model, rate):
    return [{"params": model.head.parameters(), "lr": rate}]


def without_stem(model, rate):
    return [*head_only(model, rate), {"params": model.body.parameters(), "lr": rate / 10}]


def scaled(train, test, of_train, of_test):
    pairs = ((train, of_train), (test, of_test))
    return tuple((f - s.mean(0)) / s.std(0, correction=0) for f, s in pairs)


def cache_in_train_mode(body, prepare, x_train, x_test):
    train, test = body(prepare(x_train, False)), body(prepare(x_test, False))
    return scaled(train, test, train, train)


def cache_augmented(body, prepare, x_train, x_test):
    body.eval()
    train, test = body(prepare(x_train, True)), body(prepare(x_test, True))
    return scaled(train, test, train, train)


def cache_jointly(body, prepare, x_train, x_test):
    f = body.eval()(prepare(torch.cat([x_train, x_test]), False))
    train, test = f[: len(x_train)], f[len(x_train) :]
    return scaled(train, test, f, f)


def cache_by_own(body, prepare, x_train, x_test):
    body.eval()
    train, test = body(prepare(x_train, False)), body(prepare(x_test, False))
    return scaled(train, test, train, test)


WRITTEN_WRONG = [
    ("freeze", "weights only", lambda model: model.requires_grad_(False)),
    ("freeze", "mode only", lambda model: attribute(model).eval()),
    ("freeze", "nothing", attribute),
    ("freeze", "nothing", without_gradients),
    ("freeze", "top level", norms_at_the_top),
    ("param_groups", "head missed", body_only),
    ("param_groups", "body missed", head_only),
    ("param_groups", "duplicated", head_twice),
    ("param_groups", "stem missed", without_stem),
    ("param_groups", "one rate", lambda model, rate: [{"params": model.parameters(), "lr": rate}]),
    ("cache_features", "train mode", cache_in_train_mode),
    ("cache_features", "augmented", cache_augmented),
    ("cache_features", "joint", cache_jointly),
    ("cache_features", "own", cache_by_own),
]


@pytest.mark.parametrize(("name", "key", "function"), WRITTEN_WRONG)
def test_mistakes_as_readers_write_them_are_recognized(name, key, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == [key], report


@pytest.mark.parametrize("name", MODULES)
def test_every_misconception_is_named_by_its_own_message(name):
    exercise = MODULES[name].EXERCISE
    for wrong in exercise.misconceptions:
        report = report_of(name, wrong.function)
        assert not report.passed
        assert wrong.message in report.messages, report


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("answer", [None, 3, "a", [], torch.zeros(2, 3), {}, [3]])
def test_other_answers_never_stop_the_check(name, answer):
    assert not report_of(name, lambda *given: answer).passed
    assert not report_of(name, answer).passed
