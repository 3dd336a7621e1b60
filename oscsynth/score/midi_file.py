"""Standard MIDI files, type 0 and 1: every message at its second, as ``/midi`` takes it. For ``render`` alone; mido reads the bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..client import PREFIX
from ..control.osc import Midi
from ..errors import OscsynthError, shown
from .event import MAX_SECONDS, Event

if TYPE_CHECKING:
    import mido
    from mido import MidiFile

_TEMPO = 500_000  # microseconds a beat, until the file says another


def is_midi(data: bytes) -> bool:
    """Say whether a file begins as a MIDI file does."""
    return data[:4] == b"MThd"


def read_midi(path: Path, data: bytes) -> list[Event]:
    """Return the channel messages of all tracks, in order of time.

    Raises
    ------
    OscsynthError
        With the position, in bytes, of what is cut short or malformed; when it is of type 2, whose tracks have nothing to do with each other.
    """
    file = _parse(path, data)
    if file.type not in (0, 1):
        raise OscsynthError(f"{shown(path)}: it is a MIDI file of type {file.type}: only types 0 and 1 have tracks that go together")
    ticks = [(tick, number, message) for number, track in enumerate(file.tracks, 1) for tick, message in _absolute(track)]
    ticks.sort(key=lambda each: each[0])
    to_seconds = _clock(file, path)
    events = []
    for tick, number, message in ticks:
        seconds = to_seconds(tick, message)
        if not message.is_meta and message.type != "sysex" and not message.is_realtime:
            if seconds > MAX_SECONDS:
                raise OscsynthError(f"{shown(path)}: track {number} has a message at {seconds:.0f} s; scores end at {MAX_SECONDS:g} s")
            events.append(Event(seconds, f"{PREFIX}/midi", (_midi(message),), f"track {number}, tick {tick}"))
    return events


def _parse(path: Path, data: bytes) -> MidiFile:
    import mido

    stream = io.BytesIO(data)
    try:
        file = mido.MidiFile(file=stream)
    except EOFError:
        raise OscsynthError(f"{shown(path)}: it is cut short: more is announced at byte {stream.tell()} of {len(data)}, where it ends") from None
    except Exception as error:  # mido raises what it meets
        raise OscsynthError(f"{shown(path)}: it is malformed before byte {stream.tell()} of {len(data)}: {error}") from None
    return file


def _absolute(track: Iterator[mido.Message]) -> Iterator[tuple[int, mido.Message]]:
    tick = 0
    for message in track:
        tick += message.time
        yield tick, message


def _clock(file: MidiFile, path: Path) -> Callable[[int, mido.Message], float]:
    """Return what gives the second of a tick, asked in their order with the message there: a tempo counts from its tick on."""
    division = file.ticks_per_beat
    if division < 0:  # the high byte is the negative number of pictures in a second, the low one the ticks in each
        a_second = -(division >> 8) * (division & 0xFF)
        if not a_second:
            raise OscsynthError(f"{shown(path)}: its header says that a second has no ticks (byte 12)")
        return lambda tick, message: tick / a_second
    if not division:
        raise OscsynthError(f"{shown(path)}: its header says that a beat has no ticks (byte 12)")
    at_tick, at_seconds, tempo = 0, 0.0, _TEMPO

    def seconds(tick: int, message: mido.Message) -> float:
        nonlocal at_tick, at_seconds, tempo
        now: float = at_seconds + (tick - at_tick) * tempo / division / 1e6
        if message.type == "set_tempo":
            at_tick, at_seconds, tempo = tick, now, message.tempo
        return now

    return seconds


def _midi(message: mido.Message) -> Midi:
    status, data1, data2 = (*message.bytes(), 0, 0)[:3]
    return Midi(0, status, data1, data2)
