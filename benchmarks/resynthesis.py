"""How near a sound comes that is played through its decoder, whether its faders click, and what it takes. Run: ``make benchmark-resynthesis``.

Violin melodies that no network was taught (the test part of the corpus ``violin-melodies``) go through `oscsynth.render`, all faders in the middle
and all scales 1; with ``--decoder NAME`` it is notes of the test part of that decoder's own corpus, one after another. Spectral
convergence is the norm of the difference of two spectrograms of magnitudes, over that of the first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from oscsynth.render import Performance
from oscsynth.sound.own_phase import late_samples
from oscsynth.sound.phase import Stft as EngineStft
from training import corpora, prepare
from training.decoder_file import DecoderFile, open_decoder
from training.spectra import Stft, magnitudes, scaled

from .machine import machine

RATE_HZ, SECONDS, SEED = 44100, 4.0, 440
STFT = Stft()
PHASES = ("input", "noise", "tonal")
DECODERS = Path("patches/decoders")
PATCH = """name: Measured
decoder: decoders/{decoder}.onnx
mode: resynthesis
input: phrase.wav
phase: {phase}
loop: off
width: 1
envelope: {{attack_ms: 0, sustain: 1}}
"""


def phrases(decoder: str, count: int) -> list[np.ndarray]:
    """Return some seconds each of what a decoder was never taught: melodies, or notes in a row; (samples,) float32."""
    corpus = corpora.recipe("violin-melodies" if decoder == "violin" else decoder, STFT)
    clips = [clip for source in corpus.sources for clip in source() if isinstance(clip, corpora.Clip)]
    parts = prepare.split([clip.group for clip in clips], SEED)
    audio, n_samples = [clip.audio for clip, part in zip(clips, parts, strict=True) if part == prepare.TEST], round(SECONDS * RATE_HZ)
    if decoder != "violin":
        row = np.concatenate([audio[index] for index in np.random.default_rng(SEED).permutation(len(audio))])
        audio = [row[at : at + n_samples] for at in range(0, len(row) - n_samples, n_samples)]
    return [each[:n_samples] for each in audio[:count]]


def convergence(heard: np.ndarray, other: np.ndarray) -> float:
    """Return the spectral convergence of magnitudes, (hops, n_bins) each."""
    return float(np.linalg.norm(heard - other) / np.linalg.norm(heard))


def autoencoder(decoder: DecoderFile, heard: np.ndarray) -> np.ndarray:
    """Return what encoder and decoder make of magnitudes (hops, n_bins), each as loud as its hop was."""
    shape = scaled(heard)
    pitch_midi = prepare.measured_pitch(shape, STFT)
    return decoder.decode(decoder.embed(shape, pitch_midi), pitch_midi) * heard.max(axis=1, keepdims=True)


class Stage:
    """A phrase as the track of a patch."""

    def __init__(self, phrase: np.ndarray, phase: str, decoder: str = "violin") -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            soundfile.write(folder / "phrase.wav", phrase, RATE_HZ, subtype="FLOAT")
            (folder / "measured.yaml").write_text(PATCH.format(phase=phase, decoder=decoder))
            self.performance = Performance(RATE_HZ, folder, "Measured")

    def render(self, n_samples: int) -> np.ndarray:
        """Return the next samples: (samples, 2)."""
        return np.concatenate([self.performance.render(min(1024, n_samples - at)) for at in range(0, n_samples, 1024)])


def nearness(name: str, heard_phrases: list[np.ndarray]) -> dict[str, list[float]]:
    """Return the convergence of a decoder with its encoder, and of what is heard with each phase, of each phrase."""
    decoder = open_decoder(DECODERS / f"{name}.onnx")
    found: dict[str, list[float]] = {each: [] for each in ("autoencoder", *PHASES)}
    for phrase in heard_phrases:
        heard = magnitudes(phrase[STFT.window_samples :], STFT)  # from where the first window is whole
        found["autoencoder"].append(convergence(heard, autoencoder(decoder, heard)))
        for phase in PHASES:
            sound = Stage(phrase, phase, name).render(len(phrase))[STFT.window_samples :]
            both = np.sqrt(np.mean([np.square(magnitudes(sound[:, channel], STFT)) for channel in (0, 1)], axis=0))
            found[phase].append(convergence(heard, both))
    return found


def clicks(phase: str, phrase: np.ndarray, moves: int = 20) -> float:
    """Return how much larger the second difference gets when faders and scales jump, ten times a second, than it is when they stand still there.

    Each jump is held against the larger of both: the phrase played wholly before it, and wholly after it, at the same 50 ms.
    """
    rng = np.random.default_rng(440)
    places = rng.random((moves + 1, 3)), 2 * rng.random((moves + 1, 3))
    step = RATE_HZ // 10

    def played(turns: list[int]) -> list[np.ndarray]:
        stage, out = Stage(phrase, phase), []
        for turn in turns:
            for neuron in range(3):
                stage.performance.send(f"/oscsynth/latent/{neuron + 1}", float(places[0][turn][neuron]))
                stage.performance.send(f"/oscsynth/latent/{neuron + 1}/scale", float(places[1][turn][neuron]))
            out.append(np.abs(np.diff(stage.render(step)[:, 0].astype(np.float64), 2))[: step // 2].max())
        return out

    moving = played(list(range(moves)))
    steady = {turn: played([turn] * moves) for turn in range(0, moves, 5)}  # every fifth place: each is a rendering more
    ratios = [moving[turn] / max(steady[turn][turn], steady[turn][max(turn - 1, 0)], 1e-9) for turn in steady if turn]
    return float(max(ratios))


def cost(phase: str, phrase: np.ndarray) -> float:
    """Return the share of one core that it takes."""
    stage = Stage(phrase, phase)
    stage.render(RATE_HZ // 2)
    begun = time.process_time()
    stage.render(2 * RATE_HZ)
    return (time.process_time() - begun) / 2


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--phrases", type=int, default=6)
    arguments.add_argument("--decoder", default="violin", help="one that has an encoder; clicks and cost are measured for the violin alone")
    options = arguments.parse_args()
    played = phrases(options.decoder, options.phrases)
    found = nearness(options.decoder, played)
    print(f"{machine()}\n\n{options.decoder}: spectral convergence to what was heard, {len(played)} phrases of {SECONDS:g} s: mean, worst")
    for name, values in found.items():
        print(f"{name:16}{np.mean(values):8.3f}{np.max(values):8.3f}")
    worse = [name for name in ("input",) for value, own in zip(found[name], found["autoencoder"], strict=True) if value > own]
    print(f"with the input's phases {'never' if not worse else f'{len(worse)} times'} farther than the autoencoder itself")
    if options.decoder != "violin":
        return
    stft, phrase = EngineStft.at_rate(RATE_HZ), played[0]
    for phase in PHASES:
        late_ms = 1000 * late_samples(stft, phase == "input") / RATE_HZ
        jump, share = clicks(phase, phrase), cost(phase, phrase)
        print(f"{phase:8} {late_ms:5.1f} ms late; {100 * share:.0f} % of a core; when all faders and scales jump, {jump:.2f} x the second difference")


if __name__ == "__main__":
    main()
