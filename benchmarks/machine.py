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
