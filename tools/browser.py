"""Find a browser and start it the same way everywhere: for the tests and for `make bench`.

An installed Chromium or Chrome comes first, then Playwright's own, which is fetched once where it is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright

VARIABLE = "BACKBONE_BROWSER"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
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
    "Install Chromium or Chrome (Debian, Ubuntu: apt install chromium; elsewhere: https://www.google.com/chrome), "
    f"or name one with {VARIABLE}=/path/to/chrome."
)
# The pages may ask nobody for anything; nor may the browser itself, so that a stray request is surely the page's.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
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
    raise NoBrowserError(
        ". ".join(failures or ["No Chromium or Chrome was found, and none could be fetched"]) + f". {ADVICE}"
    )


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


def fetch() -> bool:
    """Let Playwright fetch its own Chromium, and say whether it could."""
    print("No browser is installed; fetching Playwright's own Chromium ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        return subprocess.run(command, capture_output=True, timeout=SECONDS_TO_FETCH).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def flags() -> list[str]:
    """Return the command line of the browser; its sandbox cannot work for root on Linux."""
    root = sys.platform == "linux" and os.geteuid() == 0
    return [*FLAGS, "--no-sandbox"] if root else list(FLAGS)
