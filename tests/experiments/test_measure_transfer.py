"""The tool that measured transfer: what it measures is what its record and the chapter say."""

import measure_transfer as tool
import numpy as np
import pytest
import torch

from backbone import records, training

RECORDED = records.load("transfer")


@pytest.fixture
def ramps(monkeypatch):
    """Let each surface be a picture whose gray says how far to the right a pixel lies."""
    pictures = [np.tile(np.linspace(0, 1, width, dtype=np.float32), (90, 1)) for width in range(330, 344)]
    monkeypatch.setattr(tool, "surfaces", lambda: pictures)


def test_patches_stay_in_their_part(ramps):
    rng = np.random.default_rng(0)
    for start, end in ((0, 0.25), (0.25, 0.5), (0, 0.5), (0.5, 1)):
        x, y = tool.patches(3, start, end, rng)
        assert x.shape == (42, 1, 72, 72)
        assert y.tolist() == [k for k in range(14) for _ in range(3)]
        assert x.min() >= start - 0.01
        assert x.max() <= end + 0.01


def test_what_is_held_out_comes_from_beside_what_is_learned(ramps):
    x, _, held, _ = tool.left_halves(2)
    assert x.max() < held.min() + 0.01
    assert held.max() < 0.51


def test_fine_tuning_starts_at_the_probe(monkeypatch):
    monkeypatch.setattr(tool, "BODY_STEPS", 0)
    rng = np.random.default_rng(1)
    x, y = tool.patches(2, 0, 0.5, rng)
    test_x, test_y = tool.patches(1, 0.5, 1, rng)
    f, test_f = (training.predict(tool.imagenet_body(), tool.seen(one), 20) for one in (x, test_x))
    probe = tool.linear(f, y, test_f, test_y)
    assert tool.fine_tuned(x, y, test_x, test_y, 1e-3, 0, probe) == pytest.approx(probe[0], abs=0.08)


def test_every_weight_has_one_rate():
    model = tool.clothes(torch.Generator().manual_seed(0))
    groups = tool.adam(model, model[1], 1e-4, 1e-3).param_groups
    assert [group["lr"] for group in groups] == [1e-3, 1e-4]
    listed = [id(p) for group in groups for p in group["params"]]
    assert sorted(listed) == sorted(id(p) for p in model.parameters())


def test_a_pause_to_measure_changes_nothing():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(14, 1, 72, 72, generator=generator), torch.arange(14)
    whole = tool.from_scratch(x, y, x, y, 1e-3, (4,), 0)
    assert tool.from_scratch(x, y, x, y, 1e-3, (2, 4), 0)[-1] == whole[-1]


def test_what_did_best_on_held_out_patches_is_chosen(ramps, monkeypatch):
    right = {tool.RATES[0]: (0.5, 0.6), tool.RATES[1]: (0.7, 0.4)}
    monkeypatch.setattr(tool, "from_scratch", lambda *held: right[held[4]])
    assert tool.choose(2) == (tool.RATES[1], tool.STEPS[0])
    right[tool.RATES[0]] = (0.5, 0.8)
    assert tool.choose(2) == (tool.RATES[0], tool.STEPS[1])


def test_the_record_is_whole():
    def settings(part, *names):
        return {tuple(row[name] for name in names) for row in RECORDED[part]}

    ways = ("features", "pixels", "scratch")
    wanted = {(count, way) for count in tool.LABELS for way in ways} | {(tool.TUNED, "fine-tuned")}
    assert settings("surfaces", "labels", "way") == wanted
    assert settings("flowers", "labels", "way") == {(n, way) for n in (25, 100, 400) for way in ("features", "pixels")}
    short = {(count, way, tool.SHORT) for count in tool.SHOTS for way in ("frozen", *tool.WAYS)}
    assert settings("fashion", "labels", "way", "steps") == short | {
        (600, way, tool.LONG) for way in ("scratch", "one rate")
    }
    assert [row["labels"] for row in RECORDED["chosen"]] == list(tool.LABELS)
    assert all(row["rate"] in tool.RATES and row["steps"] in tool.STEPS for row in RECORDED["chosen"])
    (tuned,) = RECORDED["chosen for fine-tuning"]
    assert tuned["rate"] in tool.BODY_RATES
    assert (tuned["steps"], tuned["batch"]) == (tool.BODY_STEPS, tool.BODY_BATCH)
    draws = {"surfaces": tool.DRAWS, "flowers": tool.FLOWER_DRAWS, "fashion": tool.FASHION_DRAWS}
    for part, count in draws.items():
        assert all(len(row["test"]) == count >= 5 for row in RECORDED[part])
        assert all(0 < right < 1 for row in RECORDED[part] for right in row["test"])
