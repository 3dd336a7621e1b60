"""Three small patches, and an instrument that plays them as soon as it is asked to."""

import dataclasses

from oscsynth.control.instrument import Instrument
from oscsynth.control.osc import Message
from oscsynth.metadata import Brightness, Latent, Metadata, NoteMap
from oscsynth.patch import Envelope, LatentControl, MidiSettings, Patch

VIOLIN = Patch(
    "Violin",
    "violin.onnx",
    gain_db=-6,
    pan=0.25,
    envelope=Envelope(attack_ms=10),
    latents={"bow": LatentControl(1, 0.4), "air": LatentControl(2, 0.6)},
    xy=("air", "bow"),
    points={"tasto": (0.25, 0.75, 0.5), "ponticello": (1.0, 0.0, 0.25)},
)
CHOIR = Patch("Choir", "choir.onnx", gate="closed", pan=-1, register=5, glide_ms=50, chroma=(0.5, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0))
BROKEN = Patch("Broken", "broken.onnx")


def metadata(n_latents: int, **more) -> Metadata:
    latents = tuple(Latent(0.0, 0.5, 1.0, name=f"deep-{i}" if i == n_latents - 1 else "") for i in range(n_latents))
    return Metadata("test", "frame", 44100, 4096, 1024, latents, 48, 72, (4,) * 12, **more)


METADATA = {"Violin": metadata(3, points={"soft": (0.0, 0.0, 0.0), "tasto": (1.0, 1.0, 1.0)}), "Choir": metadata(10)}


INSTRUMENTS = ("cello", "english-horn", "flute")
NOTE = NoteMap(
    n_hops=43,
    n_bands=256,
    instruments={name: (float(k), 0.0) for k, name in enumerate(INSTRUMENTS)},
    ranges=dict.fromkeys(INSTRUMENTS, (60, 61)),
    timbre_deviation=1.0,
    pitches=(60, 61),
    pitch_means=((0.0,), (1.0,)),
    pitch_deviation=0.1,
    loop_first_hop=20,
    loop_last_hop=40,
    brightness=Brightness(0, -2.0, 2.0),
)
ORCHESTRA_METADATA = Metadata("test", "note", 22050, 2048, 256, (Latent(-1, 0, 1), Latent(-1, 0, 1, "air")), 60, 61, (4,) * 12, note=NOTE)
ORCHESTRA = Patch(
    "Orchestra",
    "orchestra.onnx",
    timbre={"cello": 1.0, "flute": 0.5},
    transfer_to="flute",
    brightness=0.75,
    spread=0.5,
    latents={"bow": LatentControl(1)},
    midi=MidiSettings(control_changes={1: "timbre/flute", 74: "brightness", 7: "transfer"}),
)


def player(*, at_once: bool = True) -> tuple[Instrument, list]:
    """Return an instrument, and the list of what it had loaded; ``at_once`` loads Violin and Choir and starts the first by name."""
    loads: list = []
    instrument = Instrument(lambda number, patch: loads.append((number, patch)))
    instrument.repertoire.set_patches({patch.name: patch for patch in sorted((VIOLIN, CHOIR, BROKEN), key=lambda patch: patch.name)})
    instrument.repertoire.refuse("Broken", "its decoder is cut short")
    if at_once:
        for patch in (VIOLIN, CHOIR):
            instrument.repertoire.offer(patch, METADATA[patch.name])
            instrument.repertoire.loaded(loads[-1][0])
        instrument.repertoire.start("Violin")
        instrument.changed = instrument.noted = False
    return instrument, loads


def play_track(instrument: Instrument) -> None:
    """Have part 1 play a track."""
    part = instrument.parts[1]
    assert part.version is not None
    part.version.patch = dataclasses.replace(part.version.patch, mode="resynthesis", input="night.wav")


def send(instrument: Instrument, address: str, *arguments):
    """Return the replies to one message; the prefix is put before the address."""
    return [tuple(reply) for reply in instrument.perform(Message("/oscsynth/" + address, arguments), "sender")]


def play_notes(instrument: Instrument) -> None:
    """Have part 1 play a patch on a decoder that knows instruments."""
    instrument.repertoire.offer(ORCHESTRA, ORCHESTRA_METADATA)
    instrument.repertoire.loaded(instrument.shelf.next_number - 1)
    send(instrument, "patch", "Orchestra")
