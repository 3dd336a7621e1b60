"""What the tests of all examples share."""

import socket

import pytest


@pytest.fixture
def free_udp():
    """A UDP socket on a port of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        yield listener
