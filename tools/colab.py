"""Prove that the notebooks run as on Colab, from the last commit.

    python tools/colab.py            in an environment made for this run and deleted after it
    python tools/colab.py --keep     in one that stays in _build/colab, which is quicker the next time
    python tools/colab.py --newest   with the newest torch instead of the one in requirements.txt

A fresh clone stands in for GitHub, a fresh environment for Colab's machine: ipywidgets 7.7.1, the scientific packages,
and nothing that builds the book. Each notebook runs in an empty folder. The first one must install the package by its
own first cell, from the address in `_config.yml`; git is told to fetch that address from the clone.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import book
import execution
import korean
import notebooks
from book import BuildError

ROOT = Path(__file__).resolve().parents[1]
KOREAN = "chapters/dropout"  # the chapter whose Korean notebook is run
HANGUL = re.compile("[가-힣]")
WIDGETS = "7.7.1"
COLAB = (f"ipywidgets=={WIDGETS}", "ipykernel", "matplotlib", "nbclient", "numpy", "scikit-image", "scipy")
ABSENT = ("backbone", "jupyter_book", "jupytext", "myst_nb")
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

# What the environment's own Python runs: execute one notebook, keep it with its outputs, print what failed.
RUNNER = """
import os.path
import sys
import nbformat
sys.path.insert(0, sys.argv[1])
import execution
notebook = nbformat.read(sys.argv[2], as_version=4)
probe = "import backbone, ipywidgets; print(backbone.__file__, ipywidgets.__version__, sep='\\\\n')"
notebook.cells.append(nbformat.v4.new_code_cell(probe))
print(execution.execute(notebook, os.path.dirname(sys.argv[3])).failure or "")
nbformat.write(notebook, sys.argv[3])
"""
MISSING = "import sys, importlib.util as u; print(*[n for n in sys.argv[1:] if u.find_spec(n) is None])"


def main() -> int:
    """Run the check, and end with one line that says how it went."""
    parser = argparse.ArgumentParser(description="Run every notebook as on Colab.")
    parser.add_argument("--keep", action="store_true", help="keep the environment in _build/colab, and reuse it")
    parser.add_argument("--newest", action="store_true", help="take the newest torch, whatever is pinned")
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="backbone-colab-") as folder:
        # Where the system's own temporary folder is a link, Python inside the environment reports the real path.
        work = Path(folder).resolve()
        venv = ROOT / "_build" / "colab" if options.keep else work / "venv"
        try:
            count = check(work, venv, options.newest)
        except (BuildError, notebooks.NotebookError) as error:
            print(f"\nNot ready for Colab. {error}", file=sys.stderr)
            return 1
    seconds = time.perf_counter() - started
    print(f"\nReady for Colab: every notebook ran top to bottom ({count} in {seconds:.0f} s).")
    return 0


def check(work: Path, venv: Path, newest: bool) -> int:
    """Run all notebooks of the last commit; return how many, or raise BuildError."""
    clone, empty = work / "clone", work / "content"
    empty.mkdir()
    announce()
    run(["git", "clone", "--quiet", str(ROOT), str(clone)])
    # The Korean notebooks have the English code (tests/test_korean.py): one of them stands for all.
    twins = [*twins_of(clone), (clone / korean.source_name(KOREAN)).with_suffix(".ipynb")]
    if missing := [twin.relative_to(clone).as_posix() for twin in twins if not twin.exists()]:
        raise BuildError(f'{", ".join(missing)}: not in the last commit; run "make notebooks" and commit.')
    env = environment(clone, notebooks.repository(clone).url)
    print("  Installing what Colab has ...", flush=True)
    make_environment(venv, newest, env)
    try_one = partial(try_notebook, venv=venv, empty=empty, env=env)
    # The first one alone, because it installs the package for all.
    failures = [try_one(twins[0])]
    if not any(failures):
        with ThreadPoolExecutor(execution.chapters_at_once(len(twins))) as pool:
            failures += pool.map(try_one, twins[1:])
    if any(failures):
        raise BuildError("\n".join(filter(None, failures)))
    return len(twins)


def twins_of(root: Path) -> list[Path]:
    """Return the notebooks of the chapters, in reading order, whether they are there or not."""
    return [root / f"{docname}.ipynb" for docname in notebooks.read_book(root)[0].chapters]


def announce() -> None:
    """Name the commit that is checked, and what differs from it here and so is not."""
    print(f"Checking commit {run(['git', '-C', str(ROOT), 'log', '-1', '--format=%h (%s)'])}", flush=True)
    changes = run(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=all"]).splitlines()
    if changes:
        names = [line.strip().split(maxsplit=1)[1] for line in changes]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        print(f"NOTE: not committed, so not part of this check: {', '.join(names[:5])}{more}", flush=True)


def environment(clone: Path, url: str) -> dict[str, str]:
    """Return this process's environment without what names its Python, and with git sent to the clone."""
    mine = ("PYTHON", "JUPYTER", "IPYTHON", "VIRTUAL_ENV", "MPLBACKEND")
    env = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    number = int(env.get("GIT_CONFIG_COUNT") or 0)
    return env | {
        "OMP_NUM_THREADS": "1",
        "BACKBONE_OFFLINE": "1",  # official weights are hundreds of megabytes, and servers fail
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": f"url.file://{clone}.insteadOf",
        f"GIT_CONFIG_VALUE_{number}": url,
    }


def make_environment(venv: Path, newest: bool, env: dict[str, str]) -> None:
    """Make or renew a virtual environment that has what Colab has, and prove that it has no more."""
    python = str(venv / "bin" / "python")
    if not Path(python).exists():
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(venv)], env=env)
    pinned = re.search(r"^torch\b.*", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    torch = "torch" if newest or not pinned else pinned[0]
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "uninstall", "--yes", "backbone-book", "anywidget"], env=env)
    run([*pip, "install", *(["--upgrade"] if newest else []), torch, *COLAB], env=env)
    found = set(ABSENT) - set(run([python, "-c", MISSING, *ABSENT], env=env).split())
    if found:
        raise BuildError(f"The environment already has {', '.join(sorted(found))}: run it without --keep.")


def try_notebook(twin: Path, venv: Path, empty: Path, env: dict[str, str]) -> str | None:
    """Run one notebook; return what is wrong with it, if anything."""
    import nbformat

    name = twin.as_posix()[twin.as_posix().rindex("chapters/") :]
    kept = empty / name.replace("/", "-")
    started = time.perf_counter()
    arguments = [RUNNER, str(Path(book.__file__).parent), str(twin), str(kept)]
    try:
        failure = run([str(venv / "bin" / "python"), "-c", *arguments], env=env, cwd=empty)
        executed = nbformat.read(kept, as_version=4)
        kept.unlink()
        failure = failure + pip_error(executed) if failure else wrong(executed, venv)
    except BuildError as error:
        failure = str(error)
    state = "FAILED" if failure else f"widgets shown: {len(views(executed))}"
    print(f"  {name}: {time.perf_counter() - started:.1f} s, {state}", flush=True)
    return f"{name}, {failure}" if failure else None


def wrong(executed, venv: Path) -> str | None:
    """Return what is wrong with a notebook that ran to its end: its package, its versions or its widgets."""
    package, version = executed.cells[-1].outputs[0].text.split("\n")[:2]
    if not Path(package).is_relative_to(venv / "lib"):
        return f"first code cell: it took the package from {package} instead of installing it."
    if version != WIDGETS:
        return f"first code cell: the package brought ipywidgets {version}; pyproject.toml must allow {WIDGETS}."
    models = executed.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    shown = set()
    for index, model_id in views(executed):
        state = models.get(model_id, {}).get("state", {})
        source = executed.metadata.get("backbone", {}).get("source", "")
        if korean.CODE in source.split("/") and not HANGUL.search(state.get("_esm", "")):
            return f"{execution.place(executed, index)}: its widget does not speak Korean."
        if not state.get("_esm"):
            return f"{execution.place(executed, index)}: its widget has no JavaScript, so nothing would be drawn."
        shown.add(state["_anywidget_id"].rpartition(".")[2])
    for index, cell in enumerate(executed.cells):
        if absent := imported_widgets(cell) - shown:
            return f"{execution.place(executed, index)}: {', '.join(sorted(absent))} is imported but never shown."
    return None


def views(executed) -> list[tuple[int, str]]:
    """Return the cell and the model of each view of a widget of ours; the progress bars are ipywidgets' own."""
    models = executed.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    found = [
        (index, output.data[VIEW]["model_id"])
        for index, cell in enumerate(executed.cells)
        for output in cell.get("outputs", [])
        if VIEW in output.get("data", {})
    ]
    return [one for one in found if not models.get(one[1], {}).get("model_module", "").startswith("@jupyter-widgets/")]


def imported_widgets(cell) -> set[str]:
    """Return the widget classes that a cell imports; constants are left out."""
    if cell.cell_type != "code":
        return set()
    lists = re.findall(r"^from backbone\.widgets\S* import (\([^)]*\)|.*)", cell.source, re.MULTILINE)
    return {name for names in lists for name in re.findall(r"\b[A-Z]\w*[a-z]\w*", names)}


def pip_error(executed) -> str:
    """Return what pip complained of: a failed install shows only later, as a missing module."""
    texts = (output.get("text", "") for cell in executed.cells for output in cell.get("outputs", []))
    errors = re.findall(r"^(?:ERROR|fatal): .*", book.COLOR.sub("", "".join(texts)), re.MULTILINE)
    return f" (pip: {errors[-1].strip()})" if errors else ""


def run(command: list[str], **options) -> str:
    """Run a command and return what it printed, or raise BuildError with its last words."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        words = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in words if line.startswith(("ERROR", "fatal", "error"))] or words
        shown = " ".join(part for part in command[:4] if "\n" not in part)
        raise BuildError(f"`{shown} ...` failed: {errors[-1] if errors else 'it said nothing'}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
