"""The tools that measured modules, starts, sizes and rates: what is held fixed is, and the records are whole."""

import math

import measure_alexnet as alexnet
import measure_parallel as parallel
import measure_recipe as recipe
import measure_saturation as saturation
import measure_scales as scales
import measure_start as start
import numpy as np
import pytest
import torch

from backbone import records


def test_modules_of_all_kinds_cost_alike_and_give_as_many_maps():
    costs = [parallel.arithmetic(name, into) for name, into in parallel.shares().items()]
    assert max(costs) / min(costs) < 1.05
    for name, into in parallel.shares().items():
        network = parallel.network(name, into)
        assert network[:3](torch.zeros(1, 1, 28, 28)).shape == (1, parallel.OUT, 14, 14)
        assert network(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_the_record_of_modules_has_every_kind_at_every_rate():
    rows = records.load("parallel")["kinds"]
    assert {(row["windows"], row["rate"]) for row in rows} == {(n, r) for n in parallel.MODULES for r in parallel.RATES}
    assert all(row["multiply-adds"] == parallel.arithmetic(row["windows"], row["narrowed to"]) for row in rows)


@pytest.mark.parametrize(
    ("record", "table", "setting", "tested"),
    [("parallel", "kinds", "windows", "accuracy"), ("scales", "ways", "trained on", "28")],
)
def test_only_the_rate_with_the_best_validation_saw_the_test_pictures(record, table, setting, tested):
    rows = records.load(record)[table]
    for name in {row[setting] for row in rows}:
        tried = [row for row in rows if row[setting] == name]
        best = max(tried, key=lambda row: sum(row["validation"]))
        assert [row["rate"] for row in tried if tested in row] == [best["rate"]]


def test_the_last_fifth_is_for_validation_and_lenets_rate_is_one_of_those_tried():
    some, rest = alexnet.split(torch.arange(10), torch.arange(10))
    assert some[0].tolist() == list(range(8))
    assert rest[1].tolist() == [8, 9]
    rows = records.load("alexnet")["sizes"]
    assert [row["pictures"] for row in rows] == list(alexnet.SIZES)
    assert {row["rate"] for row in rows} <= set(alexnet.RATES)


@pytest.mark.parametrize("depth", start.DEPTHS)
def test_a_narrow_network_shrinks_signals_as_the_wide_one_does(depth):
    model = start.narrow(depth)
    with torch.device("meta"):
        wide = start.BUILT[depth]()
    assert len(start.learned(model)) == depth == len(start.learned(wide))
    for layer, full in zip(start.learned(model), start.learned(wide), strict=True):
        gain = start.deviation("0.01", layer, full) * math.sqrt(layer.weight[0].numel())
        np.testing.assert_allclose(gain, 0.01 * math.sqrt(full.weight[0].numel()), rtol=1e-12)
    assert model(torch.zeros(2, 1, 32, 32)).shape == (2, 10)


def test_the_record_of_starts_is_whole():
    rows = records.load("start")["starts"]
    wanted = {(d, rule, rate) for d in start.DEPTHS for rule in start.RULES for rate in start.RATES}
    assert {(row["depth"], row["rule"], row["rate"]) for row in rows} == wanted
    assert all(max(row["loss"]) <= math.log(10) + 1e-4 for row in rows)


def test_a_network_for_sizes_takes_any_and_resizing_keeps_a_constant():
    network = scales.network(torch.Generator().manual_seed(0))
    for size in scales.SIZES:
        x = scales.resized(torch.ones(1, 1, 28, 28), size)
        np.testing.assert_allclose(x.numpy(), np.ones((1, 1, size, size)), rtol=1e-6)
        assert network(x).shape == (1, 10)
    assert {row["trained on"] for row in records.load("scales")["ways"]} == set(scales.TRAINED)


def test_both_activations_have_every_rate():
    rows = records.load("saturation")["rates"]
    wanted = {(name, rate) for name in saturation.ACTIVATIONS for rate in saturation.RATES}
    assert {(row["activation"], row["rate"]) for row in rows} == wanted
    assert saturation.four_layers("tanh", 0)(torch.zeros(1, 1, 14, 14)).shape == (1, 10)


def test_recipes_differ_from_the_first_division_on():
    rows = records.load("recipe")["passes"]
    curves = {
        (name, seed): [row["train_error"] for row in rows if (row["recipe"], row["seed"]) == (name, seed)]
        for name in recipe.RECIPES
        for seed in recipe.SEEDS
    }
    assert {len(curve) for curve in curves.values()} == {recipe.EPOCHS}
    divided, held = (curves[name, 0] for name in list(recipe.RECIPES)[:2])
    first = recipe.DROPS[0]
    assert divided[:first] == held[:first]
    assert divided[first:] != held[first:]
