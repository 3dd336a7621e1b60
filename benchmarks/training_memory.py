"""How much memory training takes on a corpus that is larger than memory: `python -m benchmarks.training_memory --hours 20`.

The corpus is made up: shards as preparation writes them, full of spectra of noise. Training then reads it in a process of its own, whose
peak memory is told after each step. Preparation is timed on real sound files and extrapolated; its memory is measured too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SOURCE_SECONDS, CLIP_SECONDS = 300, 60
BATCHES = 300
PREPARED_SECONDS = 600


def nothing() -> None:
    """Stand for a source whose shard is there."""
    raise AssertionError("this was prepared")


def corpus_of(hours: float) -> object:
    from training.corpora import Corpus

    n_sources = round(hours * 3600 / SOURCE_SECONDS)
    return Corpus("Made up", "Noise.", "", (nothing,) * n_sources, hours * 3600.0, f"made up {hours}")


def make_shards(folder: Path, hours: float) -> int:
    """Write the shards of so many hours; return their bytes."""
    from training import prepare
    from training.shards import Writer
    from training.spectra import Stft

    stft, corpus, rng = Stft(), corpus_of(hours), np.random.default_rng(440)
    prepare._claim(corpus, prepare.Analysis(stft, 1, "known"), folder)
    n_rows = stft.n_hops(CLIP_SECONDS * stft.sample_rate_hz)
    noise = np.square(rng.random((n_rows, stft.n_bins), dtype=np.float32)).astype(np.float16)
    for number in range(len(corpus.sources)):
        with Writer(folder, number) as shard:
            for clip in range(SOURCE_SECONDS // CLIP_SECONDS):
                name = f"{number}-{clip}"
                magnitude = np.roll(noise, int(rng.integers(n_rows)), axis=0)
                pitch = np.full(n_rows, int(rng.integers(36, 96)))
                shard.add({"name": name, "group": name, "series": name, "family": "noise"}, magnitude, pitch, np.arange(n_rows), 0)
    return sum(path.stat().st_size for path in folder.iterdir())


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def train(folder: Path, hours: float, batches: int) -> None:
    """Load, train, keep a checkpoint, measure: runs in a process of its own."""
    from training import configurations, evaluate, prepare, train
    from training.shards import Shards
    from training.spectra import Stft

    told: dict[str, float] = {"imports": peak_mb()}
    stft = Stft()
    how = prepare.Analysis(stft, 1, "known")
    hops = prepare.load(corpus_of(hours), how, folder, seed=440, memory_bytes=0)
    assert isinstance(hops.magnitude, Shards)  # from disk, as a corpus of more than 1 GB is
    told["corpus"] = peak_mb()
    touched: set[int] = set()
    original = Shards.hold

    def hold(self: Shards, rows: np.ndarray) -> None:
        original(self, rows)
        touched.update((np.searchsorted(self.starts, rows, side="right") - 1).tolist())

    Shards.hold = hold  # type: ignore[method-assign]
    choice, registers = configurations.configuration("mixing"), (2, 3, 4, 5, 6)
    config = train.TrainingConfig(epochs=2, longest_epoch=batches // 2)
    started = time.monotonic()
    trained = train.train(hops, choice.model(8, len(registers)), config, registers, show=False, folder=folder / "work")
    told["training"] = peak_mb()
    seconds = time.monotonic() - started
    evaluate.evaluate(trained, hops, samples=100)
    told["measuring"] = peak_mb()
    print(json.dumps({"rows": len(hops.part), "shards": len(hops.magnitude.paths), "touched": len(touched), "seconds": seconds, "peak_mb": told}))


def prepare_files(folder: Path) -> tuple[float, float, float]:
    """Prepare ten minutes of sound files; return seconds of sound for each second, and the peak memory of this and of a worker, MB."""
    import soundfile

    from training import analog, folders, prepare
    from training.render import Note
    from training.spectra import Stft

    note = next(analog.render(3, [Note(50, seconds=2.0)]))
    sound = np.tile(note, PREPARED_SECONDS // 2 // 2)
    for number in range(2):
        soundfile.write(folder / f"{number}.wav", sound, 44100)
    started = time.monotonic()
    hops = prepare.prepare(folders.folder([folder], Stft()), Stft(), seed=440, folder=folder / "work", memory_bytes=0)
    seconds = time.monotonic() - started
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert len(hops.part) > 0
    return PREPARED_SECONDS / seconds, peak_mb(), worker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=20.0)
    parser.add_argument("--batches", type=int, default=BATCHES)
    parser.add_argument("--folder", type=Path, help="where the made-up corpus goes: 0.63 GB an hour")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.train:
        return train(options.folder, options.hours, options.batches)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        sounds, shards = Path(name, "sounds"), Path(name, "shards")
        sounds.mkdir()
        speed, here, worker = prepare_files(sounds)
        print(f"preparation: {speed:.0f} s of sound a second, so {options.hours:g} h in {options.hours * 60 / speed:.0f} min; ", end="")
        print(f"peak memory {here:.0f} MB, and {worker:.0f} MB in each of {os.cpu_count()} workers")
        size = make_shards(shards, options.hours)
        command = [sys.executable, "-m", "benchmarks.training_memory", "--train", "--folder", str(shards)]
        command += ["--hours", str(options.hours), "--batches", str(options.batches)]
        result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[-1])
    steps = ", ".join(f"{step} {mb:.0f} MB" for step, mb in result["peak_mb"].items())
    print(f"{options.hours:g} h: {result['rows']:,} hops, {size / 1e9:.1f} GB in {result['shards']} shards")
    print(f"{options.batches} batches, from {result['touched']} of them")
    print(f"peak memory after: {steps}; {1000 * result['seconds'] / options.batches:.0f} ms a batch, validation and compiling in it")


if __name__ == "__main__":
    main()
