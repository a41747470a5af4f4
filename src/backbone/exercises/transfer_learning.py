"""Exercises of the chapter on transfer learning."""

import copy
from functools import partial

import torch
from torch import nn

from backbone.exercises.check import Measured, UnfitError, exercise
from backbone.exercises.report import TEXT

with torch.random.fork_rng(devices=[]):
    torch.manual_seed(3)
    _PLAIN = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())
    _NORM = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    _BLOCKS = nn.Sequential(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()), nn.BatchNorm2d(3))
    _DROPOUT = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5))


def _counted(count, network):
    """Count something on the network that comes back, given its state from before."""

    def ask(function):
        model = copy.deepcopy(network)
        frozen = function(model)
        if not isinstance(frozen, nn.Module):
            raise UnfitError(frozen, TEXT["model"])
        return count(frozen, network.state_dict())

    return Measured(ask, ())


def _learning(model, before):
    return sum(weight.requires_grad for weight in model.parameters())


def _changed(model, before):
    after = model.state_dict()
    return sum(key not in after or not torch.equal(value, after[key]) for key, value in before.items())


def _moved(model, before):
    old = {name: buffer.clone() for name, buffer in model.named_buffers()}
    _pass_twice(model)
    return sum(not torch.equal(old[name], buffer) for name, buffer in model.named_buffers())


def _differing(model, before):
    one, other = _pass_twice(model)
    return int((one != other).sum())


def _pass_twice(model):
    """Send the same pictures through, and give back the numbers that PyTorch draws meanwhile."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(4)
        x = torch.randn(4, 2, 5, 5)
        return model(x), model(x)


@exercise(
    {
        "a convolution alone, weights that still ask for a gradient": _counted(_learning, _PLAIN),
        "a convolution and a batch normalization, weights that still ask for a gradient": _counted(_learning, _NORM),
        "a convolution and a batch normalization, buffers that moved when pictures passed through": _counted(
            _moved, _NORM
        ),
        "layers inside blocks, weights that still ask for a gradient": _counted(_learning, _BLOCKS),
        "layers inside blocks, buffers that moved when pictures passed through": _counted(_moved, _BLOCKS),
        "a dropout at the end, buffers that moved when pictures passed through": _counted(_moved, _DROPOUT),
        "a dropout at the end, places where two passes of the same pictures differ": _counted(_differing, _DROPOUT),
        "layers inside blocks, weights and buffers that differ from before": _counted(_changed, _BLOCKS),
    },
    rtol=0,
)
def freeze(model):
    """Let no weight and no buffer move any more."""
    return model.requires_grad_(False).eval()


def _with_still_norms(among):
    def wrong(model):
        for layer in among(model):
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return model.requires_grad_(False)

    return wrong


freeze.mistake(
    "The weights are frozen, but the buffers moved. A batch normalization in training mode updates its running mean "
    "and variance in each forward pass, whatever requires_grad says. Call model.eval() too.",
    lambda model: model.requires_grad_(False),
)
freeze.mistake(
    "The model is in evaluation mode, but its weights still ask for a gradient, and an optimizer will move them. Call "
    "model.requires_grad_(False), with the underscore: model.requires_grad = False only makes an attribute that "
    "nothing reads.",
    lambda model: model.eval(),
)
freeze.mistake(
    "Nothing is frozen. A torch.no_grad() ends with its block, and model.requires_grad = False only makes an attribute "
    "that nothing reads. Call model.requires_grad_(False) and model.eval().",
    lambda model: model,
)
freeze.mistake(
    "Only the layers at the top of the model were put into evaluation mode. A batch normalization inside a block still "
    "moves. model.eval() reaches all of them; so does a loop over model.modules().",
    _with_still_norms(nn.Module.children),
)
freeze.mistake(
    "The batch normalizations are still, but dropout is not: two passes of one picture differ. A frozen body should "
    "give a picture the same features each time. Put the whole model into evaluation mode.",
    _with_still_norms(nn.Module.modules),
)
check_freeze = freeze.check


class Parts(nn.Module):
    """A network of three parts, as the hidden cases have it."""

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3)
        self.body = nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, width, 3))
        self.head = nn.Linear(width, classes)


def _head(model):
    return list(model.head.parameters())


def _rest(model):
    head = set(_head(model))
    return [p for p in model.parameters() if p not in head]


def _listed(measure, case):
    """Measure the model and what its groups list: id and learning rate of each weight."""

    def ask(function, model, rate):
        groups = function(model, rate)
        if not isinstance(groups, list | tuple) or not all(isinstance(group, dict) for group in groups):
            raise UnfitError(groups, TEXT["groups"])
        return measure(model, [(id(p), group.get("lr", rate)) for group in groups for p in _tensors(group)])

    return Measured(ask, case)


def _tensors(group):
    given = group.get("params", ())
    return [given] if isinstance(given, torch.Tensor) else list(given)


def _missed(part):
    return lambda model, listed: len({id(p) for p in part(model)} - {key for key, _ in listed})


def _twice(model, listed):
    return len(listed) - len({key for key, _ in listed})


def _rate(part):
    def measure(model, listed):
        keys = {id(p) for p in part(model)}
        rates = {float(rate) for key, rate in listed if key in keys}
        return 1000 * max(rates) if rates and max(rates) - min(rates) < 1e-12 else -1

    return measure


with torch.random.fork_rng(devices=[]):
    _NARROW, _WIDE = (Parts(3, 4), 0.01), (Parts(5, 4), 0.002)


@exercise(
    {
        "a narrow network, weights of the head in no group": _listed(_missed(_head), _NARROW),
        "a narrow network, other weights in no group": _listed(_missed(_rest), _NARROW),
        "a narrow network, weights that stand in more than one place": _listed(_twice, _NARROW),
        "a narrow network, learning rate of the head, times 1,000 (-1: none, or several)": _listed(
            _rate(_head), _NARROW
        ),
        "a narrow network, learning rate of the rest, times 1,000 (-1: none, or several)": _listed(
            _rate(_rest), _NARROW
        ),
        "a wide network, weights of the head in no group": _listed(_missed(_head), _WIDE),
        "a wide network, other weights in no group": _listed(_missed(_rest), _WIDE),
        "a wide network, weights that stand in more than one place": _listed(_twice, _WIDE),
        "a wide network, learning rate of the head, times 1,000 (-1: none, or several)": _listed(_rate(_head), _WIDE),
        "a wide network, learning rate of the rest, times 1,000 (-1: none, or several)": _listed(_rate(_rest), _WIDE),
    }
)
def param_groups(model, rate):
    """Give the head the full rate and all else a tenth."""
    return _groups((_head(model), rate), (_rest(model), rate / 10))


def _groups(*pairs):
    return [{"params": list(parameters), "lr": rate} for parameters, rate in pairs]


param_groups.mistake(
    "The new head is in no group, so it keeps its random first weights for ever. Add a group with "
    "model.head.parameters().",
    lambda model, rate: _groups((_rest(model), rate / 10)),
)
param_groups.mistake(
    "Only the head is in a group. The rest is then frozen as far as the optimizer goes. Add a group with all the other "
    "weights, at a tenth of the rate.",
    lambda model, rate: _groups((_head(model), rate)),
)
param_groups.mistake(
    "The head stands in two groups: model.parameters() holds its weights as well. PyTorch's optimizers refuse that. "
    "Leave the head's weights out of the other group.",
    lambda model, rate: _groups((_head(model), rate), (model.parameters(), rate / 10)),
)
param_groups.mistake(
    "The rates are swapped: the new head takes the full rate, and what is already trained a tenth of it.",
    lambda model, rate: _groups((_head(model), rate / 10), (_rest(model), rate)),
)
param_groups.mistake(
    "All weights have one rate. What is already trained takes a tenth of it: give its group an lr of its own.",
    lambda model, rate: _groups((model.parameters(), rate)),
)
param_groups.mistake(
    "The weights of model.stem are in no group, and never move. Do not list parts by name: take all parameters, except "
    "those of the head.",
    lambda model, rate: _groups((_head(model), rate), (model.body.parameters(), rate / 10)),
)
check_param_groups = param_groups.check


def prepare(x, training):
    """Center pictures (N, C, H, W); in training, change them as an augmentation would, here always alike."""
    x = 2 * x - 1
    return x.flip(-1) + 0.3 * x.roll(1, 2) if training else x


with torch.random.fork_rng(devices=[]):
    torch.manual_seed(6)
    _norm = nn.BatchNorm2d(3)
    _BODY = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), _norm, nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)).double()
_norm.running_mean += torch.tensor([0.3, -0.2, 0.1])
_norm.running_var *= 0.5

_generator = torch.Generator().manual_seed(5)


def _pictures(count):
    return torch.rand(count, 1, 4, 4, generator=_generator).double()


@exercise(
    {
        "ordinary test pictures": (_BODY, prepare, _pictures(9), _pictures(6)),
        "test pictures that are brighter": (_BODY, prepare, _pictures(9), _pictures(6) + 0.5),
        "test pictures of more contrast": (_BODY, prepare, _pictures(9), 2 * _pictures(6) - 0.5),
        "three test pictures": (_BODY, prepare, _pictures(9), _pictures(3)),
    }
)
def cache_features(
    body, prepare, x_train, x_test, mode=False, training=(False, False), scale="train", dim=0, correction=0
):
    """Compute the features once and standardize them by the training's; the keywords are where it goes wrong."""
    body.train(mode)
    with torch.no_grad():
        train, test = (body(prepare(x, training=t)) for x, t in zip((x_train, x_test), training, strict=True))
    if scale is None:
        return train, test
    source = torch.cat([train, test]) if scale == "joint" else train
    other = test if scale == "own" else source
    return tuple((f - s.mean(dim)) / s.std(dim, correction=correction) for f, s in ((train, source), (test, other)))


cache_features.mistake(
    "The network was in training mode: its batch normalization used the mean of the batch, so that a picture's "
    "features depend on the pictures beside it. Call body.eval() first.",
    partial(cache_features, mode=True),
)
cache_features.mistake(
    "The pictures were prepared with training=True. A feature that is computed once would keep one random change for "
    "ever, and a test picture should not be changed at all. Use prepare(x, training=False).",
    partial(cache_features, training=(True, True)),
)
cache_features.mistake(
    "The training pictures were prepared with training=True. Computed once, they would keep one random change for "
    "ever, and no longer look like the test pictures. Use training=False for both.",
    partial(cache_features, training=(True, False)),
)
cache_features.mistake(
    "The mean and the standard deviation were taken over the training and the test pictures together. The test "
    "pictures stand for pictures not seen yet: take both numbers from the training features.",
    partial(cache_features, scale="joint"),
)
cache_features.mistake(
    "The test features were standardized by their own mean and deviation. Then a brighter test set looks like any "
    "other, and one test picture alone has no deviation. Use those of the training features for both.",
    partial(cache_features, scale="own"),
)
cache_features.mistake(
    "The features were not standardized. Subtract the training mean of each, and divide by its deviation.",
    partial(cache_features, scale=None),
)
cache_features.mistake(
    "One mean and one deviation were taken over all features. Each feature has its own: dim=0.",
    partial(cache_features, dim=None),
)
cache_features.mistake(
    "The deviation was divided by n - 1, PyTorch's default. Here it is asked for with correction=0.",
    partial(cache_features, correction=1),
)
check_cache_features = cache_features.check
