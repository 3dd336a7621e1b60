"""Everything that can be wrong with patches and decoders, before a show.

For the command line; brings together ``library``, ``patch_file`` and ``probe``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .control.midi_faults import control_faults
from .errors import PatchError, shown
from .library import SET_LIST, SUFFIXES, Library
from .metadata import ENCODER_SUFFIX, Metadata
from .patch import Patch
from .patch_faults import fault_at, fault_line
from .patch_file import load_patch
from .patch_fit import fit
from .probe import Report, probe_decoders
from .setlist import SetListError, load_set_list, missing_patches
from .yaml_file import read_yaml


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: what it is when it is good, or everything that is wrong with it, a line each."""

    path: Path
    text: str
    faults: str = ""


def check_library(library: Library) -> Iterator[Checked]:
    """Check every patch and every decoder of both folders."""
    library.scan()
    yield from (Checked(path, "", faults) for path, faults in library.faults.items())
    if library.user_folder and (path := library.user_folder / SET_LIST).exists():
        yield _check_set_list(path, library.patches)
    used = [Path(patch.decoder_path) for patch in library.patches.values()]
    yield from _check(list(library.patches.values()), dict.fromkeys([*library.decoders(), *used]))


def check_files(paths: Iterable[Path], folders: tuple[Path, ...]) -> Iterator[Checked]:
    """Check some patches and decoders, and what lies in some folders."""
    patches: list[Patch] = []
    decoders: list[Path] = []
    for path in _files(paths):
        if path.name == SET_LIST:
            yield _check_set_list(path)
        elif path.suffix.lower() == ".onnx":
            decoders.append(path)
        elif path.suffix.lower() not in SUFFIXES:
            yield Checked(path, "", f"{shown(path)}: is neither a patch ({', '.join(SUFFIXES)}) nor a decoder (.onnx)")
        else:
            try:
                patches.append(load_patch(path, folders))
            except PatchError as error:
                yield Checked(path, "", str(error))
    yield from _check(patches, dict.fromkeys([*decoders, *(Path(patch.decoder_path) for patch in patches)]))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = (file for file in path.rglob("*") if file.suffix.lower() in (*SUFFIXES, ".onnx"))
            yield from sorted(file for file in found if not file.name.endswith(ENCODER_SUFFIX))
        else:
            yield path


def _check_set_list(path: Path, patches: Iterable[str] | None = None) -> Checked:
    """Check a set list, and whether its patches are there where it is known which there are."""
    try:
        scenes = load_set_list(path)
        faults = missing_patches(path, patches) if patches is not None else []
    except SetListError as error:
        return Checked(path, "", str(error))
    return Checked(path, f"{len(scenes)} scene{'s' * (len(scenes) != 1)}", "\n".join(faults))


def _check(patches: list[Patch], decoders: Iterable[Path]) -> Iterator[Checked]:
    reports: dict[Path, Report] = {}
    for report in probe_decoders(decoders):
        reports[report.path] = report
        yield Checked(report.path, _describe(report.metadata) if report.metadata else "", report.error)
    for patch in patches:
        metadata = reports[Path(patch.decoder_path)].metadata
        if metadata is None:
            yield Checked(Path(patch.path), "", f"{shown(patch.path)}: decoder: {patch.decoder} cannot be played (see above)")
        else:
            faults = fit(patch, metadata) or strange_controls(patch, metadata)
            yield Checked(Path(patch.path), "" if faults else f"{patch.name}, on {Path(patch.decoder_path).name}", "\n".join(faults))


def strange_controls(patch: Patch, metadata: Metadata) -> list[str]:
    """Return what MIDI controls are to move and cannot, a sentence each; such a patch plays, but for those knobs."""
    document = read_yaml(Path(patch.path))
    where = ("midi", "control_changes")
    faults = control_faults(patch, metadata).items()
    return [fault_line(Path(patch.path), document.line((*where, str(n))), fault_at((*where, str(n)), sentence)) for n, sentence in faults]


def _describe(metadata: Metadata) -> str:
    if (note := metadata.note) is not None:
        pitches = f"{len(note.pitches)} pitches from {note.pitches[0]} to {note.pitches[-1]}"
        return f"{metadata.title}: {', '.join(note.instruments)}; {pitches}, {metadata.sample_rate_hz} Hz"
    registers = metadata.registers
    octaves = f", octaves {min(registers)} to {max(registers)}" if registers else ""
    return f"{metadata.title}: {len(metadata.latents)} latents{octaves}, {metadata.sample_rate_hz} Hz"
