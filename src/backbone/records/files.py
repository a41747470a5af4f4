"""One record a file: JSON, ``about`` first, then tables by name, a row a line, so that a change shows what changed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backbone.checks import one_of

FOLDER = Path(__file__).parent
Row = Mapping[str, Any]


def load(name: str) -> dict[str, Any]:
    """Return a record.

    Args:
        name: of the record, such as "dropout".

    Returns:
        "about", a mapping that says how it was measured, and the record's tables by name, each a list of rows, which
        are mappings.

    Raises:
        ValueError: there is no such record; the error lists those that there are.
    """
    one_of("records.load", "name", name, sorted(path.stem for path in FOLDER.glob("*.json")))
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def write(name: str, about: Row, **tables: Sequence[Row]) -> None:
    """Write a record into the package, in place of the one of that name.

    Args:
        name: of the record.
        about: how it was measured, the command first.
        **tables: rows by the table's name, one table or more.
    """
    parts = [f'"about": {json.dumps(about)}']
    for title, rows in tables.items():
        lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        parts.append(f"{json.dumps(title)}: [\n{lines}\n ]")
    (FOLDER / f"{name}.json").write_text("{\n " + ",\n ".join(parts) + "\n}\n", "utf-8")
