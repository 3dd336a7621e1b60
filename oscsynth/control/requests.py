"""What messages about their sender itself do: subscribe, and be answered once all before is done.

Control process, one thread; functions of a part and a key, for the rows of `addresses`, as in `values`. Offline there is
no sender, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .part import Part
from .row import Answer

_MAX_UNTIMED = 256


def read_notify(part: Part, key: int) -> Answer:
    """Return whether the sender is told of changes."""
    instrument = part.instrument
    return (int(instrument.clients is not None and instrument.clients.is_told(instrument.sender)),)


def write_notify(part: Part, key: int, values: Sequence[Any]) -> None:
    """Tell the sender of changes from now on, or no more."""
    clients = part.instrument.clients
    if clients is not None:
        change = clients.subscribe if values[0] else clients.unsubscribe
        change(part.instrument.sender, values[1] if len(values) > 1 else None)


def read_sync(part: Part, key: int) -> Answer:
    """Return 0: it is not the number that matters."""
    return (0,)


def write_sync(part: Part, key: int, values: Sequence[Any]) -> None:
    """Answer with the same number."""
    part.instrument.reply("synced", values[0])


def read_timetags(part: Part, key: int) -> Answer:
    """Return 1 unless the sender's time tags are ignored."""
    instrument = part.instrument
    return (int(instrument.client_of(instrument.sender) not in instrument.untimed),)


def write_timetags(part: Part, key: int, values: Sequence[Any]) -> None:
    """Heed the sender's time tags, or ignore them."""
    instrument = part.instrument
    client, untimed = instrument.client_of(instrument.sender), instrument.untimed
    untimed.pop(client, None)
    if not values[0]:
        untimed[client] = None
        if len(untimed) > _MAX_UNTIMED:
            del untimed[next(iter(untimed))]
    instrument.noted = True
