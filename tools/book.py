"""Build the book: check the notebooks, execute the chapters, let Jupyter Book write the pages.

    python tools/book.py

A build that fails stays failed until it is mended, and its last line says what to do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import execution
import forks
import glued
import korean
import notebooks
import outline

ROOT = Path(__file__).resolve().parent.parent
# A line of Sphinx's that says what is wrong: its own warnings and errors, or the last line of a traceback.
COMPLAINT = re.compile(r"(?:WARNING|ERROR|CRITICAL): |^[\w.]+Error: \S")
ERROR = re.compile(r"^(?:backbone_book\.Page|edition\.Edition)Error: ")
CARD = re.compile(r"summary_[\w-]+\.png")
COLOR = re.compile(r"\x1b\[[\d;]*m")


class BuildError(Exception):
    """What stopped the build, in one sentence."""


def main() -> int:
    """Build, and end with one line that says how to open the site or what to mend."""
    os.environ |= execution.environment(ROOT)
    forks.start()
    started = time.perf_counter()
    try:
        build(ROOT)
    except (BuildError, execution.ExecutionError, notebooks.NotebookError) as error:
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
        for book in (root, root / "_build" / korean.CODE):
            shutil.rmtree(book / "_build" / ".doctrees", ignore_errors=True)
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.touch()
    keys = execution.execute_chapters(root)
    write_pages(root, told(root, keys, execution.cache_folder(root)))
    forget_pages(root / "_build" / "html", root)
    if korean.pages(root):
        build_korean(root, keys)
    else:
        shutil.rmtree(root / "_build" / "html" / korean.CODE, ignore_errors=True)
    unfinished.unlink()
    compare_numbers(root, keys)


def build_korean(root: Path, keys: dict[str, str]) -> None:
    """Make `_build/html/ko`, the Korean pages, from the outputs of the English chapters."""
    site = korean.assemble(root, {name: chapter.minutes for name, chapter in outline.chapters(root).items()})
    outputs, made = root / "_build" / "outputs-ko", {}
    for name, key in keys.items():
        file, page = execution.kept_at(root, root / f"{name}.md", key), site / f"{name}.md"
        made[page] = execution.with_cells_of(execution.read_kept(file), execution.read(page))
    execution.fill_cache(outputs, made)
    write_pages(site, told(root, keys, outputs) | {"english": str(root / "_build" / "html")})
    forget_pages(site / "_build" / "html", root)
    korean.publish(root)


def told(root: Path, keys: dict[str, str], outputs: Path) -> dict:
    """Return what the extension is told.

    That is where the outputs lie, which of them are new, with what and when they were computed, the site's address, and
    which pages are there in Korean.
    """
    runs = {name: of_run(execution.kept_at(root, root / f"{name}.md", key)) for name, key in keys.items()}
    address = notebooks.repository(root).pages_url
    return {"outputs": str(outputs), "keys": keys, "runs": runs, "address": address, "korean": korean.pages(root)}


def of_run(file: Path) -> dict[str, str]:
    """Return of the run that outputs come from the versions, the day and the seconds; what is installed was so then."""
    seconds, day = execution.run_of(file)
    versions = ", ".join(f"{name} {number}" for name, number in glued.installed().items())
    return {"versions": versions, "day": day.isoformat() if day else "", "seconds": str(max(1, round(seconds)))}


def compare_numbers(root: Path, keys: dict[str, str]) -> None:
    """Compare what was computed with what the notebooks show; raise BuildError where it is something else.

    The pages are written by then, because whoever changed an experiment wants to see them.
    """
    wrong = []
    for docname, key in keys.items():
        new = glued.computed(execution.kept_at(root, root / f"{docname}.md", key))
        said, others = glued.compare(docname, glued.stored(root, docname), new)
        wrong += said
        if others:
            print(f"{docname}: {len(others)} numbers differ a little from the notebook's: {', '.join(others)}")
    for sentence in notebooks.unknown(root):
        print(sentence)
    if wrong:
        raise BuildError(
            "The pages are written, but they show other numbers than the notebooks. If you changed what is computed, "
            'run "make notebooks" and commit; if not, find out why:\n' + "\n".join(wrong)
        )


def forget_pages(site: Path, root: Path) -> None:
    """Delete the pages of chapters that are no more, which an old link would open, and the cards that no page names.

    Sphinx leaves both, and whoever takes the site along would carry them.
    """
    for page in (site / "chapters").glob("*.html"):
        if not (root / "chapters" / f"{page.stem}.md").exists():
            page.unlink()
    named = set(CARD.findall("".join(page.read_text("utf-8") for page in site.rglob("*.html"))))
    for card in (site / "_images" / "social_previews").glob("*.png"):
        if card.name not in named:
            card.unlink()


def write_pages(root: Path, told: dict) -> None:
    """Run Jupyter Book with warnings as errors, showing its output as it comes."""
    complaints = []

    def hear(line: str) -> None:
        print(line, end="", flush=True)
        if COMPLAINT.search(line := COLOR.sub("", line)):
            complaints.append(ERROR.sub("", line.strip()).replace(f"{root}/", ""))

    environment = os.environ | {"BACKBONE_BUILD": json.dumps(told)}
    if forks.run(jupyter_book, root, folder=Path.cwd(), environment=environment, hear=hear):
        first = complaints[0] if complaints else "Jupyter Book stopped; the lines above say where."
        raise BuildError(f"Mend this and build again ({len(complaints)} in all):\n{first}")


def jupyter_book(root: Path) -> None:
    """Write the pages, in a process of its own."""
    from jupyter_book.cli.main import main

    main(["build", str(root), "-W", "-n", "--keep-going"])


if __name__ == "__main__":
    sys.exit(main())
