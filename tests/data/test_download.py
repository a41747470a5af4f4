"""Downloads from a server on this computer: whole, cut off, corrupt, missing, silent, and no server at all."""

import contextlib
import hashlib
import http.server
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backbone.data import download
from backbone.data.download import DownloadError, cache_folder, digest, fetch

CONTENT = bytes(range(256)) * 1024  # 256 KB: several chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"\n <!DOCTYPE html><html><body>Welcome to the hotel. Please sign in.</body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/missing":
            return self.send_error(404)
        if self.path == "/silent":
            return self.server.release.wait(20)
        if self.path in ("/drips", "/endless"):
            return self.go_on(b"x" * (10 if self.path == "/drips" else 50_000))
        self.send_response(200)
        if self.path not in ("/unannounced", "/page"):
            self.send_header("Content-Length", "many" if self.path == "/nonsense" else str(len(CONTENT)))
        self.end_headers()
        if self.path == "/stalls":
            self.wfile.write(CONTENT[:1000])
            return self.server.release.wait(20)
        body = {"/page": PAGE, "/cut": CONTENT[:100_000], "/corrupt": CONTENT[:-1] + b"\0"}.get(self.path, CONTENT)
        return self.wfile.write(body)

    def go_on(self, chunk):
        """Send without an end, and without saying how much."""
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):  # the other side hangs up
            for _ in range(400):
                self.wfile.write(chunk)
                self.server.release.wait(0.05 if self.path == "/drips" else 0)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "BACKBONE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked, running.release = [], threading.Event()
        running.url = f"http://127.0.0.1:{running.server_address[1]}"
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.release.set()
        running.shutdown()


@pytest.fixture
def get(server, tmp_path):
    """Return a function that fetches a path of the server quietly into an own folder."""

    def get_(path="/file", sha256=SHA256, **options):
        options = {"cache": tmp_path / "deep" / "cache", "progress": False} | options
        return fetch(server.url + path, sha256, "data.bin", **options)

    return get_


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_fetched_once_and_is_the_file(server, get):
    path = get()
    assert path.read_bytes() == CONTENT
    assert digest(path) == SHA256
    assert get() == path
    assert get(sha256=SHA256.upper()) == path
    assert server.asked == ["/file"]
    assert files(path.parent) == ["data.bin"]


def test_a_length_need_not_be_announced(get):
    assert get("/unannounced").read_bytes() == CONTENT


def test_a_length_that_is_none_does_not_matter(get):
    assert get("/nonsense").read_bytes() == CONTENT


def test_a_file_in_the_cache_needs_no_network(get, tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(CONTENT)
    path.chmod(0o444)
    assert fetch("http://127.0.0.1:1/", SHA256, "data.bin", cache=tmp_path) == path


def test_the_environment_names_the_cache(server, tmp_path, monkeypatch):
    monkeypatch.setenv("BACKBONE_DATA", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    assert fetch(f"{server.url}/file", SHA256, "a.bin", progress=False) == tmp_path / "mine" / "a.bin"
    monkeypatch.delenv("BACKBONE_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "backbone"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/cut", "the connection broke off after 100,000 of 262,144 bytes"),
        ("/corrupt", f"what came has the SHA-256 {hashlib.sha256(CONTENT[:-1] + bytes(1)).hexdigest()}, and {SHA256}"),
        ("/missing", "HTTP Error 404: Not Found"),
        ("/silent", "timed out"),
        ("/stalls", "timed out"),
        ("/drips", "bytes came in"),
        ("/endless", "it is larger than 1,000,000 bytes, so it is not the file"),
        ("/page", f"{SHA256} was expected, and is a web page: does this network ask you to sign in first?"),
    ],
)
def test_a_bad_answer_leaves_nothing_behind_and_says_how_to_go_on(get, server, tmp_path, monkeypatch, path, reason):
    monkeypatch.setattr(download, "SECONDS_OF_SILENCE", 0.3)
    with pytest.raises(DownloadError) as raised:
        get(path, limit=1_000_000)
    said = str(raised.value)
    assert said.startswith("data.bin could not be fetched: ")
    assert reason in said
    assert f"Address: {server.url}{path}\n" in said
    assert f"Cache: {tmp_path / 'deep' / 'cache'}\n" in said
    assert "BACKBONE_DATA=" in said
    assert files(tmp_path) == []
    assert get().read_bytes() == CONTENT  # and the next try is a fresh one


@pytest.mark.parametrize("damage", [CONTENT[:1000], CONTENT + b"x", b"", b"<html>log in</html>"])
def test_a_damaged_file_in_the_cache_is_fetched_again(server, get, tmp_path, damage):
    (tmp_path / "data.bin").write_bytes(damage)
    assert get(cache=tmp_path).read_bytes() == CONTENT
    assert server.asked == ["/file"]


def test_a_damaged_file_is_not_used_offline_either(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
        with pytest.raises(DownloadError, match=r"data\.bin could not be fetched: .*refused"):
            fetch(url, SHA256, "data.bin", cache=tmp_path, progress=False)
        (tmp_path / "data.bin").write_bytes(CONTENT[:-1])
        with pytest.raises(DownloadError, match=r"data\.bin is damaged in the cache and could not be fetched again"):
            fetch(url, SHA256, "data.bin", cache=tmp_path, progress=False)
    assert files(tmp_path) == ["data.bin"]  # left where it is: it may be all that a reader has


def test_a_host_that_does_not_exist_is_a_clear_error(tmp_path, monkeypatch):
    def nowhere(*arguments, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(DownloadError, match="Name or service not known"):
        fetch("http://nowhere.invalid/file", SHA256, "data.bin", cache=tmp_path, progress=False)


def test_a_folder_that_cannot_be_made_is_a_clear_error(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="Cache: "):
        fetch(f"{server.url}/file", SHA256, "data.bin", cache=tmp_path / "file", progress=False)


def test_calls_at_the_same_time_all_get_the_file(get, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: get(), range(16)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert files(tmp_path) == ["data.bin"]


def test_an_interrupted_download_leaves_nothing(get, tmp_path, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        get()
    assert files(tmp_path) == []


def test_a_file_that_says_it_is_too_large_is_not_begun(get, tmp_path):
    with pytest.raises(DownloadError, match="it is larger than 262,143 bytes"):
        get(limit=len(CONTENT) - 1)
    assert get(limit=len(CONTENT)).read_bytes() == CONTENT


def test_what_killed_downloads_have_left_is_swept_away(get, tmp_path):
    names = ["data.bin." + "a" * 32, "other.pth." + "0" * 32, "thesis", "b" * 32]
    left = [tmp_path / f"{name}.partial" for name in names]
    for path in left:
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    fresh = tmp_path / f"data.bin.{'c' * 32}.partial"  # another process writes it
    fresh.write_bytes(b"half")
    get(cache=tmp_path)
    assert files(tmp_path) == sorted([f"{'b' * 32}.partial", "data.bin", fresh.name, "thesis.partial"])


def test_the_file_is_on_the_disk_before_it_gets_its_name(get, tmp_path, monkeypatch):
    order, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (order.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda *paths: (order.append("replace"), replace(*paths)))
    path = get()
    assert order == ["fsync", "replace"]
    assert path.stat().st_mode & 0o044  # not private, as a temporary file would be


def test_the_bar_shows_and_can_be_silenced(get, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    get(cache=tmp_path / "a", progress=True)
    assert "data.bin: 100%" in capsys.readouterr().err
    get(cache=tmp_path / "b", progress=False)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    get(cache=tmp_path / "c", progress=True)
    assert capsys.readouterr().err == ""


def test_the_first_digits_of_a_hash_will_do(get, tmp_path):
    assert get(sha256=SHA256[:8]).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match=f"and {'0' * 8} was expected"):
        get(sha256="0" * 8, cache=tmp_path / "other")


def test_downloads_can_be_forbidden(server, get, monkeypatch):
    monkeypatch.setenv("BACKBONE_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"could not be fetched: BACKBONE_OFFLINE is set, so nothing is downloaded"):
        get()
    assert server.asked == []


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64, SHA256[:7], SHA256 + "0"])
def test_a_hash_that_is_none_is_refused(sha256):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        fetch("http://127.0.0.1:1/", sha256, "data.bin")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../b", "a\\b"])
def test_a_name_with_a_folder_is_refused(name):
    with pytest.raises(ValueError, match="a file name without a folder"):
        fetch("http://127.0.0.1:1/", SHA256, name)
