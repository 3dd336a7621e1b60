"""Whether a patch and its decoder fit: what of a patch the decoder cannot do.

Any thread but audio's, any process but the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .metadata import Metadata
from .parameters import N_FADERS
from .patch import Patch
from .patch_faults import Fault, fault_at, fault_line, nearest
from .yaml_file import Document, Location, read_yaml


def fit(patch: Patch, metadata: Metadata) -> list[str]:
    """Return what of a patch its decoder cannot do, a sentence each, in the form of `patch_file.load_patch`; none when they fit."""
    n_latents = len(metadata.latents)
    has = f"{patch.decoder} has {n_latents} latent{'s' * (n_latents != 1)}"
    faults = [
        Fault(("latents", name, "neuron"), f"{has}, so it must be 1 to {n_latents}, not {latent.neuron}")
        for name, latent in patch.latents.items()
        if latent.neuron > n_latents
    ]
    names = [*patch.latents, *(latent.name for latent in metadata.latents if latent.name)]
    faults += [
        Fault(location, f"there is no latent {name}{nearest(name, names)}")
        for location, name in _midi_latents(patch)
        if name not in names and not (name.isdigit() and 1 <= int(name) <= max(N_FADERS, n_latents))
    ]
    faults += [
        Fault(("points", name), f"{has}, so it must be a list of {n_latents}, not of {len(point)}")
        for name, point in patch.points.items()
        if len(point) != n_latents
    ]
    if patch.mode == "resynthesis" and not metadata.encoder:
        faults.append(Fault(("mode",), f"{patch.decoder} has no encoder, so no sound can be played through it: `oscsynth train encoder` makes one"))
    faults += _strange_instruments(patch, metadata)
    document = read_yaml(Path(patch.path)) if patch.path and faults else Document()
    lines = [document.line(fault.location) if document.lines else 0 for fault in faults]
    return [fault_line(Path(patch.path), line, fault_at(fault.location, fault.sentence)) for line, fault in zip(lines, faults, strict=True)]


def _strange_instruments(patch: Patch, metadata: Metadata) -> list[Fault]:
    """Find what is said of instruments that the decoder does not know."""
    names = list(metadata.note.instruments) if metadata.note else []
    said: list[tuple[Location, str]] = [(("timbre", name), name) for name in patch.timbre]
    said += [((key,), name) for key in ("transfer_from", "transfer_to") if (name := getattr(patch, key))]
    if not names:
        set_ = [key for key in ("transfer", "spread") if getattr(patch, key)] + ["brightness"] * (patch.brightness != 0.5)
        knows = f"{patch.decoder} knows no instruments, as only decoders of kind note do: leave it out"
        return [Fault(location, knows) for location in [location for location, _ in said] + [(key,) for key in set_]]
    faults = [Fault(location, f"there is no instrument {name}{nearest(name, names)}") for location, name in said if name not in names]
    if patch.timbre and not any(patch.timbre.values()):
        faults.append(Fault(("timbre",), "must give at least one instrument some weight"))
    return faults


def _midi_latents(patch: Patch) -> Iterator[tuple[Location, str]]:
    """Yield each latent that a controller is to move, and where the patch says so."""
    for number, address in patch.midi.control_changes.items():
        if address.startswith("latent/"):
            yield ("midi", "control_changes", str(number)), address.removeprefix("latent/").removesuffix("/normalized")
    if patch.midi.mpe.timbre:
        yield ("midi", "mpe", "timbre"), patch.midi.mpe.timbre
