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
# What librosa compiles is kept for each worker by itself: two that keep theirs at the same moment mix them up, and whoever loads that crashes.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["NUMBA_CACHE_DIR"] = os.path.join(os.path.dirname(__file__), "..", ".pytest_cache", "numba", _worker)
if sys.platform != "linux":  # where folders are found by other ways
    os.environ |= {name: _elsewhere.name for name in ("HOME", "LOCALAPPDATA", "APPDATA")}
_tests = itertools.count()


@pytest.fixture(autouse=True)
def _no_session(monkeypatch):
    """Let no test go on where another ended."""
    monkeypatch.setenv("XDG_STATE_HOME", os.path.join(_elsewhere.name, f"state-{next(_tests)}"))
