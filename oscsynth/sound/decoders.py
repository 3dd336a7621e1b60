"""The kinds of decoders: one table. A new kind is a class in a file of its own, and a row here."""

from __future__ import annotations

from pathlib import Path

from ..errors import DecoderError
from .decoder import Decoder
from .decoder_file import open_decoder
from .note_decoder import NoteDecoder

KINDS: dict[str, type[Decoder] | type[NoteDecoder]] = {"frame": Decoder, "note": NoteDecoder}


def load_decoder(path: Path | str) -> Decoder | NoteDecoder:
    """Load a file of any kind and check everything about it that can be seen without decoding.

    Raises
    ------
    DecoderError
        With the path and a sentence saying why, when the file is missing, too large, no ONNX, refers to other files or custom operators,
        or when its graph and its metadata do not fit each other or the table of kinds.
    """
    try:
        session, metadata = open_decoder(Path(path))
        decoder = KINDS[metadata.kind](session, metadata, str(path))
        decoder.check_graph()
    except DecoderError as error:
        raise DecoderError(f"{path}: {error}") from error
    return decoder


def probe(decoder: Decoder | NoteDecoder, seed: int = 0) -> None:
    """Decode a good many points of what a decoder can give, and look at what comes.

    Raises
    ------
    DecoderError
        With the path, when anything is NaN, infinite or negative, or when something is silent.
    """
    try:
        decoder.probe(seed)
    except DecoderError as error:
        raise DecoderError(f"{decoder.path}: {error}") from error
