from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..needs import skip_without
from .jack_server import environment, jack_server


@pytest.fixture
def no_sound_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the machine's own sound card and sound server, if it has any."""
    for name, value in environment("nobody").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def jack_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a JACK server; it is the only one that this process and its children see."""
    skip_without("JACK")
    with jack_server() as (name, _):
        for variable, value in environment(name).items():
            monkeypatch.setenv(variable, value)
        yield name
