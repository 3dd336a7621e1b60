"""The page of a note decoder in docs/decoders: what it plays, how well instruments and pitches are told apart, and how it sounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from oscsynth.metadata import PROPERTY, Metadata, NoteMap, parse_metadata

from . import sounding
from .document import Code, Document, Section, Sounds, Table, Text
from .note_export import open_session, run_magnitude, run_note
from .note_make import MadeNotes
from .notes import note_name
from .spectra import Stft

SECONDS = 2.0  # of each note to hear: through its hops, then to and fro through the loop
HEARD = 60  # MIDI, or the nearest that the instrument has


def write(made: MadeNotes, pages: Path, suffix: str = ".ogg") -> Path:
    """Write the page as Markdown, with a sound of each instrument beside it."""
    session = open_session(made.decoder.read_bytes())
    metadata = metadata_of(session)
    assert metadata.note is not None
    pages.mkdir(parents=True, exist_ok=True)
    stem, sounds = made.decoder.stem, []
    for name in metadata.note.instruments:
        magnitude = note(session, metadata, name, HEARD)
        hop_seconds = metadata.hop_samples / metadata.sample_rate_hz
        path = sounding.write(sounding.sound(magnitude, stft_of(metadata), hop_seconds), pages / f"{stem}-{name}{suffix}")
        sounds.append((name, [("decoded", path)]))
    page = pages / f"{stem}.md"
    page.write_text(document(metadata, metadata.note, sounds).markdown(), "utf-8")
    return page


def metadata_of(session: Any) -> Metadata:
    """Return what an opened decoder says of itself."""
    return parse_metadata(session.get_modelmeta().custom_metadata_map[PROPERTY])


def stft_of(metadata: Metadata) -> Stft:
    """Return window, hop and rate of what is played."""
    return Stft(metadata.sample_rate_hz, metadata.window_samples, metadata.hop_samples)


def note(session: Any, metadata: Metadata, instrument: str, pitch_midi: int, seconds: float = SECONDS) -> np.ndarray:
    """Return the magnitudes of a held note: (hops, n_bins) float32, the nearest pitch of the instrument's range."""
    found = metadata.note
    assert found is not None
    low, high = found.ranges[instrument]
    playable = [row for row, pitch in enumerate(found.pitches) if low <= pitch <= high]
    row = min(playable, key=lambda each: abs(found.pitches[each] - pitch_midi))
    bands = run_note(session, np.array([found.instruments[instrument]]), np.array([found.pitch_means[row]]))[0]
    n_hops = round(seconds * metadata.sample_rate_hz / metadata.hop_samples)
    return run_magnitude(session, bands[walk(found, n_hops)])


def walk(found: NoteMap, n_hops: int) -> np.ndarray:
    """Return which hop sounds when a note is held: (n_hops,) int64, to the end of the loop, then back and forth in it."""
    there = np.arange(found.loop_first_hop, found.loop_last_hop)
    back = np.arange(found.loop_last_hop, found.loop_first_hop, -1)
    loop = np.concatenate([back, there])
    after = np.resize(loop, max(0, n_hops - found.loop_last_hop))
    return np.concatenate([np.arange(found.loop_last_hop), after])[:n_hops]


def document(metadata: Metadata, found: NoteMap, sounds: list[tuple[str, list[tuple[str, Path]]]]) -> Document:
    """Return the page."""
    rows = [(name, f"{note_name(low)} to {note_name(high)}") for name, (low, high) in found.ranges.items()]
    scores = [(name, f"{value:.3f}") for name, value in metadata.training["separation"].items()]
    hop_ms = 1000 * metadata.hop_samples / metadata.sample_rate_hz
    words = (
        f"{found.n_hops} hops of {hop_ms:.1f} ms; a held note goes to and fro between hops {found.loop_first_hop + 1} and "
        f"{found.loop_last_hop + 1} until it is released. Brightness moves dimension {found.brightness.latent + 1} of the timbre by up to "
        f"{abs(found.brightness.brightest):.2f}."
    )
    training = metadata.training
    how = (
        f"{training['notes']} notes and {training['copies']} copies of them at other pitches; {training['epochs']} epochs, "
        f"{training['minutes']} minutes on two cores, seed {training['seed']}; {training['channels']} filters in the encoders, "
        f"{training['decoder_channels']} in the decoder. Test MSE {metadata.test_mse:.4f} of spectrograms from -1 to 1."
    )
    sections = [
        Section("What it plays", [Table("Instruments and their ranges", ("instrument", "range"), rows), Text(words)]),
        Section("How well timbre and pitch are apart", [Table("F-scores of linear classifiers on notes kept for checking", ("", "F-score"), scores)]),
        Section("How it sounds", [Sounds("Each instrument's mean at C4, or at the nearest note of its range, held for two seconds.", sounds)]),
        Section("How it was made", [Text(how), Code(training["command"]), Text(metadata.licence)]),
    ]
    return Document(metadata.title, metadata.corpus, sections)
