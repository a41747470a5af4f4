"""Call a function in a fork of one process that has imported what writes pages, longer work than a small book."""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from unittest import mock

FORKING = "forkserver" in multiprocessing.get_all_start_methods()  # on Windows each process imports all by itself
FORKS = multiprocessing.get_context("forkserver" if FORKING else "spawn")
# Jupyter Book, and what it imports once it runs. What is not named here, each fork imports anew, and that is all.
IMPORTS = """
    __main__ book_files anywidget bs4 fontTools.subset ipywidgets jupyter_book.cli.main jupyter_book.sphinx jupytext
    myst_nb.sphinx_ext notfound.extension pybtex.database.input.bibtex sphinx.builders.html sphinx_book_theme
    sphinx_copybutton sphinx_design.extension sphinx_exercise sphinx_external_toc sphinx_jupyterbook_latex sphinx_thebe
    sphinx_togglebutton sphinxcontrib.bibtex sphinxext.opengraph tinycss2
"""
if FORKING:
    FORKS.set_forkserver_preload(IMPORTS.split())


def start() -> None:
    """Let the process import meanwhile, unless it does, or this is a fork of it."""
    if not FORKING or is_child():
        return
    from multiprocessing import forkserver

    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    with mock.patch.dict(os.environ, PYTHONPATH=path):  # where it looks for the modules
        forkserver.ensure_running()


def is_child() -> bool:
    """Say whether another process started this one; then all is imported here, too."""
    return multiprocessing.parent_process() is not None


def run(call: Callable, *arguments: object, folder: Path, environment: dict[str, str], hear: Callable) -> int:
    """Make the call in a folder, let each line of its output be heard as it comes, and return the exit status."""
    start()
    context = multiprocessing.get_context("fork") if FORKING and is_child() else FORKS
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(call, arguments, folder, environment, sender))
    process.start()
    sender.close()
    try:
        with receiver:
            for line in _lines(receiver):
                hear(line)
    except BaseException:
        process.terminate()
        raise
    finally:
        process.join()
    return process.exitcode


def _lines(receiver) -> Iterator[str]:
    """Yield the lines that come through a pipe, until its other end is closed, or its process killed."""
    begun = b""
    with suppress(EOFError, OSError):
        while True:
            *lines, begun = (begun + receiver.recv_bytes()).split(b"\n")
            yield from (f"{line.decode()}\n" for line in lines)
    if begun:
        yield begun.decode(errors="replace")


class _Pipe(io.RawIOBase):
    """Takes what is printed."""

    def __init__(self, sender):
        self.sender = sender

    def writable(self) -> bool:
        return True

    def write(self, content) -> int:
        self.sender.send_bytes(content)
        return len(content)


def _call(call, arguments, folder, environment, sender) -> None:
    """Do what a new process does before the call."""
    pipe = io.BufferedWriter(_Pipe(sender))
    sys.stdout = sys.stderr = io.TextIOWrapper(pipe, "utf-8", "backslashreplace", newline="\n", line_buffering=True)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    os.chdir(folder)
    call(*arguments)
