"""The exercises of the chapter on transfer learning, held against functions as readers write them."""

import pytest
import torch
from readers import are_recognized, pass_the_check
from torch import nn

from backbone.exercises.transfer_learning import Parts, cache_features, freeze, param_groups

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


test_other_right_ways_pass = pass_the_check(
    (freeze, freeze_by_loops),
    (param_groups, groups_by_name),
    (cache_features, cache_in_batches),
)


def test_pytorch_takes_the_groups_and_refuses_the_duplicated_ones():
    model = Parts(3, 4)
    torch.optim.SGD(param_groups(model, 0.01), lr=0.01)
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


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (freeze, "The weights are frozen, but", lambda model: model.requires_grad_(False)),
    (freeze, "The model is in evaluation", lambda model: attribute(model).eval()),
    (freeze, "Nothing is frozen", attribute),
    (freeze, "Nothing is frozen", without_gradients),
    (freeze, "Only the layers at the top", norms_at_the_top),
    (param_groups, "The new head is in no", body_only),
    (param_groups, "Only the head is in a group", head_only),
    (param_groups, "The head stands in two", head_twice),
    (param_groups, "The weights of model.stem", without_stem),
    (param_groups, "All weights have one", lambda model, rate: [{"params": model.parameters(), "lr": rate}]),
    (cache_features, "The network was in training", cache_in_train_mode),
    (cache_features, "The pictures were prepared", cache_augmented),
    (cache_features, "The mean and the standard", cache_jointly),
    (cache_features, "The test features were standardized", cache_by_own),
)
