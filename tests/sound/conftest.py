"""An engine with a small decoder, and a state to play it with."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oscsynth.parameters import State
from oscsynth.patch import Patch
from oscsynth.sound.budget import Budget
from oscsynth.sound.engine import Engine
from oscsynth.sound.loading import load_sound
from tests.decoders import tiny_decoder
from tests.encoders import tiny_encoder

RATE_HZ = 44100


@pytest.fixture(scope="session")
def decoder_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_decoder(tmp_path_factory.mktemp("decoders") / "tiny.onnx")


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a decoder with registers and an encoder that always says the same."""
    decoder = tiny_decoder(tmp_path_factory.mktemp("pair") / "pair.onnx", registers=(3, 4, 5))
    tiny_encoder(decoder, latents=(0.6, 0.7, 0.2), registers=(3, 4, 5))
    return decoder


class Player:
    """An engine that plays patches, and the state that control would hold."""

    def __init__(self, *patches: Patch, rate_hz: int = RATE_HZ, n_channels: int = 2, budget: Budget | None = None) -> None:
        self.engine = Engine(rate_hz, n_channels, budget)
        for number, patch in enumerate(patches, 1):
            self.engine.install(number, load_sound(patch, rate_hz))
        self.state = State()
        self.open()

    def open(self, part: int = 1, patch: int = 1, chroma: int = 9) -> None:
        """Have a part play a patch, on one note class, at -20 LUFS."""
        for name, value in (("open", 1), ("patch", patch), ("gate", 1), ("envelope/sustain", 1)):
            self.state.set(part, name, value)
        self.classes({chroma: 1.0}, part)

    def classes(self, weights: dict[int, float], part: int = 1) -> None:
        for index in range(12):
            self.state.set(part, "chroma", weights.get(index, 0.0), index)

    def latents(self, *values: float, part: int = 1) -> None:
        for index, value in enumerate(values):
            self.state.set(part, "latent", value, index)

    def set(self, name: str, value: float, part: int = 1) -> None:
        self.state.set(part, name, value)

    def render(self, n_samples: int, block: int = 0) -> np.ndarray:
        values = np.frombuffer(self.state.values)
        sizes = [block] * (n_samples // block) + [n_samples % block] * bool(n_samples % block) if block else [n_samples]
        return np.concatenate([self.engine.render(values, size) for size in sizes])


@pytest.fixture
def player(decoder_path: Path) -> Callable[..., Player]:
    """Return a maker of players; keyword arguments that are fields of a patch go to the patch."""

    def make(*, rate_hz: int = RATE_HZ, n_channels: int = 2, decoder: Path | None = None, **fields: object) -> Player:
        return Player(Patch("Test", str(decoder or decoder_path), **fields), rate_hz=rate_hz, n_channels=n_channels)  # type: ignore[arg-type]

    return make
