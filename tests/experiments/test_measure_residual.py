"""The tool that measured shortcuts: blocks are left out and reordered as its record says."""

import measure_residual
import pytest
import torch
from torch import nn

from backbone import models, pretrained, records
from backbone.models.resnet import PadShortcut

MISSING = {4: PadShortcut(16, 32, 2), 7: PadShortcut(32, 64, 2)}


def rebuilt(model, key):
    """Return the network with these blocks only, put together by hand."""
    blocks = dict(enumerate([*model.layer1, *model.layer2, *model.layer3], start=1))
    chain = []
    for number, stage in enumerate(key.split()):
        first = 3 * number + 1
        if number and str(first) not in stage:
            chain.append(MISSING[first])
        chain += [blocks[int(one)] for one in stage.replace("-", "")]
    return nn.Sequential(model.conv1, model.bn1, model.relu, *chain, model.avgpool, model.flatten, model.fc)


@pytest.mark.parametrize("residual", [False, True])
def test_ways_are_the_networks_that_their_keys_name(residual):
    model = models.cifar_resnet(20, residual, generator=torch.Generator().manual_seed(0)).eval()
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    y = torch.tensor([0, 1, 2, 3])
    found = measure_residual.every_way(model, x, y)
    assert len(found) == 1600
    with torch.no_grad():
        for key in ("123 456 789", "- - -", "321 465 798", "1 56 -", "2 - 89", "31 4 8"):
            assert found[key] == (rebuilt(model, key)(x).argmax(1) == y).sum()


def test_a_profile_is_the_gradient():
    model = models.cifar_resnet(8, generator=torch.Generator().manual_seed(0))
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    y = torch.tensor([0, 1, 2, 3])
    found = measure_residual.profile(model, x, y)
    nn.functional.cross_entropy(model.train()(x), y).backward()
    assert len(found["grad_h"]) == 4
    assert len(found["grad_w"]) == 7
    assert found["grad_w"][0] == pytest.approx(model.conv1.weight.grad.square().mean().sqrt().item(), rel=1e-3)
    assert not any(module._forward_hooks for module in model.modules())


def test_the_record_agrees_with_the_cards():
    for row in records.load("residual")["blocks"]:
        accuracy = pretrained.card(f"cifar_{row['network']}").test_accuracy
        assert row["right"]["123 456 789"] / row["count"] == pytest.approx(accuracy, abs=0.03)
