"""A place before others: who gets it, who gives it up, and what a user hears where the system refuses."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from .engine_harness import EngineProcess, wait_until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux leaves this to the program")
MAY = os.geteuid() == 0 if hasattr(os, "geteuid") else False


def run(code: str) -> str:
    """Run Python in a process of its own and return what it prints."""
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(not MAY, reason="needs the right to real-time priority")
def test_threads_that_are_started_later_hurry_too():
    assert (
        run("""
        import os, threading
        from oscsynth.real_time import hurry, is_hurried
        assert not is_hurried() and hurry(30) == ""
        found = []
        thread = threading.Thread(target=lambda: found.append((is_hurried(), os.sched_getparam(0).sched_priority)))
        thread.start(); thread.join()
        print(found)
    """)
        == "[(True, 30)]"
    )


@pytest.mark.skipif(not MAY, reason="needs the right to real-time priority")
def test_a_better_place_is_kept_and_a_worse_one_given_up():
    assert run("""
        import os
        from oscsynth.real_time import hurry, is_hurried, take_it_easy
        hurry(50); hurry(20); print(os.sched_getparam(0).sched_priority)
        hurry(60); print(os.sched_getparam(0).sched_priority)
        take_it_easy(); print(is_hurried(), os.nice(0))
    """).split("\n") == ["50", "60", "False 10"]


@pytest.mark.skipif(not MAY, reason="needs to become another user")
def test_refusals_are_sentences():
    said = run("""
        import os, resource
        from oscsynth.real_time import hurry, keep_memory
        resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
        os.setuid(65534)
        print(hurry(60))
        print(keep_memory())
    """).split("\n")
    assert "refuses real-time priority (limit rtprio 0)" in said[0] and "docs/low-latency.md" in said[0]
    assert "limits locked memory" in said[1]


@pytest.mark.skipif(not MAY, reason="needs the right to real-time priority")
def test_the_engine_renders_on_a_thread_with_a_place(tmp_path):
    engine = EngineProcess(tmp_path)
    try:
        engine.start()
        engine.load_and_play()
        wait_until(lambda: engine.telemetry.real_time)
        assert os.sched_getscheduler(engine.process.pid) == os.SCHED_FIFO
    finally:
        engine.close()


def test_memory_that_is_used_over_and_over_brings_no_page_faults():
    faults = int(
        run("""
        import resource
        from oscsynth.real_time import keep_memory
        keep_memory()
        import numpy as np
        def work():
            for n in (1000, 2049, 64 * 2049, 300_000):
                a = np.ones(n); b = a * 2.0; del a, b
        for _ in range(20): work()
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        for _ in range(500): work()
        print(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)
    """)
    )
    assert faults < 50


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_heap_of_a_thread_that_renders_is_there_before_it_is_needed(is_kept):
    faults = int(
        run(f"""
        import resource, threading
        from oscsynth.real_time import heap_reserve, keep_memory
        keep_memory()
        def render():
            if {is_kept}:
                for _ in heap_reserve(): pass
            before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
            held = [b"x" * (1000 * n) for n in range(180)]  # 16 MB, more than ever before
            print(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)
        thread = threading.Thread(target=render)
        thread.start(); thread.join()
    """)
    )
    assert (faults < 50) == is_kept, faults
