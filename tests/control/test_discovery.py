"""The announcement, found by a browser in another process, over real mDNS on loopback."""

import json
import subprocess
import sys
import time

from oscsynth import lan
from oscsynth.control.discovery import Announcement

BROWSE = """
import json, sys, time
from zeroconf import ServiceBrowser, Zeroconf
zeroconf, found = Zeroconf(interfaces=["127.0.0.1"]), {}
class Listener:
    def add_service(self, zeroconf, kind, name):
        info = zeroconf.get_service_info(kind, name, 2000)
        if info and info.port in map(int, sys.argv[1:]):
            found[info.port] = [kind, name, info.parsed_addresses()]
    def update_service(self, *_): pass
    def remove_service(self, *_): pass
ServiceBrowser(zeroconf, ["_osc._udp.local.", "_oscjson._tcp.local."], Listener())
until = time.monotonic() + 6
while time.monotonic() < until and len(found) < len(sys.argv) - 1:
    time.sleep(0.05)
zeroconf.close()
print(json.dumps(found))
"""


def browse(*ports):
    """Return what another process finds of these ports: kind, name and addresses of each."""
    run = subprocess.run([sys.executable, "-c", BROWSE, *map(str, ports)], capture_output=True, text=True, check=True, timeout=20)
    return {int(port): found for port, found in json.loads(run.stdout).items()}


def test_two_instances_are_found_by_another_process_under_their_own_names():
    complaints = []
    instances = [Announcement("127.0.0.1", port, port + 1, complaints.append) for port in (51140, 51150)]
    for each in instances:
        each.start()
    found = browse(51140, 51141, 51150, 51151)
    for each in instances:
        each.close()
    assert not complaints
    assert {port: kind for port, (kind, _, _) in found.items()} == dict.fromkeys((51140, 51150), "_osc._udp.local.") | dict.fromkeys(
        (51141, 51151), "_oscjson._tcp.local."
    )
    assert found[51140][1] != found[51150][1]
    assert all(addresses == ["127.0.0.1"] for _, _, addresses in found.values())


def test_a_port_that_is_not_open_is_not_announced():
    announcement = Announcement("127.0.0.1", 51160, 0, print)
    assert [(service.type, service.port) for service in announcement._services(["127.0.0.1"])] == [("_osc._udp.local.", 51160)]


def test_leaving_takes_a_second_at_most():
    announcement = Announcement("127.0.0.1", 51170, 51171, print)
    announcement.start()
    begun = time.monotonic()
    announcement.close()
    assert time.monotonic() - begun < 1.5


def test_the_addresses_are_real_ones_unless_it_listens_to_this_computer_alone():
    assert lan.addresses("127.0.0.1") == lan.addresses("localhost") == lan.addresses("::1") == []
    assert lan.addresses("192.0.2.7") == ["192.0.2.7"]
    assert all(":" not in address and not address.startswith("127.") for address in lan.addresses("0.0.0.0"))
