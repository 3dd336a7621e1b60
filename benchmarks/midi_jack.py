"""How exactly notes sound that another process plays into the daemon through JACK MIDI: ``python -m benchmarks.midi_jack [NOTES]``.

The player puts each note on its sample in JACK's own time, and another client hears what comes out; the way from one to the other is the delay.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.audio.jack_server import PERIOD_SAMPLES, SAMPLE_RATE_HZ
from tests.test_midi_ports import Stage, heard_onsets, tune

SPACING_SECONDS = 0.1


def main(n_notes: int = 200) -> None:
    with tempfile.TemporaryDirectory() as name:
        for folder in ("CACHE", "STATE", "DATA", "CONFIG"):
            os.environ[f"XDG_{folder}_HOME"] = f"{name}/{folder}"
        stage = Stage(Path(name))
        try:
            time.sleep(3)  # what the start takes is over then
            start = int(stage.player(tune(Path(name) / "tune.mid", n_notes, SPACING_SECONDS)).communicate()[0])
            found = heard_onsets(stage, start)
        finally:
            stage.close()
    places = np.round((found - np.median(found % (SPACING_SECONDS * SAMPLE_RATE_HZ))) / (SPACING_SECONDS * SAMPLE_RATE_HZ))
    delays = found - places * SPACING_SECONDS * SAMPLE_RATE_HZ
    off = np.abs(delays - np.median(delays))
    print(f"{len(found)} of {n_notes} notes heard, period {PERIOD_SAMPLES} samples ({1000 * PERIOD_SAMPLES / SAMPLE_RATE_HZ:.1f} ms)")
    print(f"from the keyboard's sample to the sound: median {1000 * np.median(delays) / SAMPLE_RATE_HZ:.1f} ms")
    for share in (50, 95, 99, 100):
        print(f"    {share} % within {np.percentile(off, share):.0f} samples of that, {np.percentile(off, share) / PERIOD_SAMPLES:.2f} periods")
    print(f"    {np.mean(np.abs(delays - delays.mean()) <= PERIOD_SAMPLES):.1%} within one period")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
