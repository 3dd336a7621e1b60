"""What the system can do for a thread that must not be late: a place before all others, memory that stays, a heap that is kept.

Engine and control process, from their main threads; standard library alone. On macOS and Windows the audio driver gives its thread such a place
by itself, and there is nothing to do here. What is refused comes back as a sentence for the user, and everything works all the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

# Under JACK's and PipeWire's servers (70 and more), over everything of an ordinary program. Control's is lower: the sound comes first.
AUDIO_PRIORITY, ENGINE_PRIORITY, CONTROL_PRIORITY = 65, 60, 20

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 64 * 1024 * 1024  # of freed memory that malloc does not give back: less would come as page faults in the middle of a block
_LARGEST_IN_HEAP_BYTES = 32 * 1024 * 1024  # glibc takes no more

_RESERVE_PIECES, _PIECE_BYTES = 40, 1024 * 1024  # a soak with 28 grew by 4 more in a quarter of an hour

HOW = "docs/low-latency.md says how to allow it"


def hurry(priority: int, thread_id: int = 0) -> str:
    """Have a thread run before all ordinary ones (SCHED_FIFO); threads that it starts later inherit that.

    Parameters
    ----------
    priority : int
        1 to 99; a thread that has a higher real-time place already, as JACK gives it, keeps that one.
    thread_id : int
        Of `threading.get_native_id`; 0 is the caller.

    Returns
    -------
    str
        Why not, or nothing.
    """
    if not sys.platform.startswith("linux"):
        return ""
    priority = min(priority, allowed_priority() or priority)
    try:
        if is_hurried(thread_id) and os.sched_getparam(thread_id).sched_priority >= priority:
            return ""
        os.sched_setscheduler(thread_id, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return f"The system refuses real-time priority ({_reason(error)}): other programs can make the sound click; {HOW}."
    return ""


def take_it_easy() -> None:
    """Run behind everything else: for work that a process of ours does beside the show, and would inherit our hurry."""
    if sys.platform.startswith("linux"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.nice(10)


def is_hurried(thread_id: int = 0) -> bool:
    """Return whether a thread has a real-time place."""
    return sys.platform.startswith("linux") and os.sched_getscheduler(thread_id) in (os.SCHED_FIFO, os.SCHED_RR)


def keep_memory() -> str:
    """Keep what is in memory there, and what is freed at hand; return why not, or nothing.

    Pages are locked as they are first touched: locking all that is mapped would take hundreds of megabytes that nobody uses.
    """
    if not sys.platform.startswith("linux"):
        return ""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "mallopt"):  # glibc alone
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_IN_HEAP_BYTES)
    if not may_lock():
        # A lock with a limit would make the next allocation fail that goes beyond it.
        return f"The system limits locked memory: after a long pause the first sounds can click; {HOW}."
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
        return f"The system refuses to lock memory ({os.strerror(ctypes.get_errno())}): after a long pause the first sounds can click; {HOW}."
    return ""


def heap_reserve() -> Iterator[None]:
    """Have the heap of the thread that asks grow by a piece at each step, and in the end lie there free.

    Each thread has a heap of its own in glibc. What it hands out for the first time, the system has to fetch, page by page, for hours: whenever more
    sounds than ever before. A step takes 0.2 ms, so that a thread that renders can take one with each of its first blocks.
    """
    if sys.platform.startswith("linux"):
        pieces = []
        with contextlib.suppress(MemoryError):  # where a limit is set, there is none to keep
            for _ in range(_RESERVE_PIECES):
                pieces.append(b"\1" * _PIECE_BYTES)  # not zeros: those would be promised, and not there
                yield


def may_lock() -> bool:
    """Return whether this user may keep all of a program's memory where it is."""
    import resource

    return os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY


def allowed_priority() -> int:
    """Return the highest priority that this user may give; 0: none by the limit alone."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    return 99 if limit == resource.RLIM_INFINITY or os.geteuid() == 0 else limit


def _reason(error: OSError) -> str:
    return str(error.strerror) if allowed_priority() else "limit rtprio 0"
