"""``oscsynth doctor``: what stands between this computer and a good show, a line each, and what to do about it.

The command line's process; changes nothing, and opens no sound device: a show may be running. A new check is a function and a row of `CHECKS`.
"""

from __future__ import annotations

import re
import shutil
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import choices, lan
from .audio import Device, devices
from .client import PREFIX, Client
from .errors import OscsynthError, shown
from .library import Library, factory_folder, user_folder
from .midi_systems import inputs
from .session import state_folder

LATE_SECONDS = 0.02  # of a sound card: what a player begins to feel
FULL_LOAD = 0.7
PHONE_MS, PHONE_WORST_MS = 10.0, 40.0
_PINGS = 20
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_RULES = "docs/low-latency.md says how"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: where it was looked, what was found, and what to do, nothing when all is well."""

    area: str
    text: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """What to look at: the port of the instrument, a folder instead of the user's, and a phone's address."""

    port: int = 57140
    patches: Path | None = None
    phone: str | None = None


def examine(where: Where) -> Iterator[Finding]:
    """Give the findings of every check; a check that cannot be made is a finding too."""
    for area, check in CHECKS:
        try:
            yield from check(where)
        except OscsynthError as error:
            yield Finding(area, str(error), "then ask again")
        except OSError as error:
            yield Finding(area, f"could not be looked at: {error}", "report this if it stays so")


# ---- the instrument and its sound


def _instrument(where: Where) -> Iterator[Finding]:
    """Ask the instrument that runs how it fares, or see whether one could start."""
    try:
        with Client("127.0.0.1", where.port) as client:
            [(_, words), *_] = client.ask(f"{PREFIX}/status")
    except OscsynthError:
        yield from _free_port(where.port)
        return
    status = dict(zip(words[::2], words[1::2], strict=False))
    figures = {name: value for name, value in status.items() if isinstance(value, int | float)}
    late, parts = figures.get("underruns", 0) + figures.get("late_blocks", 0), figures.get("sounding", 0)
    yield Finding("instrument", f"runs on port {where.port}: {int(parts)} parts sound, {figures.get('latency_ms', 0.0):.1f} ms latency")
    load = figures.get("load_peak", 0.0)
    todo = "a larger block: oscsynth serve --block-size 512; or --render-ahead 1" if late or load > FULL_LOAD else ""
    yield Finding("instrument", f"{int(late)} blocks came too late, the worst took {100 * load:.0f} % of its time", todo)
    if figures.get("faults"):
        yield Finding("instrument", f"{int(figures['faults'])} times a decoder gave what is no sound", "oscsynth check names the file")


def _free_port(port: int) -> Iterator[Finding]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            why = error.strerror or error
            yield Finding("instrument", f"port {port} cannot be had ({why})", f"end what uses it, or take another: oscsynth serve --port {port + 10}")
            return
    yield Finding("instrument", f"does not run now; port {port} is free for it")


def _sound(where: Where) -> Iterator[Finding]:
    """Look at the device that would be taken."""
    try:
        found = devices()
    except OscsynthError as error:
        yield Finding("sound", str(error), "until then it runs silently; OSC works")
        return
    device = next((each for each in found if each.is_default), found[0] if found else None)
    if device is None:
        yield Finding("sound", "no sound device was found", "plug one in; until then it runs silently, and OSC works")
        return
    yield _latency(device)


def _latency(device: Device) -> Finding:
    text = f"{device.label}, {device.default_sample_rate_hz} Hz, {1000 * device.latency_seconds:.1f} ms of its own"
    if "bluetooth" in device.name.lower() or device.latency_seconds > 5 * LATE_SECONDS:
        return Finding("sound", text, "take a wired or USB sound card: oscsynth devices lists what there is, --device NAME chooses")
    is_late = device.latency_seconds > LATE_SECONDS
    return Finding("sound", text, "a smaller block: oscsynth serve --block-size 256" if is_late else "")


# ---- the system


def _system(where: Where) -> Iterator[Finding]:
    """Look at what the system lets a program do that must not be late."""
    if not sys.platform.startswith("linux"):
        yield Finding("priority", "the system gives the audio thread its place by itself")
        return
    from .real_time import allowed_priority, may_lock

    is_allowed, can_lock = bool(allowed_priority()), may_lock()
    text = "real-time priority is allowed" if is_allowed else "real-time priority is refused: other programs can make the sound click"
    yield Finding("priority", text, "" if is_allowed else f"allow it for your user (rtprio); {_RULES}")
    text = "memory may be locked" if can_lock else "locked memory is limited: after a long pause the first sounds can click"
    yield Finding("memory", text, "" if can_lock else f"allow it for your user (memlock); {_RULES}")
    if _GOVERNOR.exists() and (governor := _GOVERNOR.read_text().strip()) == "powersave":
        yield Finding("power", f"the processor saves power ({governor})", "powerprofilesctl set performance, for the show")


# ---- what there is to play, and with what


def _folders(where: Where) -> Iterator[Finding]:
    """Look at patches and at where the session is kept."""
    library = Library(where.patches or user_folder(), factory_folder())
    library.scan()
    faults = len(library.faults)
    text = f"{len(library.patches)} can be played" + (f", {faults} files cannot" if faults else "")
    yield Finding("patches", text, "oscsynth check says what is wrong, with the line" if faults else "")
    folder = state_folder()
    there = next(each for each in (folder, *folder.parents) if each.is_dir())
    is_full = shutil.disk_usage(there).free < 10_000_000
    if is_full or not _may_write(there):
        yield Finding("session", f"cannot be kept in {shown(folder)}", "make room there" if is_full else "let your user write there")
    else:
        yield Finding("session", f"is kept in {shown(folder)}")


def _may_write(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK)


def _midi(where: Where) -> Iterator[Finding]:
    """Look for keyboards."""
    try:
        found = inputs()
    except OscsynthError as error:
        yield Finding("midi", str(error), "only if you play a keyboard")
        return
    yield Finding("midi", ", ".join(port.label for port in found) or "no input now; one that comes is heard at once")


# ---- the network


def _network(where: Where) -> Iterator[Finding]:
    """Look at how a phone would reach this computer."""
    here = lan.addresses("0.0.0.0")
    if not here:
        yield Finding("network", "this computer is in no network", "join the one that the phone is in; without a phone that is fine")
    elif choices.remembers_lan():
        yield Finding("network", f"phones reach this computer at {' or '.join(here)}, and are let in")
    else:
        text = f"phones would reach this computer at {' or '.join(here)}, but are not let in"
        yield Finding("network", text, "the key n while it runs, or oscsynth serve --lan; without a phone that is fine")


def _phone(where: Where) -> Iterator[Finding]:
    """Measure the way to a phone and back."""
    if where.phone is None:
        yield Finding("phone", "not measured: oscsynth doctor --phone 192.168.1.20 measures the way to it and back")
        return
    if (program := shutil.which("ping")) is None:
        yield Finding("phone", "not measured: there is no ping here", "install it: iputils-ping on Debian, Ubuntu and Raspberry Pi OS")
        return
    times_ms = _ping(program, where.phone)
    if not times_ms:
        yield Finding("phone", f"{where.phone} does not answer", "is it awake, and in this network? Guests' networks keep devices apart")
        return
    middle, worst = statistics.median(times_ms), max(times_ms)
    text = f"{where.phone} and back: {middle:.1f} ms, at worst {worst:.1f} ms, {_PINGS - len(times_ms)} of {_PINGS} lost"
    is_good = middle <= PHONE_MS and worst <= PHONE_WORST_MS and len(times_ms) == _PINGS
    yield Finding("phone", text, "" if is_good else "a 5 GHz network of your own, the computer on a cable, the phone's power saving off")


def _ping(program: str, host: str) -> list[float]:
    """Return how long each answer took, in milliseconds, as the system's own ``ping`` says it."""
    if not re.fullmatch(r"[\w:%.][\w:%.-]*", host):
        raise OscsynthError(f"--phone {host}: type its address, such as 192.168.1.20")
    count = ["-n", str(_PINGS)] if sys.platform == "win32" else ["-c", str(_PINGS), "-i", "0.2"]
    try:
        said = subprocess.run([program, *count, host], capture_output=True, text=True, timeout=60, check=False).stdout
    except subprocess.TimeoutExpired:
        return []
    return ping_times_ms(said)


def ping_times_ms(said: str) -> list[float]:
    """Return the times in what ``ping`` prints, on any system.

    >>> ping_times_ms("64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=3.52 ms")
    [3.52]
    """
    answers = [line for line in said.splitlines() if "ttl" in line.lower()]  # the summary has no such
    return [float(found[1]) for line in answers if (found := re.search(r"[=<] ?(\d+(?:\.\d+)?) ?ms\b", line))]


CHECKS: tuple[tuple[str, Callable[[Where], Iterator[Finding]]], ...] = (
    ("instrument", _instrument),
    ("sound", _sound),
    ("system", _system),
    ("patches", _folders),
    ("midi", _midi),
    ("network", _network),
    ("phone", _phone),
)
