"""A decoder file as evaluation sees it: notes and fader positions to magnitudes, and magnitudes back to fader positions.

Any decoder that the instrument plays can be opened; what it does is measured as the instrument hears it. Back goes through the encoder
beside it, where there is one. Where there is none (a file from elsewhere, or from before encoders shipped), the positions that
decode nearest are searched for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oscsynth.errors import DecoderError
from oscsynth.metadata import Metadata
from oscsynth.sound.decoder import Decoder

from . import batches
from .spectra import Stft

REGISTERS = "registers"  # property of an encoder: the octaves of its input, a JSON list
BATCH = 512  # decoded at once: 4 MB of magnitudes
LIBRARY = 1024  # random positions that a search begins with, for each note
SEARCHED = 256  # hops side by side: with eight latents their slopes take 17 MB
SEARCH_STARTS, SEARCH_ROUNDS = 4, 12


@dataclass(frozen=True, slots=True)
class DecoderFile:
    """An opened decoder, and its encoder where it has one."""

    path: Path
    decoder: Decoder
    encoder: Any = None  # onnxruntime.InferenceSession
    registers: tuple[int, ...] = ()  # octaves that the encoder is given

    @property
    def metadata(self) -> Metadata:
        """What the file says of itself."""
        return self.decoder.metadata

    @property
    def n_latents(self) -> int:
        """How many faders it has."""
        return self.decoder.n_latents

    @property
    def stft(self) -> Stft:
        """Window, hop and rate of its magnitudes."""
        return Stft(self.metadata.sample_rate_hz, self.metadata.window_samples, self.metadata.hop_samples)

    @property
    def bin_hz(self) -> float:
        """Distance between two bins."""
        return self.metadata.sample_rate_hz / self.metadata.window_samples

    def notes(self) -> np.ndarray:
        """Return what it can be asked to play: (notes,) int64 MIDI, rising; one for each class where it has no octaves."""
        if not self.metadata.registers:
            homes = np.asarray(self.metadata.home_octaves)
            return np.asarray(12 * (homes + 1) + np.arange(12)) if self.metadata.chroma else np.array([12 * (int(homes[0]) + 1)])
        low, high = 12 * (self.metadata.registers[0] + 1), 12 * (self.metadata.registers[-1] + 1) + 11
        return np.arange(max(low, self.metadata.midi_low), min(high, self.metadata.midi_high) + 1)

    def decode(self, positions: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
        """Return magnitudes: (points, n_bins) float32 for (points, n_latents) positions 0..1 and (points,) notes."""
        condition = batches.condition(np.asarray(pitch_midi), self.metadata.registers)  # (points, 12 + octaves)
        positions = np.asarray(positions, np.float32)
        parts = [
            self.decoder.decode(positions[some], condition[some, :12], condition[some, 12:])
            for some in (slice(start, start + BATCH) for start in range(0, len(positions), BATCH))
        ]
        return np.concatenate([np.zeros((0, self.decoder.n_bins), np.float32), *parts])

    def embed(self, magnitude: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
        """Return fader positions: (hops, n_latents) float32 for (hops, n_bins) magnitudes of peak 1 and (hops,) notes.

        With an encoder they may lie a little outside 0..1, as a hundredth of the corpus does at each end of each fader.
        """
        if self.encoder is None:
            pitch_midi, blocks = np.asarray(pitch_midi), range(0, len(magnitude), SEARCHED)
            found = [self._searched(magnitude[start : start + SEARCHED], pitch_midi[start : start + SEARCHED]) for start in blocks]
            return np.concatenate([np.zeros((0, self.n_latents), np.float32), *found])
        condition = batches.condition(np.asarray(pitch_midi), self.registers)
        inputs = {"magnitude": magnitude, "chroma": condition[:, :12], "register": condition[:, 12:]}
        wanted = [each.name for each in self.encoder.get_inputs()]
        latent = self.encoder.run(None, {name: np.ascontiguousarray(inputs[name], np.float32) for name in wanted})[0]
        span = np.maximum(self.decoder.high - self.decoder.low, 1e-9)
        return np.asarray((latent - self.decoder.low) / span, np.float32)

    def _searched(self, magnitude: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
        """Find the positions whose magnitudes are nearest: for each note the best few of many, then downhill from there."""
        rng = np.random.default_rng(len(magnitude))
        starts = np.zeros((SEARCH_STARTS, len(magnitude), self.n_latents), np.float32)
        for note in np.unique(pitch_midi):
            positions, rows = rng.random((LIBRARY, self.n_latents), np.float32), np.flatnonzero(pitch_midi == note)
            library = self.decode(positions, np.full(LIBRARY, note))
            distance = np.square(library).sum(axis=1) - 2 * magnitude[rows] @ library.T  # (rows, LIBRARY), but for a constant
            starts[:, rows] = positions[np.argsort(distance, axis=1)[:, :SEARCH_STARTS]].swapaxes(0, 1)
        found = [self._downhill(magnitude, pitch_midi, start) for start in starts]
        errors = np.stack([error for _, error in found])  # (starts, hops)
        positions = np.stack([position for position, _ in found])
        return np.asarray(positions[errors.argmin(axis=0), np.arange(len(magnitude))])

    def _downhill(self, target: np.ndarray, pitch_midi: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return nearer positions and their errors: Levenberg-Marquardt, slopes by differences, all hops side by side."""
        n_hops, n_latents = position.shape
        step = 1e-3 * np.eye(n_latents, dtype=np.float32)
        damping, error = np.full(n_hops, 1e-2), np.full(n_hops, np.inf)
        best = trial = position
        slopes, rest = np.zeros((n_hops, n_latents, target.shape[1]), np.float32), np.zeros_like(target)
        for _ in range(SEARCH_ROUNDS):
            here = self.decode(trial, pitch_midi)
            trial_error = np.square(here - target).mean(axis=1, dtype=np.float64)
            better = np.flatnonzero(trial_error < error)
            best = np.where((trial_error < error)[:, None], trial, best)
            damping = np.where(trial_error < error, damping / 5, damping * 5)
            error = np.minimum(error, trial_error)
            beside = self.decode((trial[better][:, None] + step).reshape(-1, n_latents), np.repeat(pitch_midi[better], n_latents))
            slopes[better] = (beside.reshape(len(better), n_latents, target.shape[1]) - here[better][:, None]) / 1e-3
            rest[better] = target[better] - here[better]
            curvature = np.einsum("hib,hjb->hij", slopes, slopes).astype(np.float64)
            curvature += damping[:, None, None] * (np.trace(curvature, axis1=1, axis2=2)[:, None, None] / n_latents + 1e-12) * np.eye(n_latents)
            slope = np.einsum("hib,hb->hi", slopes, rest).astype(np.float64)
            trial = np.clip(best + np.linalg.solve(curvature, slope[..., None])[..., 0], 0, 1).astype(np.float32)
        return best, error


def open_decoder(path: Path) -> DecoderFile:
    """Open a decoder, with the encoder that it names when that lies beside it.

    Raises
    ------
    DecoderError
        When either cannot be used.
    """
    decoder = Decoder.load(path)
    name = decoder.metadata.encoder
    if not name or not (path.parent / name).is_file():
        return DecoderFile(path, decoder)
    encoder = _open_encoder(path.parent / name)
    registers = tuple(json.loads(encoder.get_modelmeta().custom_metadata_map.get(REGISTERS, "[]")))
    _check_encoder(encoder, registers, decoder, path.parent / name)
    return DecoderFile(path, decoder, encoder, registers)


def _open_encoder(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
        raise DecoderError(f"{path}: the encoder cannot be loaded: {str(error).splitlines()[0][:200]}") from error


def _check_encoder(encoder: Any, registers: tuple[int, ...], decoder: Decoder, path: Path) -> None:
    takes, gives = ({each.name: each.shape[1] for each in values} for values in (encoder.get_inputs(), encoder.get_outputs()))
    fits = {"magnitude": decoder.n_bins, "chroma": 12, "register": len(registers)}
    if takes.get("magnitude") != decoder.n_bins or not takes.items() <= fits.items() or gives != {"latent": decoder.n_latents}:
        raise DecoderError(f"{path}: this encoder is not of {decoder.path}: it takes {takes} and gives {gives}")
