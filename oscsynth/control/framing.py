r"""The two ways in which packets follow each other on a TCP connection; no I/O.

Control process; imports ``errors`` alone. OSC 1.0 writes the size of each packet before it, OSC 1.1 ends each by a byte of its own (SLIP, RFC 1055),
and begins it with that byte as well. The first byte tells which one a client speaks, and it is answered alike.

>>> unframe = Unframer()
>>> list(unframe.feed(b"\xc0/a\0\0,\0\0\0\xc0\xc0/b"))
[b'/a\x00\x00,\x00\x00\x00']
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import OscParseError

MAX_PACKET_BYTES = 65536  # as UDP has it
_END, _ESCAPE = 0xC0, 0xDB
_ENDS, _ESCAPES = bytes([_END]), bytes([_ESCAPE])
_ESCAPED_END, _ESCAPED_ESCAPE = b"\xdb\xdc", b"\xdb\xdd"
_SLIP_BEGINS = _ENDS + b"/#"  # some leave the first END out


class Unframer:
    """Takes what a connection brings, in whatever pieces, and gives whole packets.

    Attributes
    ----------
    malformed : int
        Packets that were lost because their frame was broken; the ones after them are read.
    """

    def __init__(self) -> None:
        self.malformed = 0
        self.is_slip: bool | None = None  # unknown before the first byte
        self._rest = bytearray()
        self._is_skipping = False  # a packet that is too long, up to its end

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Yield the packets that end within these bytes.

        Raises
        ------
        OscParseError
            When nothing that follows can be understood any more; the connection is to be closed.
        """
        self._rest += data
        if self.is_slip is None and self._rest:
            self.is_slip = self._rest[0] in _SLIP_BEGINS
        return self._feed_slip() if self.is_slip else self._feed_sized()

    def frame(self, packet: bytes) -> bytes:
        """Return a packet as this client wants it framed."""
        if not self.is_slip:
            return len(packet).to_bytes(4, "big") + packet
        return _ENDS + packet.replace(_ESCAPES, _ESCAPED_ESCAPE).replace(_ENDS, _ESCAPED_END) + _ENDS

    def _feed_sized(self) -> Iterator[bytes]:
        rest, at = self._rest, 0
        try:
            while len(rest) - at >= 4:
                size = int.from_bytes(rest[at : at + 4], "big")
                if size > MAX_PACKET_BYTES:
                    raise OscParseError(f"a packet of {size} bytes was announced on a TCP connection, where {MAX_PACKET_BYTES} are the most")
                if len(rest) - at - 4 < size:
                    return
                at += 4 + size
                yield bytes(rest[at - size : at])
        finally:
            del rest[:at]

    def _feed_slip(self) -> Iterator[bytes]:
        *ended, unended = self._rest.split(_ENDS)
        for frame in ended:
            if self._is_skipping or len(frame) > 2 * MAX_PACKET_BYTES:
                self._is_skipping = False
                self.malformed += 1
            elif frame:  # two ENDs follow each other where one packet ends and the next begins
                packet = _unescape(bytes(frame))
                if packet is None or len(packet) > MAX_PACKET_BYTES:
                    self.malformed += 1
                else:
                    yield packet
        if self._is_skipping or len(unended) > 2 * MAX_PACKET_BYTES:
            self._is_skipping = True
            unended = bytearray()
        self._rest = bytearray(unended)


def _unescape(frame: bytes) -> bytes | None:
    """Return what a SLIP frame holds, None when it escapes what needs no escape."""
    if _ESCAPE not in frame:
        return frame
    first, *others = frame.split(_ESCAPES)
    if any(other[:1] not in (b"\xdc", b"\xdd") for other in others):
        return None
    return first + b"".join((_ENDS if other[0] == 0xDC else _ESCAPES) + other[1:] for other in others)
