"""Records of what was measured beforehand: one format, and names that help."""

import pytest

from backbone import records
from backbone.records import files

NAMES = sorted(path.stem for path in files.FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_written_as_it_lies_there(name, tmp_path, monkeypatch):
    record, lies_there = records.load(name), (files.FOLDER / f"{name}.json").read_bytes()
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    records.write(name, **record)
    assert (tmp_path / f"{name}.json").read_bytes() == lies_there
    assert records.load(name) == record


@pytest.mark.parametrize("name", NAMES)
def test_a_record_says_how_it_was_made_and_holds_tables(name):
    record = records.load(name)
    about = record.pop("about")
    assert about
    assert record
    assert all(isinstance(row, dict) for rows in record.values() for row in rows)


def test_an_unknown_record_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match=f"name is 'vgg'; it must be one of '{NAMES[0]}', .*'{NAMES[-1]}'"):
        records.load("vgg")
