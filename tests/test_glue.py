"""A glued number is printed for the notebook's reader and recorded for the page."""

import numpy as np
import pytest
import torch

from backbone import glue as module
from backbone.glue import glue


@pytest.fixture
def records(monkeypatch):
    kept = []
    monkeypatch.setattr(module, "display", lambda data, **options: kept.append((data, options)))
    return kept


@pytest.mark.parametrize("value", [2.5, np.float64(2.5), np.float32(2.5), np.array(2.5), torch.tensor(2.5)])
def test_numbers_become_plain(records, capsys, value):
    glue("loss", value)
    data, options = records[0]
    assert data == {"application/papermill.record/text/plain": "2.5"}
    assert options["raw"]
    assert options["metadata"]["scrapbook"]["name"] == "loss"
    assert capsys.readouterr().out == "loss = 2.5\n"


@pytest.mark.parametrize("value", [np.ones(3), torch.ones(1, 2), [1], None])
def test_what_is_no_number_is_refused(records, value):
    with pytest.raises(ValueError, match=r"glue: loss is an? "):
        glue("loss", value)
    assert not records


def test_a_name_must_be_an_identifier(records):
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        glue("a b", 1)
