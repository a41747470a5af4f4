"""What every widget of the book shares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import anywidget
import numpy as np
import traitlets as t

from backbone.palette import css_variables

HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
# Those that have lines of their own.
_COMMENT = re.compile(r"^ *//[^\n]*\n|^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|let|class) (\w+))", re.MULTILINE)


class Array(t.TraitType):
    """A NumPy array; it reaches the page as ``{dtype, shape, data}``, the data as raw bytes.

    Args:
        dtype: "int8", "uint8", "int16", "uint16", "float16", "float32" or "float64", to which values are converted.
    """

    info_text = "an array"

    def __init__(self, dtype: str, **kwargs):
        self.dtype = np.dtype(dtype).newbyteorder("<")
        super().__init__(_frozen(np.zeros(0, self.dtype)), **kwargs)
        self.tag(to_json=_array_to_json, from_json=_array_from_json)

    def validate(self, obj, value) -> np.ndarray:
        """Return the value as such an array, closed to changes; raise TraitError where whole numbers cannot hold it."""
        given = np.asarray(value)
        with np.errstate(invalid="ignore"):
            array = given.astype(self.dtype, order="C")
        if self.dtype.kind in "iu" and not np.array_equal(array, given):
            raise t.TraitError(
                f"{self.name} holds numbers that {self.dtype.name} cannot; round them and keep its range"
            )
        return _frozen(array)


def _frozen(array: np.ndarray) -> np.ndarray:
    """Return the array, closed to changes that the page would not hear of."""
    array.setflags(write=False)
    return array


def _array_to_json(array: np.ndarray, widget) -> dict:
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": array.tobytes()}


def _array_from_json(sent: dict, widget) -> np.ndarray:
    return np.frombuffer(sent["data"], np.dtype(sent["dtype"]).newbyteorder("<")).reshape(sent["shape"])


class BookWidget(anywidget.AnyWidget):
    """A widget whose JavaScript is ``widget.js`` beside its class, joined with what it imports; CSS likewise.

    A class without that file is what several widgets share.

    CSS is global: the rules in ``widget.css``, which a widget may do without, begin at its own root class.

    ``room`` is how high a widget is once it is drawn, on a wide page and on a phone, in pixels, for each value of its
    trait ``show``, or for "" where it has none. A page of the book keeps that room from its first moment.

    ``styles`` are sheets of parts that several widgets share; they stand between the kit's and the widget's own.
    """

    room = {"": (64, 64)}
    styles: tuple[Path, ...] = ()

    def __init_subclass__(cls, **kwargs):
        # traitlets makes a further subclass of each instance's class, which already has its own.
        if "_esm" not in vars(cls) and (folder := Path(inspect.getfile(cls)).parent).joinpath("widget.js").is_file():
            styles = [HERE / "kit.css", *cls.styles, *folder.glob("widget.css")]
            cls._esm = join(folder / "widget.js")
            cls._css = "\n".join([f".bb-widget {{ {css_variables()} }}", *map(_read, styles)])
        super().__init_subclass__(**kwargs)


def join(module: Path, tell: Callable[[Path, str], str] | None = None) -> str:
    """Return a JavaScript module behind all that it imports, each file once: from memory none can import a neighbor.

    The files share one scope then, so no two of them may give one name to two things at their top level. Comments stay
    behind. `tell` makes of each file's text what pages get.

    Raises:
        ImportError: a file or a name is not there, files import each other in a circle, or an import is not of the form
            ``import { a, b } from "./file.js";``. The message says the file and the line.
    """
    return "".join(tell(*part) if tell else part[1] for part in _joined(module.resolve(), (), set()))


def _joined(path: Path, importers: tuple[Path, ...], done: set[Path]) -> list[tuple[Path, str]]:
    """Return the files that ``path`` imports and are not in ``done``, then itself, each with its text.

    Only the first file exports.
    """
    done.add(path)
    text, texts = _read(path), []
    for line in re.finditer(r"^import\b", text, re.MULTILINE):
        where = f"{path}:{text.count(chr(10), 0, line.start()) + 1}"
        statement = _IMPORT.match(text, line.start())
        if not statement:
            raise ImportError(f'{where}: write it as: import {{ a, b }} from "./file.js";')
        source = (path.parent / statement[2]).resolve()
        if not source.is_file():
            raise ImportError(f"{where}: there is no {statement[2]}")
        if source in (*importers, path):
            raise ImportError(f"{where}: {statement[2]} imports this file in turn; move what both need into a third")
        names = [name.strip() for name in statement[1].split(",") if name.strip()]
        if missing := [name for name in names if name not in _EXPORT.findall(_read(source))]:
            raise ImportError(f"{where}: {statement[2]} does not export {', '.join(missing)}")
        if source not in done:
            texts += _joined(source, (*importers, path), done)
    own = _COMMENT.sub("", _IMPORT.sub("", text))
    return [*texts, (path, _EXPORT.sub("", own) if importers else own)]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
