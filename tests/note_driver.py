"""A player without mercy: random notes, expression, pedal, panic and patch switches into the whole instrument, and what came of them.

Clicks are looked for against what the sound itself would have: each change of magnitudes says how large the second differences of its noise
are, so that a bound is known at every sample, in the soft and the dark as in the loud.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from oscsynth.control.instrument import Instrument
from oscsynth.control.osc import Message
from oscsynth.parameters import MAX_VOICES
from oscsynth.patch import Envelope, LatentControl, Patch, Pressure, Velocity
from oscsynth.sound.engine import Engine
from oscsynth.sound.loading import SoundLoader
from oscsynth.sound.overlap_add import OverlapAdd
from oscsynth.sound.phase import Stft
from oscsynth.sound.spectrum import mean_squares
from oscsynth.sound.voices import Sound

from .decoders import tiny_decoder

RATE_HZ = 44100
STFT = Stft.at_rate(RATE_HZ)
QUIETEST = 1e-6  # second differences below -120 dBFS are nobody's click
_SHARP = (4 * np.sin(np.pi * np.arange(STFT.n_bins) / STFT.window_samples) ** 2).astype(np.float32)


def patches(folder: Path) -> list[Patch]:
    """Return patches of all kinds on small decoders."""
    plain, registered = str(tiny_decoder(folder / "plain.onnx")), str(tiny_decoder(folder / "registered.onnx", seed=2, registers=(3, 4, 5)))
    latents = {"bow": LatentControl(1), "air": LatentControl(2, slew_ms=20), "edge": LatentControl(3, slew_ms=0)}
    common: dict[str, Any] = {"mode": "notes", "latents": latents, "gain_db": -12.0}
    return [
        Patch("Pad", plain, voices=16, envelope=Envelope(200, 300, 0.7, 300), **common),
        Patch("Keys", registered, voices=64, envelope=Envelope(1, 400, 0, 80), velocity=Velocity(40, latents={"bow": 0.8}), **common),
        Patch("Lead", plain, voices=1, envelope=Envelope(0, 0, 1, 0), pressure=Pressure(6, {"edge": 1.0}), glide_ms=60.0, seed=5, **common),
        Patch("Bell", registered, voices=4, envelope=Envelope(2, 0, 1, 900), stretch="harmonics", formants="keep", **common),
        Patch("Drone", plain, gain_db=-12.0, latents=latents),
    ]


class Stage:
    """The instrument and the engine, offline."""

    def __init__(self, folder: Path) -> None:
        self.engine, loader = Engine(RATE_HZ), SoundLoader(RATE_HZ)
        asked: list[int] = []
        self.instrument = Instrument(lambda number, patch: asked.append(number), seconds=lambda: self.engine.position_samples / RATE_HZ)
        self.sounds: list[Sound] = []
        self.refused: list[tuple[Any, ...]] = []
        kinds = patches(folder)
        self.instrument.repertoire.set_patches({patch.name: patch for patch in kinds})
        for patch in kinds:
            sound = loader.load(patch)
            self.instrument.repertoire.offer(patch, sound.decoder.metadata)
            self.engine.install(asked[-1], sound)
            self.instrument.repertoire.loaded(asked[-1])
        self.instrument.repertoire.start(kinds[0].name)
        self.values = np.frombuffer(self.instrument.state.values)

    def send(self, address: str, *arguments: float | str, sender: object = None) -> None:
        replies = self.instrument.perform(Message("/oscsynth/" + address, arguments), sender)
        self.refused += [reply.arguments for reply in replies if reply.address.endswith("/fail")]

    def render(self, n_samples: int) -> np.ndarray:
        return self.engine.render(self.values, n_samples)

    @property
    def held(self) -> int:
        return sum(self.instrument.voices.is_held(voice) for voice in range(MAX_VOICES))


class Bound:
    """What the second differences of the sound may be, from the changes that are made: used as a context, it listens to all."""

    def __init__(self) -> None:
        self._of: dict[int, list[tuple[int, int, float]]] = {}
        self._kept: list[OverlapAdd] = []

    def __enter__(self) -> Bound:
        self._change = change = OverlapAdd.change

        def listen(adder: OverlapAdd, start: int, spread: int, magnitude: Any, *more: Any) -> None:
            change(adder, start, spread, magnitude, *more)
            size = 0.0 if magnitude is None else float(np.sqrt(mean_squares((magnitude * _SHARP)[None], STFT.window_samples)[0]))
            self._kept.append(adder)  # so that no other gets its number
            self._of.setdefault(id(adder), []).append((start, start + 2 * adder._layers[-1].spread, size))

        OverlapAdd.change = listen  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        OverlapAdd.change = self._change  # type: ignore[method-assign]

    def of(self, n_samples: int) -> np.ndarray:
        """Return the root mean square that is due at each sample: the largest of all that is heard there, added over decks."""
        total = np.full(n_samples, QUIETEST)
        for changes in self._of.values():
            due = np.zeros(n_samples)
            for (start, _, size), (_, replaced, _) in zip(changes, [*changes[1:], (0, n_samples, 0.0)], strict=True):
                np.maximum(due[start:replaced], size, out=due[start:replaced])
            total += due
        return total


class Player:
    """Random hands; ``down`` are the keys that are pressed: part and id."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.rng = stage, np.random.default_rng(seed)
        self.down: dict[tuple[int, float], float] = {}
        self.low = 30.0

    def play(self, n_events: int, mean_samples: float = 60.0) -> np.ndarray:
        """Return the sound of so many events, in bursts and with pauses; float32 (samples, 2)."""
        pieces = []
        for n in range(n_events):
            if n % 400 == 0:
                self.low = float(self.rng.choice([28, 40, 55, 75]))
            self._event()
            pause = 0 if self.rng.random() < 0.3 else int(self.rng.exponential(mean_samples)) if self.rng.random() < 0.99 else 6000
            if pause:
                pieces.append(self.stage.render(pause))
        return np.concatenate(pieces)

    def lift_all(self) -> np.ndarray:
        """Take the hands off and the foot away, and wait."""
        for part, name in list(self.down):
            self._send(part, "note/off/id", name)
        for part in list(self.stage.instrument.parts):
            self._send(part, "hold", 0)
        return self.stage.render(3 * RATE_HZ)

    def _send(self, part: int, address: str, *arguments: float | str) -> None:
        self.stage.send(f"part/{part}/{address}", *arguments)

    def _event(self) -> None:
        rng, parts = self.rng, list(self.stage.instrument.parts)
        part = int(rng.choice(parts))
        mine = [name for where, name in self.down if where == part]
        name = float(rng.choice(mine)) if mine else 0.0
        kind = rng.random()
        if kind < 0.36:
            pitch = round(float(rng.uniform(self.low, self.low + 24)), int(rng.integers(3)))
            name = float(rng.integers(40)) if rng.random() < 0.5 else pitch
            self._send(part, "note/on", pitch, float(rng.random() ** 0.5) or 1.0, name)
            self.down[part, name] = pitch
        elif kind < 0.7:
            self._send(part, "note/off/id", name, float(rng.random()))
            self.down.pop((part, name), None)
        elif kind < 0.78:
            self._send(part, "note/bend", name, float(rng.normal(0, 2)))
        elif kind < 0.84:
            self._send(part, "note/pressure", name, float(rng.random()))
        elif kind < 0.88:
            self._send(part, "note/latent", name, *map(float, rng.random(int(rng.integers(1, 4)))))
        elif kind < 0.92:
            self._send(part, "latents", *map(float, rng.random(3)))
        elif kind < 0.95:
            self._send(part, "hold", int(rng.random() < 0.4))
        else:
            self._rare(part, kind)

    def _rare(self, part: int, kind: float) -> None:
        rng = self.rng
        if kind < 0.97:
            self._send(part, "patch", str(rng.choice(["Pad", "Keys", "Lead", "Bell", "Drone"], p=[0.3, 0.3, 0.15, 0.2, 0.05])))
        elif kind < 0.975:
            self._send(part, "transpose", float(rng.uniform(-3, 3)))
        elif kind < 0.98:
            self._send(part, "glide", float(rng.choice([0, 30, 300])))
        elif kind < 0.985:
            self._send(part, "gate", 0)
        elif kind < 0.99:
            self._send(part, "panic")
        elif kind < 0.995:
            self._send(2 + int(rng.integers(2)), "patch", "Keys")
        elif part > 1:
            self._send(part, "close")


def crests(sound: np.ndarray, due: np.ndarray) -> np.ndarray:
    """Return the second differences of both channels over what is due, float64 (samples, 2)."""
    return np.abs(np.diff(sound.astype(np.float64), 2, axis=0)) / due[1:-1, None]
