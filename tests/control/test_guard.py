"""Who may speak, and how much; with a hand-moved clock."""

import pytest

from oscsynth.control import guard
from oscsynth.control.guard import REPLY_BYTES_AT_ONCE, SUBSCRIPTIONS_AT_ONCE, Guard, own_hosts, own_networks
from oscsynth.errors import OscsynthError


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_loopback_may_everything_and_others_nothing(clock):
    alone = Guard(clock=clock)
    alone.charge("127.0.0.1", 1000)
    assert alone.admits("127.0.0.1") and alone.admits("::1") and alone.grants("127.0.0.1", 10**9)
    assert not alone.admits("192.0.2.1") and not alone.admits("fe80::1%eth0")
    assert (alone.refused, alone.dropped) == (2, 0)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [("10.1.2.3", True), ("10.2.2.3", False), ("2001:db8::5", True), ("2001:db9::5", False), ("10.1.255.255", False), ("224.0.0.1", False)],
)
def test_networks_that_are_allowed(clock, host, is_allowed):
    assert Guard(False, ["10.1.0.0/16", "2001:db8::/32", "224.0.0.0/4"], clock).admits(host) == is_allowed


def test_the_networks_of_this_machine(clock):
    assert own_hosts() and Guard(True, clock=clock)
    for network in own_networks():
        if not network.is_loopback and network.num_addresses > 4:
            assert Guard(True, clock=clock).admits(str(network[2])) and not Guard(clock=clock).admits(str(network[2]))


def test_a_network_that_is_joined_later_is_let_in(clock, monkeypatch):
    one = Guard(True, clock=clock)
    monkeypatch.setattr(guard, "own_networks", lambda: [])
    assert not one.admits("198.51.100.7")
    monkeypatch.setattr(guard, "own_networks", lambda: [guard.network_of("198.51.100.0/24")])
    assert not one.admits("198.51.100.7")
    clock.now += guard.NETWORKS_SECONDS
    assert one.admits("198.51.100.7")


def test_what_is_no_network_is_a_sentence():
    with pytest.raises(OscsynthError, match="--allow studio: must be a network such as"):
        Guard(allow=["studio"])


def test_one_that_takes_too_much_time_waits_and_the_others_do_not(clock):
    one = Guard(allow=["10.0.0.0/8"], clock=clock)
    assert one.admits("10.0.0.1")
    one.charge("10.0.0.1", 0.3)
    assert not one.admits("10.0.0.1") and one.admits("10.0.0.2")
    clock.now += 0.3
    assert one.admits("10.0.0.1") and one.dropped == 1


def test_many_together_leave_time_for_this_machine(clock):
    one = Guard(allow=["10.0.0.0/8"], clock=clock)
    for n in range(10):
        one.charge(f"10.0.0.{n}", 0.1)
    assert not one.admits("10.0.0.99") and one.admits("127.0.0.1")


def test_replies_are_no_flood(clock):
    one = Guard(allow=["10.0.0.0/8"], clock=clock)
    sent = sum(1000 * one.grants("10.0.0.1", 1000) for _ in range(1000))
    assert REPLY_BYTES_AT_ONCE - 1000 < sent <= REPLY_BYTES_AT_ONCE
    assert one.grants("10.0.0.2", 1000)
    clock.now += 1
    assert one.grants("10.0.0.1", 1000)


def test_subscribing_again_and_again_makes_no_flood_either(clock):
    one = Guard(allow=["10.0.0.0/8"], clock=clock)
    assert sum(one.may_subscribe("10.0.0.1") for _ in range(100)) == SUBSCRIPTIONS_AT_ONCE and one.may_subscribe("127.0.0.1")


def test_ten_thousand_senders_need_little_memory(clock):
    one = Guard(allow=["10.0.0.0/8"], clock=clock)
    for n in range(10_000):
        one.admits(f"10.0.{n >> 8}.{n & 255}")
    assert len(one._accounts) <= 1024
