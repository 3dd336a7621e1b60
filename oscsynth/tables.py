"""What the command line lists: patches, devices, inputs and addresses, a table each.

For the command line; imports what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import shown

if TYPE_CHECKING:
    from rich.table import Table

    from .audio import Device
    from .library import Library
    from .midi_systems import Port


def patches(library: Library) -> Table:
    """Return the patches of a library that was scanned."""
    table = _table("patch", "decoder", "latents", "from")
    for patch in library.patches.values():
        where = "the factory" if library.is_factory(patch) else shown(patch.path)
        table.add_row(patch.name, Path(patch.decoder_path).name, ", ".join(patch.latents), where)
    return table


def sound_devices(devices: Iterable[Device]) -> Table:
    """Return the devices that can play."""
    table = _table("device", "system", "channels", "sample rate", "latency", "")
    for device in devices:
        row = (device.name, device.api, str(device.output_channels), f"{device.default_sample_rate_hz} Hz", f"{1000 * device.latency_seconds:.1f} ms")
        table.add_row(*row, "the default" if device.is_default else "")
    return table


def sound_inputs(devices: Iterable[Device]) -> Table:
    """Return the devices that can listen."""
    table = _table("sound input", "system", "channels", "")
    for device in devices:
        table.add_row(device.name, device.api, str(device.input_channels), "the default" if device.is_default else "")
    return table


def midi(ports: Iterable[Port]) -> Table:
    """Return the MIDI inputs."""
    table = _table("MIDI input", "system")
    for port in ports:
        table.add_row(port.name, port.api)
    return table


def addresses() -> Table:
    """Return every OSC address, with what it takes and does."""
    from .control.addresses import PART_ROWS, WHOLE_ROWS

    table = _table("address under /oscsynth", "takes", "what it does")
    for row in (*PART_ROWS, *WHOLE_ROWS):
        if not row.path.endswith(("/normalized", "/text")):
            takes = {"action": "nothing, or 1", "question": "nothing: it answers"}.get(row.kind) or row.takes
            table.add_row(row.path.replace("{}", row.placeholder), takes, row.description)
    return table


def _table(*columns: str) -> Table:
    from rich.table import Table

    return Table(*columns)
