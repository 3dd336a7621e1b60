r"""OSC packets to messages: a codec with no I/O, strict, and linear in the length of the packet.

Any thread; imports ``errors`` alone. Heads (address and type tags) recur in every packet of a fader, so each is checked once and
remembered: a message of numbers then costs two searches, one look-up and one ``struct`` call.

>>> parse(b"/oscsynth/latent/1\0\0,f\0\0\x3f\0\0\0")
Message(address='/oscsynth/latent/1', arguments=(0.5,))
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple, TypeAlias, Union

from ..errors import OscParseError

MAX_DEPTH = 32  # of bundles in bundles, and of arrays in arrays
IMMEDIATE = 1  # the time tag that means now
_MAX_HEADS = 2048
_MAX_HEAD_BYTES = 512


class Impulse(enum.Enum):
    """The argument of type ``I``: something happens, and there is no more to say."""

    IMPULSE = "impulse"


IMPULSE = Impulse.IMPULSE


class TimeTag(NamedTuple):
    """An argument of type ``t``: NTP time in units of 2**-32 seconds."""

    value: int


class Rgba(NamedTuple):
    """An argument of type ``r``, each 0..255."""

    red: int
    green: int
    blue: int
    alpha: int


class Midi(NamedTuple):
    """An argument of type ``m``, each 0..255."""

    port: int
    status: int
    data1: int
    data2: int


Argument: TypeAlias = Union[int, float, str, bytes, Impulse, TimeTag, Rgba, Midi, "list[Argument]", None]


class Message(NamedTuple):
    """An address and its arguments."""

    address: str
    arguments: tuple[Argument, ...] = ()


class Bundle(NamedTuple):
    """Messages that happen in one instant; ``time_tag`` is NTP time in units of 2**-32 seconds, 1 means now."""

    time_tag: int
    elements: tuple[Message | Bundle, ...]


class _Head(NamedTuple):
    address: str
    tags: str
    numbers: Struct | None  # reads all arguments at once where every type is a plain number


_heads: dict[bytes, _Head] = {}


def parse(packet: bytes) -> Message | Bundle:
    """Return the message or the bundle that a packet holds.

    Raises
    ------
    OscParseError
        With a short reason, when anything in it is malformed.
    """
    if len(packet) & 3:
        raise OscParseError(f"its length of {len(packet)} bytes is no multiple of 4")
    return _parse_element(packet, 0)


def messages(packet: Message | Bundle) -> Iterator[Message]:
    """Yield every message in order, those of nested bundles in their place."""
    if isinstance(packet, Message):
        yield packet
        return
    for element in packet.elements:
        yield from messages(element)


def _parse_element(packet: bytes, depth: int) -> Message | Bundle:
    return _parse_bundle(packet, depth) if packet[:1] == b"#" else _parse_message(packet)


def _parse_bundle(packet: bytes, depth: int) -> Bundle:
    if packet[:8] != b"#bundle\0" or len(packet) < 16:
        raise OscParseError("it starts with # and is no complete bundle")
    if depth >= MAX_DEPTH:
        raise OscParseError(f"bundles are nested more than {MAX_DEPTH} deep")
    elements, at, end = [], 16, len(packet)
    while at < end:
        size = int.from_bytes(packet[at : at + 4], "big", signed=True)
        at += 4
        if size <= 0 or size & 3 or size > end - at:
            raise OscParseError(f"an element of a bundle has a size of {size} bytes, where {end - at} are left")
        elements.append(_parse_element(packet[at : at + size], depth + 1))
        at += size
    return Bundle(int.from_bytes(packet[8:16], "big"), tuple(elements))


def _parse_message(packet: bytes) -> Message:
    # Each string ends at its first NUL and is padded to a multiple of 4.
    tags_at = (packet.find(0) + 4) & ~3
    data_at = (packet.find(0, tags_at) + 4) & ~3
    address, tags, numbers = _heads.get(packet[:data_at]) or _read_head(packet, tags_at, data_at)
    if numbers is None:
        return Message(address, _read_arguments(packet, data_at or len(packet), tags))
    if len(packet) - data_at != numbers.size:
        raise OscParseError(f"its types {tags!r} need {numbers.size} bytes of data, not {len(packet) - data_at}")
    return Message(address, numbers.unpack_from(packet, data_at))


# ---- heads

_NUMBER_FORMATS = {"i": "i", "f": "f", "h": "q", "d": "d"}


def _read_head(packet: bytes, tags_at: int, data_at: int) -> _Head:
    if not packet:
        raise OscParseError("it is empty")
    address = _check_address(_unpad(packet, 0, tags_at, "its address"))
    if tags_at == len(packet):
        return _Head(address, "", None)  # an old client's message without type tags: it can only have no arguments
    if packet[tags_at] != 44:
        raise OscParseError("it has data, but no type tags that say what it is")
    tags = _unpad(packet, tags_at, data_at, "its type tags")[1:]
    if not tags.isascii() or not tags.isprintable():
        raise OscParseError("its type tags are not printable ASCII")
    plain = tags and all(tag in _NUMBER_FORMATS for tag in tags)
    head = _Head(address, tags, Struct(">" + "".join(map(_NUMBER_FORMATS.__getitem__, tags))) if plain else None)
    if data_at <= _MAX_HEAD_BYTES:
        if len(_heads) >= _MAX_HEADS:
            _heads.clear()
        _heads[packet[:data_at]] = head
    return head


def _unpad(packet: bytes, at: int, end: int, what: str) -> str:
    raw, zeros = packet[at:end].partition(b"\0")[::2]
    if end <= at or packet[end - 1] or zeros.strip(b"\0"):
        raise OscParseError(f"{what} is not ended and padded by zeros")
    return _decode(raw, what)


def _decode(raw: bytes, what: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise OscParseError(f"{what} is not UTF-8") from None


def _check_address(address: str) -> str:
    if not address or not address.isprintable() or " " in address or "#" in address:
        raise OscParseError("its address is empty or holds a space, a # or a control character")
    # sclang sends a symbol without a slash as it stands; there is nothing else it could mean.
    return address if address[0] == "/" else "/" + address


# ---- arguments

_UINT32, _INT32, _INT64, _UINT64 = Struct(">I"), Struct(">i"), Struct(">q"), Struct(">Q")
_FLOAT, _DOUBLE, _FOUR_BYTES = Struct(">f"), Struct(">d"), Struct("4B")


def _number(form: Struct, make: Callable[..., Argument]) -> Callable[[bytes, int], tuple[Argument, int]]:
    def read(packet: bytes, at: int) -> tuple[Argument, int]:
        if at + form.size > len(packet):
            raise OscParseError("its data are cut short")
        return make(*form.unpack_from(packet, at)), at + form.size

    return read


def _character(code: int) -> str:
    if not code < 128:
        raise OscParseError("a character is not ASCII")
    return chr(code)


def _read_string(packet: bytes, at: int) -> tuple[str, int]:
    end = packet.find(0, at)
    if end < 0:
        raise OscParseError("a text is not ended by a zero")
    after = (end + 4) & ~3
    return _unpad(packet, at, after, "a text"), after


def _read_blob(packet: bytes, at: int) -> tuple[bytes, int]:
    size, at = int.from_bytes(packet[at : at + 4], "big", signed=True), at + 4
    if not 0 <= size <= len(packet) - at:
        raise OscParseError(f"a blob has a size of {size} bytes, where {len(packet) - at} are left")
    return packet[at : at + size], at + (size + 3 & ~3)  # what pads it is not looked at: sclang leaves garbage there


def _plain(value: float) -> float:
    return value


_READERS: dict[str, Callable[[bytes, int], tuple[Argument, int]]] = {
    "i": _number(_INT32, _plain),
    "f": _number(_FLOAT, _plain),
    "h": _number(_INT64, _plain),
    "d": _number(_DOUBLE, _plain),
    "t": _number(_UINT64, TimeTag),
    "c": _number(_UINT32, _character),
    "r": _number(_FOUR_BYTES, Rgba),
    "m": _number(_FOUR_BYTES, Midi),
    "s": _read_string,
    "S": _read_string,
    "b": _read_blob,
}
_CONSTANTS: dict[str, Argument] = {"T": True, "F": False, "N": None, "I": IMPULSE}


def _read_arguments(packet: bytes, at: int, tags: str) -> tuple[Argument, ...]:
    try:
        return _walk(packet, at, tags, _READERS)
    except OscParseError:
        if "c" not in tags:
            raise
        # sclang writes a character as a type tag of its own, without data.
        return _walk(packet, at, tags, {tag: read for tag, read in _READERS.items() if tag != "c"})


def _walk(packet: bytes, at: int, tags: str, readers: dict[str, Callable[[bytes, int], tuple[Argument, int]]]) -> tuple[Argument, ...]:
    stack: list[list[Argument]] = [[]]
    for tag in tags:
        if (read := readers.get(tag)) is not None:
            value, at = read(packet, at)
            stack[-1].append(value)
        elif tag == "[":
            if len(stack) > MAX_DEPTH:
                raise OscParseError(f"arrays are nested more than {MAX_DEPTH} deep")
            stack.append([])
        elif tag == "]":
            if len(stack) == 1:
                raise OscParseError("its type tags close an array that was not opened")
            array = stack.pop()
            stack[-1].append(array)
        else:
            stack[-1].append(_CONSTANTS.get(tag, tag))  # an unknown tag is a character of sclang's: the data must still fit to the byte
    if len(stack) > 1:
        raise OscParseError("its type tags do not close an array")
    if at != len(packet):
        raise OscParseError(f"{abs(len(packet) - at)} bytes {'are left over' if at < len(packet) else 'are missing'} after its arguments")
    return tuple(stack[0])
