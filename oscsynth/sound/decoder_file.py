"""A decoder file becomes a session of ONNX Runtime and what the file says of itself, or a sentence. Loading; no decoding.

ONNX Runtime is told to use the thread that asks it and no other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DecoderError
from ..metadata import MAX_DECODER_BYTES, PROPERTY, Metadata, parse_metadata

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


def open_decoder(path: Path) -> tuple[Any, Metadata]:
    """Open a file and read what it says of itself.

    Raises
    ------
    DecoderError
        With a sentence, when the file is missing, too large, no ONNX, refers to other files or custom operators, or has no metadata or bad ones.
    """
    session = open_model(path)
    text = session.get_modelmeta().custom_metadata_map.get(PROPERTY)
    if text is None:
        raise DecoderError(f"it has no {PROPERTY!r} metadata: it was not exported by `oscsynth train` or `oscsynth import`")
    return session, parse_metadata(text)


class Checked(Protocol):
    """What is made of a file, and can compare its graph with its metadata."""

    def check_graph(self) -> None: ...  # noqa: D102


Made = TypeVar("Made", bound=Checked)


def load(path: Path | str, make: Callable[[Any, Metadata, str], Made]) -> Made:
    """Load a file and check everything about it that can be seen without decoding.

    Parameters
    ----------
    make : callable
        Given the session, the metadata and the path, returns the decoder, or raises `DecoderError` with a sentence.

    Raises
    ------
    DecoderError
        With the path and a sentence saying why, when the file is missing, too large, no ONNX, refers to other files or custom operators,
        or when its graph and its metadata do not fit each other or the table of kinds.
    """
    try:
        session, metadata = open_decoder(Path(path))
        decoder = make(session, metadata, str(path))
        decoder.check_graph()
    except DecoderError as error:
        raise DecoderError(f"{path}: {error}") from error
    return decoder


def open_model(path: Path) -> Any:
    """Return an ``onnxruntime.InferenceSession`` of a file, which uses the thread that calls it and no other.

    Raises
    ------
    DecoderError
        With a sentence, as `open_decoder` does.
    """
    return _open_session(_read(path))


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
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common class of their own
        text = str(error).lower()
        reason = next((why for word, why in _REASONS if word in text), f"it cannot be loaded: {first_line(error)}")
        raise DecoderError(reason) from error
    # It would keep the whole file, 5.6 MB each, to begin again with another provider: there is no other.
    session.disable_fallback()
    session._model_bytes = b""
    return session


def check_values(verb: str, values: list[Any], wanted: dict[str, tuple[str | int, ...]]) -> None:
    """Refuse inputs or outputs of a graph that are not those wanted: by name, each with its shape, of which the first is a word and any number.

    Raises
    ------
    DecoderError
        With a sentence.
    """
    found = {value.name: value for value in values}
    if set(found) != set(wanted):
        raise DecoderError(f"its graph {verb} {', '.join(found) or 'nothing'} where its metadata ask for {', '.join(wanted)}")
    for name, (rows, *sizes) in wanted.items():
        value = found[name]
        if value.type != "tensor(float)":
            raise DecoderError(f"{name} is of type {value.type}; it must be float32, tensor(float)")
        fits = len(value.shape) == len(sizes) + 1 and all(there in (size, None) for there, size in zip(value.shape[1:], sizes, strict=True))
        if not fits or isinstance(value.shape[0], int):
            shape = ", ".join(map(str, (rows, *sizes)))
            raise DecoderError(f"{name} has the shape {value.shape}; it must be ({shape}) with any number of {rows}")


def refuse_strange(spectra: NDArray[np.float32], kind: str, where: Callable[[int], str]) -> None:
    """Refuse spectra, float32 (rows, ...), with what no sound can have; ``where`` tells of a row what was decoded.

    Raises
    ------
    DecoderError
        With a sentence.
    """
    rows = spectra.reshape(len(spectra), -1)
    for what, is_bad in (
        ("NaN", np.isnan(rows).any(1)),
        ("infinity", np.isinf(rows).any(1)),
        (f"negative {kind}", (rows < 0).any(1)),
        (f"silence (every {kind[:-1]} 0)", ~rows.any(1)),
    ):
        if is_bad.any():
            raise DecoderError(f"it gives {what} at {where(int(is_bad.argmax()))}: train it again")


def first_line(error: Exception) -> str:
    """Return what one of ONNX Runtime's exceptions, which have no common class of their own, says first."""
    return str(error).strip().splitlines()[0][:200]
