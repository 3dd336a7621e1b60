"""Playing a score into a sound file: the same instrument and the same engine as on stage, without a clock.

What ``serve`` does in three processes happens here in one, one after the other: the messages of an instant, then the samples up to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .audio.inputs import FileInput
from .control.instrument import Instrument
from .control.osc import Argument, Message
from .control.row import Reply
from .errors import DecoderError, OscsynthError, shown
from .library import SET_LIST, Library, factory_folder, user_folder
from .parameters import MASTER_SLOTS, MAX_PARTS
from .patch import Patch
from .patch_fit import fit
from .score import Event, load_score
from .setlist import load_set_list
from .sound.engine import Engine
from .sound.loading import SoundLoader
from .sound.note_sound import NoteSound
from .sound.voices import Sound
from .tracks import read_track, track_of

Block = NDArray[np.float32]

BLOCK_SAMPLES = 1024
TAIL_SECONDS = 5.0  # after the last event, at most: until all is silent
FADE_SECONDS = 0.1  # at the end of what goes on sounding
NOBODY = "none"  # hears a channel that shall be silent
FORMATS = (".wav", ".flac", ".aiff", ".aif", ".ogg")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of a score: its length, and what could not be done, a sentence each."""

    seconds: float
    faults: tuple[str, ...]


class Performance:
    """The instrument with its engine, offline.

    Parameters
    ----------
    patches : Path, optional
        Instead of the user's folder.
    patch : str, optional
        What part 1 plays at first; otherwise the first by name.
    channels : mapping of int to str
        Patches for single MIDI channels (from 1), or `NOBODY`; each gets a part of its own, the first of them part 1 unless ``patch`` is given.
    heard : float32 (samples, 1 or 2), optional
        What the sound input hears, from the first sample on; silence after it.
    prefers_notes : bool
        Has the first patch by name that plays notes start, where there is one.
    engine : Engine, optional
        Instead of one without a budget, where blocks are to be as they are on stage; at the same rate.

    Raises
    ------
    OscsynthError
        When there is no such patch, or it cannot be played.
    """

    def __init__(
        self,
        sample_rate_hz: int = 44100,
        patches: Path | None = None,
        patch: str | None = None,
        channels: Mapping[int, str] | None = None,
        prefers_notes: bool = False,
        heard: Block | None = None,
        engine: Engine | None = None,
    ) -> None:
        self.engine = engine or Engine(sample_rate_hz)
        self.instrument = Instrument(
            self._load,
            seconds=lambda: self.engine.position_samples / sample_rate_hz,
            track=lambda part: self.engine.tracks_seconds()[part - 1],
        )
        self._heard = FileInput("", heard) if heard is not None else None
        self._loader = SoundLoader(sample_rate_hz)
        self._sounds: dict[str, Sound | NoteSound] = {}
        self._asked: list[tuple[int, Patch | None]] = []
        wanted = {channel: name for channel, name in (channels or {}).items() if name != NOBODY}
        is_first = patch is None and bool(wanted)
        self._fill(Library(patches or user_folder(), factory_folder()), next(iter(wanted.values())) if is_first else patch, prefers_notes)
        self._divide({**dict.fromkeys(channels or (), NOBODY), **wanted}, is_first)

    def _divide(self, channels: Mapping[int, str], is_first: bool) -> None:
        """Give channels to parts of their own, one after the other; ``is_first``: part 1 plays the first of them already."""
        numbers = iter(range(1 if is_first else 2, MAX_PARTS + 1))
        for channel, name in channels.items():
            number = 0 if name == NOBODY else next(numbers, -1)
            if number < 0:
                raise OscsynthError(f"channel {channel} ({name}): there are {MAX_PARTS} parts, and no more channels can have a patch of their own")
            replies = self.send(f"{self.instrument.prefix}/part/{number}/patch", name) if number > 1 else []
            if faults := [str(reply.arguments[-1]) for reply in replies if reply.address.endswith("/fail")]:
                raise OscsynthError(f"channel {channel}: {faults[0]}")
            self.instrument.midi.channels[channel - 1] = number

    def _fill(self, library: Library, start: str | None, prefers_notes: bool) -> None:
        library.scan()
        self.instrument.repertoire.set_patches(library.patches)
        if library.user_folder:
            self.instrument.scenes.set(load_set_list(library.user_folder / SET_LIST))
        faults = {patch.name: self._offer(patch) for patch in library.patches.values()}
        if start is None:
            good = [name for name, fault in faults.items() if not fault]
            notes = [name for name in good if library.patches[name].mode == "notes"] if prefers_notes else []
            start = next(iter(notes or good), None)
        if start is None:
            raise OscsynthError("\n".join(["there is no patch that can be played", *library.faults.values(), *filter(None, faults.values())]))
        if faults.get(start):
            raise OscsynthError(faults[start])
        broken = [fault for path, fault in library.faults.items() if path.stem == start]
        if start not in faults:
            raise OscsynthError("\n".join(broken) or f"there is no patch {start!r}: there are {', '.join(faults)}")
        self.instrument.repertoire.start(start)

    def _offer(self, patch: Patch) -> str:
        """Make a patch playable; return what is wrong with it."""
        try:
            sound = self._loader.load(patch, track_of(patch, self.engine.stft.sample_rate_hz))
            fault = "\n".join(fit(patch, sound.decoder.metadata))
        except DecoderError as error:
            fault = str(error)
        if fault:
            self.instrument.repertoire.refuse(patch.name, fault)
        else:
            self._sounds[patch.name] = sound
            self.instrument.repertoire.offer(patch, sound.decoder.metadata)
            self._answer()
        return fault

    def _load(self, number: int, patch: Patch | None) -> None:
        # Answered afterwards: the instrument is in the middle of asking.
        self._asked.append((number, patch))

    def _answer(self) -> None:
        while self._asked:
            number, patch = self._asked.pop(0)
            if patch is None:
                self.engine.forget(number)
                continue
            self.engine.install(number, self._sounds[patch.name])
            self.instrument.repertoire.loaded(number)

    def send(self, address: str, *arguments: Argument) -> list[Reply]:
        """Do what one message says, at the sample that comes next; return the replies."""
        replies = self.instrument.perform(Message(address, arguments))
        self._answer()
        return replies

    def render(self, n_samples: int) -> Block:
        """Return the next samples, float32 (n_samples, 2)."""
        heard = self._heard.take(n_samples) if self._heard else None
        return self.engine.render(np.frombuffer(self.instrument.state.values), n_samples, heard)

    def fade_out(self, n_samples: int) -> Block:
        """Return the last samples, float32 (n_samples, 2), going to silence."""
        self.instrument.state.values[MASTER_SLOTS["fade"].start] = 0.0
        return self.render(n_samples)

    @property
    def is_silent(self) -> bool:
        """Whether nothing sounds any more."""
        return self.engine.sounding_parts == 0


def perform(
    performance: Performance, events: list[Event], fault: Callable[[Event, str], None], seconds: float | None = None, block: int = BLOCK_SAMPLES
) -> Iterator[Block]:
    """Give the samples of a score, block by block.

    Parameters
    ----------
    events : list of Event
        In order of time.
    fault : callable
        Told each event that could not be done, and why.
    seconds : float, optional
        The length; otherwise to the end of what the last event leaves, and at most 5 s after it.
    block : int
        Largest number of samples at once; the sound does not depend on it.
    """
    rate = performance.engine.stft.sample_rate_hz
    fade = round(FADE_SECONDS * rate)
    last = events[-1].seconds if events else 0.0
    length = round((seconds if seconds is not None else last + TAIL_SECONDS) * rate)
    end = max(0, length - fade)
    for sample, group in groupby(events, key=lambda event: round(event.seconds * rate)):
        if sample > end:
            break
        yield from _until(performance, sample, block)
        for event in group:
            for reply in performance.send(event.address, *event.arguments):
                if reply.address.endswith("/fail"):
                    fault(event, ": ".join(map(str, reply.arguments)))
    engine = performance.engine
    while engine.position_samples < end and (seconds is not None or not performance.is_silent or engine.position_samples == 0):
        # Looked at in steps of its own, so that the length does not depend on the blocks.
        step = engine.stft.hop_samples
        yield from _until(performance, min(end, engine.position_samples // step * step + step), block)
    if engine.position_samples < length and (seconds is not None or not performance.is_silent):
        yield performance.fade_out(length - engine.position_samples)


def _until(performance: Performance, sample: int, block: int) -> Iterator[Block]:
    while (missing := sample - performance.engine.position_samples) > 0:
        yield performance.render(min(block, missing))


def render_file(
    score: Path,
    output: Path,
    *,
    patches: Path | None = None,
    patch: str | None = None,
    sample_rate_hz: int = 44100,
    seconds: float | None = None,
    bits: int = 24,
    channels: Mapping[int, str] | None = None,
    heard: Path | None = None,
) -> Rendered:
    """Play a score into a sound file of 16 or 24 bits; the ending of its name chooses WAV, FLAC, AIFF or OGG.

    A MIDI file is played by the patch that is given, or by the first that plays notes; ``channels`` as in `Performance`. ``heard`` is a sound file
    that stands for the sound input.

    Raises
    ------
    OscsynthError
        When score, patch or file cannot be used. What single lines ask in vain is returned, and the rest is played.
    """
    _check_name(output)
    events = load_score(score)
    is_midi = any(event.address.endswith("/midi") for event in events)
    sound = read_track(heard, sample_rate_hz).samples if heard else None
    performance = Performance(sample_rate_hz, patches, patch, channels, prefers_notes=is_midi, heard=sound)
    return write(performance, events, output, name=shown(score), seconds=seconds, bits=bits)


def write(performance: Performance, events: list[Event], output: Path, *, name: str = "", seconds: float | None = None, bits: int = 24) -> Rendered:
    """Play events, in order of time, into a sound file; ``name`` is what faults call their source.

    Raises
    ------
    OscsynthError
        When the file cannot be written. What single events ask in vain is returned, and the rest is played.
    """
    import soundfile

    from .audio.wavefile import why

    _check_name(output)
    faults: list[str] = []
    sample_rate_hz = performance.engine.stft.sample_rate_hz
    try:
        subtype = None if output.suffix.lower() == ".ogg" else f"PCM_{bits}"
        with soundfile.SoundFile(output, "w", sample_rate_hz, 2, subtype) as file:
            for block in perform(performance, events, lambda event, why: faults.append(f"{name}:{event.place}: {why}"), seconds):
                file.write(block)
    except (OSError, soundfile.LibsndfileError) as error:
        raise OscsynthError(f"{shown(output)} cannot be written: {why(error, output)}") from error
    return Rendered(performance.engine.position_samples / sample_rate_hz, tuple(faults))


def _check_name(output: Path) -> None:
    if output.suffix.lower() not in FORMATS:
        raise OscsynthError(f"{shown(output)}: the name must end in {', '.join(FORMATS)}")
