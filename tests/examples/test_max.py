"""The Max patches: as their generator writes them, whole, and made of addresses that exist."""

import importlib.util
import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from oscsynth.control.instrument import Instrument
from oscsynth.control.osc import messages, parse

from ..control.catalogue import play_notes, player
from ..needs import needs

FOLDER = Path(__file__).parents[2] / "max_examples"
PATCHES = ("hello", "control_surface", "orchestra", "sequencer")
# Objects of Max itself, with the inlets and outlets that a patch may use.
OBJECTS = {
    "udpsend",
    "udpreceive",
    "prepend",
    "route",
    "loadbang",
    "loadmess",
    "metro",
    "t",
    "iter",
    "+",
    "-",
    "scale",
    "pak",
    "pack",
    "counter",
    "node.script",
}
TOUCHED = {"newobj", "message", "comment", "flonum", "number", "slider", "tab", "umenu", "toggle", "pictslider", "multislider"}
ADDED = {"notify"}  # by the server, not in the table of values

specification = importlib.util.spec_from_file_location("max_examples_make", FOLDER / "make.py")
make = importlib.util.module_from_spec(specification)
specification.loader.exec_module(make)


@pytest.fixture(params=PATCHES)
def patcher(request):
    return json.loads((FOLDER / f"{request.param}.maxpat").read_text())["patcher"]


def boxes(patcher):
    return {entry["box"]["id"]: entry["box"] for entry in patcher["boxes"]}


@pytest.mark.parametrize("name", PATCHES)
def test_what_lies_there_is_what_the_generator_writes(name):
    assert json.loads((FOLDER / f"{name}.maxpat").read_text()) == json.loads(getattr(make, name)().to_json())


def test_every_object_is_one_of_max(patcher):
    for box in boxes(patcher).values():
        assert box["maxclass"] in TOUCHED
        if box["maxclass"] == "newobj":
            assert box["text"].split()[0] in OBJECTS


def test_every_line_leads_from_an_outlet_to_an_inlet(patcher):
    known, connected = boxes(patcher), set()
    assert patcher["lines"]
    for entry in patcher["lines"]:
        (source, outlet), (target, inlet) = entry["patchline"]["source"], entry["patchline"]["destination"]
        assert 0 <= outlet < known[source]["numoutlets"], known[source]
        assert 0 <= inlet < known[target]["numinlets"], known[target]
        connected |= {source, target}
    assert {name for name, box in known.items() if box["maxclass"] != "comment"} == connected, "nothing lies loose"


def test_nothing_lies_over_another_and_each_is_explained(patcher):
    found = boxes(patcher).values()
    assert [box for box in found if box["maxclass"] == "comment"]
    for box in found:
        x, y, width, height = box["patching_rect"]
        for other in found:
            at, down, wide, high = other["patching_rect"]
            if other is not box and box["maxclass"] != "comment" != other["maxclass"]:
                assert x + width <= at or at + wide <= x or y + height <= down or down + high <= y, (box, other)


def test_every_address_exists(patcher):
    orchestra, _ = player()
    play_notes(orchestra)
    known = {**Instrument(lambda *_: None).routes(), **orchestra.routes()}
    known |= {f"/oscsynth/timbre/{key}{below}": None for key in range(1, 13) for below in ("", "/name")}  # twelve, where there are so many
    texts = [word for box in boxes(patcher).values() for word in box.get("text", "").split() if word.startswith("/")]
    unknown = {text for text in texts if text not in known and text.removeprefix("/oscsynth/") not in {*ADDED, "fail"}}
    assert not unknown


def test_it_sends_to_where_the_instrument_listens(patcher):
    ports = {port for box in boxes(patcher).values() for port in re.findall(r"udpsend 127\.0\.0\.1 (\d+)", box.get("text", ""))}
    assert ports == {"57140"} or "node.script" in json.dumps(patcher)


@needs("Node")
def test_a_step_of_the_sequencer_is_one_bundle_ahead_of_its_time(tmp_path, free_udp):
    """Run bundles.js as Node for Max does, with a `max-api` that hands it one step."""
    api = tmp_path / "node_modules" / "max-api"
    api.mkdir(parents=True)
    (api / "index.js").write_text("exports.addHandler = (name, step) => { step(7, 0.25); setTimeout(() => process.exit(0), 200); };")
    script = (FOLDER / "bundles.js").read_text().replace("57140", str(free_udp.getsockname()[1]))
    (tmp_path / "bundles.js").write_text(script)
    before = time.time()
    subprocess.run(["node", "bundles.js"], cwd=tmp_path, check=True, timeout=20)
    bundle = parse(free_udp.recv(4096))
    assert [(message.address, *message.arguments) for message in messages(bundle)] == [("/oscsynth/chroma/index", 7), ("/oscsynth/latent/1", 0.25)]
    ahead = bundle.time_tag / 2**32 - 2208988800 - before
    assert 0.1 <= ahead < 2.0
