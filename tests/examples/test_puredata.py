"""The Pure Data patches, run by a real Pd against a real instrument."""

import re
import subprocess
import time
from pathlib import Path

from oscsynth.control.instrument import Instrument

from ..needs import needs
from ..serving import Serve
from .listening import ask, classes, n_in_time, wait_until_it_plays

FOLDER = Path(__file__).parents[2] / "examples" / "puredata"
needs_pd = needs("Pd")


class PureData:
    """A Pd that has opened one of the patches, which leads to the instrument at this port."""

    def __init__(self, tmp_path, name, port, *sends):
        for path in FOLDER.glob("*.pd"):
            (tmp_path / path.name).write_text(path.read_text().replace("57140", str(port)))
        self.log = tmp_path / "printed.txt"
        told = [word for send in sends for word in ("-send", send)]
        with self.log.open("w") as log:
            command = ["pd", "-nogui", "-noaudio", "-nomidi", "-noprefs", "-stderr", "-open", str(tmp_path / name), *told]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def wait_for(self, text, seconds=5.0):
        until = time.monotonic() + seconds
        while text not in self.log.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        return self.log.read_text()

    def close(self):
        self.process.terminate()
        self.process.wait(5)
        assert "error" not in self.log.read_text()


@needs_pd
def test_what_is_sent_happens_and_questions_are_answered(tmp_path):
    serve = Serve("--audio", "null", "--no-announce", "--http-port", "0", "--patch", "Violin")
    try:
        wait_until_it_plays(serve)
        sends = (
            "hello /oscsynth/latent/1 0.25",
            "hello /oscsynth/gain -6",
            "hello /oscsynth/patch",
            "hello /oscsynth/gain/text",
            "hello /oscsynth/latent/1",
        )
        pd = PureData(tmp_path, "hello.pd", serve.port, *sends)
        printed = pd.wait_for("latent 1 0.25")
        pd.close()
        assert "oscsynth: oscsynth patch Violin" in printed
        assert "oscsynth: oscsynth gain text -6.0\\ dB" in printed
        assert ask(serve, "latent/1") == (0.25,)
    finally:
        serve.close()


@needs_pd
def test_the_sequence_is_heard_note_for_note(tmp_path):
    serve = Serve("--audio", str(tmp_path / "out.wav"), "--no-announce", "--http-port", "0", "--patch", "Violin")
    try:
        wait_until_it_plays(serve)
        pd = PureData(tmp_path, "sequencer.pd", serve.port, "play 1")
        time.sleep(3)
        pd.close()
        serve.process.terminate()
        serve.process.wait(3)
    finally:
        serve.close()
    heard = classes(tmp_path / "out.wav")
    assert n_in_time(heard, "A C E G B G E C".split(), 0.25) >= 7, " ".join(heard[::5])


def test_every_address_in_them_exists_and_every_line_has_both_ends():
    known = Instrument(lambda *_: None).routes()
    paths = list(FOLDER.glob("*.pd"))
    assert len(paths) == 3
    for path in paths:
        text = path.read_text()
        assert not [word for word in re.findall(r"/oscsynth/[^ ;,]+", text) if word not in known], path
        boxes = re.findall(r"^#X (?:obj|msg|text) ", text, re.M)
        ends = [int(end) for line in re.findall(r"^#X connect (.*);$", text, re.M) for end in line.split()[::2]]
        assert ends and max(ends) < len(boxes)
