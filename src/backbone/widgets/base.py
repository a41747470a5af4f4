"""What every widget of the book shares."""

from __future__ import annotations

import inspect
from pathlib import Path

import anywidget

from backbone.palette import css_variables

HERE = Path(__file__).parent


class BookWidget(anywidget.AnyWidget):
    """A widget whose JavaScript is ``widget.js`` beside its class, with the shared kit in front of it; CSS likewise.

    The kit is joined to it here because a module that a notebook loads from memory cannot import a neighbor. The kit
    therefore exports nothing and ``widget.js`` imports nothing. CSS is global: the rules in ``widget.css``, which a
    widget may do without, begin at its own root class.

    Attributes:
        shared: further files of this folder, such as "lenet.js", that come between the kit and ``widget.js``.
    """

    shared: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):
        # traitlets makes a further subclass of each instance's class, which already has its own.
        if "_esm" not in vars(cls):
            folder = Path(inspect.getfile(cls)).parent
            scripts = [HERE / "kit.js", *(HERE / name for name in cls.shared), folder / "widget.js"]
            styles = [HERE / "kit.css", *folder.glob("widget.css")]
            cls._esm = "\n".join(map(_read, scripts))
            cls._css = "\n".join([f".bb-widget {{ {css_variables()} }}", *map(_read, styles)])
        super().__init_subclass__(**kwargs)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
