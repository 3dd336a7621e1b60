"""Real instruments, rendered offline: notes to a MIDI file, FluidSynth and a General MIDI soundfont to samples, samples to notes.

One call of FluidSynth renders one program. Nothing here is random: the same notes give the same samples.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

SAMPLE_RATE_HZ = 44100
GAP_SECONDS = 0.25  # between notes, so that nothing rings into the next
TICKS_PER_SECOND = 1000  # a tempo of one beat a second and 1000 ticks a beat
SOUNDFONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/opt/homebrew/share/soundfonts/FluidR3_GM.sf2",
    "/usr/local/share/soundfonts/FluidR3_GM.sf2",
)
INSTALL = "install them (Debian and Ubuntu: apt-get install fluidsynth fluid-soundfont-gm), or name one: OSCSYNTH_SOUNDFONT=FILE.sf2"


@dataclass(frozen=True, slots=True)
class Note:
    """One note to render; `velocity` and `modulation` (vibrato, controller 1) are 0..127."""

    pitch_midi: int
    velocity: int = 100
    seconds: float = 1.0
    modulation: int = 0


def soundfont() -> Path:
    """Return the soundfont to render with.

    Raises
    ------
    CorpusError
        When FluidSynth or a soundfont is not installed.
    """
    chosen = os.environ.get("OSCSYNTH_SOUNDFONT")
    found = [Path(name) for name in ([chosen] if chosen else SOUNDFONTS) if Path(name).is_file()]
    if not shutil.which("fluidsynth"):
        raise CorpusError(f"the program fluidsynth is not installed, and recipes render with it and FluidR3_GM.sf2: {INSTALL}")
    if not found:
        raise CorpusError(f"no soundfont: {chosen or 'FluidR3_GM.sf2'} was not found; {INSTALL}")
    return found[0]


def render(program: int, notes: Sequence[Note], bank: int = 0) -> Iterator[np.ndarray]:
    """Render notes of one program, one after the other, dry (no reverb, no chorus), and give each apart.

    Parameters
    ----------
    program : int
        General MIDI program, 0 to 127.
    notes : sequence of Note
        What to play.
    bank : int
        Bank of the soundfont; 8 holds variations.

    Yields
    ------
    ndarray, (samples,) float32
        One note, mono, from its first sample to its release, at 44.1 kHz.
    """
    sound = _played(midi_file(program, notes, bank), program)
    start = GAP_SECONDS
    for note in notes:
        first = round(start * SAMPLE_RATE_HZ)
        yield sound[first : first + round(note.seconds * SAMPLE_RATE_HZ)]
        start += note.seconds + GAP_SECONDS


def phrase(program: int, notes: Sequence[Note], bank: int = 0) -> np.ndarray:
    """Render notes of one program as a melody, each ringing into the next: (samples,) float32, mono, at 44.1 kHz."""
    return _played(midi_file(program, notes, bank, melody=True), program)


def _played(midi: bytes, program: int) -> np.ndarray:
    """Render a MIDI file: (samples,) float32, mono."""
    with tempfile.TemporaryDirectory(prefix="oscsynth-") as folder:
        score, sound = Path(folder, "notes.mid"), Path(folder, "notes.raw")
        score.write_bytes(midi)
        options = ["-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(SAMPLE_RATE_HZ), "-O", "float", "-T", "raw"]
        result = subprocess.run(["fluidsynth", *options, "-F", str(sound), str(soundfont()), str(score)], capture_output=True, text=True)
        if result.returncode or not sound.exists():
            raise CorpusError(f"fluidsynth could not render program {program}: {result.stderr.strip()[-300:]}")
        stereo = np.fromfile(sound, "<f4").reshape(-1, 2)  # (samples, channels)
    return np.asarray(stereo.mean(1))


def midi_file(program: int, notes: Sequence[Note], bank: int = 0, *, melody: bool = False) -> bytes:
    """Return a standard MIDI file, format 0, that plays notes with `GAP_SECONDS` before each, or without a gap as a melody.

    >>> midi_file(40, [Note(69)])[:4]
    b'MThd'
    """
    gap, events = 0 if melody else round(GAP_SECONDS * TICKS_PER_SECOND), bytearray()
    events += b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big")  # one beat a second
    events += bytes([0, 0xB0, 0, bank, 0, 0xC0, program])
    for note in notes:
        events += _delta(gap) + bytes([0xB0, 1, note.modulation])
        events += bytes([0, 0x90, note.pitch_midi, note.velocity])
        events += _delta(round(note.seconds * TICKS_PER_SECOND)) + bytes([0x80, note.pitch_midi, 0])
        events += b"" if melody else bytes([0, 0xB0, 120, 0])  # all sound off: no release into the next note
    events += _delta(gap) + b"\xff\x2f\x00"
    header = b"MThd" + (6).to_bytes(4, "big") + b"\x00\x00\x00\x01" + TICKS_PER_SECOND.to_bytes(2, "big")
    return header + b"MTrk" + len(events).to_bytes(4, "big") + bytes(events)


def _delta(ticks: int) -> bytes:
    """Return a variable-length quantity."""
    parts = [ticks & 0x7F]
    while ticks := ticks >> 7:
        parts.append(ticks & 0x7F | 0x80)
    return bytes(reversed(parts))
