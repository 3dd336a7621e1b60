"""The SuperCollider pieces, played by a real sclang to a real instrument, and found in what sounds."""

import os
import re
import subprocess
import time
from pathlib import Path

import soundfile

from oscsynth.control.instrument import Instrument
from oscsynth.render import render_file

from ..needs import needs
from ..serving import Serve
from .listening import ask, classes, n_in_time, wait_until_it_plays

FOLDER = Path(__file__).parents[2] / "examples" / "supercollider"
needs_sclang = needs("sclang")


class Language:
    """A sclang that runs pieces, each to the instrument at its port, for so many seconds."""

    def __init__(self, tmp_path, seconds, **pieces):
        configuration, script = tmp_path / "conf.yaml", tmp_path / "run.scd"
        configuration.write_text(f"includePaths:\n    - {FOLDER / 'Oscsynth'}\nexcludePaths:\n    []\n")
        each = [f'Oscsynth.defaultPort = {port}; thisProcess.interpreter.executeFile("{FOLDER / name}.scd");' for name, port in pieces.items()]
        script.write_text(f'"PLAYING".postln; {" ".join(each)} {{ {seconds}.wait; 0.exit }}.fork(AppClock);')
        headless = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1", "HOME": str(tmp_path)}
        self.log = tmp_path / "posted.txt"
        with self.log.open("w") as log:
            command = ["sclang", "-i", "none", "-l", str(configuration), str(script)]
            self.process = subprocess.Popen(command, env=os.environ | headless, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    @property
    def posted(self):
        text = self.log.read_text()
        assert "ERROR" not in text, text[-3000:]
        return text.partition("PLAYING")[2]


@needs_sclang
def test_the_sequence_is_heard_note_for_note_in_time(tmp_path):
    serve = Serve("--audio", str(tmp_path / "out.wav"), "--no-announce", "--http-port", "0", "--patch", "Violin")
    try:
        wait_until_it_plays(serve)
        language = Language(tmp_path, 5.8, sequence=serve.port)
        assert language.process.wait(40) == 0
        assert language.posted
        serve.process.terminate()
        serve.process.wait(3)
    finally:
        serve.close()
    heard = classes(tmp_path / "out.wav")
    assert n_in_time(heard, "A C E A G E D B".split(), 0.5) >= 7, " ".join(heard[::5])


@needs_sclang
def test_the_patches_follow_each_other_and_the_violin_travels(tmp_path):
    serves = [Serve("--audio", "null", "--no-announce", "--http-port", "0", "--patch", "Violin") for _ in range(2)]
    try:
        for serve in serves:
            wait_until_it_plays(serve)
        one_after_another, morphing = serves
        names = ask(one_after_another, "patches")
        language = Language(tmp_path, max(8.0, len(names) + 1.5), patches=one_after_another.port, morph=morphing.port)
        way, until = [], time.monotonic() + 40
        while language.process.poll() is None and time.monotonic() < until:
            way.append(ask(morphing, "morph"))
            time.sleep(0.1)
        assert [line for line in language.posted.splitlines() if line in names] == list(names)
        assert (ask(one_after_another, "patch"), ask(one_after_another, "gate")) == ((names[-1],), (0,))
        way = [value[0] for value in way]
        top = way.index(max(way))
        assert max(way) > 0.9 and way[:top] == sorted(way[:top]) and min(way[top:]) < 0.1
        assert (ask(morphing, "point"), ask(morphing, "gate")) == (("sul-ponticello",), (0,))
    finally:
        for serve in serves:
            serve.close()


@needs_sclang
def test_the_score_is_written_and_rendered_without_a_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    language = Language(tmp_path, 0.5, score=0)
    assert language.process.wait(40) == 0
    file = Path(re.search(r"oscsynth render (\S+) -o chord.wav", language.posted)[1])
    try:
        rendered = render_file(file, tmp_path / "chord.wav")
    finally:
        file.unlink()
    assert rendered.faults == () and 6.4 < rendered.seconds < 12
    sound = soundfile.read(tmp_path / "chord.wav")[0]
    assert not sound[: 44100 // 2].any() and sound[5 * 44100 :].any()


def test_every_address_in_them_exists():
    known = {re.sub(r"^/oscsynth/", "", address) for address in Instrument(lambda *_: None).routes()}
    sent = set()
    for path in (*FOLDER.glob("*.scd"), FOLDER / "Oscsynth" / "Oscsynth.sc"):
        sent |= set(re.findall(r"\[\"([a-z/]+)\"(?:\]|,| )", path.read_text()))
        sent |= set(re.findall(r"(?:send|ask)\(\"([a-z/]+)\"", path.read_text()))
    assert len(sent) > 10
    # Latents have the names of the patch that plays.
    assert {address for address in (each.removeprefix("/oscsynth/") for each in sent) if not address.startswith("latent/")} <= known


def test_every_method_has_help():
    methods = set(re.findall(r"^\t\*?([a-z]\w+) ?\{", (FOLDER / "Oscsynth" / "Oscsynth.sc").read_text(), re.M))
    said = (FOLDER / "Oscsynth" / "HelpSource" / "Classes" / "Oscsynth.schelp").read_text()
    unsaid = {name for name in methods if not re.search(rf"METHOD::.*\b{name}\b", said)}
    assert unsaid <= {"init", "initClass", "leave", "prNoteMessages", "address"}
