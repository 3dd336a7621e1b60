"""A decoder file becomes a function from latents to magnitudes (design section 3).

Loading runs on a worker thread, decoding on the thread that renders; ONNX Runtime is told to use that thread and no other.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DecoderError
from ..metadata import N_CLASSES, Metadata
from .decoder_file import check_values, first_line, load, refuse_strange

Magnitudes = NDArray[np.float32]

_MAX_CORNERS = 256


class Decoder:
    """One loaded decoder of kind ``frame``.

    Attributes
    ----------
    metadata : Metadata
        What the file says of itself.
    n_bins : int
        Half the window and one.
    """

    def __init__(self, session: Any, metadata: Metadata, path: str = "") -> None:
        self._session = session
        self.path = path
        self.metadata = metadata
        self.n_latents = len(metadata.latents)
        self.n_bins = metadata.window_samples // 2 + 1
        self.low = np.array([latent.low for latent in metadata.latents], np.float32)
        self.high = np.array([latent.high for latent in metadata.latents], np.float32)

    @classmethod
    def load(cls, path: Path | str) -> Decoder:
        """Load a file and check everything about it that can be seen without decoding; raises as `decoder_file.load` does."""
        return load(path, cls)

    def check_graph(self) -> None:
        """Compare the graph with the metadata.

        Raises
        ------
        DecoderError
            When they do not fit.
        """
        metadata = self.metadata
        if metadata.kind != "frame":
            raise DecoderError(f"it is of kind {metadata.kind!r}, and here one of kind 'frame' is needed")
        wanted: dict[str, tuple[str | int, ...]] = {"latent": ("voices", len(metadata.latents))}
        if metadata.chroma:
            wanted["chroma"] = "voices", N_CLASSES
        if metadata.registers:
            wanted["register"] = "voices", len(metadata.registers)
        check_values("takes", self._session.get_inputs(), wanted)
        check_values("gives", self._session.get_outputs(), {"magnitude": ("voices", self.n_bins)})

    def decode(self, positions: Magnitudes, chroma: Magnitudes | None, register: Magnitudes | None) -> Magnitudes:
        """Decode some points of the latent space.

        Parameters
        ----------
        positions : float32 (voices, n_latents)
            Positions 0..1 between the 1st and the 99th percentile of what the corpus used.
        chroma : float32 (voices, 12)
            One-hot; left aside by a decoder that is not conditioned on it.
        register : float32 (voices, n_registers)
            One-hot over ``metadata.registers``; left aside likewise.

        Returns
        -------
        float32 (voices, n_bins)
            Magnitudes as the decoder gives them: unscaled, possibly not finite.
        """
        inputs: dict[str, Magnitudes | None] = {"latent": self.low + positions * (self.high - self.low)}
        if self.metadata.chroma:
            inputs["chroma"] = chroma
        if self.metadata.registers:
            inputs["register"] = register
        magnitude: Magnitudes = self._session.run(None, inputs)[0]
        return magnitude

    def probe(self, seed: int = 0) -> None:
        """Decode the middle and up to 256 corners of the latent box, over all note classes and registers, and look at what comes.

        Raises
        ------
        DecoderError
            When anything is NaN, infinite or negative, or when a whole spectrum is zero.
        """
        corners = _corners(self.n_latents, np.random.default_rng(seed))
        points = np.concatenate([np.full((1, self.n_latents), 0.5, np.float32), corners])
        n_registers = max(1, len(self.metadata.registers))
        chroma = one_hot(np.arange(len(points)) % N_CLASSES, N_CLASSES)
        register = one_hot(np.arange(len(points)) // N_CLASSES % n_registers, n_registers)
        for start in range(0, len(points), 64):
            some = slice(start, start + 64)
            try:
                magnitude = self.decode(points[some], chroma[some], register[some])
            except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
                raise DecoderError(f"it cannot be run: {first_line(error)}") from error
            if magnitude.shape != (len(points[some]), self.n_bins) or magnitude.dtype != np.float32:
                raise DecoderError(f"it gives {magnitude.dtype} of shape {magnitude.shape}, not float32 (voices, {self.n_bins})")

            def place(row: int, start: int = start) -> str:
                return f"latent position {np.array2string(points[start + row], precision=2, separator=' ')} of its range"

            refuse_strange(magnitude, "magnitudes", place)


def one_hot(indices: NDArray[np.intp], size: int) -> Magnitudes:
    """Return rows of zeros with a one at each index: float32 (len(indices), size)."""
    hot = np.zeros((len(indices), size), np.float32)
    hot[np.arange(len(indices)), indices] = 1.0
    return hot


def _corners(n_latents: int, rng: np.random.Generator) -> Magnitudes:
    if 2**n_latents <= _MAX_CORNERS:
        return np.array(list(itertools.product((0.0, 1.0), repeat=n_latents)), np.float32)
    return rng.integers(0, 2, (_MAX_CORNERS, n_latents)).astype(np.float32)
