"""A hundred thousand random note events: ``python -m benchmarks.notes [EVENTS] [SEED]``.

Notes on and off, stolen voices, bends, pressure, latents, the pedal, panic, parts and patch switches in between, into the whole instrument on small
decoders, some of it within one block. Printed is what must not be: notes left over once all keys are up, second differences beyond what the sound
itself has, samples that are not finite or beyond the limiter.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from oscsynth.sound.output import CEILING
from tests.note_driver import RATE_HZ, Bound, Player, Stage, crests

AT_ONCE = 2000  # events; then all keys come up


def main() -> None:
    events, seed = (int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((1, 100_000), (2, 1)))
    begun = time.monotonic()
    left, worst, peak, seconds, finite = 0, 0.0, 0.0, 0.0, True
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        with Bound() as bound:
            for pitch in range(36, 76, 5):
                stage.send("note/on", pitch, 1.0)
            steady = stage.render(6 * RATE_HZ)
        usual = float(crests(steady, bound.of(len(steady)))[RATE_HZ:].max())
        for turn in range(-(-events // AT_ONCE)):
            stage = Stage(Path(folder))
            player = Player(stage, seed + turn)
            with Bound() as bound:
                sound = np.concatenate([player.play(min(AT_ONCE, events - turn * AT_ONCE)), player.lift_all()])
            left += stage.held + stage.engine.sounding_voices
            worst = max(worst, float(crests(sound, bound.of(len(sound))).max()))
            peak, seconds = max(peak, float(np.abs(sound).max())), seconds + len(sound) / RATE_HZ
            finite &= bool(np.isfinite(sound).all()) and stage.engine.faults == 0
    print(f"{events} events in {seconds:.0f} s of sound, rendered in {time.monotonic() - begun:.0f} s")
    print(f"notes left over: {left}; finite: {finite}; peak {peak:.3f}, the limiter's end is {CEILING:.3f}")
    print(f"largest second difference over what is due: {worst:.2f}; of held notes alone: {usual:.2f}")


if __name__ == "__main__":
    main()
