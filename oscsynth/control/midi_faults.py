"""What is wrong with the controls of a patch, before anybody turns a knob. Any thread; imports ``instrument``, which is asked as it is on stage."""

from __future__ import annotations

from ..metadata import Metadata
from ..patch import Patch
from .instrument import Instrument
from .row import Refused
from .shelf import Version

_ELSEWHERE = ("/part/", "select/")  # what is there depends on what else plays, and on how many patches and scenes there are


def control_faults(patch: Patch, metadata: Metadata | None) -> dict[int, str]:
    """Return a sentence for each control that could not move what it is to move."""
    if not patch.midi.control_changes:
        return {}
    instrument = Instrument(lambda number, patch: None)
    instrument.repertoire.set_patches({patch.name: patch})
    part = instrument.parts[1]
    part.take(Version(1, patch, metadata, "", True))
    faults = {}
    for number, address in patch.midi.control_changes.items():
        try:
            if not any(word in address for word in _ELSEWHERE):
                instrument.midi.controls.check(part, address)
        except Refused as refused:
            faults[number] = str(refused)
    return faults
