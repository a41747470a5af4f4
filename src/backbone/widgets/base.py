"""What every widget of the book shares."""

from __future__ import annotations

import inspect
from pathlib import Path

import anywidget

from backbone.palette import css_variables

HERE = Path(__file__).parent


class BookWidget(anywidget.AnyWidget):
    """A widget whose JavaScript is ``widget.js`` beside its class, with the shared kit in front of it.

    The kit is joined to it here because a module that a notebook loads from memory cannot import a neighbor. The kit
    therefore exports nothing and ``widget.js`` imports nothing.

    Attributes:
        shared: further files of this folder, such as "lenet.js", that come between the kit and ``widget.js``.
    """

    shared: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):
        # traitlets makes a further subclass of each instance's class, which already has its own.
        if "_esm" not in vars(cls):
            folder = Path(inspect.getfile(cls)).parent
            parts = [HERE / "kit.js", *(HERE / name for name in cls.shared), folder / "widget.js"]
            cls._esm = "\n".join(map(_read, parts))
            cls._css = f".bb-widget {{ {css_variables()} }}\n" + _read(HERE / "kit.css")
        super().__init_subclass__(**kwargs)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
