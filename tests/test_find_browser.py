"""tools/browser.py: which browser the tests start, and what it says where there is none. No browser is started."""

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import browser as browsers  # tools/browser.py
import pytest
from playwright.sync_api import Error

ROOT = Path(__file__).resolve().parents[1]


class Chromium:
    """Playwright's launcher: it starts the programs it is told to start."""

    def __init__(self, own, *starting):
        self.executable_path, self.starting, self.flags = str(own), starting, []

    def launch(self, executable_path, args):
        self.flags = args
        if executable_path not in self.starting:
            raise Error(f"Failed to launch {executable_path}\nand a long log")
        return f"running {executable_path}"


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """A computer without any browser, where none can be fetched."""
    monkeypatch.delenv(browsers.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browsers, "USUAL_PATHS", ())
    monkeypatch.setattr(browsers, "fetch", lambda: False)
    return tmp_path


def launch(chromium):
    return browsers.launch(SimpleNamespace(chromium=chromium))


def program(folder, name):
    path = folder / (f"{name}.exe" if sys.platform == "win32" else name)
    path.touch(mode=0o755)
    return str(path)


def test_without_any_browser_it_says_what_to_install(nothing):
    with pytest.raises(browsers.NoBrowserError, match=r"^No Chromium or Chrome was found.*Install Chromium or Chrome"):
        launch(Chromium(nothing / "own"))


def test_a_browser_that_does_not_start_is_named(nothing):
    path = program(nothing, "chromium")
    with pytest.raises(browsers.NoBrowserError, match=r"chromium.* does not start \(Failed to launch.*Install"):
        launch(Chromium(nothing / "own"))
    assert path.startswith(str(nothing))


def test_the_next_one_is_tried(nothing):
    program(nothing, "chromium")
    chrome = program(nothing, "google-chrome")
    assert launch(Chromium(nothing / "own", chrome)) == f"running {chrome}"


def test_usual_places_are_looked_into(nothing, monkeypatch):
    edge = program(nothing, "Some Browser")
    monkeypatch.setenv("PLACE", str(nothing))
    monkeypatch.setattr(browsers, "USUAL_PATHS", (f"$PLACE/{Path(edge).name}", "/no/such/file"))
    assert launch(Chromium(nothing / "own", edge)) == f"running {edge}"


def test_playwrights_own_comes_last(nothing):
    own = program(nothing, "own")
    assert launch(Chromium(own, own)) == f"running {own}"


def test_it_is_fetched_where_it_is_missing(nothing, monkeypatch):
    monkeypatch.setattr(browsers, "fetch", lambda: True)
    own = str(nothing / "own")
    assert launch(Chromium(own, own)) == f"running {own}"


def test_fetching_may_fail(monkeypatch):
    monkeypatch.setattr(browsers.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    assert not browsers.fetch()


@pytest.fixture
def bare(nothing, monkeypatch):
    """A function: which commands run on a bare Linux of this name, as this user, where apt works or not."""
    commands = []

    def on(release, user, works=True):
        def run(command, **_):
            commands.append(" ".join(command))
            if works and "install" in command:
                program(nothing, "chromium")
            return SimpleNamespace(returncode=0 if works else 100)

        program(nothing, "apt-get")
        monkeypatch.setattr(browsers, "release", lambda: [f"ID={release}"])
        monkeypatch.setattr(browsers.os, "geteuid", lambda: user, raising=False)
        monkeypatch.setattr(browsers.subprocess, "run", run)
        own = SimpleNamespace(chromium=SimpleNamespace(executable_path=str(nothing / "own")))
        monkeypatch.setattr(browsers, "sync_playwright", lambda: contextlib.nullcontext(own))
        return browsers.main(), commands

    return on


def test_root_on_a_bare_debian_gets_chromium_after_it_was_said(bare, capsys):
    done, commands = bare("debian", 0)
    assert done == 0
    assert commands == ["apt-get -q -y update", "apt-get -q -y install --no-install-recommends chromium-headless-shell"]
    assert "No browser is installed; installing chromium-headless-shell with apt-get ..." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("release", "user", "works"),
    [("debian", 1000, True), ("debian", 0, False), ("ubuntu", 0, True), ("fedora", 0, True)],
)
def test_without_right_or_package_it_says_the_one_command(bare, capsys, release, user, works):
    done, commands = bare(release, user, works)
    assert done == 1
    assert bool(commands) == (release == "debian" and user == 0)
    assert "sudo apt-get install chromium" in capsys.readouterr().err


def test_nothing_is_installed_beside_a_browser(bare, nothing):
    program(nothing, "google-chrome")
    assert bare("debian", 0) == (0, [])


def test_the_one_that_is_named_is_used_and_no_other(nothing, monkeypatch):
    chromium, mine = program(nothing, "chromium"), program(nothing, "mine")
    monkeypatch.setenv(browsers.VARIABLE, mine)
    assert launch(Chromium(nothing / "own", chromium, mine)) == f"running {mine}"
    with pytest.raises(browsers.NoBrowserError, match=r"mine.* does not start"):
        launch(Chromium(nothing / "own", chromium))


def test_a_wrong_name_is_an_error(nothing, monkeypatch):
    monkeypatch.setenv(browsers.VARIABLE, "/no/such/browser")
    with pytest.raises(browsers.NoBrowserError, match="BACKBONE_BROWSER is '/no/such/browser', which is no program"):
        launch(Chromium(nothing / "own"))


def test_browser_tests_then_fail_and_are_not_skipped():
    test = "tests/widgets/test_kit.py::test_a_path_through_points"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test]
    environment = os.environ | {browsers.VARIABLE: "/no/such/browser"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 1
    assert "BACKBONE_BROWSER is '/no/such/browser', which is no program. Install Chromium" in run.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is a matter of Linux")
@pytest.mark.parametrize(("user", "sandbox"), [(0, False), (1000, True)])
def test_only_root_goes_without_a_sandbox(nothing, monkeypatch, user, sandbox):
    monkeypatch.setattr(browsers.os, "geteuid", lambda: user)
    own = program(nothing, "own")
    chromium = Chromium(own, own)
    launch(chromium)
    assert ("--no-sandbox" not in chromium.flags) == sandbox
    assert set(browsers.FLAGS) <= set(chromium.flags)


def test_the_server_notes_what_it_does_not_have(tmp_path):
    (tmp_path / "a.txt").write_text("here")
    with browsers.serving(tmp_path) as server:
        with urllib.request.urlopen(f"{server.url}/a.txt") as answer:
            assert answer.read() == b"here"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}/b.txt")
        caught.value.close()
        assert server.missing == ["/b.txt"]
