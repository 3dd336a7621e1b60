"""One browser and one daemon for all tests of the page."""

import shutil

import pytest

from ..needs import CHROMIUM, skip_without
from ..serving import Serve, tiny_patches
from .browser import chromium, opened, wait_for_http


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
    serve = Serve("--audio", "null", "--no-announce", patches=patches, env={"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)})
    wait_for_http(serve)
    yield serve
    serve.close()


@pytest.fixture(autouse=True)
def afresh(request):
    """Start each test with the first patch as it is."""
    if "serve" in request.fixturenames:
        serve = request.getfixturevalue("serve")
        for below, *arguments in (
            ("patch", "A tiny 2"),
            ("patch", "A tiny 1"),
            ("gate", 1),
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
