"""Fitting and measuring: numbers against a loop written out, nothing left changed that should not be."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from backbone import models
from backbone.data import batches
from backbone.training import evaluate, fit, predict


def seed(number=0):
    return torch.Generator().manual_seed(number)


@pytest.fixture
def task():
    x = torch.randn(50, 4, generator=seed(1))
    return x, (x[:, 0] + x[:, 1] > 0).long()


def linear():
    model = nn.Linear(4, 2)
    with torch.no_grad():
        model.weight.copy_(torch.randn(2, 4, generator=seed(2)))
        model.bias.zero_()
    return model


def test_fit_does_what_the_loop_written_out_does(task):
    x, y = task
    model, twin = linear(), linear()
    optimizer = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
    history = fit(model, batches(x, y, 20), 2, optimizer, schedule=schedule, validation=batches(x, y, 7))

    same = torch.optim.SGD(twin.parameters(), 0.5, momentum=0.9)
    losses, rates = [], []
    for _ in range(2):
        total = 0
        for i in range(0, 50, 20):
            value = F.cross_entropy(twin(x[i : i + 20]), y[i : i + 20])
            same.zero_grad()
            value.backward()
            same.step()
            total += value.item() * len(y[i : i + 20])
        for group in same.param_groups:  # three batches an epoch, halved after three
            group["lr"] /= 2
        losses.append(total / 50)
        rates.append(same.param_groups[0]["lr"])
    assert torch.equal(model.weight, twin.weight)
    assert history.train_loss == pytest.approx(losses)
    assert history.learning_rate == pytest.approx(rates)
    assert history.validation_loss[-1] == pytest.approx(F.cross_entropy(twin(x), y).item(), rel=1e-5)
    assert history.validation_accuracy[-1] == pytest.approx((twin(x).argmax(1) == y).float().mean().item())


def test_a_history_is_frozen_and_without_validation_says_so(task):
    model = linear()
    history = fit(model, batches(*task, 10), 3, torch.optim.SGD(model.parameters(), 0.1))
    assert len(history.train_loss) == len(history.train_accuracy) == len(history.learning_rate) == 3
    assert history.validation_loss == history.validation_accuracy == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        history.train_loss = ()


def test_every_picture_counts_the_same_whatever_the_batch(task):
    model = linear()
    whole = evaluate(model, batches(*task, 50))
    for size in (1, 7, 49):
        parts = evaluate(model, batches(*task, size))
        assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
        assert parts.accuracy == whole.accuracy
        assert parts.count == 50


@pytest.mark.parametrize("mode", [True, False])
def test_measuring_changes_nothing_and_uses_eval_mode(task, mode):
    model = nn.Sequential(nn.Dropout(0.5), linear(), nn.BatchNorm1d(2)).train(mode)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    one, two = (evaluate(model, batches(*task, 10)) for _ in range(2))
    assert one == two
    # Another batch size may take another path through the matrix product, and end in other last bits.
    torch.testing.assert_close(predict(model, task[0]), predict(model, task[0], batch_size=3))
    assert not predict(model, task[0]).requires_grad
    assert model.training == mode
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_loss_that_is_no_number_stops_with_the_rate(task):
    x, y = task
    model = nn.Linear(4, 2)
    with pytest.raises(
        ValueError, match=r"the loss became (nan|inf) in epoch \d; lower the learning rate, which is 1e\+36"
    ):
        fit(model, batches(x * 1e4, y, 10), 3, torch.optim.SGD(model.parameters(), 1e36))


def test_pictures_that_are_no_numbers_are_named_before_the_rate(task):
    x, y = task
    model = nn.Linear(4, 2)
    with pytest.raises(ValueError, match="the loss became nan in epoch 1; the pictures hold NaN or infinity"):
        fit(model, batches(x / 0, y, 10), 1, torch.optim.SGD(model.parameters(), 0.1))


def test_an_optimizer_of_another_model_is_an_error(task):
    model = linear()
    with pytest.raises(ValueError, match="the optimizer holds no parameter of this model"):
        fit(model, batches(*task, 10), 1, torch.optim.SGD(linear().parameters(), 0.1))
    part = nn.Sequential(linear(), nn.Linear(2, 2))
    fit(part, batches(*task, 10), 1, torch.optim.SGD(part[1].parameters(), 0.1))


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((torch.rand(2, 4), torch.tensor([0, 1]), 3), r"a batch is tuple of 3; it must be a pair .* \(x, y\)"),
        (torch.rand(2, 4), "a batch is Tensor; it must be a pair"),
        (
            (torch.rand(2, 4), torch.tensor([0.0, 1.0])),
            r"labels are torch.float32; they must be torch.int64, such as y.long\(\) gives",
        ),
        ((torch.rand(2, 4), torch.tensor([1, 2])), "labels go from 1 to 2; the model knows 2 classes, 0 to 1"),
        ((torch.rand(2, 4), torch.tensor([-100, 1])), "labels go from -100 to 1"),
        ((torch.zeros(2, 4, dtype=torch.uint8), torch.tensor([0, 1])), "takes no bytes, .* with to_float"),
    ],
    ids=["three", "no labels", "float labels", "a class too many", "below 0", "bytes"],
)
def test_what_is_no_batch(batch, message):
    with pytest.raises(ValueError, match=message):
        evaluate(linear(), [batch])


def test_a_model_may_take_bytes_and_what_it_raises_else_stays():
    images = torch.zeros(2, 4, dtype=torch.uint8)
    assert predict(nn.Sequential(Halved(), linear()), images).shape == (2, 2)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        predict(linear(), torch.rand(2, 5))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        predict(nn.Sequential(Halved(), linear()), torch.zeros(2, 5, dtype=torch.uint8))


class Halved(nn.Module):
    """Takes bytes."""

    def forward(self, x):
        return x / 2


def test_no_pictures_is_an_error():
    with pytest.raises(ValueError, match=r"the batches hold no pictures$"):
        evaluate(linear(), [])


def test_batches_that_are_used_up_after_one_pass(task):
    model = linear()
    once = (batch for batch in batches(*task, 10))
    with pytest.raises(ValueError, match="hold no pictures; an iterator is used up after one pass, so give a list"):
        fit(model, once, 2, torch.optim.SGD(model.parameters(), 0.1), progress=False)


def batch_of_two(side=75):
    return [(torch.rand(2, 3, side, side, generator=seed()), torch.tensor([0, 1]))]


@pytest.mark.parametrize(("name", "side"), [("googlenet", 32), ("inception_v3", 299)])
def test_a_network_with_auxiliary_heads_is_told_how_to_train(name, side):
    model = getattr(models, name)(num_classes=2, generator=seed())
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with pytest.raises(ValueError, match=r"gives a \w+Output; it must give logits.* with model.aux_logits = False"):
        fit(model, batch_of_two(side), 1, optimizer, progress=False)
    model.aux_logits = False
    assert fit(model, batch_of_two(side), 1, optimizer, progress=False).train_loss


@pytest.mark.parametrize(
    ("model", "labels", "message"),
    [
        (nn.Flatten(0), torch.zeros(2, dtype=int), r"gives \(33750,\) for labels \(2,\); logits must be \(N, K\)"),
        (nn.Flatten(), torch.zeros(2, 1, dtype=int), r"gives \(2, 16875\) for labels \(2, 1\)"),
        (nn.Identity(), torch.zeros(2, dtype=int), r"gives \(2, 3, 75, 75\)"),
    ],
    ids=["no classes", "labels in a column", "maps"],
)
def test_what_is_no_logits(model, labels, message):
    with pytest.raises(ValueError, match=message):
        evaluate(model, [(batch_of_two()[0][0], labels)])


@pytest.mark.parametrize("epochs", [-1, 1.5, None])
def test_epochs_are_whole_numbers(task, epochs):
    model = linear()
    with pytest.raises(ValueError, match=f"epochs is {epochs}; it must be an integer of at least 0"):
        fit(model, batches(*task, 10), epochs, torch.optim.SGD(model.parameters(), 0.1))


def test_progress_is_shown_in_a_terminal_and_can_be_silenced(task, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    model = linear()

    def run(**options):
        fit(model, batches(*task, 10), 2, torch.optim.SGD(model.parameters(), 0.1), **options)
        return capsys.readouterr()

    shown = run()
    assert "epochs" in shown.err
    assert "accuracy" in shown.err
    assert run(progress=False).err == ""
    monkeypatch.setenv("TQDM_DISABLE", "1")
    silenced = run()
    assert silenced.err == silenced.out == ""
