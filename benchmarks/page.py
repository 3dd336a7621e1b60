"""How soon the page is heard, and how soon it follows, in a real Chromium. Run: ``make benchmark-page``.

Heard: a fader is touched in the page (the time is that of the browser's own event), and the first sample in the recorded WAV file that the touch
made is looked for; what a sound card adds afterwards is not in it. Follows: another program moves a value over UDP, and the page shows it. Both
run against ``oscsynth serve`` as anybody starts it.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Page

from tests.needs import CHROMIUM
from tests.page.browser import chromium, opened, wait_for_http
from tests.serving import Serve, tiny_patches

RATE_HZ = 44100
REHEARSED = 4  # blocks that the engine renders before the device runs, and that no file holds
_WATCH = """(path) => {
    window.touches = [];
    window.seen = [];
    const track = document.querySelector(`.track[data-path="${path}"]`);
    track.addEventListener('pointerdown', (event) => touches.push(performance.timeOrigin + event.timeStamp), true);
    new MutationObserver(() => seen.push([Number(track.getAttribute('aria-valuenow')), performance.timeOrigin + performance.now()]))
        .observe(track, { attributes: true, attributeFilter: ['aria-valuenow'] });
}"""


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40, help="how many touches and how many messages")
    times = parser.parse_args().times
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit("Chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "out.wav"
        serve = Serve("--audio", str(sound), "--no-announce", patches=tiny_patches(Path(folder) / "patches"))
        try:
            wait_for_http(serve)
            with chromium(path) as browser, opened(browser, serve.port + 1) as page:
                follows = follow(page, serve, times)
                touched = touch(page, serve, times)
                began = start_of_file(serve)
            time.sleep(0.5)
        finally:
            serve.process.terminate()
            serve.process.wait(10)
            serve.close()
        heard = [1000 * delay for delay in delays(soundfile.read(sound)[0], [at - began for at in touched])]
    report("a fader touched in the page is heard after", heard, 60)
    report("a value moved over OSC is shown after", follows, 100)


def follow(page: Page, serve: Serve, times: int) -> list[float]:
    """Return after how many milliseconds the page has shown each of some values that came over UDP."""
    page.evaluate(_WATCH, "/oscsynth/latent/1")
    found = []
    for number in range(times):
        wanted = 10 + number % 2 * 70
        sent_ms = 1000 * time.time()
        serve.ask("latent/1", wanted / 100, seconds=0.001)
        page.wait_for_function("(wanted) => seen.at(-1)?.[0] === wanted", arg=wanted)
        found.append(page.evaluate("seen.at(-1)[1]") - sent_ms)
        time.sleep(0.11 + 0.013 * (number % 7))
    return found


def touch(page: Page, serve: Serve, times: int) -> list[float]:
    """Touch the gain fader near its bottom and near its top in turn; return when, in seconds of ``time.monotonic``."""
    page.evaluate(_WATCH, "/oscsynth/gain")
    box = page.locator('.track[data-path="/oscsynth/gain"]').bounding_box()
    assert box is not None
    for number in range(times):
        place = 0.95 if number % 2 else 0.3
        page.mouse.click(box["x"] + place * box["width"], box["y"] + box["height"] / 2)
        time.sleep(0.3 + 0.013 * (number % 7))
    offset = time.time() - time.monotonic()
    return [at / 1000 - offset for at in page.evaluate("touches")]


def start_of_file(serve: Serve) -> float:
    """Return when the file's first sample was due, in seconds of ``time.monotonic``."""
    starts = []
    for _ in range(200):
        telemetry = serve.telemetry
        written = telemetry.position_samples - (1 + REHEARSED) * telemetry.block_samples  # before the block that was begun last
        starts.append(telemetry.position_seconds - written / telemetry.sample_rate_hz)
        time.sleep(0.005)
    return float(np.median(starts))


def delays(sound: np.ndarray, touches: list[float]) -> list[float]:
    """Return for each touch how many seconds later half of the change in level is heard."""
    power = (sound**2).mean(1)
    smooth = np.convolve(power, np.ones(64) / 64, "same")
    found = []
    for at in touches:
        first = round(at * RATE_HZ)
        before = power[first - 4000 : first - 200].mean()
        after = power[first + 6000 : first + 10000].mean()
        middle = np.sqrt(before * after)
        crossed = np.flatnonzero((smooth[first - 200 : first + 8000] > middle) == (after > before))
        found.append((crossed[0] - 200) / RATE_HZ)
    return found


def report(what: str, milliseconds: list[float], limit_ms: float) -> None:
    """Print one figure."""
    middle, late, worst = np.percentile(milliseconds, (50, 95, 100))
    print(f"{what}: {middle:.1f} ms p50, {late:.1f} p95, {worst:.1f} worst of {len(milliseconds)} (at most {limit_ms:g} are wanted)")


if __name__ == "__main__":
    main()
