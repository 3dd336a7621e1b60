"""An encoder file becomes a function from magnitudes to latents: the way back of `decoder`.

Loading runs on a worker thread, encoding on the thread that renders. Which file it is the decoder's metadata say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DecoderError
from ..metadata import N_CLASSES
from .decoder import Decoder, one_hot
from .decoder_file import check_values, open_model

Magnitudes = NDArray[np.float32]

REGISTERS = "registers"  # property: the octaves of its input, a JSON list
NONE = "it has no encoder, and sounds cannot be played through it: `oscsynth train encoder` makes one"


class Encoder:
    """What turns a spectrum into the faders of one decoder.

    Attributes
    ----------
    registers : tuple of int
        The octaves that it is told; empty: none.
    """

    def __init__(self, session: Any, registers: tuple[int, ...], decoder: Decoder) -> None:
        self._session = session
        self.registers = registers
        self._takes = tuple(value.name for value in session.get_inputs())
        self._low = decoder.low
        self._span = np.maximum(decoder.high - decoder.low, np.float32(1e-9))

    @classmethod
    def beside(cls, decoder: Decoder) -> Encoder:
        """Load the encoder that a decoder names, and check that it is of this decoder.

        Raises
        ------
        DecoderError
            With the path and a sentence saying why, when there is none or it cannot be used.
        """
        if not decoder.metadata.encoder:
            raise DecoderError(f"{decoder.path}: {NONE}")
        path = Path(decoder.path).with_name(decoder.metadata.encoder)
        try:
            session = open_model(path)
            registers = _registers(session)
            sizes = {"magnitude": decoder.n_bins, "chroma": N_CLASSES, "register": len(registers)}
            takes = [value.name for value in session.get_inputs()]
            wanted: dict[str, tuple[str | int, ...]] = {
                name: ("voices", size) for name, size in sizes.items() if name in takes or name == "magnitude"
            }
            check_values("takes", session.get_inputs(), wanted)
            check_values("gives", session.get_outputs(), {"latent": ("voices", decoder.n_latents)})
        except DecoderError as error:
            raise DecoderError(f"{path}: this encoder cannot be used: {error}") from error
        return cls(session, registers, decoder)

    def encode(self, magnitude: Magnitudes, note_class: int, octave: int) -> Magnitudes:
        """Return where the faders stand for a sound: float32 (n_latents,), 0..1 for what the corpus used, and a little beyond.

        Parameters
        ----------
        magnitude : float32 (n_bins,)
            On the decoder's bins, scaled to a peak of 1.
        note_class, octave : int
            That it sounds; an octave that the encoder does not know is the nearest.
        """
        known = self.registers or (0,)
        register = min(max(octave - known[0], 0), len(known) - 1)
        inputs = {
            "magnitude": magnitude[None],
            "chroma": one_hot(np.array([note_class]), N_CLASSES),
            "register": one_hot(np.array([register]), len(known)),
        }
        latent = self._session.run(None, {name: inputs[name] for name in self._takes})[0][0]
        positions: Magnitudes = (latent - self._low) / self._span
        return positions


def _registers(session: Any) -> tuple[int, ...]:
    text = session.get_modelmeta().custom_metadata_map.get(REGISTERS, "[]")
    try:
        return tuple(int(octave) for octave in json.loads(text))
    except (ValueError, TypeError) as error:
        raise DecoderError(f"its {REGISTERS} are {text[:60]!r}, not a list of octaves") from error
