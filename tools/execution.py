"""Execute the chapters whose outputs are not known yet, several at a time, and hand the outputs to Jupyter Book.

An executed chapter is kept as `_build/executed/chapters/NAME/KEY.ipynb`. The key is a hash of everything its outputs
depend on: its own code, the files of the package that it uses (uses.py), Python and the versions of all that runs in
it. What is kept under the present key is therefore never stale, and going back to an older state finds the older
outputs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import re
import shutil
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from textwrap import shorten

import book_files
import uses

SECONDS_A_CELL = 300
KEPT = 3  # states of each chapter
RUN_BY = ("backbone-book", "ipykernel", "jupyter-cache")  # what chapters import, what runs them, what keeps them
MEMORY_A_CHAPTER = 2 << 30  # bytes; the largest took 1.3 GiB


class ExecutionError(Exception):
    """What failed in which chapter, a line each."""


@dataclass(frozen=True)
class Executed:
    """A chapter after its run: the notebook with outputs, the seconds it took, and what failed, if anything."""

    notebook: object
    seconds: float
    failure: str | None


def execute_chapters(root: Path) -> dict[str, str]:
    """Make sure that every chapter's outputs are kept; return the key of each chapter by its name.

    Raises:
        ExecutionError: a cell failed, or a page would show a Python warning.
    """
    chapters = {path: read(path) for path in book_files.executed(root)}
    kept = {path: kept_at(root, path, key(root, notebook)) for path, notebook in chapters.items()}
    missing = [path for path, file in kept.items() if not file.exists()]
    if missing:
        at_once = chapters_at_once(len(missing))
        print(f"Chapters: {len(missing)} to execute, {at_once} at a time.", flush=True)
        execute_all(root, {path: chapters[path] for path in missing}, kept, at_once)
    else:
        print("Chapters: none to execute.")
    for file in kept.values():
        prune(file)
    fill_cache(cache_folder(root), {path: kept_notebook(file, chapters[path]) for path, file in kept.items()})
    return {path.relative_to(root).with_suffix("").as_posix(): file.stem for path, file in kept.items()}


def latest(root: Path) -> dict[str, Path]:
    """Return the kept outputs of the chapters that a build need not execute, by the chapters' names."""
    found = {}
    for path in book_files.chapters(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        if (root / "_build" / "executed" / name).is_dir() and path.exists():
            file = kept_at(root, path, key(root, read(path)))
            found |= {name: file} if file.exists() else {}
    return found


def kept_of(root: Path, docname: str) -> Path | None:
    """Return the kept outputs of a page as it is now, if there are any."""
    path = root / f"{docname}.md"
    file = kept_at(root, path, key(root, read(path)))
    return file if file.exists() else None


def read(path: Path):
    """Read a chapter as Jupyter Book does."""
    from myst_nb.core.read import read_myst_markdown_notebook

    return read_myst_markdown_notebook(path.read_text("utf-8"), path=path, add_source_map=True)


def code_cells(notebook) -> list:
    """Return the cells that a kernel runs."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def key(root: Path, notebook) -> str:
    """Return a hash of everything the outputs of a chapter depend on."""
    code = code_cells(notebook)
    cells = [cell.source for cell in code]
    may_fail = ["raises-exception" in cell.metadata.get("tags", []) for cell in code]  # the only tag that a kernel sees
    digest = hashlib.sha256("\0".join([surroundings(root), *cells, str(may_fail)]).encode())
    for path in sorted(files_used(cells, root / "src")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def files_used(cells: list[str], src: Path) -> set[Path]:
    """Return the files of the package that the outputs of the cells can depend on."""
    # Lines for IPython alone, such as %timeit, are no Python and import nothing of ours.
    source = "\n".join(re.sub(r"^[%!].*$", "", cell, flags=re.MULTILINE) for cell in cells)
    try:
        return uses.files_used(source, src)
    except (SyntaxError, ValueError):  # executed, so that the build names the cell and the error
        return {path for path in src.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def environment(root: Path) -> dict[str, str]:
    """Return the variables under which chapters are executed."""
    return {
        "OMP_NUM_THREADS": "1",  # the same seed gives other bits with another number of threads
        "TQDM_DISABLE": "1",  # no progress bars on the pages
        # A page is the same with and without a network, and whatever was downloaded before.
        "BACKBONE_OFFLINE": "1",
        "BACKBONE_DATA": str(root / "_build" / "no-downloads"),
    }


@cache
def surroundings(root: Path) -> str:
    """Name Python, the versions that outputs can depend on, and the variables that the package asks for.

    What writes the site or tests it is not among them: a new pin of Sphinx executes no chapter.
    """
    versions = {f"{name}=={importlib.metadata.version(name)}" for name in needed(RUN_BY)}
    known = os.environ | environment(root)
    # Without the book's own place: a copy of `_build` in another folder is as good.
    variables = {
        f"{name}={value}".replace(f"{root}{os.sep}", "")
        for name, value in known.items()
        if name.startswith("BACKBONE_")
    }
    return "\n".join([platform.python_version(), *sorted(versions), *sorted(variables)])


def needed(names: tuple[str, ...]) -> set[str]:
    """Return the installed distributions of these names, and all that they ask for in turn."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found, todo = {}, [(name, set()) for name in names]
    while todo:
        name, extras = todo.pop()
        name = canonicalize_name(name)
        if name in found and extras <= found[name]:
            continue
        try:
            asked = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # asked for on another system, or not at all
        found[name] = extras = found.get(name, {""}) | extras
        for one in map(Requirement, asked):
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append((one.name, one.extras))
    return set(found)


def chapters_at_once(wanted: int) -> int:
    """Return how many kernels may run side by side: one a core, each of one thread, as far as memory goes."""
    import psutil

    cores = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1
    return max(1, min(wanted, cores, psutil.virtual_memory().available // MEMORY_A_CHAPTER))


def execute_all(root: Path, chapters: dict, kept: dict[Path, Path], at_once: int) -> None:
    """Execute chapters side by side and keep what succeeds; say at the end what did not."""
    failures = []
    with ProcessPoolExecutor(at_once, initializer=end_with_the_build) as pool:
        jobs = {pool.submit(execute, notebook, str(path.parent)): path for path, notebook in chapters.items()}
        for job in as_completed(jobs):
            path = jobs[job]
            name = path.relative_to(root).as_posix()
            if isinstance(job.exception(), BrokenProcessPool):
                failures.append(f"{name}, its process was killed; the computer may have run out of memory")
                continue
            result = job.result()
            failure = result.failure or warned(result.notebook)
            print(f"  {name}: {result.seconds:.1f} s{' FAILED' if failure else ''}", flush=True)
            if failure:
                failures.append(f"{name}, {failure}")
            else:
                keep(kept[path], result)
    if failures:
        raise ExecutionError("\n".join(sorted(failures)))


def end_with_the_build() -> None:
    """Let this process end when the one that started it does: one that was killed tells nobody."""

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def execute(notebook, folder: str) -> Executed:
    """Run one notebook in its own kernel, in a folder; a failing cell ends it."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    reached = [0]
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        coalesce_streams=True,  # else a line printed in two parts can get an empty line after it
        record_timing=False,  # times would make each run's file another one
        resources={"metadata": {"path": folder}},
        on_cell_start=lambda cell, cell_index: reached.append(cell_index),
    )
    started = time.perf_counter()
    failure = None
    try:
        client.execute()
    except CellExecutionError as error:
        said = shorten(error.evalue, width=300, placeholder=" ...")  # NumPy's comparisons say many lines
        failure = f"{place(notebook, reached[-1])}: {error.ename}: {said}"
    except CellTimeoutError:
        failure = f"{place(notebook, reached[-1])}: TimeoutError: it ran longer than {SECONDS_A_CELL} s"
    except DeadKernelError:
        failure = f"{place(notebook, reached[-1])}: the kernel died; it may have run out of memory"
    except RuntimeError as error:  # Jupyter's, where a kernel does not answer at its start
        failure = f"the kernel did not start: {shorten(str(error), width=300, placeholder=' ...')}"
    return Executed(notebook, time.perf_counter() - started, failure)


def warned(notebook) -> str | None:
    """Return what the first cell with a Python warning says, if any does: readers would see it in red."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                said = re.sub(r"^\S+:\d+: ", "", output.text)  # a file that exists only while the kernel runs
                said = shorten(said, width=200, placeholder=" ...")
                return f"{place(notebook, index)} warns; change it until it does not: {said}"
    return None


def place(notebook, index: int) -> str:
    """Name a cell as its author finds it: the line in the source and its number among the code cells."""
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    line = notebook.metadata.get("source_map", [None] * (index + 1))[index]
    return f"code cell {number}" if line is None else f"line {line + 1} (code cell {number})"


# --- What is kept ---------------------------------------------------------------------------------------------


def kept_at(root: Path, chapter: Path, key: str) -> Path:
    """Return the file that keeps, or will keep, a chapter executed under a key."""
    return root / "_build" / "executed" / chapter.relative_to(root).with_suffix("") / f"{key}.ipynb"


def keep(file: Path, result: Executed) -> None:
    """Write an executed chapter down, whole or not at all."""
    import nbformat

    file.parent.mkdir(parents=True, exist_ok=True)
    result.notebook.metadata["execution_seconds"] = round(result.seconds, 1)
    result.notebook.metadata["execution_date"] = datetime.now(UTC).date().isoformat()
    unfinished = file.with_suffix(".unfinished")
    nbformat.write(result.notebook, unfinished)
    unfinished.replace(file)


def run_of(file: Path) -> tuple[float, date | None]:
    """Return how many seconds a kept chapter took, and the day, which is unknown where an older version kept it."""
    metadata = json.loads(file.read_text("utf-8"))["metadata"]
    day = metadata.get("execution_date")
    return metadata["execution_seconds"], day and date.fromisoformat(day)


def prune(current: Path) -> None:
    """Delete all but the newest states of a chapter: each edit of what it uses makes one."""
    os.utime(current)
    files = sorted(current.parent.glob("*.ipynb"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[KEPT:]:
        file.unlink()


def cache_folder(root: Path) -> Path:
    """Return the folder where Jupyter Book finds the outputs."""
    return root / "_build" / "outputs"


def read_kept(file: Path):
    """Return a kept notebook."""
    import nbformat

    return nbformat.read(file, as_version=4)


def kept_notebook(file: Path, chapter):
    """Return a kept notebook with the cells of a chapter as it is now, and keep it so.

    The key knows nothing of the tags that hide code, but Jupyter Book finds outputs by all of a cell's tags.
    """
    import nbformat

    notebook = with_cells_of(read_kept(file), chapter)
    nbformat.write(notebook, file)
    return notebook


def with_cells_of(notebook, chapter):
    """Return an executed notebook with the source and tags of another's cells, whose outputs are the same."""
    for cell, present in zip(code_cells(notebook), code_cells(chapter), strict=True):
        cell.source, cell.metadata = present.source, present.metadata
    return notebook


def fill_cache(folder: Path, notebooks: dict) -> None:
    """Make a folder of outputs anew: the executed notebook of each chapter, by its path, and nothing else."""
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    shutil.rmtree(folder, ignore_errors=True)
    outputs = get_cache(str(folder))
    for chapter, notebook in notebooks.items():
        seconds = notebook.metadata.pop("execution_seconds")
        notebook.metadata.pop("execution_date", None)
        bundle = CacheBundleIn(notebook, str(chapter), data={"execution_seconds": seconds})
        outputs.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
