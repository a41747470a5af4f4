"""Files from the network: fetched once, checked, kept in a folder.

``torch.hub.download_url_to_file`` has the hash and the final rename, and would have saved most of this module. It waits
forever for a server that stops answering, and does not ask the disk to keep what it wrote before it renames the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

VARIABLE = "BACKBONE_DATA"
OFFLINE = "BACKBONE_OFFLINE"  # set to anything, it keeps every download from starting: pages are built that way
SECONDS_OF_SILENCE = 30  # after which a server is given up
LEAST_RATE = 1000  # bytes a second; a server that gives fewer for so long is given up as well
MOST_BYTES = 600_000_000  # no file of ours is larger: VGG-19 has 575 million
CHUNK = 1 << 16  # bytes
PARTIAL = re.compile(r"\.[0-9a-f]{32}\.partial$")
DAY = 86_400  # seconds


class DownloadError(OSError):
    """A file is not in the cache and could not be had; the message says how to go on."""


def cache_folder() -> Path:
    """Return the folder that keeps downloads: the one named by BACKBONE_DATA, else ``~/.cache/backbone``."""
    return Path(os.environ.get(VARIABLE) or "~/.cache/backbone").expanduser()


def fetch(
    url: str,
    sha256: str | Sequence[str],
    name: str,
    cache: str | Path | None = None,
    progress: bool = True,
    limit: int = MOST_BYTES,
) -> Path:
    """Return the path of a file in the cache, downloading it where it is missing or damaged.

    Only a file whose SHA-256 is right is ever returned, or stands under its name when a download ends. Any number of
    calls may run at once: each writes a file of its own, and the last step, a rename, is atomic.

    Args:
        url: where the file lies.
        sha256: its SHA-256, 64 hexadecimal digits, or as many of the first as are known, 8 at least; or several,
            where other packings of the same content will do. Eight digits find damage, not ill will.
        name: the file's name in the cache.
        cache: the folder; `cache_folder()` by default. It is made where it is missing.
        progress: show a bar while it downloads. ``TQDM_DISABLE=1`` in the environment silences it too.
        limit: bytes; what is larger is not the file, and is given up before it fills the disk.

    Raises:
        ValueError: sha256 is none, or name is more than a file name.
        DownloadError: no network, no such address, a server silent or too slow for 30 s, a file that is cut off, too
            large or not the one expected, or no room on the disk.
    """
    allowed = [sha256] if isinstance(sha256, str) else list(sha256)
    if not allowed or not all(re.fullmatch(r"[0-9a-fA-F]{8,64}", one) for one in allowed):
        raise ValueError(f"fetch: sha256 is {sha256!r}; it must be 64 hexadecimal digits, or the first 8 or more")
    allowed = tuple(one.lower() for one in allowed)
    if name in ("", ".", "..") or re.search(r"[/\\\0]", name):
        raise ValueError(f"fetch: name is {name!r}; it must be a file name without a folder")
    path = (cache_folder() if cache is None else Path(cache).expanduser()) / name
    found = digest(path) if path.is_file() else None
    if found and found.startswith(allowed):
        return path
    try:
        _download(url, allowed, path, progress, limit)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()  # it is the server's answer as well, and holds the connection
        raise DownloadError(_advice(url, path, error, damaged=found is not None)) from error
    return path


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(url: str, allowed: tuple[str, ...], path: Path, progress: bool, limit: int) -> None:
    """Fetch into a file of its own in the same folder, and rename it once it is whole, right and on the disk."""
    if os.environ.get(OFFLINE):
        raise OSError(f"{OFFLINE} is set, so nothing is downloaded")
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            found = _receive(url, file, path.name, progress, limit)
            file.flush()
            os.fsync(file.fileno())
        if not found.startswith(allowed):
            page = ", and is a web page: does this network ask you to sign in first?" if _is_page(partial) else ""
            raise OSError(f"what came has the SHA-256 {found}, and {' or '.join(allowed)} was expected{page}")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Delete what downloads have left that were killed: nothing has been written to it for a day."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may be about the same
            if PARTIAL.search(path.name) and path.stat().st_mtime < time.time() - DAY:
                path.unlink()


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(500).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _receive(url: str, file, name: str, progress: bool, limit: int) -> str:
    """Write what the address answers into an open file; return its SHA-256."""
    from tqdm.auto import tqdm  # a slow import, and most calls find the file in the cache

    silent = not progress or bool(os.environ.get("TQDM_DISABLE"))  # tqdm's own bar for notebooks does not ask
    seen, received = hashlib.sha256(), 0
    request = Request(url, headers={"User-Agent": "backbone-book"})  # some servers refuse Python's own name
    with urlopen(request, timeout=SECONDS_OF_SILENCE) as answer:
        announced = answer.headers.get("Content-Length")
        total = int(announced) if announced and announced.isdecimal() else None
        with tqdm(total=total, desc=name, unit="B", unit_scale=True, disable=silent) as bar:
            for chunk in _chunks(answer):
                received += len(chunk)
                if max(received, total or 0) > limit:
                    raise OSError(f"it is larger than {limit:,} bytes, so it is not the file")
                file.write(chunk)
                seen.update(chunk)
                bar.update(len(chunk))
    if total is not None and received < total:
        raise OSError(f"the connection broke off after {received:,} of {total:,} bytes")
    return seen.hexdigest()


def _chunks(answer) -> Iterator[bytes]:
    """Give what comes as it comes; raise OSError where it comes too slowly."""
    start, count = time.monotonic(), 0
    while chunk := answer.read1(CHUNK):  # read() would wait for a full chunk, however slowly it fills
        yield chunk
        count += len(chunk)
        seconds = time.monotonic() - start
        if seconds > SECONDS_OF_SILENCE:
            if count < LEAST_RATE * seconds:
                raise OSError(f"only {count:,} bytes came in {seconds:.0f} s")
            start, count = time.monotonic(), 0


def _advice(url: str, path: Path, error: Exception, damaged: bool) -> str:
    state = "is damaged in the cache and could not be fetched again" if damaged else "could not be fetched"
    reason = str(error) or type(error).__name__
    return (
        f"{path.name} {state}: {reason}.\n"
        f"Address: {url}\n"
        f"Cache: {path.parent}\n"
        f"Try again with a network. Without one, fetch the file elsewhere, put it into a folder under the name "
        f"{path.name}, and name that folder: {VARIABLE}=/path/to/folder"
    )
