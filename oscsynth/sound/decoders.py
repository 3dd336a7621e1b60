"""The kinds of decoders: one table. A new kind is a class in a file of its own, and a row here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import DecoderError
from ..metadata import Metadata
from .decoder import Decoder
from .decoder_file import load
from .note_decoder import NoteDecoder

KINDS: dict[str, type[Decoder] | type[NoteDecoder]] = {"frame": Decoder, "note": NoteDecoder}


def load_decoder(path: Path | str) -> Decoder | NoteDecoder:
    """Load a file of any kind and check everything about it that can be seen without decoding; raises as `decoder_file.load` does."""

    def make(session: Any, metadata: Metadata, path: str) -> Decoder | NoteDecoder:
        return KINDS[metadata.kind](session, metadata, path)

    return load(path, make)


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
