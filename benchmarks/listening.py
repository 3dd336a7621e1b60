"""Listening in the page, in a real Chromium: is it what the engine gave, how late, and at what cost. Run: ``make benchmark-listening``.

Compares every sample that came into the page's worklet with those that the engine wrote into its tap, counts the gaps in what was played, and
measures the processor time of engine and control with and without a listener.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from oscsynth.tap import Tap, tap_path
from tests.needs import CHROMIUM
from tests.page.browser import chromium, opened, wait_for_http
from tests.page.test_listening import STATE, hashed
from tests.serving import Serve, tiny_patches

DELAY = "() => document.querySelector('.listen').ear.delay"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise SystemExit("Chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        serve = Serve("--audio", "null", "--no-announce", patches=tiny_patches(Path(folder) / "patches"))
        try:
            wait_for_http(serve)
            with chromium(path) as browser, opened(browser, serve.port + 1) as page:
                time.sleep(2)
                without = cost(serve, min(seconds, 20.0))
                listen(page, serve, seconds)
                report("without a listener", without)
                report("with a listener", cost(serve, min(seconds, 20.0)))
        finally:
            serve.close()


def listen(page: Page, serve: Serve, seconds: float) -> None:
    """Listen for so long, and compare."""
    assert serve.memory is not None
    tap = Tap(tap_path(serve.memory.path))
    page.locator(".listen").click()
    page.wait_for_function("() => / ms$/.test(document.querySelector('.delay').textContent)")
    first = page.evaluate(STATE)["first"]["first_sample"]
    stream, pieces, at, delays = tap.stream(), [], first, []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pieces.append(tap.read(stream, at, 10**6))
        at += len(pieces[-1]) // 8
        delays.append(1000 * page.evaluate(DELAY))
        time.sleep(0.5)
    state = page.evaluate(STATE)
    pieces.append(tap.read(stream, at, 10**6))
    sound = b"".join(pieces)[: 8 * state["count"]]
    tap.close()
    is_same = len(sound) == 8 * state["count"] and hashed(sound) == state["hash"]
    print(
        f"{state['count'] / stream.sample_rate_hz:.1f} s arrived, {'every sample as the engine gave it' if is_same else 'NOT what the engine gave'}"
    )
    print(
        f"gaps in what was played: {state['gaps']}; delay {np.nanmedian(delays):.0f} ms p50, {np.nanmax(delays):.0f} worst (at most 200 are wanted)"
    )


def cost(serve: Serve, seconds: float) -> dict[str, float]:
    """Return how much of a core each process takes, in per cent."""
    pids = serve.children()
    before = {name: _processor_seconds(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    return {name: 100 * (_processor_seconds(pid) - before[name]) / seconds for name, pid in pids.items()}


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(what: str, costs: dict[str, float]) -> None:
    """Print one line."""
    print(f"{what}: " + ", ".join(f"{name} {cost:.1f} % of a core" for name, cost in costs.items()))


if __name__ == "__main__":
    main()
