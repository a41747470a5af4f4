"""Rebuild the book whenever a source changes, and reload the page in the browser.

Usage: ``python tools/watch.py [PORT]``
"""

import subprocess
import sys
from pathlib import Path

from livereload import Server

ROOT = Path(__file__).resolve().parent.parent
WATCHED = (
    "*.md",
    "*.yml",
    "references.bib",
    "chapters/*.md",
    "chapters/ko/*.md",
    "ko/*.md",
    "src/backbone/**/*.py",
    "src/backbone/**/*.js",
    "src/backbone/**/*.css",
    "src/backbone/**/*.json",
    "_static/*",
    "_ext/*.py",
)


def rebuild() -> None:
    """Renew the notebooks and build; a failure is printed and the watch goes on."""
    for tool in ("notebooks.py", "book.py"):
        subprocess.run([sys.executable, str(ROOT / "tools" / tool)], cwd=ROOT, check=False)


def main(port: int) -> None:
    """Build once, then serve and watch until the reader presses Ctrl-C."""
    rebuild()
    server = Server()
    for pattern in WATCHED:
        server.watch(str(ROOT / pattern), rebuild)
    print(f"Watching. http://localhost:{port}  (Ctrl-C ends it)")
    server.serve(root=str(ROOT / "_build" / "html"), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
