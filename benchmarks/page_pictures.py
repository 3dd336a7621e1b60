"""Take the pictures of the page in docs/pictures, with a real Chromium: a phone held upright, and a laptop. Run: ``make pictures``."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.needs import CHROMIUM
from tests.page.browser import LAPTOP, PHONE, chromium, opened, wait_for_http
from tests.serving import Serve

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
# Name, kind of screen, patch, tab that is open on the phone, and where on the pad, or on the ring of instruments, a finger comes to rest.
SHOTS = (
    ("page-laptop", LAPTOP, "Violin", "", (0.62, 0.58)),
    ("page-phone", PHONE, "Aurora", "Faders", (0.42, 0.5)),
    ("page-phone-places", PHONE, "Kaleidoscope", "Places", (0.55, 0.45)),
    ("page-phone-keys", PHONE, "Vesper", "Patches", (0.5, 0.4)),
    ("page-orchestra", LAPTOP, "Parterre", "", (0.72, 0.36)),
    ("page-phone-orchestra", PHONE, "Parterre", "Mix", (0.72, 0.42)),
    ("page-phone-track", PHONE, "Palimpsest", "Faders", (0.62, 0.36)),
)
_READY = ".surface.mapped, .surface.arranged"
CHORD = (2, 5, 9)  # D minor


def main() -> None:
    """Serve, look, and write the files."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit("Chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        serve = Serve("--audio", "null", "--no-announce", "--fresh", env={"HOME": folder, "XDG_CACHE_HOME": folder, "XDG_DATA_HOME": folder})
        try:
            wait_for_http(serve)
            with chromium(path) as browser:
                for name, screen, patch, tab, rest in SHOTS:
                    serve.ask("patch", patch)
                    with opened(browser, serve.port + 1, **screen) as page:
                        page.wait_for_selector(_READY, timeout=180_000)
                        if tab:
                            page.get_by_role("tab", name=tab).click()
                        draw(page, rest)
                        hold(page, *CHORD)
                        page.screenshot(path=PICTURES / f"{name}.png")
        finally:
            serve.close()


def hold(page: Page, *classes: int) -> None:
    """Hold some keys, where the patch has keys to hold."""
    if page.locator(".played").count():
        boxes = [page.locator(f".key[data-class='{number}']").bounding_box() for number in classes]
        points = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + 0.7 * box["height"], "id": at} for at, box in enumerate(boxes) if box]
        page.context.new_cdp_session(page).send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
        page.wait_for_timeout(700)


def draw(page: Page, rest: tuple[float, float]) -> None:
    """Move over the pad in a bow to where the finger comes to rest, so that the picture has its trail."""
    box = page.locator(".surface").bounding_box()
    assert box is not None
    page.wait_for_timeout(2500)  # the sound has risen, and the spectrum with it
    for step in range(30):
        turn = 1.0 - step / 29
        x, y = rest[0] - 0.3 * turn * math.cos(2.2 * turn), rest[1] + 0.25 * math.sin(2.8 * turn)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if not step:
            page.mouse.down()
        page.wait_for_timeout(15)


if __name__ == "__main__":
    main()
