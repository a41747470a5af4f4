"""Build the book: check the notebooks, execute the chapters two at a time, let Jupyter Book write the pages.

    python tools/book.py

A build that fails stays failed until it is mended, and its last line says what to do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import notebooks

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))
CHAPTERS_AT_ONCE = 2
SECONDS_A_CELL = 300
CACHES_KEPT = 3
# A line of Sphinx's that says what is wrong: its own warnings and errors, or the last line of a traceback.
COMPLAINT = re.compile(r"(?:WARNING|ERROR|CRITICAL): |^[\w.]+Error: \S")
COLOR = re.compile(r"\x1b\[[\d;]*m")


class BuildError(Exception):
    """What stopped the build, in one sentence."""


@dataclass(frozen=True)
class Executed:
    """A chapter after its run: the notebook with outputs, the seconds it took, and what failed, if anything."""

    notebook: object
    seconds: float
    failure: str | None


def main() -> int:
    """Build, and end with one line that says how to open the site or what to mend."""
    os.environ["OMP_NUM_THREADS"] = "1"  # the same seed gives other bits with another number of threads
    os.environ["TQDM_DISABLE"] = "1"  # no progress bars on the pages
    os.environ["BACKBONE_OFFLINE"] = "1"  # a page is the same with and without a network
    started = time.perf_counter()
    try:
        build(ROOT)
    except (BuildError, notebooks.NotebookError) as error:
        print(f"\nThe book is not built. {error}", file=sys.stderr)
        return 1
    index = ROOT / "_build" / "html" / "index.html"
    seconds = time.perf_counter() - started
    print(f"\nThe book is built ({seconds:.0f} s). Open {index.as_uri()} or run: make serve")
    return 0


def build(root: Path) -> None:
    """Make `_build/html` from the sources under `root`, or raise BuildError."""
    if found := notebooks.problems(root):
        raise BuildError("\n".join(found))
    # Sphinx remembers the pages of a failed build and forgets their warnings. So the mark stays until a build
    # succeeds, and whoever finds it starts from unread pages; a build that was killed leaves it too.
    unfinished = root / "_build" / "unfinished"
    if unfinished.exists():
        shutil.rmtree(root / "_build" / ".doctrees", ignore_errors=True)
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.touch()
    execute_chapters(root)
    write_pages(root)
    unfinished.unlink()


def execute_chapters(root: Path) -> None:
    """Execute every chapter that has no valid outputs yet, and keep the outputs for Jupyter Book."""
    from backbone_book import cache_folder
    from jupyter_cache import get_cache

    folder = cache_folder(root)
    cache = get_cache(str(folder))
    prune_caches(folder)
    for path in notebooks.chapters(root):
        cache.add_nb_to_project(str(path), read_data={"name": "myst_nb_md", "type": "plugin"})
    records = cache.list_unexecuted()
    wanted = {str(path) for path in notebooks.chapters(root)}
    records = [record for record in records if record.uri in wanted]
    if not records:
        print("Chapters: none to execute.")
        return
    print(f"Chapters: {len(records)} to execute, {CHAPTERS_AT_ONCE} at a time.", flush=True)
    failures = []
    with ProcessPoolExecutor(CHAPTERS_AT_ONCE) as pool:
        jobs = {pool.submit(execute, cache.get_project_notebook(r.pk).nb, r.uri): r for r in records}
        for job in as_completed(jobs):
            result, record = job.result(), jobs[job]
            name = Path(record.uri).relative_to(root).as_posix()
            failure = result.failure or warned(result.notebook)
            print(f"  {name}: {result.seconds:.1f} s{' FAILED' if failure else ''}", flush=True)
            if failure:
                failures.append(f"{name}, {failure}")
            else:
                keep(cache, record.uri, result)
    if failures:
        raise BuildError("\n".join(sorted(failures)))


def execute(notebook, uri: str) -> Executed:
    """Run one notebook in its own kernel; a failing cell ends it."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    reached = []
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        coalesce_streams=True,  # else a line printed in two parts can get an empty line after it
        record_timing=False,  # times would go into the key under which the outputs are kept
        resources={"metadata": {"path": str(Path(uri).parent)}},
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


def keep(cache, uri: str, result: Executed) -> None:
    """Store an executed chapter where Jupyter Book looks for it."""
    from jupyter_cache.base import CacheBundleIn

    bundle = CacheBundleIn(result.notebook, uri, data={"execution_seconds": result.seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def prune_caches(current: Path) -> None:
    """Delete all but the newest caches: each edit of the package makes one."""
    current.mkdir(parents=True, exist_ok=True)
    os.utime(current)
    folders = sorted(current.parent.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[CACHES_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def write_pages(root: Path) -> None:
    """Run Jupyter Book with warnings as errors, showing its output as it comes."""
    run = "from jupyter_book.cli.main import main; main()"  # it has no `python -m jupyter_book`
    command = [sys.executable, "-c", run, "build", str(root), "-W", "-n", "--keep-going"]
    complaints = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if COMPLAINT.search(line := COLOR.sub("", line)):
                complaints.append(line.strip().removeprefix("backbone_book.PageError: ").replace(f"{root}/", ""))
    if process.returncode:
        first = complaints[0] if complaints else "Jupyter Book stopped; the lines above say where."
        raise BuildError(f"Mend this and build again ({len(complaints)} in all):\n{first}")


if __name__ == "__main__":
    sys.exit(main())
