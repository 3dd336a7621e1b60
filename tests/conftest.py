"""What holds for every test: no time limits, and none of the user's own folders, in this process or in any that it starts."""

import itertools
import os
import sys
import tempfile

import pytest
from hypothesis import settings

from .needs import pytest_runtest_makereport, pytest_terminal_summary  # noqa: F401

# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

_elsewhere = tempfile.TemporaryDirectory(prefix="oscsynth-tests-")
for _kind in ("DATA", "CONFIG", "STATE", "CACHE"):
    os.environ[f"XDG_{_kind}_HOME"] = os.path.join(_elsewhere.name, _kind.lower())
if sys.platform != "linux":  # where folders are found by other ways
    os.environ |= {name: _elsewhere.name for name in ("HOME", "LOCALAPPDATA", "APPDATA")}
_tests = itertools.count()


@pytest.fixture(autouse=True)
def _no_session(monkeypatch):
    """Let no test go on where another ended."""
    monkeypatch.setenv("XDG_STATE_HOME", os.path.join(_elsewhere.name, f"state-{next(_tests)}"))
