"""Listening in the page: what arrives in the browser's audio thread is what the engine gave, sample for sample."""

import time

import numpy as np

from oscsynth.tap import Tap, tap_path

from .browser import opened

STATE = "() => ({ first: document.querySelector('.listen').ear.first, ...document.querySelector('.listen').ear.player.state })"


def hashed(data: bytes) -> int:
    """Return what worklet.js makes of the same samples (FNV-1a, a word at a time)."""
    found = 2166136261
    for word in np.frombuffer(data, "<u4").tolist():
        found = (found ^ word) * 16777619 & 0xFFFFFFFF
    return found


def test_what_arrives_in_the_worklet_is_what_the_engine_gave(browser, serve):
    tap = Tap(tap_path(serve.memory.path))
    try:
        with opened(browser, serve.port + 1) as page:
            button = page.locator(".listen")
            assert button.inner_text() == "listen", "off until it is pressed"
            button.click()
            page.wait_for_function("() => / ms$/.test(document.querySelector('.delay').textContent)")
            time.sleep(2)
            state = page.evaluate(STATE)
            first = state["first"]
            sound = tap.read(tap.stream(), first["first_sample"], state["count"])
            assert state["count"] > 44100 and len(sound) == 8 * state["count"]
            assert np.frombuffer(sound, np.float32).any()
            assert state["hash"] == hashed(sound)
            assert first["sample_rate_hz"] == 44100
            button.click()
            assert button.inner_text() == "listen"
            assert page.evaluate("() => document.querySelector('.listen').ear.context === null")
    finally:
        tap.close()


def test_where_there_are_no_worklets_it_is_heard_all_the_same(browser, serve):
    with opened(browser, serve.port + 1) as page:
        page.evaluate("() => delete BaseAudioContext.prototype.audioWorklet")
        page.locator(".listen").click()
        page.wait_for_function("() => / ms$/.test(document.querySelector('.delay').textContent)")
        state = page.evaluate(STATE)
        assert state["plays"] and 0 < state["waiting"] < 0.2
