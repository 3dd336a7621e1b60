"""A decoder file of kind ``note``: from a timbre and a pitch to the spectra of a whole note (design section 3).

Its graph has two stages: one gives the power in each band of all hops of a note, the other the magnitudes of some moments. So a note is decoded
once, and the large matrix is multiplied with what is heard alone. Loading runs on a worker thread, decoding on the thread that renders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DecoderError
from ..metadata import Metadata, NoteMap
from .decoder_file import check_values, first_line, load, refuse_strange

Magnitudes = NDArray[np.float32]
Indices = NDArray[np.intp]

_PROBED = 256  # notes
_AT_ONCE = 16


class NoteDecoder:
    """One loaded decoder of kind ``note``.

    Attributes
    ----------
    metadata : Metadata
        What the file says of itself.
    map : NoteMap
        What it says of instruments, pitches and loop.
    n_latents : int
        Dimensions of a timbre.
    n_bins : int
        Half the window and one.
    instruments : float32 (instruments, n_latents)
        The timbre of each, in their order.
    pitches : intp (pitches,)
        MIDI note numbers that it was taught.
    """

    def __init__(self, session: Any, metadata: Metadata, path: str = "") -> None:
        import onnxruntime

        if metadata.kind != "note":
            raise DecoderError(f"it is of kind {metadata.kind!r}, and here one of kind 'note' is needed")
        assert metadata.note is not None
        self._session = session
        # Without this the stage that is not asked for would run too.
        self._one_stage = onnxruntime.RunOptions()
        self._one_stage.only_execute_path_to_fetches = True
        self.path, self.metadata, self.map = path, metadata, metadata.note
        note: NoteMap = metadata.note
        self.n_latents, self.n_hops, self.n_bands = len(metadata.latents), note.n_hops, note.n_bands
        self.n_bins = metadata.window_samples // 2 + 1
        self.instruments = np.array(list(note.instruments.values()), np.float32)
        self.pitches = np.array(note.pitches)
        self._pitch_means = np.array(note.pitch_means, np.float32)
        self._no_timbre, self._no_pitch, self._no_bands = (
            np.zeros((0, size), np.float32) for size in (self.n_latents, self._pitch_means.shape[1], self.n_bands)
        )

    @classmethod
    def load(cls, path: Path | str) -> NoteDecoder:
        """Load a file and check everything about it that can be seen without decoding; raises as `decoder_file.load` does."""
        return load(path, cls)

    def check_graph(self) -> None:
        """Compare the graph with the metadata.

        Raises
        ------
        DecoderError
            When they do not fit.
        """
        takes: dict[str, tuple[str | int, ...]] = {"timbre": ("voices", self.n_latents), "pitch": ("voices", self._pitch_means.shape[1])}
        check_values("takes", self._session.get_inputs(), takes | {"bands": ("moments", self.n_bands)})
        gives: dict[str, tuple[str | int, ...]] = {"note": ("voices", self.n_hops, self.n_bands), "magnitude": ("moments", self.n_bins)}
        check_values("gives", self._session.get_outputs(), gives)

    def decode(self, timbres: Magnitudes, places: Indices) -> Magnitudes:
        """Decode some notes whole.

        Parameters
        ----------
        timbres : float32 (voices, n_latents)
            In the timbre's own units.
        places : intp (voices,)
            Which of ``pitches`` each has.

        Returns
        -------
        float32 (voices, n_hops, n_bands)
            The power in each band, possibly not finite.
        """
        inputs = {"timbre": timbres, "pitch": self._pitch_means[places], "bands": self._no_bands}
        notes: Magnitudes = self._session.run(["note"], inputs, self._one_stage)[0]
        return notes

    def magnitudes(self, bands: Magnitudes) -> Magnitudes:
        """Return the spectra of some moments, float32 (moments, n_bins), from the power in each band, float32 (moments, n_bands)."""
        inputs = {"timbre": self._no_timbre, "pitch": self._no_pitch, "bands": bands}
        magnitudes: Magnitudes = self._session.run(["magnitude"], inputs, self._one_stage)[0]
        return magnitudes

    def probe(self, seed: int = 0) -> None:
        """Decode every instrument at its lowest and highest pitch, and other notes drawn around them, and look at what comes.

        Raises
        ------
        DecoderError
            When anything is NaN, infinite or negative, or when a whole note or moment is zero.
        """
        timbres, places, said = self._some_notes(np.random.default_rng(seed))
        for start in range(0, len(timbres), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            try:
                notes = self.decode(timbres[some], places[some])
                magnitudes = self.magnitudes(notes.mean(1))
            except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
                raise DecoderError(f"it cannot be run: {first_line(error)}") from error
            for given, shape in ((notes, (self.n_hops, self.n_bands)), (magnitudes, (self.n_bins,))):
                if given.shape != (len(timbres[some]), *shape) or given.dtype != np.float32:
                    wanted = ", ".join(map(str, shape))
                    raise DecoderError(f"it gives {given.dtype} of shape {given.shape}, not float32 (rows, {wanted})")
                refuse_strange(given, "magnitudes", said[some].__getitem__)

    def _some_notes(self, rng: np.random.Generator) -> tuple[Magnitudes, Indices, list[str]]:
        """Return timbres and places, and what each is called."""
        names = list(self.map.instruments)
        chosen = [
            (instrument, int(self.nearest(np.array([float(pitch)]))[0])) for instrument, name in enumerate(names) for pitch in self.map.ranges[name]
        ]
        drawn = max(_AT_ONCE, _PROBED - len(chosen))
        chosen = chosen[: _PROBED - _AT_ONCE] + list(
            zip(rng.integers(0, len(names), drawn).tolist(), rng.integers(0, len(self.pitches), drawn).tolist(), strict=True)
        )
        instruments, places = (np.array(each) for each in zip(*chosen, strict=True))
        draws = rng.standard_normal((len(chosen), self.n_latents)).astype(np.float32)
        draws[: len(chosen) - drawn] = 0.0
        timbres = self.instruments[instruments] + np.float32(self.map.timbre_deviation) * draws
        said = [f"{names[instrument]}, pitch {self.pitches[place]}" for instrument, place in chosen]
        return timbres, places, said

    def nearest(self, pitches: NDArray[np.float64]) -> Indices:
        """Return which of ``pitches`` is nearest to each of some MIDI note numbers: intp (voices,)."""
        above = np.searchsorted(self.pitches, pitches).clip(0, len(self.pitches) - 1)
        below = np.maximum(above - 1, 0)
        return np.where(pitches - self.pitches[below] <= self.pitches[above] - pitches, below, above)
