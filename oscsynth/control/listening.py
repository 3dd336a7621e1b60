"""What is heard, for a page that wants to listen: the samples of the tap, as they come, over a WebSocket of their own.

Control process, on its event loop; the engine knows nothing of it. First, and whenever an engine begins anew or the listener was too slow, comes a
text that says what follows; then float32 samples, left and right in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from array import array
from typing import TYPE_CHECKING

from ..tap import Stream, Tap, TooLate

if TYPE_CHECKING:
    from aiohttp import web

EVERY_SECONDS = 0.015
MOST_BEHIND_SECONDS = 0.5  # who is later goes on with what is heard now
MAX_LISTENERS = 8


async def tell(tap: Tap, stream: web.WebSocketResponse) -> None:
    """Send what is heard from now on, until nobody is there."""
    known, at = None, 0
    with contextlib.suppress(ConnectionError):
        while not stream.closed:
            now = tap.stream()
            if now.generation and (known is None or _is_elsewhere(now, known, at)):
                known, at = now, now.written_samples
                first = {"sample_rate_hz": now.sample_rate_hz, "first_sample": at, "generation": now.generation, "every_seconds": EVERY_SECONDS}
                await stream.send_str(json.dumps(first))
            if known is not None and (data := _read(tap, known, at)):
                at += len(data) // (4 * known.n_channels)
                await stream.send_bytes(stereo(data, known.n_channels))
            await asyncio.sleep(EVERY_SECONDS)


def _is_elsewhere(now: Stream, known: Stream, at: int) -> bool:
    return now.generation != known.generation or now.written_samples - at > MOST_BEHIND_SECONDS * now.sample_rate_hz


def _read(tap: Tap, stream: Stream, at: int) -> bytes:
    try:
        return tap.read(stream, at, stream.sample_rate_hz)
    except TooLate:  # the next round begins anew
        return b""


def stereo(data: bytes, n_channels: int) -> bytes:
    """Return float32 samples of some channels as those of two: the first two, or one on both sides.

    >>> list(array("f", stereo(array("f", [1, 2, 3, 4, 5, 6]).tobytes(), 3)))
    [1.0, 2.0, 4.0, 5.0]
    """
    if n_channels == 2:
        return data
    samples = array("f", data)
    both = array("f", bytes(8 * (len(samples) // n_channels)))
    both[0::2], both[1::2] = samples[0::n_channels], samples[min(1, n_channels - 1) :: n_channels]
    return both.tobytes()
