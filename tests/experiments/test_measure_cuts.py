"""The tool that cut blocks: all sets at once are each network without its blocks; the record is whole."""

import measure_cuts
import pytest
import torch
from torch import nn

from backbone import data, records


@pytest.mark.parametrize("residual", [False, True])
def test_every_set_is_the_network_without_its_blocks(residual):
    model = measure_cuts.Network(residual, torch.Generator().manual_seed(0)).eval()
    x = torch.randn(3, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    found = measure_cuts.every_set(model, x)
    assert found.shape == (512, 3, 10)
    measure_cuts.check(model, found, x)
    for cuts in (set(), {1}, {4, 7}, {2, 3, 5, 9}, set(range(1, 10))):
        blocks = zip(model.blocks, model.shortcuts, strict=True)
        chain = [shortcut if k in cuts else block for k, (block, shortcut) in enumerate(blocks, start=1)]
        with torch.no_grad():
            expected = nn.Sequential(model.stem, *chain, model.head)(x)
        torch.testing.assert_close(found[sum(2 ** (k - 1) for k in cuts)], expected, rtol=1e-4, atol=1e-4)


def test_only_the_shortcuts_tell_the_two_networks_apart():
    plain, residual = (measure_cuts.Network(kind, torch.Generator().manual_seed(0)) for kind in (False, True))
    for one, other in zip(plain.parameters(), residual.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_record_is_whole():
    record, test = records.load("cuts"), data.fashion_mnist("test")
    assert len(record["rates"]) == 2 * len(measure_cuts.RATES)
    right = {(row["network"], row["seed"]): row["right"] for row in record["right"]}
    assert {key: len(found) for key, found in right.items()} == {
        (name, seed): 10 if seed else 512 for name in measure_cuts.NETWORKS for seed in measure_cuts.SEEDS
    }
    assert all(0 <= one <= len(test) for found in right.values() for one in found)
    pictures = [row["picture"] for row in record["answers"]]
    assert pictures[:10] == pictures[10:]
    for row in record["answers"]:
        assert int(test.labels[row["picture"]]) == row["label"] == int(row["answers"][0])
        assert (len(row["answers"]), len(row["percents"])) == (512, 1024)
        assert row["percents"].isdigit()
    assert {row["label"] for row in record["answers"]} == set(range(10))
