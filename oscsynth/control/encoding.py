"""Messages to packets: python-osc writes each, and many go into one bundle.

Control process; imports ``osc`` alone. A bundle holds what fits into one packet of the network, because on Wi-Fi each packet costs about the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pythonosc.osc_message_builder import OscMessageBuilder

from .osc import IMMEDIATE

if TYPE_CHECKING:
    from .row import Reply

MAX_BUNDLE_BYTES = 1400  # what every network carries in one piece, IPv6 and VPNs too
_HEAD = b"#bundle\0" + IMMEDIATE.to_bytes(8, "big")


def encode(reply: Reply) -> bytes:
    """Return the packet of a reply."""
    builder = OscMessageBuilder(reply.address)
    for argument in reply.arguments:
        builder.add_arg(argument)
    return bytes(builder.build().dgram)


def pack(packets: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the packets again, as few: bundles that mean now, of up to `MAX_BUNDLE_BYTES`; one alone stays a message.

    >>> [len(packet) for packet in pack([bytes(8), bytes(8)])]
    [40]
    """
    waiting: list[bytes] = []
    size = len(_HEAD)
    for packet in packets:
        if waiting and size + 4 + len(packet) > MAX_BUNDLE_BYTES:
            yield _bundle(waiting)
            waiting, size = [], len(_HEAD)
        waiting.append(packet)
        size += 4 + len(packet)
    if waiting:
        yield _bundle(waiting)


def _bundle(packets: list[bytes]) -> bytes:
    if len(packets) == 1:
        return packets[0]
    return _HEAD + b"".join(part for packet in packets for part in (len(packet).to_bytes(4, "big"), packet))
