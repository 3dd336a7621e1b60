"""A JACK client that plays a MIDI file to the sample, as soon as somebody listens: ``python -m tests.midi_player NAME FILE.mid [LINGER]``.

It prints the server's count of samples at the file's beginning, and leaves so many seconds after its end.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import jack
import mido

LEAD_SECONDS = 0.3


def play(name: str, file: Path, linger: float = 0.2) -> None:
    client = jack.Client(name, no_start_server=True)
    port = client.midi_outports.register("out")
    events, seconds = [], 0.0
    for message in mido.MidiFile(file):
        seconds += message.time
        if not message.is_meta:
            events.append((round(seconds * client.samplerate), message.bytes()))
    start: list[int] = []

    def process(n_samples: int) -> None:
        port.clear_buffer()
        now = client.last_frame_time
        while start and events and events[0][0] + start[0] < now + n_samples:
            at, data = events.pop(0)
            port.write_midi_event(max(0, at + start[0] - now), data)

    client.set_process_callback(process)
    client.activate()
    while not port.number_of_connections:
        time.sleep(0.02)
    time.sleep(0.1)
    start.append(client.frame_time + round(LEAD_SECONDS * client.samplerate))
    print(start[0], flush=True)
    time.sleep(LEAD_SECONDS + seconds + linger)
    client.deactivate()
    client.close()


if __name__ == "__main__":
    play(sys.argv[1], Path(sys.argv[2]), *map(float, sys.argv[3:]))
