"""Call a function in a fork of one process that has imported what writes pages, longer work than a small book."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import os
import sys
from collections.abc import Callable
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
# Jupyter Book, and what it imports once it runs. What is not named here, each fork imports anew, and that is all.
IMPORTS = """
    __main__ book_files anywidget bs4 fontTools.subset ipywidgets jupyter_book.cli.main jupyter_book.sphinx jupytext
    myst_nb.sphinx_ext notfound.extension pybtex.database.input.bibtex sphinx.builders.html sphinx_book_theme
    sphinx_copybutton sphinx_design.extension sphinx_exercise sphinx_external_toc sphinx_jupyterbook_latex sphinx_thebe
    sphinx_togglebutton sphinxcontrib.bibtex sphinxext.opengraph tinycss2
"""
FORKS.set_forkserver_preload(IMPORTS.split())


def start() -> None:
    """Let the process import meanwhile, unless it does or this is a fork of it."""
    if is_fork():
        return
    path = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{Path(__file__).parent}{os.pathsep}{path}"  # where it looks for the modules
    multiprocessing.forkserver.ensure_running()
    os.environ["PYTHONPATH"] = path


def is_fork() -> bool:
    """Say whether this process is a fork, in which all is imported."""
    return multiprocessing.parent_process() is not None


def run(call: Callable, *arguments: object, folder: Path, environment: dict[str, str], hear: Callable) -> int:
    """Make the call in a folder, let each line of its output be heard as it comes, and return the exit status."""
    start()
    context = multiprocessing.get_context("fork") if is_fork() else FORKS
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(call, arguments, folder, environment, sender))
    process.start()
    sender.close()
    with open(receiver.fileno(), encoding="utf-8", errors="replace", closefd=False) as lines:
        for line in lines:
            hear(line)
    receiver.close()
    process.join()
    return process.exitcode


def _call(call, arguments, folder, environment, sender) -> None:
    """Do what a new process does before the call."""
    for standard in (sys.stdout, sys.stderr):
        os.dup2(sender.fileno(), standard.fileno())
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    os.chdir(folder)
    call(*arguments)
