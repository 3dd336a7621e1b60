"""Patches become sounds that can be played: the decoder's file loaded, and shared by all patches on it. Worker thread."""

from __future__ import annotations

import os
from collections import deque
from weakref import WeakKeyDictionary, WeakValueDictionary

from ..errors import DecoderError
from ..metadata import prepare
from ..patch import Patch
from .decoder import Decoder
from .decoders import load_decoder
from .encoder import Encoder
from .note_decoder import NoteDecoder
from .note_sound import NoteSound
from .phase import Stft
from .source import Track
from .voices import Sound

_KEPT = 4  # decoders that were used last: nobody waits for them who comes back, and to load one holds the rendering thread up for some milliseconds


class SoundLoader:
    """Loads patches for one rate; those that play the same decoder file share it (17 MB each, and the time it takes to load)."""

    def __init__(self, sample_rate_hz: int) -> None:
        prepare()
        self._stft = Stft.at_rate(sample_rate_hz)
        self._decoders: WeakValueDictionary[tuple[str, int, int], Decoder | NoteDecoder] = WeakValueDictionary()
        self._recent: deque[Decoder | NoteDecoder] = deque(maxlen=_KEPT)
        self._encoders: WeakKeyDictionary[Decoder, Encoder] = WeakKeyDictionary()

    def load(self, patch: Patch, track: Track | None = None) -> Sound | NoteSound:
        """Load a patch's decoder, and the encoder beside it where it listens, and make it ready to be played.

        Raises
        ------
        DecoderError
            When the decoder file cannot be used, or is not what the patch was written for.
        """
        decoder = self._decoder(patch)
        patch = patch.suited_to(decoder.metadata.kind)
        if isinstance(decoder, NoteDecoder):
            if patch.mode == "resynthesis":
                raise DecoderError(f"{decoder.path}: it gives whole notes, and only what gives single moments can be played through")
            return NoteSound(patch, decoder, self._stft)
        if patch.mode != "resynthesis":
            return Sound(patch, decoder, self._stft)
        encoder = self._encoders.get(decoder)
        if encoder is None:
            encoder = self._encoders[decoder] = Encoder.beside(decoder)
        return Sound(patch, decoder, self._stft, encoder, track)

    def _decoder(self, patch: Patch) -> Decoder | NoteDecoder:
        path = patch.decoder_path or patch.decoder
        try:
            status = os.stat(path)
        except OSError:
            return load_decoder(path)  # which says what is wrong
        key = path, status.st_mtime_ns, status.st_size
        decoder = self._decoders.get(key)
        if decoder is None:
            decoder = self._decoders[key] = load_decoder(path)
        if decoder in self._recent:
            self._recent.remove(decoder)
        self._recent.append(decoder)
        return decoder


def load_sound(patch: Patch, sample_rate_hz: int) -> Sound | NoteSound:
    """Load one patch, as `SoundLoader.load` does."""
    return SoundLoader(sample_rate_hz).load(patch)
