"""The files of the page: what a browser is given at the address where an app finds the tree of OSCQuery.

Control process, on its event loop. The files are few and small, and lie in ``web/`` beside this module; each is read once.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "web"
PLACE = "/page/"  # no OSC address begins so
SOUND = f"{PLACE}sound"  # a WebSocket on which what is heard comes
MAP = f"{PLACE}map"  # ?part=1: no file, but what is under that part's pad
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
# Nothing from elsewhere, nothing inside of another page. Older Safaris do not count ws: as 'self'.
POLICY = "default-src 'self'; connect-src 'self' ws:; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}


class File(NamedTuple):
    """One file as it is sent; ``tag`` is another when its contents are."""

    body: bytes
    kind: str
    tag: str


def wants_page(path: str, query: str, accept: str) -> bool:
    """Say whether it is a browser that asks for the root, so that it wants something to look at."""
    return path == "/" and not query and "text/html" in accept


@functools.cache
def files() -> Mapping[str, File]:
    """Return every file of the page, by its path."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in KINDS:
            body = path.read_bytes()
            found[PLACE + path.name] = File(body, KINDS[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:16]}"')
    return found
