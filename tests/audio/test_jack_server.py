"""The server that tests play into: one that hangs is a test that fails, not a night that is lost."""

from __future__ import annotations

import signal

from ..needs import needs
from . import jack_server as servers


@needs("JACK")
def test_server_that_does_not_answer_is_killed(monkeypatch):
    monkeypatch.setattr(servers, "ANSWER_SECONDS", 1)
    with servers.jack_server() as (name, server):
        capture = servers.Capture(name)
        server.send_signal(signal.SIGSTOP)
        capture.close()
        assert server.wait(5) == -signal.SIGKILL
