"""A decoder file becomes a function from latents to magnitudes (design section 3).

Loading runs on a worker thread, decoding on the thread that renders; ONNX Runtime is told to use that thread and no other.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DecoderError
from ..metadata import MAX_DECODER_BYTES, N_CLASSES, PROPERTY, Metadata, parse_metadata

Magnitudes = NDArray[np.float32]

_MAX_CORNERS = 256
# ONNX Runtime's own words, and what they mean to somebody who did not write it.
_REASONS = (
    ("external", "it keeps its weights in another file; a decoder is one file: export it again with the weights inside"),
    ("custom operator", "it uses operators of its own (custom operators); only the standard ones are played"),
    ("not a registered function/op", "it uses operators of its own (custom operators); only the standard ones are played"),
    ("is not a registered function", "it uses operators of its own (custom operators); only the standard ones are played"),
    ("opset", "it was written for a newer version of ONNX than this oscsynth reads"),
    ("protobuf", "it is no ONNX file, or only a part of one: copy or export it again"),
    ("no graph", "it is no ONNX file, or only a part of one: copy or export it again"),
)


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
        """Load a file and check everything about it that can be seen without decoding.

        Raises
        ------
        DecoderError
            With the path and a sentence saying why, when the file is missing, too large, no ONNX, refers to other files or custom operators,
            or when its graph and its metadata do not fit each other or the table of kinds.
        """
        try:
            session = _open_session(_read(Path(path)))
            text = session.get_modelmeta().custom_metadata_map.get(PROPERTY)
            if text is None:
                raise DecoderError(f"it has no {PROPERTY!r} metadata: it was not exported by `oscsynth train` or `oscsynth import`")
            decoder = cls(session, parse_metadata(text), str(path))
            decoder._check_graph()
        except DecoderError as error:
            raise DecoderError(f"{path}: {error}") from error
        return decoder

    def _check_graph(self) -> None:
        metadata = self.metadata
        if metadata.kind != "frame":
            raise DecoderError(f"it is of kind {metadata.kind!r}; this version plays kind 'frame'")
        wanted = {"latent": len(metadata.latents)}
        if metadata.chroma:
            wanted["chroma"] = N_CLASSES
        if metadata.registers:
            wanted["register"] = len(metadata.registers)
        _check_values("takes", self._session.get_inputs(), wanted)
        _check_values("gives", self._session.get_outputs(), {"magnitude": self.n_bins})

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


def probe(decoder: Decoder, seed: int = 0) -> None:
    """Decode the middle and up to 256 corners of the latent box, over all note classes and registers, and look at what comes.

    Raises
    ------
    DecoderError
        With the path, when anything is NaN, infinite or negative, or when a whole spectrum is zero.
    """
    try:
        _probe(decoder, seed)
    except DecoderError as error:
        raise DecoderError(f"{decoder.path}: {error}") from error


def _probe(decoder: Decoder, seed: int) -> None:
    corners = _corners(decoder.n_latents, np.random.default_rng(seed))
    points = np.concatenate([np.full((1, decoder.n_latents), 0.5, np.float32), corners])
    n_registers = max(1, len(decoder.metadata.registers))
    chroma = one_hot(np.arange(len(points)) % N_CLASSES, N_CLASSES)
    register = one_hot(np.arange(len(points)) // N_CLASSES % n_registers, n_registers)
    for start in range(0, len(points), 64):
        some = slice(start, start + 64)
        try:
            magnitude = decoder.decode(points[some], chroma[some], register[some])
        except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
            raise DecoderError(f"it cannot be run: {_first_line(error)}") from error
        if magnitude.shape != (len(points[some]), decoder.n_bins) or magnitude.dtype != np.float32:
            raise DecoderError(f"it gives {magnitude.dtype} of shape {magnitude.shape}, not float32 (voices, {decoder.n_bins})")
        for what, is_bad in (
            ("NaN", np.isnan(magnitude).any(1)),
            ("infinity", np.isinf(magnitude).any(1)),
            ("negative magnitudes", (magnitude < 0).any(1)),
            ("silence (every magnitude 0)", ~magnitude.any(1)),
        ):
            if is_bad.any():
                where = np.array2string(points[some][is_bad][0], precision=2, separator=" ")
                raise DecoderError(f"it gives {what} at latent position {where} of its range: train it again")


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_DECODER_BYTES:
            raise DecoderError(f"it is {size} bytes large; at most {MAX_DECODER_BYTES} (128 MiB) are allowed")
        return path.read_bytes()
    except FileNotFoundError:
        raise DecoderError("there is no such file") from None
    except OSError as error:
        raise DecoderError(f"it cannot be read: {error.strerror}") from error


def _open_session(data: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread, and none that spins: the audio thread does the work itself and leaves the other cores alone.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    # Opened from bytes in an empty place of its own, so that a graph cannot reach for files beside it.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common class of their own
        text = str(error).lower()
        reason = next((why for word, why in _REASONS if word in text), f"it cannot be loaded: {_first_line(error)}")
        raise DecoderError(reason) from error


def _check_values(verb: str, values: list[Any], wanted: dict[str, int]) -> None:
    found = {value.name: value for value in values}
    if set(found) != set(wanted):
        raise DecoderError(f"its graph {verb} {', '.join(found) or 'nothing'} where its metadata ask for {', '.join(wanted)}")
    for name, size in wanted.items():
        value = found[name]
        if value.type != "tensor(float)":
            raise DecoderError(f"{name} is of type {value.type}; it must be float32, tensor(float)")
        if len(value.shape) != 2 or isinstance(value.shape[0], int) or value.shape[1] not in (size, None):
            raise DecoderError(f"{name} has the shape {value.shape}; it must be (voices, {size}) with any number of voices")


def one_hot(indices: NDArray[np.intp], size: int) -> Magnitudes:
    """Return rows of zeros with a one at each index: float32 (len(indices), size)."""
    hot = np.zeros((len(indices), size), np.float32)
    hot[np.arange(len(indices)), indices] = 1.0
    return hot


def _corners(n_latents: int, rng: np.random.Generator) -> Magnitudes:
    if 2**n_latents <= _MAX_CORNERS:
        return np.array(list(itertools.product((0.0, 1.0), repeat=n_latents)), np.float32)
    return rng.integers(0, 2, (_MAX_CORNERS, n_latents)).astype(np.float32)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
