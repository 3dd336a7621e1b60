"""Notes that begin and end at time tags, and where they are found in what was played."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pythonosc.osc_message_builder import build_msg

from oscsynth.render import Performance

from .decoders import tiny_decoder

NTP_TO_UNIX_SECONDS = 2_208_988_800
NAME = "A gated"  # before those that ship
RATE_HZ = 44100
WARM_UP_SAMPLES = 4 * 256


def gated_patch(folder: Path, mode: str = "drone") -> Path:
    """Write a folder with one patch that is silent until its gate opens, or a note begins, and then is there at once."""
    folder.mkdir(parents=True, exist_ok=True)
    tiny_decoder(folder / "gated.onnx")
    envelope = "{attack_ms: 0, decay_ms: 0, sustain: 1, release_ms: 0}"
    (folder / "gated.yaml").write_text(f"name: {NAME}\ndecoder: gated.onnx\nchroma: A\ngate: closed\nmode: {mode}\nenvelope: {envelope}\n")
    return folder


def tag_now() -> int:
    """Return the time tag of this moment."""
    return (time.time_ns() + NTP_TO_UNIX_SECONDS * 10**9 << 32) // 10**9


def bundle(time_tag: int, *messages: bytes) -> bytes:
    """Return a bundle of messages."""
    return b"#bundle\0" + time_tag.to_bytes(8, "big") + b"".join(len(each).to_bytes(4, "big") + each for each in messages)


def gate(is_open: bool) -> tuple[str, ...]:
    """Return the message that opens or closes the gate of a drone, with its arguments."""
    return "/oscsynth/gate", int(is_open)  # type: ignore[return-value]


def note(is_down: bool) -> tuple[str, ...]:
    """Return the message that begins or ends a note."""
    return "/oscsynth/note", 69, 127 * is_down  # type: ignore[return-value]


Say = Callable[[bool], tuple[str, ...]]


def packed(message: tuple[str, ...]) -> bytes:
    return bytes(build_msg(message[0], message[1:]).dgram)


def send_notes(client: socket.socket, n_notes: int, spacing_samples: int, ahead_seconds: float, say: Say = gate) -> float:
    """Send notes, each so long before it is due, and return by how much (seconds) the latest was sent too late."""
    first, begun = tag_now() + int(ahead_seconds * 2**32), time.monotonic()
    worst = 0.0
    for note in range(n_notes):
        if (pause := begun + note * spacing_samples / RATE_HZ - time.monotonic()) > 0:
            time.sleep(pause)
        worst = max(worst, -pause)
        for half in (0, 1):
            due = (2 * note + half) * spacing_samples // 2
            client.send(bundle(first + (due << 32) // RATE_HZ, packed(say(not half))))
    return worst


def onsets(sound: np.ndarray, silence: int = 64) -> np.ndarray:
    """Return where sound begins after so many samples of nothing, int (onsets,); given float32 (samples,)."""
    sounding = np.flatnonzero(sound)
    return sounding[np.flatnonzero(np.diff(sounding, prepend=-silence) >= silence)]


def errors(found: np.ndarray, n_notes: int, spacing_samples: int) -> np.ndarray:
    """Return by how many samples each note is off against the middle one, int (notes,)."""
    assert len(found) == n_notes, f"{len(found)} notes are heard, not {n_notes}"
    off = found - np.arange(n_notes) * spacing_samples
    return off - int(np.median(off))


def places(found: np.ndarray, spacing_samples: int) -> np.ndarray:
    """Return by how many samples each note that is heard is off from the nearest place where one belongs, int (notes,)."""
    phases = (found - found[len(found) // 2] + spacing_samples // 2) % spacing_samples
    return phases - int(np.median(phases))


def replay(patches: Path, first: int, n_notes: int, spacing_samples: int, n_samples: int, say: Say = gate) -> np.ndarray:
    """Return what a file of so many samples holds when the first note begins at that one, float32 (samples,): the engine, without a clock."""
    performance = Performance(RATE_HZ, patches, NAME)
    performance.render(WARM_UP_SAMPLES)  # what the engine renders before the device is started is not in the file
    pieces, at = [], 0
    for half in range(2 * n_notes):
        due = first + half * spacing_samples // 2
        while at < due:
            pieces.append(performance.render(min(4096, due - at))[:, 0])
            at += len(pieces[-1])
        performance.send(*say(not half % 2))
    pieces.append(performance.render(max(1, n_samples - at))[:, 0])
    return np.concatenate(pieces)[:n_samples]


def is_exact(sound: np.ndarray, patches: Path, n_notes: int, spacing_samples: int, say: Say = gate) -> bool:
    """Say whether a file with notes holds each of them at its very sample, to the last bit of the file."""
    off = errors(found := onsets(sound), n_notes, spacing_samples)
    # The first sample of a note is so soft that 24 bits may round it away.
    likely = found[0] - off[0]
    return any(
        np.abs(sound - replay(patches, first, n_notes, spacing_samples, len(sound), say))[: found[-1] + spacing_samples].max() < 2**-22
        for first in (likely - 1, likely, likely - 2, likely + 1)
    )
