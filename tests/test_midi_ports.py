"""Real MIDI: another process plays into a whole ``oscsynth serve`` through JACK."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np
import pytest

from oscsynth.midi_ports import choose
from oscsynth.midi_systems import Port, inputs

from .audio.jack_server import PERIOD_SAMPLES, SAMPLE_RATE_HZ, Capture, environment, jack, jack_server
from .decoders import tiny_decoder
from .engine_harness import wait_until
from .needs import needs
from .onsets import onsets
from .serving import Serve

ROOT = Path(__file__).parent.parent
NAME = "A keyboard patch"
SIMPLE = ("--http-port", "0", "--no-announce", "--fresh")
needs_jack = needs("JACK")


def keyboard_patch(folder: Path) -> Path:
    """Write a folder with one patch whose notes are there, and gone, at once."""
    folder.mkdir(parents=True, exist_ok=True)
    tiny_decoder(folder / "keys.onnx")
    envelope = "{attack_ms: 0, decay_ms: 0, sustain: 1, release_ms: 0}"
    (folder / "keys.yaml").write_text(
        f"name: {NAME}  # this stays\ndecoder: keys.onnx\nmode: notes\nenvelope: {envelope}\nlatents: {{noise: {{neuron: 3, default: 0}}}}\n"
    )
    return folder


def tune(path: Path, n_notes: int, spacing_seconds: float = 0.1) -> Path:
    """Write a file of short notes, evenly spaced."""
    ticks = round(spacing_seconds * 1000)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)])
    for note in range(n_notes):
        track.append(mido.Message("note_on", note=60 + note % 12, velocity=100, time=ticks // 2 if note else 0))
        track.append(mido.Message("note_off", note=60 + note % 12, time=ticks // 2))
    mido.MidiFile(ticks_per_beat=1000, tracks=[track]).save(path)
    return path


class Stage:
    """A JACK server with an instrument, and what is heard of it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._context = jack_server()
        self.server, _ = self._context.__enter__()
        self.environment = environment(self.server)
        self.serve = Serve(
            "--audio",
            "portaudio",
            "--block-size",
            str(PERIOD_SAMPLES),
            *SIMPLE,
            *options,
            patches=keyboard_patch(folder / "patches"),
            env=self.environment,
        )
        self.capture = Capture(self.server)
        try:
            wait_until(lambda: self.serve.plays(NAME), 30)
        except TimeoutError:
            self.close()  # a server that is left behind stays for ever, and there is room for eight
            raise
        self.capture.connect()

    def player(self, file: Path, linger: float = 0.2, name: str = "keys") -> subprocess.Popen[str]:
        """Start to play a file in a process of its own."""
        command = [sys.executable, "-m", "tests.midi_player", name, str(file), str(linger)]
        return subprocess.Popen(command, cwd=ROOT, env=os.environ | self.environment, stdout=subprocess.PIPE, text=True)

    def status(self, name: str) -> object:
        answer = self.serve.ask("status") or ()
        return dict(zip(answer[::2], answer[1::2], strict=False)).get(name)

    def close(self) -> None:
        self.serve.close()
        self.capture.close()
        self._context.__exit__(None, None, None)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for folder in ("CACHE", "STATE", "DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{folder}_HOME", str(tmp_path / folder))
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def heard_onsets(stage: Stage, start: int) -> np.ndarray:
    """Return where notes begin, in samples after the file's beginning."""
    found = onsets(stage.capture.sound[:, 0])
    periods = np.array(stage.capture.periods)
    return periods[found // PERIOD_SAMPLES] + found % PERIOD_SAMPLES - start


@needs_jack
def test_a_file_that_another_process_plays_is_heard_in_time_and_unplugging_releases(stage: Stage) -> None:
    file = tune(stage.folder / "tune.mid", 8, 0.25)
    player = stage.player(file)
    start = int(player.communicate(timeout=10)[0])
    found = heard_onsets(stage, start)
    assert len(found) == 8, (stage.serve.text, stage.serve.ask("status"), stage.capture.samples, np.abs(stage.capture.sound).max())
    off = found - np.arange(8) * SAMPLE_RATE_HZ // 4
    assert 0 < off.min() and off.max() < SAMPLE_RATE_HZ / 4, off  # each before the next one; benchmarks/midi_jack.py measures how near
    held = mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("control_change", control=64, value=127), mido.Message("note_on", note=60)])])
    held.save(stage.folder / "held.mid")
    wait_until(lambda: stage.status("midi_inputs") == 0, 5)
    player = stage.player(stage.folder / "held.mid", linger=1.0)
    wait_until(lambda: stage.serve.ask("hold") == (1,) and stage.serve.is_sounding(), 6)
    player.kill()
    player.communicate()
    wait_until(lambda: stage.serve.ask("hold") == (0,) and not stage.serve.is_sounding(), 6)
    assert stage.serve.text.count("MIDI: keys:out [JACK] is gone; its notes are released") == 2
    player = stage.player(file)  # plugged in again
    start = int(player.communicate(timeout=10)[0])
    found = heard_onsets(stage, start)
    assert (found > 0).sum() == 8


@needs_jack
def test_what_no_keyboard_should_send_hurts_nothing(stage: Stage) -> None:
    client = jack.Client("broken", no_start_server=True, servername=stage.server)
    port, waiting = client.midi_outports.register("out"), list[bytes]()

    def process(n_samples: int) -> None:
        port.clear_buffer()
        if waiting:
            port.write_midi_event(0, waiting.pop(0))

    client.set_process_callback(process)
    client.activate()
    wait_until(lambda: port.number_of_connections, 5)
    cut = [b"\x90\x3c", b"\x90", b"\x90\xff\x40", b"\xb0\x07"]
    endless = [b"\xf0" + b"\x01" * 300, *[b"\x02" * 500] * 40]  # what JACK hands on so is system exclusive until its end comes
    waiting += [*cut, *endless, b"\xf8", b"\x05\xf7", b"\x80\x05\x40", b"\xc0\x7f", b"\xfe", b"\x90\x3c\x64"]
    wait_until(lambda: not waiting and stage.serve.is_sounding(), 5)
    assert stage.serve.ask("patch") == (NAME,)
    assert (stage.status("midi"), stage.status("midi_malformed")) == (3, 4)
    client.close()
    wait_until(lambda: not stage.serve.is_sounding(), 5)


@needs_jack
def test_a_knob_is_learned_and_kept_in_the_file_with_its_comments(stage: Stage) -> None:
    knob = mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("control_change", control=21, value=127)])])
    knob.save(stage.folder / "knob.mid")
    answer = stage.serve.ask("midi/learn", "latent/noise", seconds=0.1)
    assert answer is None
    player = stage.player(stage.folder / "knob.mid")
    stage.serve.socket.settimeout(8)
    assert b"control 21 moves latent/noise" in stage.serve.socket.recv(4096)
    player.communicate(timeout=10)
    path = stage.folder / "patches" / "keys.yaml"
    wait_until(lambda: "21: latent/noise" in path.read_text(), 3)
    assert "name: A keyboard patch  # this stays\n" in path.read_text()
    assert stage.serve.ask("latent/noise") == (1.0,)
    assert stage.serve.ask("midi/learned") == (21, "latent/noise")


# ---- names


PORTS = [Port("Launchkey MIDI", "ALSA"), Port("Launchkey DAW", "ALSA"), Port("Midi Through:0", "ALSA"), Port("launchkey midi 2", "JACK")]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ((), [0, 1]),
        (("daw",), [1]),
        (("Launchkey MIDI",), [0]),
        (("LAUNCHKEY MIDI [ALSA]", "through"), [0, 2]),
        (("jack",), [3]),
    ],
)
def test_a_part_of_a_name_chooses_an_input(wanted: tuple[str, ...], chosen: list[int]) -> None:
    assert choose(wanted, PORTS, "ALSA") == ([PORTS[index] for index in chosen], [])


def test_a_name_that_several_have_opens_none_and_lists_them_all() -> None:
    chosen, (fault,) = choose(("launchkey",), PORTS, "ALSA")
    assert chosen == [] and fault.startswith("--midi launchkey: 3 inputs have that in their names, write more of the one that is meant: ")
    assert fault.endswith("Launchkey MIDI [ALSA], Launchkey DAW [ALSA], launchkey midi 2 [JACK]")
    assert choose(("launchkey",), PORTS, "ALSA", already=[PORTS[1]]) == ([PORTS[1]], [])


def test_a_name_that_none_has_is_said_with_those_there_are() -> None:
    chosen, (fault,) = choose(("oxygen",), PORTS[:1], "ALSA")
    assert (
        chosen == [] and fault.startswith("--midi oxygen: no input has that in its name now") and fault.endswith("there are: Launchkey MIDI [ALSA]")
    )


def test_ports_have_numbers_of_their_own() -> None:
    assert len({port.number for port in PORTS}) == 4 and all(256 <= port.number < 2**19 for port in PORTS)


def test_without_any_midi_system_there_are_no_inputs(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for variable, value in environment("nobody").items():
        monkeypatch.setenv(variable, value)
    assert all(port.api == "ALSA" for port in inputs())
    assert capfd.readouterr().err == ""


def test_without_a_midi_system_it_is_one_sentence_and_it_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/dev/snd/seq").exists():
        pytest.skip("ALSA has a sequencer here")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    serve = Serve("--audio", "null", *SIMPLE, patches=keyboard_patch(tmp_path / "patches"), env=environment("nobody"))
    try:
        wait_until(lambda: "No MIDI system was found" in serve.text, 10)
        time.sleep(1.5)
        assert serve.text.count("MIDI") == 1 and serve.ask("patch") == (NAME,)
    finally:
        serve.close()
