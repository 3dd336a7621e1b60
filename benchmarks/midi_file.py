"""How fast `oscsynth render` plays a MIDI file of sixteen voices: ``python -m benchmarks.midi_file``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import mido

from oscsynth.library import factory_folder
from oscsynth.render import render_file

SECONDS = 30.0
N_VOICES = 16
DECODERS = ("violin", "five-octaves")
TICKS = 480  # a beat, half a second


def piece(path: Path, with_wheel: bool) -> Path:
    """Write a file in which sixteen keys are held and struck again one by one, eight strokes a second; the wheel may bend them all the while."""
    track = mido.MidiTrack()
    for step in range(round(SECONDS * 8)):
        pitch = 36 + 3 * (step % N_VOICES)
        if step >= N_VOICES:
            track.append(mido.Message("note_off", note=pitch))
        track.append(mido.Message("note_on", note=pitch, velocity=60))
        for quarter in range(4):
            bend = (step * 4 + quarter) * 97 % 16000 - 8000 if with_wheel else 0
            track.append(mido.Message("pitchwheel", pitch=bend, time=TICKS // 16))
    track += [mido.Message("note_off", note=36 + 3 * voice) for voice in range(N_VOICES)]
    mido.MidiFile(type=1, ticks_per_beat=TICKS, tracks=[mido.MidiTrack(), track]).save(path)
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for decoder in DECODERS:
            there = factory_folder() / "decoders" / f"{decoder}.onnx"
            (folder / there.name).write_bytes(there.read_bytes())
            (folder / f"{decoder}.yaml").write_text(f"name: A {decoder}\ndecoder: {there.name}\nmode: notes\nvoices: {N_VOICES}\ngain_db: -12\n")
            for with_wheel in (False, True):
                score = piece(folder / "piece.mid", with_wheel)
                start, used = time.perf_counter(), time.process_time()
                rendered = render_file(score, folder / "out.wav", patches=folder, patch=f"A {decoder}")
                took, used = time.perf_counter() - start, time.process_time() - used
                faster = f"{rendered.seconds / took:.1f} times faster than it sounds, {rendered.seconds / used:.1f} by processor time"
                print(f"{decoder}, {N_VOICES} voices{' with the wheel always moving' * with_wheel}: {rendered.seconds:.1f} s are {faster}")


if __name__ == "__main__":
    main()
