"""MIDI messages to the OSC messages that do the same, for every part that hears their channel. No I/O.

Control process, one thread; imports ``midi_device`` and ``midi_controls``. Keyboards, files and OSC's own type ``m`` come this way alike. A note has
an id of its own, made of port, channel and key, so that what is played here and elsewhere never meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import midi_device as d
from .midi_controls import Controls
from .midi_device import Device
from .osc import Message, Midi
from .part import Part
from .row import Refused

if TYPE_CHECKING:
    from ..patch import MidiSettings
    from .instrument import Instrument

_IDS_AT = 1 << 30  # ids of notes begin there
_CENTRE = 8192  # of a bend
_Key = tuple[int, int, int]  # port, channel, key


class Translator:
    """What all MIDI devices have said, and what that means to an instrument.

    Attributes
    ----------
    controls : Controls
        Which control moves what.
    channels : dict of int to int
        The part that hears a channel (from 0) whatever its patch says, 0 for none; such a part hears no other.
    received : int
        How many messages have come.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.controls = Controls(instrument)
        self.channels: dict[int, int] = {}
        self.received = 0
        self._devices: dict[int, Device] = {}
        self._held: dict[_Key, tuple[int, ...]] = {}  # with the parts that play them
        self._pedals: dict[int, set[tuple[int, int]]] = {}  # that are down, by part
        self._pedalled: dict[int, set[_Key]] = {}  # what those hold, by part

    def translate(self, midi: Midi) -> Iterator[Message]:
        """Yield what one message means, each to be done before the next is asked for.

        Raises
        ------
        Refused
            At the end, when a control is to move what it cannot.
        """
        self.received += 1
        device = self._devices.setdefault(midi.port, Device())
        yield from self._DO[midi.status & 0xF0](self, midi, device, midi.status & 0x0F)

    def forget(self, port: int) -> list[Message]:
        """Return what releases everything of a port that is gone."""
        messages = [message for key in list(self._held) if key[0] == port for message in self._release(key, 0)]
        for part, pedals in self._pedals.items():
            up = {pedal for pedal in pedals if pedal[0] == port}
            messages += self._pedal(part, up, is_down=False) if up else []
        self._devices.pop(port, None)
        self.controls.forget(port)
        return messages

    # ---- who hears

    def _hearing(self, device: Device, channel: int) -> Iterator[tuple[Part, MidiSettings]]:
        """Yield the parts that hear a channel, with what their patches say."""
        for part in self._instrument.parts.values():
            settings = part.patch.midi if part.patch else None
            if settings is None or self.channels.get(channel, part.number) != part.number:
                continue
            if channel in self.channels:
                yield part, settings
            elif part.number not in self.channels.values() and is_heard(device, channel, settings):
                yield part, settings

    def _say(self, part: int, below: str, *arguments: float | int) -> Message:
        return Message(f"{self._instrument.prefix}/part/{part}/{below}", arguments)

    # ---- notes

    def _note_on(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        if not midi.data2:
            yield from self._note_off(midi._replace(data2=64), device, channel)  # 64 is what stands for no velocity of a release
            return
        key = midi.port, channel, midi.data1
        yield from self._release(key, 0)  # struck again without having come up
        hearing = list(self._hearing(device, channel))
        self._held[key] = tuple(part.number for part, _ in hearing)
        for part, settings in hearing:
            yield self._say(part.number, "note/on", midi.data1, midi.data2 / d.MAX_7_BITS, _id(key))
            yield from self._expression(key, part, settings, device)

    def _expression(self, key: _Key, part: Part, settings: MidiSettings, device: Device) -> Iterator[Message]:
        """Yield what a new note takes from its channel, where that is not at rest."""
        _, channel, _ = key
        if bend := device.bend(channel, settings):
            yield self._say(part.number, "note/bend", _id(key), bend)
        if pressure := device.channels[channel].pressure:
            yield self._say(part.number, "note/pressure", _id(key), pressure)
        timbre = device.channels[channel].timbre
        if settings.mpe.timbre and timbre is not None and device.role(channel, settings)[0] == "member":
            yield self._say(part.number, f"note/latent/{settings.mpe.timbre}", _id(key), timbre)

    def _note_off(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        yield from self._release((midi.port, channel, midi.data1), midi.data2)

    def _release(self, key: _Key, velocity: int) -> Iterator[Message]:
        for part in self._held.pop(key, ()):
            if self._pedals.get(part):
                self._pedalled.setdefault(part, set()).add(key)
            if part in self._instrument.parts:
                yield self._say(part, "note/off/id", _id(key), velocity / d.MAX_7_BITS)

    def _sounding(self, port: int, channels: set[int]) -> Iterator[tuple[_Key, int]]:
        """Yield the notes of some channels whose keys are down, each with a part that plays it."""
        for key, parts in self._held.items():
            if key[0] == port and key[1] in channels:
                yield from ((key, part) for part in parts)

    # ---- expression

    def _poly_pressure(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        key = midi.port, channel, midi.data1
        for part in self._held.get(key, ()):
            yield self._say(part, "note/pressure", _id(key), midi.data2 / d.MAX_7_BITS)

    def _pressure(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        pressure = device.channels[channel].pressure = midi.data1 / d.MAX_7_BITS
        for key, part, _ in self._led(midi.port, device, channel):
            yield self._say(part, "note/pressure", _id(key), pressure)

    def _bend(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        at = (midi.data2 << 7 | midi.data1) - _CENTRE
        bend, before = at / (_CENTRE - 1 if at > 0 else _CENTRE), device.channels[channel].bend
        device.channels[channel].bend = bend
        if bend != before:
            yield from self._rebend(midi.port, device, channel)

    def _rebend(self, port: int, device: Device, channel: int) -> Iterator[Message]:
        for key, part, settings in self._led(port, device, channel):
            yield self._say(part, "note/bend", _id(key), device.bend(key[1], settings))

    def _led(self, port: int, device: Device, channel: int) -> Iterator[tuple[_Key, int, MidiSettings]]:
        """Yield the notes that a channel speaks for: its own, and where it leads a zone, those of its members; the pedal's too, but no member's."""
        parts = self._instrument.parts
        pedalled = [(key, part) for part, keys in self._pedalled.items() for key in keys if key[0] == port]
        for is_down, notes in ((True, list(self._sounding(port, set(range(d.N_CHANNELS))))), (False, pedalled)):
            for key, number in notes:
                patch = parts[number].patch if number in parts else None
                if patch is not None and (channel == device.role(key[1], patch.midi)[1] or (channel == key[1] and is_down)):
                    yield key, number, patch.midi

    # ---- controls

    def _control(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        number, value = midi.data1, midi.data2
        if number >= d.SOUND_OFF:
            yield from self._mode(midi, device, channel)
        elif number in (d.RPN, d.RPN_FINE, d.NRPN, d.NRPN_FINE):
            device.select(channel, number, value)
        elif number in (d.DATA, d.DATA_FINE) and device.takes_data(channel):
            changed = device.set_data(channel, number, value)
            if changed == "zones":
                yield from self._release_all(midi.port, set(range(d.N_CHANNELS)))
            elif changed == "bends":
                for each in device.beside(channel):
                    yield from self._rebend(midi.port, device, each)
        else:
            faults = []
            for part, settings in list(self._hearing(device, channel)):
                try:
                    yield from self._move(midi, device, channel, part, settings)
                except Refused as refused:
                    faults.append(refused)
            if faults:
                raise faults[0]

    def _move(self, midi: Midi, device: Device, channel: int, part: Part, settings: MidiSettings) -> Iterator[Message]:
        number, value = midi.data1, midi.data2
        is_member = device.role(channel, settings)[0] == "member"
        if number == d.TIMBRE and is_member and settings.mpe.timbre:
            device.channels[channel].timbre = value / d.MAX_7_BITS
            for key, _ in self._sounding(midi.port, {channel}):
                yield self._say(part.number, f"note/latent/{settings.mpe.timbre}", _id(key), value / d.MAX_7_BITS)
        elif (moved := self.controls.moved(device, channel, part, number, value)) is not None:
            yield from self.controls.move((midi.port, channel, moved[0]), part, moved[1])
        elif number == d.SUSTAIN:
            yield from self._pedal(part.number, {(midi.port, channel)}, is_down=value >= 64)

    def _pedal(self, part: int, pedals: set[tuple[int, int]], is_down: bool) -> list[Message]:
        down = self._pedals.setdefault(part, set())
        down.update(pedals) if is_down else down.difference_update(pedals)
        if not down:
            self._pedalled.pop(part, None)
        return [self._say(part, "hold", int(bool(down)))]

    def _mode(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        number = midi.data1
        hearing = list(self._hearing(device, channel))
        if number == d.RESET:
            device.reset(channel)
            for part, _ in hearing:
                yield from self._pedal(part.number, {(midi.port, channel)}, is_down=False)
            yield from self._rebend(midi.port, device, channel)
            for key, part_number, _ in self._led(midi.port, device, channel):
                yield self._say(part_number, "note/pressure", _id(key), 0.0)
        elif number == d.SOUND_OFF or number >= d.NOTES_OFF:
            yield from self._release_all(midi.port, {channel})
        if number == d.SOUND_OFF:  # a drone has no notes, and goes on
            yield from (self._say(part.number, "panic") for part, _ in hearing if part.patch and part.patch.mode != "drone")

    def _release_all(self, port: int, channels: set[int]) -> Iterator[Message]:
        for key in [key for key, _ in self._sounding(port, channels)]:
            yield from self._release(key, 0)

    # ---- patches

    def _program(self, midi: Midi, device: Device, channel: int) -> Iterator[Message]:
        hearing = list(self._hearing(device, channel))
        if scenes := self._instrument.scenes.all:  # who has a set list walks through it
            if hearing and midi.data1 < len(scenes):
                yield Message(f"{self._instrument.prefix}/scene/index", (midi.data1 + 1,))
        elif midi.data1 < len(self._instrument.shelf.names):
            yield from (self._say(part.number, "patch/index", midi.data1 + 1) for part, _ in hearing)

    _DO = {  # noqa: RUF012
        d.NOTE_OFF: _note_off,
        d.NOTE_ON: _note_on,
        d.POLY_PRESSURE: _poly_pressure,
        d.CONTROL: _control,
        d.PROGRAM: _program,
        d.PRESSURE: _pressure,
        d.BEND: _bend,
    }


def is_heard(device: Device, channel: int, settings: MidiSettings) -> bool:
    """Say whether a patch hears a channel (from 0): every one, its own, or those that its own leads."""
    return settings.channel == "omni" or settings.channel - 1 in (channel, device.role(channel, settings)[1])


def _id(key: _Key) -> int:
    port, channel, pitch = key
    return _IDS_AT + (port << 11 | channel << 7 | pitch)
