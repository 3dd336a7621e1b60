"""Labelled notes from a folder: files called by their instrument and note, as `violin_A4_mf.wav`, or a CSV that says both of each file.

What cannot be used is skipped and named, with the reason, so that one misspelt file does not stop a training.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

from .corpora import Skipped
from .folders import FORMATS, SUFFIXES, cannot_be_read, read
from .mel import Mel
from .orchestra import LabelledNote, Source

COLUMNS = ("file", "instrument", "pitch")
LOWEST, HIGHEST = 12, 120  # C0 to C9
SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "s": 1, "b": -1, "♭": -1}
NOTE = re.compile(r"([A-Ga-g])([#♯sb♭]?)(\d)")
ONSET = 10 ** (-40 / 20)  # of the peak: where a note begins
BEFORE_SECONDS = 0.005
HOW = f"files called as violin_A4_mf.wav, or a CSV file with the columns {', '.join(COLUMNS)}"


@dataclass(frozen=True, slots=True)
class Label:
    """What is said of one file."""

    path: Path
    instrument: str
    pitch_midi: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """The notes of a folder: where they come from, and what they are known by."""

    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]
    labels: tuple[Label, ...]
    key: str


def folder(place: Path) -> Labelled:
    """Find the notes of a folder, and what each is.

    A CSV file in the folder (or named itself) says it where there is one; otherwise the names of the files do.

    Raises
    ------
    CorpusError
        When there is no such folder, no sound in it, or the CSV lacks a column.
    """
    place = Path(place)
    if not place.exists():
        raise CorpusError(f"{place}: there is no such folder")
    found = _from_csv(place) if place.suffix.lower() == ".csv" else _from_folder(place)
    labels = tuple(each for each in found if isinstance(each, Label))
    skipped = tuple(each for each in found if isinstance(each, Skipped))
    if not found:
        raise CorpusError(f"{place}: no notes in this folder; put {HOW} there ({FORMATS})")
    instruments = sorted({label.instrument for label in labels})
    sources = tuple(partial(_notes, tuple(label for label in labels if label.instrument == each)) for each in instruments)
    key = json.dumps([[str(each.path), each.instrument, each.pitch_midi, each.path.stat().st_size, each.path.stat().st_mtime_ns] for each in labels])
    return Labelled(sources, skipped, labels, key)


def _from_folder(place: Path) -> list[Label | Skipped]:
    if place.is_file():
        raise CorpusError(f"{place}: this is no folder and no CSV file")
    tables = sorted(place.glob("*.csv"))
    if len(tables) > 1:
        raise CorpusError(
            f"{place}: there are several CSV files, {', '.join(path.name for path in tables)}; name the one that says what each file is"
        )
    if tables:
        return _from_csv(tables[0])
    paths = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    return [labelled(path) for path in paths]


def labelled(path: Path) -> Label | Skipped:
    """Read the name of a file: an instrument, a note, and whatever else.

    >>> label = labelled(Path("french_horn_Bb3_ff.wav"))
    >>> label.instrument, label.pitch_midi
    ('french-horn', 58)
    >>> labelled(Path("A4_mf.wav")).reason
    'its name says no instrument before the note: call it as violin_A4_mf.wav'
    """
    words = [word for word in re.split(r"[_\s.-]+", path.stem) if word]
    notes = [index for index, word in enumerate(words) if NOTE.fullmatch(word)]
    if not notes:
        return Skipped(str(path), "its name says no note: call it as violin_A4_mf.wav")
    if not (instrument := instrument_name("-".join(words[: notes[-1]]))):
        return Skipped(str(path), "its name says no instrument before the note: call it as violin_A4_mf.wav")
    return Label(path, instrument, pitch) if (pitch := pitch_midi(words[notes[-1]])) is not None else Skipped(str(path), _no_pitch(words[notes[-1]]))


def instrument_name(text: str) -> str:
    """Return an instrument's name as part of an address.

    >>> instrument_name("Tenor Trombone (muted)")
    'tenor-trombone-muted'
    """
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def pitch_midi(text: str) -> int | None:
    """Return the MIDI number of a note's name or of a number; None, where it is neither, or out of range. C4 is 60.

    >>> pitch_midi("A4"), pitch_midi("Bb3"), pitch_midi("61"), pitch_midi("H4"), pitch_midi("200")
    (69, 58, 61, None, None)
    """
    if match := NOTE.fullmatch(text.strip()):
        letter, accidental, octave = match.groups()
        pitch = 12 * (int(octave) + 1) + SEMITONES[letter.lower()] + ACCIDENTALS[accidental]
    elif re.fullmatch(r"\d{1,3}", text.strip()):
        pitch = int(text)
    else:
        return None
    return pitch if LOWEST <= pitch <= HIGHEST else None


def _no_pitch(text: str) -> str:
    return f"its pitch is {text!r}, and must be a note from C0 to C9, as A4 or Bb3, or a MIDI number from {LOWEST} to {HIGHEST}"


def _from_csv(path: Path) -> list[Label | Skipped]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, skipinitialspace=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise CorpusError(f"{path}: the column {missing[0]} is missing; there must be {', '.join(COLUMNS)}")
            return [_from_row(path, rows.line_num, row) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: this is no CSV file in UTF-8: {error}") from error


def _from_row(path: Path, line: int, row: dict[str, str | None]) -> Label | Skipped:
    where = f"{path}:{line}"
    file, instrument, pitch = ((row[name] or "").strip() for name in COLUMNS)
    sound = path.parent / file
    if not file or not sound.is_file():
        return Skipped(where, f"there is no file {file or '(none named)'}")
    if not instrument_name(instrument):
        return Skipped(where, f"{file} has no instrument")
    if (number := pitch_midi(pitch)) is None:
        return Skipped(where, f"{file}: {_no_pitch(pitch)}")
    return Label(sound, instrument_name(instrument), number)


def _notes(labels: tuple[Label, ...]) -> Iterator[LabelledNote | Skipped]:
    import soundfile

    analysis = Mel()
    for label in labels:
        try:
            audio = read(label.path, analysis.sample_rate_hz)
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            yield Skipped(str(label.path), cannot_be_read(error))
            continue
        yield LabelledNote(str(label.path), label.instrument, label.pitch_midi, from_onset(audio, analysis.sample_rate_hz), analysis.sample_rate_hz)


def from_onset(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return a recording from just before its first sound: (samples,) float32."""
    level = np.abs(audio)
    first = int(np.argmax(level > ONSET * level.max(initial=0.0))) if len(audio) else 0
    return np.asarray(audio[max(0, first - round(BEFORE_SECONDS * sample_rate_hz)) :])
