"""A stranger's folder becomes an instrument: `python -m benchmarks.training_folder`.

Twenty files of mixed rates, channels, lengths and formats, played by the virtual-analog synthesiser; one is corrupt, one silent, one of 0.1 s.
`oscsynth train` with nothing but the folder, killed twice on its way and started again; then `oscsynth check` and `render`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATES_HZ, SUFFIXES = (44100, 48000, 22050, 96000), ("wav", "flac", "aiff", "ogg", "mp3")
KILLED_AFTER_SECONDS = (20.0, 60.0)


def fill(folder: Path) -> None:
    """Write the files."""
    import librosa

    from training import analog
    from training.render import SAMPLE_RATE_HZ, Note

    for number in range(17):
        suffix = SUFFIXES[number % len(SUFFIXES)]
        rate_hz = 48000 if suffix == "mp3" else RATES_HZ[number % len(RATES_HZ)]
        note = Note(48 + (5 * number) % 25, seconds=2.0 + 0.5 * (number % 7))
        mono = librosa.resample(next(iter(analog.render(number % 3, [note]))), orig_sr=SAMPLE_RATE_HZ, target_sr=rate_hz)
        sound = np.stack([mono, np.roll(mono, 20)], axis=1) if number % 2 else mono
        soundfile.write(folder / f"{number:02d}.{suffix}", 0.5 * sound / np.abs(sound).max(), rate_hz)
    (folder / "corrupt.wav").write_bytes(b"RIFF, but not really")
    soundfile.write(folder / "silent.flac", np.zeros(96000), 48000)
    soundfile.write(folder / "short.wav", 0.1 * np.sin(np.arange(4410)), 44100)


def oscsynth(*words: str | Path) -> list[str]:
    """Return the command line of a command."""
    return [sys.executable, "-m", "oscsynth", *map(str, words)]


def main() -> None:
    """Train, be killed, train again; then play it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="Where to keep everything; a folder that is removed if left out.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place: Path = options.folder or Path(temporary)
        sounds, patches = place / "kitchen", place / "patches"
        sounds.mkdir(parents=True)
        fill(sounds)
        train = oscsynth("train", sounds, "--output", patches)
        begun = time.monotonic()
        for seconds in KILLED_AFTER_SECONDS:
            process = subprocess.Popen(train)
            time.sleep(seconds)
            process.kill()
            print(f"\nkilled after {seconds:.0f} s: {process.wait()}", flush=True)
        subprocess.run(train, check=True)
        print(f"\n{(time.monotonic() - begun) / 60:.1f} minutes of this clock, those before both kills included")
        subprocess.run(oscsynth("check", patches), check=True)
        (place / "a.score").write_text("0.5 latent/1 0.9\n1 chroma/name C\n2 gate 0\n")
        subprocess.run(oscsynth("render", place / "a.score", "-o", place / "a.wav", "--patches", patches, "--patch", "kitchen"), check=True)
        print(f"it plays: peak {np.abs(soundfile.read(place / 'a.wav')[0]).max():.3f}")


if __name__ == "__main__":
    main()
