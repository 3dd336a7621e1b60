"""``oscsynth monitor``: what a running daemon plays, as a table that is asked for twice a second.

For the command line; imports ``client`` and ``parameters``. It is a client like any other: everything it shows came over OSC.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .client import PREFIX, Client, Reply, is_fault
from .errors import OscsynthError
from .parameters import PART, PART_PARAMETERS
from .units import PITCH_CLASSES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EVERY_SECONDS = 0.5
_PLAIN = [row.name for row in PART_PARAMETERS if row.description and row.size == 1]
_ASKED = ("latents", "chroma", *_PLAIN)


def watch(host: str, port: int, console: Console, *, once: bool = False) -> None:
    """Show the table until Ctrl-C, or once.

    Raises
    ------
    OscsynthError
        When nothing answers at the start; later it waits for the daemon to come back.
    """
    from rich.live import Live

    with Client(host, port) as client:
        table = look(client)
        if once:
            console.print(table)
            return
        with Live(table, console=console, refresh_per_second=4) as live:
            while True:
                time.sleep(EVERY_SECONDS)
                try:
                    live.update(look(client))
                except OscsynthError as error:
                    live.update(str(error))


def look(client: Client) -> Table:
    """Ask for everything that is shown, and return it as a table."""
    from rich.table import Table

    status = _status(client.ask(f"{PREFIX}/status"))
    parts = [name for name in status if name.startswith("part/")]
    table = Table("", *(f"{name}: {status[name]}" for name in parts), title=client.place)
    columns = [_values(client.ask_all([f"{PREFIX}/{name}/{asked}" for asked in _ASKED])) for name in parts]
    for asked in _ASKED:
        if any(asked in column for column in columns):
            table.add_row(asked, *(_text(asked, column.get(asked, ())) for column in columns))
    table.caption = "  ".join(f"{name} {_number(value)}" for name, value in status.items() if name not in parts and value != "")
    return table


def _status(replies: Iterable[Reply]) -> dict[str, object]:
    flat = [item for address, arguments in replies if address == f"{PREFIX}/status" for item in arguments]  # a long one comes in pieces
    return {str(name): value for name, value in zip(flat[::2], flat[1::2], strict=False)}


def _values(replies: Iterable[Reply]) -> dict[str, tuple[object, ...]]:
    """Return the answers by the name that was asked; part 1 answers in its short form."""
    answers: dict[str, tuple[object, ...]] = {}
    for address, arguments in replies:
        below = address.removeprefix(f"{PREFIX}/")
        if below.startswith("part/"):
            below = below.split("/", 2)[2]
        if not is_fault((address, arguments)):
            answers[below] = arguments
    return answers


def _text(name: str, values: tuple[object, ...]) -> str:
    numbers = [value for value in values if isinstance(value, int | float)]
    if name == "chroma":
        return " ".join(f"{note} {weight:.2g}" if weight < 1 else note for note, weight in zip(PITCH_CLASSES, numbers, strict=False) if weight)
    if name in PART and len(numbers) == 1:
        return PART[name].text(numbers[0])
    return " ".join(map(_number, values))


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
