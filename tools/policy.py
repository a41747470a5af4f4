"""The content security policy of a finished page: what runs on it is a file of the site, or was built into it.

It stands in a meta tag: a page may lie on any server, or in a folder. There "file:" is what 'self' is elsewhere:
Firefox knows no origin of a folder. A page that came over a network can load nothing from one.
"""

from __future__ import annotations

import base64
import hashlib
import re

CHARSET = '<meta charset="utf-8" />'
META = re.compile(r'\n<meta http-equiv="Content-Security-Policy"[^>]*>')
INLINE = re.compile(r"<script((?:(?!\bsrc=)[^>])*)>(.*?)</script>", re.DOTALL)
DATA = re.compile(r"\btype=\"(?!text/javascript|module)")
POLICY = {
    "default-src": "'self' file:",  # Firefox fetches the next page beforehand
    "object-src": "'none'",
    "frame-src": "'none'",
    "script-src": "'self' file: 'wasm-unsafe-eval'",  # a network in the page; hashes follow
    "style-src": "'self' file: 'unsafe-inline'",  # figures, formulas and widgets carry styles
    "img-src": "'self' file: data: blob:",  # pictures inside figures; a reader's own
    "font-src": "'self' file:",
    "connect-src": "'none'",  # a figure's numbers, a network and the search's index come as scripts
    "worker-src": "'self' blob:",  # from a folder a worker starts only from memory
    "media-src": "'none'",  # a camera's picture comes from no address
    "base-uri": "'none'",
    "form-action": "'self' file:",
}


def guarded(text: str) -> str:
    """Return a page with its policy, in front of all that runs on it; an older one goes."""
    text = META.sub("", text)
    scripts = [body for attributes, body in INLINE.findall(text) if not DATA.search(attributes)]
    hashes = dict.fromkeys(f"'sha256-{digest(body)}'" for body in scripts)
    parts = POLICY | {"script-src": " ".join([POLICY["script-src"], *hashes])}
    content = "; ".join(f"{name} {allowed}" for name, allowed in parts.items())
    head, charset, rest = text.partition(CHARSET)  # it must come among the first bytes
    if not charset:  # on a page that only leads to another
        head, rest = "", text
    return f'{head}{charset}\n<meta http-equiv="Content-Security-Policy" content="{content}">{rest}'


def digest(script: str) -> str:
    """Return what a policy knows a script by."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
