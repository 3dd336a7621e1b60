"""How near the sound comes to the magnitudes that were asked for, by phase method, and what each method costs.

    make benchmark-tonal

Spectral convergence (Sturmel & Daudet 2011): the distance between the magnitudes of the sound and those asked for, over the latter, in
decibels; after the best gain for each, since noise of the same magnitudes is softer. ``noise`` and ``tonal`` are what is heard: they go
through the stage's own overlap-add, a change every 128 samples. ``rtpghi`` is Prusa & Sondergaard's without look-ahead, in a plain
overlap-add, as in the paper. ``griffin-lim`` is librosa's with 32 iterations, which knows the whole sound. What is asked for: the shipped
decoders' own magnitudes, steady and on a two-second way between two points of the latent space, and hops of real instruments
(FluidSynth), held, and as they follow each other.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import librosa  # noqa: E402
import numpy as np  # noqa: E402

from oscsynth.library import factory_folder  # noqa: E402
from oscsynth.patch import Patch  # noqa: E402
from oscsynth.sound.loading import load_sound  # noqa: E402
from oscsynth.sound.overlap_add import Mix, OverlapAdd  # noqa: E402
from oscsynth.sound.phase import NoiseCarrier, Stft, in_pairs, noise_spectrum, sound_of  # noqa: E402
from oscsynth.sound.spectrum import audible  # noqa: E402
from oscsynth.sound.tonal import Apart, Partials  # noqa: E402

from .machine import machine  # noqa: E402
from .rtpghi import Rtpghi  # noqa: E402

STFT = Stft.at_rate(44100)
WINDOW, HOP = STFT.window_samples, STFT.hop_samples
HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
CARRIER = NoiseCarrier(STFT, 5.0)
EDGE_HOPS = 4  # left out at both ends, where windows are missing
DECODERS = ("violin", "one-octave", "five-octaves", "cathedral")
PROGRAMS = {"organ": 19, "guitar": 25, "violin": 40, "strings": 48, "choir": 53, "trumpet": 56, "flute": 73}

Magnitudes = np.ndarray  # (hops, n_bins)
Method = Callable[[Magnitudes, float], np.ndarray]


def _played(magnitudes: Magnitudes, pitch_hz: float, is_tonal: bool) -> np.ndarray:
    """Return the sound of the stage: a change at each clock, with the magnitudes between those of two hops."""
    clock, n = STFT.clock_samples, len(magnitudes)
    adder, partials, mono = OverlapAdd(CARRIER, 0, 5), Partials(STFT), Mix.of(0.0, 0.0)
    out = np.zeros(((n - 1) * HOP + WINDOW, 2), np.float32)
    for start in range(0, len(out), clock):
        place = float(np.clip((start + clock / 2 - WINDOW / 2) / HOP, 0, n - 1.001))
        now = magnitudes[int(place)] + np.float32(place % 1.0) * (magnitudes[int(place) + 1] - magnitudes[int(place)])
        if is_tonal:
            tone = partials.change(start + clock, Apart(now[None], np.ones(1), np.array([pitch_hz]), (0,)))
            adder.change(start, clock, None, mono, tone)
        else:
            adder.change(start, clock, now, mono)
        adder.add_to(out[start : start + clock], start)
    return out[:, 0]


def _overlapped(spectra: np.ndarray) -> np.ndarray:
    sound = np.zeros((len(spectra) - 1) * HOP + WINDOW)
    for hop, windowed in enumerate(np.fft.irfft(spectra, WINDOW) * HANN):
        sound[hop * HOP : hop * HOP + WINDOW] += windowed / 1.5
    return sound


def _rtpghi(magnitudes: Magnitudes, pitch_hz: float) -> np.ndarray:
    method = Rtpghi(WINDOW, HOP)
    return _overlapped(np.stack([magnitude * method.phasors(magnitude) for magnitude in magnitudes]))


def _griffin_lim(magnitudes: Magnitudes, pitch_hz: float) -> np.ndarray:
    return librosa.griffinlim(magnitudes.T, n_iter=32, hop_length=HOP, n_fft=WINDOW, center=False, random_state=1)


METHODS: dict[str, Method] = {
    "noise": lambda magnitudes, pitch_hz: _played(magnitudes, pitch_hz, False),
    "tonal": lambda magnitudes, pitch_hz: _played(magnitudes, pitch_hz, True),
    "rtpghi": _rtpghi,
    "griffin-lim": _griffin_lim,
}


def convergence_db(sound: np.ndarray, magnitudes: Magnitudes) -> float:
    """Return the spectral convergence after the best gain."""
    windows = np.stack([sound[hop * HOP : hop * HOP + WINDOW] for hop in range(len(magnitudes))])
    got = np.abs(np.fft.rfft(windows * HANN))[EDGE_HOPS:-EDGE_HOPS]
    wanted = magnitudes[EDGE_HOPS:-EDGE_HOPS]
    got *= (got * wanted).sum() / (got * got).sum()
    return float(20 * np.log10(np.linalg.norm(got - wanted) / np.linalg.norm(wanted)))


def decoded_by(name: str, n: int, seed: int) -> Iterator[Magnitudes]:
    """Give some steady magnitudes of a shipped decoder, and as many on their way from one point to another, in turn."""
    rng = np.random.default_rng(seed)
    sound = load_sound(Patch(name, str(factory_folder() / "decoders" / f"{name}.onnx")), STFT.sample_rate_hz)
    for _ in range(n):
        note, octave = int(rng.integers(12)), float(rng.integers(3, 6))
        pitches = sound.pitches(np.eye(12)[note], octave, octave, 0.0)
        here, there = rng.random((2, sound.n_latents))
        for goal in (here, there):
            way = here + np.linspace(0, 1, 2 * STFT.sample_rate_hz // HOP)[:, None] * (goal - here)
            yield sound.render(way[:, None], pitches)[0]


def decoded(n: int, seed: int) -> Iterator[tuple[str, Magnitudes]]:
    """Give those of all shipped decoders."""
    for name in DECODERS:
        for kind, magnitudes in zip(itertools.cycle(("steady", "morph")), decoded_by(name, n, seed), strict=False):
            yield f"{kind}: {name}", magnitudes


def corpus() -> Iterator[tuple[str, Magnitudes]]:
    """Give the middle hop of some notes, held, and the hops of each note."""
    from training.render import Note, render
    from training.spectra import Stft as Analysis
    from training.spectra import magnitudes

    pitches = (48, 60, 69, 76)
    for name, program in PROGRAMS.items():
        for sound in render(program, [Note(pitch, 100, 2.0) for pitch in pitches]):
            hops = magnitudes(sound, Analysis()) * audible(STFT)
            yield f"held hop: {name}", np.repeat(hops[len(hops) // 2][None], 40, 0)
            yield f"played note: {name}", hops


def quality(material: Iterator[tuple[str, Magnitudes]]) -> dict[str, dict[str, list[float]]]:
    """Return the convergence of every method on everything."""
    figures: dict[str, dict[str, list[float]]] = {}
    for name, magnitudes in material:
        row = figures.setdefault(name, {method: [] for method in METHODS})
        for method, function in METHODS.items():
            row[method].append(round(convergence_db(function(magnitudes, np.nan), magnitudes), 2))
    return figures


def microseconds(action: Callable[[int], object], repeats: int) -> float:
    """Return the median processor time of something, after one run that does not count."""
    times = []
    for i in range(repeats + 1):
        start = time.process_time()
        action(i)
        times.append(1e6 * (time.process_time() - start))
    return round(float(np.median(times[1:])), 0)


def costs() -> dict[str, float]:
    """Return microseconds for one change of one sound to be heard for a hop, by method; and of `tonal` by the number of voices."""
    sound = load_sound(Patch("violin", str(factory_folder() / "decoders" / "violin.onnx")), STFT.sample_rate_hz)
    rng, one, carriers = np.random.default_rng(1), np.ones(64), CARRIER.kernels(0)
    pitches = sound.pitches(np.eye(12)[9], 4.0, 4.0, 0.0)
    magnitudes = sound.render(rng.random((2 * 64, 1, 3)), pitches)[0].reshape(2, 64, -1)
    fast, slow = Rtpghi(WINDOW, HOP), Rtpghi(WINDOW, HOP, compiled=False)
    found = {
        "noise": microseconds(lambda i: sound_of(noise_spectrum(in_pairs(magnitudes[i % 2, 0]), carriers)), 50),
        "rtpghi, compiled, a hop": microseconds(lambda i: fast.phasors(magnitudes[i % 2, 0]), 50),
        "rtpghi, Python, a hop": microseconds(lambda i: slow.phasors(magnitudes[i % 2, 0]), 5),
        "griffin-lim, 32 iterations, a hop": microseconds(lambda i: _griffin_lim(magnitudes[0, :40], 0.0), 2) / 40,
    }
    for moves, label in ((True, "all moving"), (False, "still")):
        for voices in (1, 8, 16, 64):
            partials, hz = Partials(STFT), np.full(voices, 440.0)

            def change(i: int, partials: Partials = partials, hz: np.ndarray = hz, moves: bool = moves, n: int = voices) -> object:
                tone = partials.change(128.0 * i, Apart(magnitudes[i % 2 if moves else 0, :n], one[:n], hz, tuple(range(n))))
                return sound_of(tone.spectrum(i // 8, 1))

            found[f"tonal, {voices} {'voice' if voices == 1 else 'voices'}, {label}"] = microseconds(change, 20)
    return found


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--output", type=Path, help="write the figures as JSON")
    arguments.add_argument("--points", type=int, default=4, help="of each decoder")
    options = arguments.parse_args()
    figures = quality(decoded(options.points, 1)) | quality(corpus())
    cost = costs()
    print(f"{machine()}\n\nspectral convergence in dB, mean and worst; lower is nearer to what was asked for")
    print(f"{'':28}" + "".join(f"{method:>20}" for method in METHODS))
    for name, row in figures.items():
        print(f"{name:28}" + "".join(f"{np.mean(values):12.1f}{np.max(values):8.1f}" for values in row.values()))
    print("\nmicroseconds of processor time for one change, or one hop, to be heard")
    for name, value in cost.items():
        print(f"{name:40}{value:10.0f}")
    if options.output:
        options.output.write_text(json.dumps({"machine": machine(), "convergence_db": figures, "cost_us": cost}, indent=1) + "\n")


if __name__ == "__main__":
    main()
