"""The numbers in the text of a chapter, as a built book computed them: `chapters/numbers/NAME.json`.

A notebook shows them before anything is executed. Only `make notebooks` writes them, from the outputs that a build
keeps; a build compares what it computed with what is stored. They are written anew where a chapter's own code is new,
or a version, or where one is far from what is stored: else each processor would write its own last digits.
"""

import hashlib
import importlib.metadata
import json
import math
import platform
from ast import literal_eval
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from backbone.glue import PREFIX

# Relative. Training carries the last digit of a sum, which another processor rounds otherwise, into the result: with
# AVX2 in place of AVX-512, 4 of 5 numbers of the book were the same, and 98 of 100 differed by less than this. A cell
# that glues others, or times, gets the tag `rough`.
NEAR = 0.1
NO_LITERALS = {"nan", "inf", "-inf"}


@dataclass
class Numbers:
    """What a chapter glued, by name; what it was computed with, by which code; and which of it no build compares."""

    values: dict[str, float | int | str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    code: str = ""  # a hash of the chapter's own cells
    rough: set[str] = field(default_factory=set)

    def text(self, names: Iterable[str]) -> str:
        """Write down what the text of the chapter shows, a line for each, so that two branches can be merged."""
        values = {name: self.values[name] for name in sorted(names) if name in self.values}
        content = {"computed with": self.versions, "code": self.code, "values": values}
        return json.dumps(content, indent=1) + "\n"


def place(root: Path, docname: str) -> Path:
    """Return the file of a chapter's numbers."""
    chapter = root / docname
    return chapter.parent / "numbers" / f"{chapter.name}.json"


def stored(root: Path, docname: str) -> Numbers:
    """Read what is stored for a chapter."""
    path = place(root, docname)
    content = json.loads(path.read_text("utf-8")) if path.exists() else {"values": {}, "computed with": {}}
    return Numbers(content["values"], content["computed with"], content.get("code", ""))


def computed(executed: Path) -> Numbers:
    """Read what an executed chapter glued."""
    cells = [cell for cell in json.loads(executed.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    numbers = Numbers(versions=installed(), code=hash_of(["".join(cell["source"]) for cell in cells]))
    for cell in cells:
        rough = "rough" in cell["metadata"].get("tags", [])
        for output in cell.get("outputs", []):
            if (record := output.get("metadata", {}).get("scrapbook")) is not None:
                text = "".join(output["data"][PREFIX + "text/plain"])
                numbers.values[record["name"]] = float(text) if text in NO_LITERALS else literal_eval(text)
                if rough:
                    numbers.rough.add(record["name"])
    return numbers


def hash_of(cells: list[str]) -> str:
    """Return a hash of a chapter's own code."""
    return hashlib.sha256("\0".join(cells).encode()).hexdigest()[:16]


def installed() -> dict[str, str]:
    """Name what numbers depend on besides the code."""
    found = {name: importlib.metadata.version(module) for name, module in (("PyTorch", "torch"), ("NumPy", "numpy"))}
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: text.partition("+")[0] for name, text in found.items()},
    }


def newest(docname: str, old: Numbers, new: Numbers) -> Numbers:
    """Return what to store: the old numbers where they say the same of the same code, else the new ones."""
    same = old.code in ("", new.code) and old.versions == new.versions and old.values.keys() <= new.values.keys()
    return replace(old, code=new.code) if same and not compare(docname, old, new)[0] else new


def far(old: float | int | str, new: float | int | str) -> bool:
    """Say whether two values are others than two processors would give."""
    if isinstance(old, str) or isinstance(new, str):
        return old != new
    return not (math.isclose(old, new, rel_tol=NEAR) or (math.isnan(old) and math.isnan(new)))


def compare(docname: str, old: Numbers, new: Numbers) -> tuple[list[str], list[str]]:
    """Return a line for each stored value that was computed otherwise, and the names of those that differ a little."""
    both = [name for name in sorted(old.values) if name in new.values and name not in new.rough]
    wrong = [name for name in both if far(old.values[name], new.values[name])]
    said = [f"{docname}: {name} is stored as {old.values[name]!r}, computed {new.values[name]!r}" for name in wrong]
    others = [name for name in both if repr(old.values[name]) != repr(new.values[name]) and name not in wrong]
    return said, others
