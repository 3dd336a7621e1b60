"""What a MIDI device has said of its channels: bend, pedal, timbre, finer halves of controls, bend ranges and MPE zones. No I/O.

Control process, one thread; imports nothing of the house but `Midi`. Channels are counted from 0 here, as in the bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ..patch import MidiSettings
from .osc import Midi

NOTE_OFF, NOTE_ON, POLY_PRESSURE, CONTROL, PROGRAM, PRESSURE, BEND = range(0x80, 0xF0, 0x10)
DATA, DATA_FINE, SUSTAIN, TIMBRE = 6, 38, 64, 74
NRPN_FINE, NRPN, RPN_FINE, RPN = 98, 99, 100, 101
SOUND_OFF, RESET, NOTES_OFF = 120, 121, 123
BEND_RANGE, MPE_CONFIGURATION = 0, 6  # registered parameters
N_CHANNELS = 16
MAX_7_BITS, MAX_14_BITS = 127, 16383
NO_PARAMETER = MAX_14_BITS
MAX_BEND_SEMITONES = 96.0
FINE = 32  # the finer half of controls 0 to 31 is so much higher
_LEADERS = (0, N_CHANNELS - 1)
Role = Literal["plain", "leader", "member"]


def from_bytes(port: int, data: bytes) -> Midi | None:
    """Return a channel message, None for what means nothing here: clock, system exclusive, what is cut short or is none."""
    if not data or not 0x80 <= data[0] < 0xF0:
        return None
    size = 2 if data[0] & 0xF0 in (PROGRAM, PRESSURE) else 3
    if len(data) != size or max(data[1:]) > MAX_7_BITS:
        return None
    return Midi(port, data[0], data[1], data[2] if size > 2 else 0)


def is_system(data: bytes) -> bool:
    """Say whether bytes are well formed and mean nothing here: clock and the like, or a part of system exclusive."""
    return bool(data) and (data[0] >= 0xF0 or data[-1] == 0xF7)


@dataclass(slots=True)
class Channel:
    """Where one channel stands. ``bend`` is -1 to 1; ``bend_range`` semitones, None until the device says them."""

    bend: float = 0.0
    bend_range: float | None = None
    pressure: float = 0.0
    timbre: float | None = None
    parameter: int = NO_PARAMETER  # the registered one that data are for
    coarse: dict[int, int] = field(default_factory=dict)  # of controls that may have a finer half
    fine: dict[int, int] = field(default_factory=dict)


class Zone(NamedTuple):
    """Channels of MPE: the one that leads, and those of single notes."""

    leader: int
    members: range


class Device:
    """One port."""

    def __init__(self) -> None:
        self.channels = [Channel() for _ in range(N_CHANNELS)]
        self._members: dict[int, int] = {}  # how many a leader has, as the device itself said

    # ---- zones

    def zones(self, settings: MidiSettings) -> list[Zone]:
        """Return the zones, the device's own word before the patch's."""
        members = dict(self._members)
        if not members and settings.mpe.zone != "auto":
            members[0 if settings.mpe.zone == "lower" else N_CHANNELS - 1] = settings.mpe.members
        return [_zone(leader, count) for leader, count in members.items() if count]

    def role(self, channel: int, settings: MidiSettings) -> tuple[Role, int]:
        """Return what a channel is for a patch, and which channel leads it (itself, outside of zones)."""
        for zone in self.zones(settings):
            if channel == zone.leader:
                return "leader", channel
            if channel in zone.members:
                return "member", zone.leader
        return "plain", channel

    def bend(self, channel: int, settings: MidiSettings) -> float:
        """Return by how many semitones notes of a channel are bent."""
        role, leader = self.role(channel, settings)
        own, above = self.channels[channel], self.channels[leader]
        semitones = above.bend * (settings.pitch_bend_semitones if above.bend_range is None else above.bend_range)
        if role == "member":
            semitones += own.bend * (settings.mpe.pitch_bend_semitones if own.bend_range is None else own.bend_range)
        return semitones

    # ---- controls

    def select(self, channel: int, number: int, value: int) -> None:
        """Take which parameter data are for from now on; those of the maker's own mean nothing."""
        state = self.channels[channel]
        if number == RPN:
            state.parameter = value << 7 | state.parameter & 0x7F
        elif number == RPN_FINE:
            state.parameter = state.parameter & ~0x7F | value
        else:
            state.parameter = NO_PARAMETER

    def takes_data(self, channel: int) -> bool:
        """Say whether data are for a parameter; otherwise controls 6 and 38 are like any other."""
        return self.channels[channel].parameter != NO_PARAMETER

    def set_data(self, channel: int, number: int, value: int) -> Literal["bends", "zones", "nothing"]:
        """Take data for the parameter that was selected; return what is another from now on."""
        state = self.channels[channel]
        if state.parameter == BEND_RANGE:
            before = state.bend_range or 0.0
            semitones = float(value) if number == DATA else int(before) + min(value, 99) / 100
            for each in self.beside(channel):
                self.channels[each].bend_range = min(semitones, MAX_BEND_SEMITONES)
            return "bends"
        if state.parameter == MPE_CONFIGURATION and number == DATA and channel in _LEADERS:
            self._configure(channel, min(value, N_CHANNELS - 1))
            return "zones"
        return "nothing"

    def beside(self, channel: int) -> Iterable[int]:
        """Return the channels that share a bend range with one: all members of its zone."""
        zones = (_zone(leader, count) for leader, count in self._members.items())
        return next((zone.members for zone in zones if channel in zone.members), (channel,))

    def _configure(self, leader: int, count: int) -> None:
        other = next(each for each in _LEADERS if each != leader)
        self._members[leader] = count
        if other in self._members:
            self._members[other] = max(0, min(self._members[other], N_CHANNELS - 2 - count))
        for channel in (leader, *_zone(leader, count).members):
            self.channels[channel].bend_range, self.channels[channel].bend = None, 0.0

    def position(self, channel: int, number: int, value: int, is_fine: bool) -> float:
        """Return where a control is, 0 to 1, after a value of its own or, ``is_fine``, of its finer half."""
        state = self.channels[channel]
        if is_fine:
            state.fine[number] = value
        else:
            before = state.coarse.get(number, value)
            if number in state.fine and value != before:  # its finer half comes next; until then the end that is nearer keeps the way straight
                state.fine[number] = 0 if value > before else MAX_7_BITS
            state.coarse[number] = value
        if number not in state.fine:
            return value / MAX_7_BITS
        return (state.coarse.get(number, 0) << 7 | state.fine[number]) / MAX_14_BITS

    def reset(self, channel: int) -> None:
        """Let a channel stand as it does at first, but for its bend range."""
        self.channels[channel] = Channel(bend_range=self.channels[channel].bend_range)


def _zone(leader: int, count: int) -> Zone:
    return Zone(leader, range(1, 1 + count) if leader == 0 else range(leader - count, leader))
