"""Fitting and measuring: numbers against a loop written out, nothing left changed that should not be."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

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


def test_no_pictures_is_an_error():
    with pytest.raises(ValueError, match="the batches hold no pictures"):
        evaluate(linear(), [])


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
