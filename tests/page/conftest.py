"""One browser and one daemon for all tests of the page."""

import shutil

import numpy as np
import pytest
import soundfile

from ..decoders import tiny_decoder
from ..encoders import tiny_encoder
from ..needs import CHROMIUM, skip_without
from ..note_decoders import tiny_note_decoder
from ..serving import Serve, tiny_patches
from .browser import chromium, opened, wait_for_http

TRACK_SECONDS = 40.0


@pytest.fixture(scope="package")
def browser():
    skip_without("Chromium")
    path = next(filter(None, map(shutil.which, CHROMIUM)))
    # Of the package, not of the session: while it is open, asyncio.run does not work in this thread.
    with chromium(path) as browser:
        yield browser


@pytest.fixture(scope="package")
def serve(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    patches = tiny_patches(folder / "patches", 3)
    (patches / "notes.yaml").write_text("name: B notes\ndecoder: tiny1.onnx\nmode: notes\nenvelope: {release_ms: 5}\n")
    other_kinds(patches)
    serve = Serve("--audio", "null", "--no-announce", patches=patches, env={"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)})
    wait_for_http(serve)
    yield serve
    serve.close()


def other_kinds(patches):
    """Write a patch of a note decoder, one that plays a track and one that hears the input."""
    tiny_note_decoder(patches / "band.onnx")
    (patches / "band.yaml").write_text("name: C band\ndecoder: band.onnx\ntimbre: {clarinet: 1}\ntransfer_to: oboe\nenvelope: {release_ms: 5}\n")
    tiny_encoder(tiny_decoder(patches / "ear.onnx", seed=5), slope=2.0)
    time = np.arange(round(TRACK_SECONDS * 8000)) / 8000
    soundfile.write(patches / "tape.wav", 0.2 * np.sin(2 * np.pi * 440 * time), 8000)
    (patches / "tape.yaml").write_text("name: D tape\ndecoder: ear.onnx\nmode: resynthesis\ninput: tape.wav\n")
    (patches / "ear.yaml").write_text("name: E ear\ndecoder: ear.onnx\nmode: resynthesis\ninput: live\n")


@pytest.fixture(autouse=True)
def afresh(request):
    """Start each test with the first patch as it is."""
    if "serve" in request.fixturenames:
        serve = request.getfixturevalue("serve")
        for below, *arguments in (
            ("patch", "A tiny 2"),
            ("patch", "A tiny 1"),
            ("gate", 1),
            ("hold", 0),
            ("follow", 1),
            ("gain", 0.0),
            ("chroma/A",),
            ("point/seconds", 0.0),
            ("snapshot/seconds", 0.0),
        ):
            serve.ask(below, *arguments, seconds=0.02)


@pytest.fixture(scope="module")
def page(browser, serve):
    """Return the page on a laptop, where everything is shown at once; the same one for all tests of a module."""
    with opened(browser, serve.port + 1) as page:
        yield page
