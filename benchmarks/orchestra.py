"""How true a note decoder's notes are: ``python -m benchmarks.orchestra [--instruments cello,flute,bassoon]``.

Every pitch that some instruments played in the corpus is played by the patch Parterre, tonal, and heard by librosa's pyin: printed are the largest
and the median distance from the pitch in cents. Then a held note of Tandem goes from the one instrument to the other in a second and a half, sixty
steps a second: printed are how far its bands move, and its sharpest second difference beside those of the steady notes before and after.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import librosa
import numpy as np
from numpy.typing import NDArray

from oscsynth.render import Performance

RATE_HZ = 44100
STEPS, STEP_SAMPLES = 90, 735

Sound = NDArray[np.float32]


def cents_off(performance: Performance, pitch: float) -> float:
    """Play a note for half a second and return how far from its pitch it is, in cents; NaN where none is heard."""
    performance.send("/oscsynth/panic")
    performance.render(2048)
    performance.send("/oscsynth/note/on", pitch, 0.9)
    performance.render(4096)
    sound = librosa.resample(performance.render(RATE_HZ // 2)[:, 0], orig_sr=RATE_HZ, target_sr=RATE_HZ // 2)
    hz = librosa.midi_to_hz(pitch)
    heard, _, _ = librosa.pyin(sound, fmin=hz / 2.2, fmax=min(2.2 * hz, 9000.0), sr=RATE_HZ // 2, frame_length=4096 if hz < 120 else 2048)
    known = heard[np.isfinite(heard)]
    return float(1200 * np.log2(np.median(known) / hz)) if len(known) else float("nan")


def transferred(performance: Performance, pitch: float) -> tuple[Sound, Sound, Sound]:
    """Hold a note and send it from one instrument to the other; return the sound before, meanwhile and after, float32 (samples,)."""
    performance.send("/oscsynth/note/on", pitch, 0.9)
    performance.render(RATE_HZ // 2)
    steady = performance.render(RATE_HZ)[:, 0]
    moving = []
    for step in range(1, STEPS + 1):
        performance.send("/oscsynth/transfer", step / STEPS)
        moving.append(performance.render(STEP_SAMPLES)[:, 0])
    performance.render(STEP_SAMPLES)
    return steady, np.concatenate(moving), performance.render(RATE_HZ)[:, 0]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--instruments", default="cello,flute,bassoon")
    chosen = arguments.parse_args().instruments.split(",")
    with TemporaryDirectory() as folder:
        performance = Performance(patches=Path(folder), patch="Parterre")
        version = performance.instrument.parts[1].version
        assert version is not None and version.metadata is not None and version.metadata.note is not None
        for name in chosen:
            for address, value in (("timbre", 0.0), ("spread", 0.0), ("breath", 0.0), (f"timbre/{name}", 1.0)):
                performance.send(f"/oscsynth/{address}", value)
            low, high = version.metadata.note.ranges[name]
            off = np.abs([cents_off(performance, pitch) for pitch in range(low, high + 1)])
            print(f"{name:16}{len(off):4} pitches   off by {np.nanmax(off):5.1f} cents at most, {np.nanmedian(off):.1f} in the middle,", end=" ")
            print(f"{int(np.isnan(off).sum())} not heard, {int((off >= 20).sum())} by 20 or more")
        tandem = Performance(patches=Path(folder), patch="Tandem")
        sharpest = [float(np.abs(np.diff(sound, 2)).max()) for sound in transferred(tandem, 50)]
    print(f"sharpest second difference of a transfer: {sharpest[1]:.4f}; of the notes before and after {sharpest[0]:.4f}, {sharpest[2]:.4f}")


if __name__ == "__main__":
    main()
