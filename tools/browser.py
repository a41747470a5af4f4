"""Find a browser, and serve it a folder, the same way everywhere: for the tests and for `make bench`.

An installed Chromium or Chrome comes first, then Playwright's own, which is fetched once where it is missing. Run as a
command, as `make test` does, it makes sure that there is one: on Debian, as root, apt installs it.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

VARIABLE = "BACKBONE_BROWSER"
# Debian's Chromium without windows comes first: the same engine, and the tests cost it a quarter less.
SHELL = "chromium-headless-shell"
COMMANDS = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
USUAL_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "~/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Google\Chrome\Application\chrome.exe",
    r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
)
ADVICE = (
    "Install Chromium or Chrome (Debian: sudo apt-get install chromium; elsewhere: https://www.google.com/chrome), "
    f"or name one with {VARIABLE}=/path/to/chrome."
)
# The pages may ask nobody for anything; nor may the browser itself, so that a stray request is surely the page's.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--font-render-hinting=none",  # letters as wide as on a screen, also without windows
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
SECONDS_TO_FETCH = 600


class NoBrowserError(RuntimeError):
    """There is no browser to be had; the message says what to install."""


def launch(playwright: Playwright) -> Browser:
    """Start the first browser that starts, without a window; raise NoBrowserError where none does."""
    failures = []
    for path in candidates(playwright):
        try:
            return playwright.chromium.launch(executable_path=path, args=flags())
        except Error as error:
            failures.append(f"{path} does not start ({error.message.splitlines()[0]})")
    failures = failures or ["No Chromium or Chrome was found, and none could be fetched"]
    raise NoBrowserError(f"{'; '.join(failures)}. {ADVICE}")


def candidates(playwright: Playwright) -> Iterator[str]:
    """Name the browsers to try, best first. The last one is fetched only when all others are used up."""
    if named := os.environ.get(VARIABLE):
        if not (path := shutil.which(named)):
            raise NoBrowserError(f"{VARIABLE} is {named!r}, which is no program. {ADVICE}")
        yield path
        return
    yield from installed()
    own = Path(playwright.chromium.executable_path)
    if own.exists() or fetch():
        yield str(own)


def installed() -> list[str]:
    """List the browsers of this computer."""
    on_path = [shutil.which(command) for command in COMMANDS]
    usual = [os.path.expanduser(os.path.expandvars(path)) for path in USUAL_PATHS]
    return [path for path in on_path if path] + [path for path in usual if os.path.isfile(path)]


def install() -> bool:
    """Let apt install Chromium where this is Debian and we are root, and say whether it could.

    Ubuntu's package is a snap, which does not start in a container; Playwright's own does.
    """
    if not shutil.which("apt-get") or "ID=debian" not in release() or os.geteuid() != 0:
        return False
    print(f"No browser is installed; installing {SHELL} with apt-get ...", file=sys.stderr, flush=True)
    apt = ["apt-get", "-q", "-y"]
    # It may say no for one source, and have the package all the same.
    subprocess.run([*apt, "update"], stdout=sys.stderr)
    done = subprocess.run([*apt, "install", "--no-install-recommends", SHELL], stdout=sys.stderr)
    return done.returncode == 0


def release() -> list[str]:
    """Return the lines that tell which Linux this is."""
    path = Path("/etc/os-release")
    return path.read_text("utf-8").splitlines() if path.is_file() else []


def fetch() -> bool:
    """Let Playwright fetch its own Chromium, and say whether it could."""
    print("No browser is installed; fetching Playwright's own Chromium ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    if "ID=ubuntu" in release() and os.geteuid() == 0:
        command.insert(-1, "--with-deps")  # the libraries that it needs, from apt
    try:
        return subprocess.run(command, capture_output=True, timeout=SECONDS_TO_FETCH).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main() -> int:
    """Make sure that there is a browser, or say in one sentence what to install."""
    if os.environ.get(VARIABLE) or installed() or install():
        return 0
    with sync_playwright() as playwright:
        if Path(playwright.chromium.executable_path).exists() or fetch():
            return 0
    print(f"No Chromium or Chrome was found, and none could be fetched. {ADVICE}", file=sys.stderr)
    return 1


def flags() -> list[str]:
    """Return the command line of the browser; its sandbox cannot work for root on Linux."""
    root = sys.platform == "linux" and os.geteuid() == 0
    return [*FLAGS, "--no-sandbox"] if root else list(FLAGS)


@dataclass
class Server:
    """A folder on an address of this computer, and the requests that it could not answer."""

    url: str
    missing: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a folder on a free port of 127.0.0.1, without a word, until the block ends."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_request(self, code="-", size="-"):
            if int(code) >= 400:
                server.missing.append(self.path)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server = Server(f"http://127.0.0.1:{listener.server_port}")
        listener.handle_error = lambda *_: None  # a page that is closed early breaks off its requests
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server
        finally:
            listener.shutdown()


if __name__ == "__main__":
    sys.exit(main())
