"""Fifty subscribers while faders move, through real sockets to a server in a process of its own."""

from benchmarks.osc_subscribers import measure


def test_fifty_subscribers_get_the_last_value_of_each_address():
    worst_seconds, share, n_missing = measure(seconds=1.0, n_subscribers=50)
    assert n_missing == 0
    assert worst_seconds < 0.25 and share < 0.4  # 0.02 and 0.04 on a machine that does nothing else
