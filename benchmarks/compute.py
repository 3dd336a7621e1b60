"""How much of a core one second of sound takes, and how soon a change is heard, beside the paper's loop. Run: ``make benchmark``.

Measured for 1, 8 and 64 simultaneous latent points, every latent of every point moving in every block of 256 samples:

- *oscsynth*: the engine itself for 1 point, and for 8 parts of one point each; its own steps (decode together, scale, add, one inverse FFT) for
  8 and 64 points that share one part's noise.
- *the paper's loop* (Colonel & Keene 2020, and their program): decode one frame a block of 4096 samples, tile it to the hops of the block, give it
  noise phase, inverse STFT with librosa. The decoder runs once a block in Keras ``predict``, as a ``tf.function`` or in NumPy; it decodes 10.8
  times a second where oscsynth decodes 344 times.

The shipped violin decoder and a Keras model of the same widths are used. Each row is timed several times in turn with the others, since
speed drifts on a shared machine; the fastest and the median are printed, as JSON to ``--output`` too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

# One thread for everybody: what is compared is work, not cores.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

from oscsynth.library import factory_folder  # noqa: E402
from oscsynth.parameters import State  # noqa: E402
from oscsynth.patch import Patch  # noqa: E402
from oscsynth.sound.engine import Engine  # noqa: E402
from oscsynth.sound.loading import load_sound  # noqa: E402
from oscsynth.sound.overlap_add import Mix, OverlapAdd  # noqa: E402
from oscsynth.sound.phase import NoiseCarrier, Stft  # noqa: E402

from .machine import machine  # noqa: E402

RATE_HZ = 44100
BLOCK_SAMPLES = 256
PAPER_BLOCK_SAMPLES = 4096
POLL_SECONDS = 0.1  # how often the paper's program looks at its faders
WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2049)
POINTS = (1, 8, 64)

Run = Callable[[float], None]  # renders that many seconds


def oscsynth_parts(decoder: Path, n_parts: int) -> Run:
    """Return a run of the engine with 1 to 8 parts whose latents all move."""
    engine, state = Engine(RATE_HZ), State()
    engine.install(1, load_sound(Patch("Benchmark", str(decoder), gain_db=-18), RATE_HZ))
    for part in range(1, n_parts + 1):
        for name, value in (("open", 1), ("patch", 1), ("gate", 1)):
            state.set(part, name, value)
        state.set(part, "chroma", 1.0, part)
    values = np.frombuffer(state.values)
    rng = np.random.default_rng(1)

    def run(seconds: float) -> None:
        for _ in range(round(seconds * RATE_HZ / BLOCK_SAMPLES)):
            for part in range(1, n_parts + 1):
                for latent, value in enumerate(rng.random(8)):
                    state.set(part, "latent", value, latent)
            engine.render(values, BLOCK_SAMPLES)

    return run


def oscsynth_points(decoder: Path, n_points: int) -> Run:
    """Return a run of the engine's steps for many points that share one pair of carriers, at the clock of 256 for more than 16."""
    stft = Stft.at_rate(RATE_HZ)
    sound = load_sound(Patch("Benchmark", str(decoder)), RATE_HZ)
    adder = OverlapAdd(NoiseCarrier(stft), 0, 431)
    clock = stft.clock_samples if n_points <= 16 else 2 * stft.clock_samples
    moments = BLOCK_SAMPLES // clock
    pitches = sound.pitches(np.eye(12)[0] + np.eye(12)[9], np.nan, np.nan, 0.0)
    pitches = type(pitches)(
        *(np.resize(field, (n_points, *field.shape[1:])) for field in (pitches.chroma, pitches.register)),
        np.full(n_points, 1 / n_points),
        np.zeros(n_points),
        np.full(n_points, 440.0),
    )
    rng, mix, position = np.random.default_rng(1), Mix.of(0.0, 0.5), 0

    def run(seconds: float) -> None:
        nonlocal position
        for _ in range(round(seconds * RATE_HZ / BLOCK_SAMPLES)):
            magnitudes, _ = sound.render(rng.random((moments, n_points, sound.n_latents)), pitches)
            for magnitude in magnitudes:
                adder.change(position, clock, magnitude, mix)
                adder.add_to(np.zeros((clock, 2), np.float32), position)
                position += clock

    return run


def paper_loop(decode: Callable[[np.ndarray], np.ndarray], n_points: int) -> Run:
    """Return a run of the paper's loop around a decoder (points, 20) to (points, 2049)."""
    import librosa

    rng = np.random.default_rng(1)
    noise = librosa.stft(rng.standard_normal(20 * RATE_HZ).astype(np.float32), n_fft=4096, hop_length=1024)
    phase = np.exp(1j * np.angle(noise)).astype(np.complex64)
    hops = PAPER_BLOCK_SAMPLES // 1024 + 1

    def run(seconds: float) -> None:
        for block in range(round(seconds * RATE_HZ / PAPER_BLOCK_SAMPLES)):
            points = np.concatenate([rng.random((n_points, 3)), np.eye(12)[np.arange(n_points) % 12], np.zeros((n_points, 5))], 1)
            magnitude = decode(points.astype(np.float32)).sum(0)
            tiled = np.tile(magnitude[:, None], (1, hops))
            sound = librosa.istft(tiled * phase[:, block * 4 % 800 : block * 4 % 800 + hops], hop_length=1024)
            sound /= np.abs(sound).max()

    return run


def keras_model() -> object:
    """Return a Keras model of the decoder's widths with weights drawn at random: speed does not depend on them."""
    import keras

    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((20,))
    for width in WIDTHS[:-1]:
        x = keras.layers.LeakyReLU(negative_slope=0.1)(keras.layers.Dense(width)(x))
    return keras.Model(inputs, keras.layers.Dense(WIDTHS[-1], activation="relu")(x))


def paper_decoders() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return the three ways in which the paper's loop can decode."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras_model()
    compiled = tf.function(model, reduce_retracing=True)
    weights = [w.numpy() for w in model.weights]  # type: ignore[attr-defined]

    def in_numpy(x: np.ndarray) -> np.ndarray:
        for kernel, bias in zip(weights[0:-2:2], weights[1:-2:2], strict=True):
            x = x @ kernel + bias
            x = np.maximum(x, np.float32(0.1) * x)
        return np.maximum(x @ weights[-2] + weights[-1], 0)

    return {
        "Keras predict": lambda x: model.predict(x, verbose=0),  # type: ignore[attr-defined]
        "tf.function": lambda x: compiled(x).numpy(),
        "NumPy": in_numpy,
    }


def change_to_sound(n: int = 200) -> dict[str, float]:
    """Return how many milliseconds a change at a random moment takes to be half heard, device buffers left out.

    oscsynth takes it at its next block of 256, and its instant response is half way 128 samples later (tests/sound/test_engine.py
    measures that). The paper's program looks every 100 ms and then plays from its next block of 4096 on.
    """
    stft, rng = Stft.at_rate(RATE_HZ), np.random.default_rng(1)
    response = stft.clock_samples / RATE_HZ
    ours = [(-moment) % (BLOCK_SAMPLES / RATE_HZ) + response for moment in rng.random(n)]
    theirs = []
    for moment in rng.random(n) * 10:
        polled = np.ceil(moment / POLL_SECONDS) * POLL_SECONDS
        block = PAPER_BLOCK_SAMPLES / RATE_HZ
        theirs.append(np.ceil(polled / block) * block - moment)
    mean_ms = lambda values: round(1000 * float(np.mean(values)), 1)  # noqa: E731
    worst_ms = lambda values: round(1000 * float(np.max(values)), 1)  # noqa: E731
    return {"oscsynth_mean": mean_ms(ours), "oscsynth_worst": worst_ms(ours), "paper_mean": mean_ms(theirs), "paper_worst": worst_ms(theirs)}


def measure(runs: dict[str, Run], seconds: dict[str, float], repeats: int) -> dict[str, dict[str, float]]:
    """Time every run in turn, several times; return milliseconds of processor time for each second of sound."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(0.2)
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            run(seconds[name])
            times[name].append(1000 * (time.process_time() - start) / seconds[name])
    return {name: {"fastest_ms": round(min(t), 1), "median_ms": round(statistics.median(t), 1)} for name, t in times.items()}


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--output", type=Path, help="write the figures as JSON")
    arguments.add_argument("--decoder", type=Path, default=factory_folder() / "decoders" / "violin.onnx")
    arguments.add_argument("--repeats", type=int, default=7)
    options = arguments.parse_args()

    runs: dict[str, Run] = {
        "oscsynth, 1": oscsynth_parts(options.decoder, 1),
        "oscsynth, 8 parts of 1": oscsynth_parts(options.decoder, 8),
        "oscsynth, 8": oscsynth_points(options.decoder, 8),
        "oscsynth, 64": oscsynth_points(options.decoder, 64),
    }
    for name, decode in paper_decoders().items():
        runs |= {f"paper's loop on {name}, {n}": paper_loop(decode, n) for n in POINTS}
    seconds = {name: 4.0 if "oscsynth" in name else 2.0 for name in runs}
    figures = measure(runs, seconds, options.repeats)
    latency = change_to_sound()

    print(f"{machine()}, one thread\n\nprocessor time for one second of sound, every latent moving in every block of {BLOCK_SAMPLES}")
    print(f"{'':36}{'fastest':>12}{'median':>12}{'of a core':>12}")
    for name, row in figures.items():
        print(f"{name + ' points':36}{row['fastest_ms']:9.1f} ms{row['median_ms']:9.1f} ms{row['median_ms'] / 10:10.1f} %")
    print("\nfrom a changed latent to half of the change heard, before the device's own buffer")
    print(f"oscsynth     {latency['oscsynth_mean']:6.1f} ms mean {latency['oscsynth_worst']:6.1f} ms worst")
    print(f"paper's loop {latency['paper_mean']:6.1f} ms mean {latency['paper_worst']:6.1f} ms worst")
    if options.output:
        options.output.write_text(json.dumps({"machine": machine(), "compute": figures, "change_to_sound_ms": latency}, indent=1) + "\n")


if __name__ == "__main__":
    main()
