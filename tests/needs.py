"""What some tests need beside Python: one table. Where it is not there they are skipped, and the end of the run says so, a line for each reason.

With ``REQUIRE_ALL=1`` in the environment (``.ci/run``) a skipped test is a failed one, whatever the reason. The hooks are taken up by ``conftest``.
"""

from __future__ import annotations

import functools
import importlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
REQUIRE_ALL = "REQUIRE_ALL"


@dataclass(frozen=True, slots=True)
class Need:
    """How to see whether something is there, and how it comes."""

    is_there: Callable[[], bool]
    how: str


def _has_jack() -> bool:
    try:
        importlib.import_module("jack")
    except OSError:  # there is no library to bind to
        return False
    return shutil.which("jackd") is not None


def _has_namespaces() -> bool:
    """Return whether networks can be made and joined by a cable."""
    if sys.platform != "linux" or not shutil.which("ip") or not shutil.which("unshare"):
        return False
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        return subprocess.run([*sudo, "unshare", "--net", "ip", "link", "add", "type", "veth"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


NEEDS = {
    "JACK": Need(_has_jack, "the package jackd2"),
    "sclang": Need(lambda: shutil.which("sclang") is not None, "the package supercollider-language"),
    "Pd": Need(lambda: shutil.which("pd") is not None, "the package puredata-core"),
    "FluidSynth": Need(lambda: shutil.which("fluidsynth") is not None, "the packages fluidsynth and fluid-soundfont-gm"),
    "Chromium": Need(lambda: any(map(shutil.which, CHROMIUM)), "the package chromium"),
    "Node": Need(lambda: shutil.which("node") is not None, "Node.js 20 or newer"),
    "npm": Need(lambda: shutil.which("npm") is not None, "Node.js 20 or newer"),
    "network namespaces": Need(_has_namespaces, "Linux, iproute2, and root or sudo without a password"),
}


@functools.cache
def is_there(name: str) -> bool:
    """Return whether this machine has it; looked for once."""
    return NEEDS[name].is_there()


def _reason(name: str) -> str:
    return f"needs {name} ({NEEDS[name].how})"


def needs(name: str) -> pytest.MarkDecorator:
    """Mark a test that cannot run without it."""
    return pytest.mark.skipif(not is_there(name), reason=_reason(name))


def skip_without(name: str) -> None:
    """Skip what runs now, for fixtures."""
    if not is_there(name):
        pytest.skip(_reason(name))


# ---- hooks


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    """Turn what was skipped into a failure, where all is required."""
    report = yield
    if report.skipped and os.environ.get(REQUIRE_ALL) and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"{REQUIRE_ALL} is set, and this was skipped: {why(report)}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was skipped, and why."""
    reasons = Counter(map(why, terminalreporter.stats.get("skipped", [])))
    if reasons:
        terminalreporter.section("not tested here")
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count:4}  {reason}")


def why(report: Any) -> str:
    """Return why a test was skipped."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(reason).removeprefix("Skipped: ")
