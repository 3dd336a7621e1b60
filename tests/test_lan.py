"""Who gets in from a network: a real ``oscsynth serve`` in a network of its own, and clients in the same network and in another one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from .needs import needs
from .serving import tiny_patches

pytestmark = needs("network namespaces")
SUDO = [] if os.geteuid() == 0 else ["sudo", "-n"]
STAGE, HALL = f"oscsynth-stage-{os.getpid()}", f"oscsynth-hall-{os.getpid()}"
SERVER, PHONE, STRANGER = "10.77.1.1", "10.77.1.2", "10.88.0.2"  # the stranger is reached, but in no network of the server's
ASK = """
import socket, sys
kind, source, host, count = sys.argv[1:]
client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
client.settimeout(0.5)
question = b"/oscsynth/status\\0\\0\\0\\0,\\0\\0\\0"
answers = 0
try:
    client.bind((source, 0))
    client.connect(socket.getaddrinfo(host, 57140, type=client.type)[0][4])
    for _ in range(int(count)):
        client.send((len(question).to_bytes(4, "big") if kind == "tcp" else b"") + question)
    while answers < int(count):
        reply = client.recv(65536)
        answers += b"status" in reply
        if not reply:
            break
    print(answers)
except OSError as error:
    print(answers or type(error).__name__)
"""


def ip(*arguments: str) -> None:
    subprocess.run([*SUDO, "ip", *arguments], check=True, capture_output=True, timeout=10)


def _ip6(*which: str) -> str:
    """Return the server's addresses first, then those beside it."""
    commands = [[*SUDO, "ip", "-n", name, "-6", "-o", "address", "show", *which] for name in (STAGE, HALL)]
    return "".join(subprocess.run(command, capture_output=True, text=True).stdout for command in commands)


@pytest.fixture(scope="module")
def network():
    """Give a server's network and one beside it, joined by a cable."""
    for name in (STAGE, HALL):
        ip("netns", "add", name)
    try:
        ip("link", "add", "wire0", "netns", STAGE, "type", "veth", "peer", "name", "wire0", "netns", HALL)
        for name, *addresses in ((STAGE, SERVER, "fd77::1"), (HALL, PHONE, STRANGER, "fd77::2")):
            for address in addresses:
                ip("-n", name, "address", "add", f"{address}/{64 if ':' in address else 24}", "dev", "wire0", *["nodad"][: ":" in address])
            ip("-n", name, "link", "set", "wire0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", STAGE, "route", "add", "10.88.0.0/24", "via", PHONE)
        until = time.monotonic() + 5
        while _ip6("tentative") and time.monotonic() < until:  # IPv6 first looks whether somebody else has the address
            time.sleep(0.05)
        yield
    finally:
        for name in (STAGE, HALL):
            ip("netns", "delete", name)


class Serve:
    """``oscsynth serve`` in the server's network."""

    def __init__(self, folder, *options):
        program = [sys.executable, "-m", "oscsynth", "serve", "--audio", "null", "--patches", str(folder), *options]
        command = [*SUDO, "ip", "netns", "exec", STAGE, "env", f"XDG_CONFIG_HOME={folder}", *program]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self._reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")), daemon=True)

    def __enter__(self):
        self._reader.start()
        until = time.monotonic() + 20
        while "ready\n" not in self.lines:
            assert time.monotonic() < until and self.process.poll() is None, self.lines
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self._reader.join(2)
        self.process.stdout.close()


def ask(kind: str, source: str, host: str = SERVER, count: int = 1) -> str:
    command = [*SUDO, "ip", "netns", "exec", HALL, sys.executable, "-S", "-c", ASK, kind, source, host, str(count)]
    return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_patches(tmp_path_factory.mktemp("patches"), 1)


def test_without_lan_nobody_gets_in(network, folder):
    with Serve(folder):
        assert {ask(kind, source) for kind in ("udp", "tcp") for source in (PHONE, STRANGER)} == {"ConnectionRefusedError"}


def test_with_lan_the_same_network_gets_in_and_another_does_not(network, folder):
    with Serve(folder, "--lan") as serve:
        assert [ask(kind, PHONE) for kind in ("udp", "tcp")] == ["1"] * 2
        link = _ip6("scope", "link").split()[3].partition("/")[0]
        assert ask("udp", "::", f"{link}%wire0") == "1"
        assert [ask(kind, "fd77::2", "fd77::1") for kind in ("udp", "tcp")] == ["1"] * 2
        assert ask("udp", STRANGER) == "TimeoutError" and ask("tcp", STRANGER) in ("ConnectionResetError", "0")
        assert any(SERVER in line for line in serve.lines)
        until = time.monotonic() + 3
        while not any(STRANGER in line for line in serve.lines) and time.monotonic() < until:
            time.sleep(0.02)
        assert any(f"--allow {STRANGER} lets it in" in line for line in serve.lines), serve.lines


def test_a_flood_of_questions_is_no_flood_of_answers_and_stops_nobody_else(network, folder):
    with Serve(folder, "--lan", "--allow", "10.88.0.0/24"):
        answered = int(ask("udp", PHONE, count=3000))
        assert 50 < answered < 1000
        assert ask("udp", STRANGER) == "1"


def test_allow_lets_one_network_in(network, folder):
    with Serve(folder, "--allow", "10.88.0.0/24"):
        assert [ask(kind, STRANGER) for kind in ("udp", "tcp")] == ["1"] * 2
        assert ask("udp", PHONE) == "TimeoutError"


WEB = """
import http.client, sys, time
source, host, name = sys.argv[1:]
until = time.monotonic() + 8
while True:
    try:
        connection = http.client.HTTPConnection(host, 57141, timeout=1, source_address=(source, 0))
        connection.request("GET", "/?HOST_INFO", headers={"Host": name})
        answer = connection.getresponse()
        print(answer.status, answer.read().decode())
        break
    except OSError as error:
        if time.monotonic() > until:
            print(type(error).__name__)
            break
        time.sleep(0.1)
"""


def web(source: str, name: str = SERVER, host: str = SERVER) -> str:
    command = [*SUDO, "ip", "netns", "exec", HALL, sys.executable, "-S", "-c", WEB, source, host, name]
    return subprocess.run(command, capture_output=True, text=True, timeout=15).stdout.strip()


def test_oscquery_lets_the_same_in_and_no_page_whose_name_was_made_to_lead_here(network, folder):
    with Serve(folder, "--lan"):
        told = web(PHONE)
        assert told.startswith("200") and f'"OSC_IP": "{SERVER}"' in told
        assert web("fd77::2", "[fd77::1]:57141", "fd77::1").startswith("200")
        assert web(PHONE, "evil.example:57141").startswith("403")
        assert web(STRANGER).startswith("403")
