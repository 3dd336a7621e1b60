"""Where a benchmark ran."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> str:
    """Return one line about where this ran."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def stolen_seconds() -> float:
    """Return how long other guests of this computer have kept its processors, as the kernel knows it; 0 where it does not say."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return 0.0
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")
