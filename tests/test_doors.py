"""What opens once the instrument plays, seen from outside a real ``oscsynth serve``."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from base64 import b64decode
from pathlib import Path

import pytest
from pythonosc.osc_message import OscMessage

from .control.test_discovery import browse
from .needs import needs
from .serving import Serve, child_pids, megabytes, tiny_patches

CLIENT = Path(__file__).parent / "oscquery_client.js"


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
        return json.load(answer)


def wait_for_http(serve, seconds=6.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            return get(serve.port + 1, "/?HOST_INFO")
        except OSError:
            time.sleep(0.1)
    raise AssertionError(serve.text)


def paths_with_types(node):
    below = [path for each in node.get("CONTENTS", {}).values() for path in paths_with_types(each)]
    return [node["FULL_PATH"], *below] if "TYPE" in node else below


@pytest.fixture
def serve(tmp_path):
    serve = Serve("--audio", "null", "--no-announce", patches=tiny_patches(tmp_path))
    yield serve
    serve.close()


def test_oscquery_answers_beside_osc_and_control_stays_small(serve):
    assert wait_for_http(serve)["OSC_PORT"] == serve.port
    assert serve.ask("latent/1", 0.25) is None
    assert get(serve.port + 1, "/oscsynth/latent/1?VALUE") == {"VALUE": [0.25]}
    get(serve.port + 1, "/")
    assert megabytes(serve.children()["control"]) < 120
    serve.process.terminate()
    assert serve.process.wait(3) == 0


def test_a_port_in_use_is_one_sentence_and_all_else_works(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        serve = Serve("--audio", "null", "--no-announce", "--http-port", str(port), patches=tiny_patches(tmp_path))
        try:
            until = time.monotonic() + 8
            while "in use" not in serve.text and time.monotonic() < until:
                time.sleep(0.1)
            assert len(re.findall(rf"port {port} is in use", serve.text)) == 1, serve.text
            assert serve.ask("gain", -3.0) is None
            assert serve.ask("gain") == (-3.0,)
        finally:
            serve.close()


def test_nothing_slow_is_imported_before_it_sounds(serve):
    until = time.monotonic() + 5
    while not serve.is_sounding() and time.monotonic() < until:
        time.sleep(0.01)
    control = serve.children()["control"]
    assert "aiohttp" not in Path(f"/proc/{control}/maps").read_text()
    wait_for_http(serve)
    assert "aiohttp" in Path(f"/proc/{control}/maps").read_text()
    assert control in child_pids(serve.process.pid)


def test_another_process_finds_it_and_the_address_it_gets_answers(tmp_path):
    serve = Serve("--audio", "null", patches=tiny_patches(tmp_path))
    try:
        wait_for_http(serve)
        found = browse(serve.port, serve.port + 1)
        kind, name, addresses = found[serve.port + 1]
        assert (kind, found[serve.port][0]) == ("_oscjson._tcp.local.", "_osc._udp.local.")
        assert str(serve.port) in name
        with urllib.request.urlopen(f"http://{addresses[0]}:{serve.port + 1}/?HOST_INFO", timeout=2) as answer:
            assert json.load(answer)["OSC_PORT"] == serve.port
        serve.process.terminate()
        assert serve.process.wait(3) == 0
    finally:
        serve.close()


@needs("npm")
def test_the_oscquery_client_of_npm_walks_the_tree_and_listens(serve, tmp_path):
    installed = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", tmp_path / "npm", "oscquery@1"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if installed.returncode:
        pytest.skip(f"npm cannot install its oscquery here: {installed.stderr.strip()[-200:]}")
    wait_for_http(serve)
    before = get(serve.port + 1, "/oscsynth/latent/1?VALUE")["VALUE"]
    shutil.copy(CLIENT, tmp_path / "npm" / "client.js")
    command = ["node", "--experimental-websocket", "--no-warnings", tmp_path / "npm" / "client.js", str(serve.port + 1)]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout is not None
        walked, first = (json.loads(client.stdout.readline()) for _ in range(2))
        serve.ask("latent/1", 0.75)
        second = json.loads(client.stdout.readline())
    finally:
        client.kill()
        client.wait()
        client.stdout.close()
    assert walked["oscPort"] == serve.port
    assert walked["count"] == len(paths_with_types(get(serve.port + 1, "/")))
    assert walked["gain"]["arguments"][0] == {"type": "f", "range": {"min": -72, "max": 12}, "clipmode": "both", "value": 0}
    assert walked["patch"]["arguments"][0]["range"]["vals"] == get(serve.port + 1, "/oscsynth/patch?RANGE")["RANGE"][0]["VALS"]
    assert [OscMessage(b64decode(packet)).params for packet in (first, second)] == [before, [0.75]]
