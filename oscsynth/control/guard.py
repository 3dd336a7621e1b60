"""Who may speak to oscsynth, and how much of its time and of its voice each gets.

Control process, on its event loop; imports ``errors`` alone. This machine itself may do everything. What comes from the network is judged by the
address it comes from: is it of a network that is let in, and is there time left for it? Time is what is counted, and not packets, because
one packet may hold a thousand messages or a pattern that means every address.
"""

from __future__ import annotations

import functools
import ipaddress
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from ..errors import OscsynthError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

SHARE = 0.25  # of control's time, that one address of the network may take
SHARE_OF_ALL = 0.6
BURST_SECONDS = 0.25
REPLY_BYTES_A_SECOND = 32 * 1024  # to one address: with a false sender's address they go to somebody else
REPLY_BYTES_AT_ONCE = 64 * 1024
SUBSCRIPTIONS_A_SECOND = 0.5  # each brings everything
SUBSCRIPTIONS_AT_ONCE = 8
NETWORKS_SECONDS = 5.0  # a Wi-Fi that was joined meanwhile is known then
_MAX_ACCOUNTS = 1024


class Bucket:
    """An amount that is taken from and fills up again: so much a second, up to so much."""

    __slots__ = ("_at", "_left", "most", "rate")

    def __init__(self, rate: float, most: float) -> None:
        self.rate, self.most = rate, most
        self._left, self._at = most, 0.0

    def left(self, now: float) -> float:
        """Return how much there is; below 0 when more was taken than there was."""
        self._left, self._at = min(self.most, self._left + self.rate * (now - self._at)), now
        return self._left

    def take(self, amount: float, now: float) -> None:
        """Take some, whether or not it is there."""
        self._left = self.left(now) - amount


class _Account:
    __slots__ = ("check_at", "is_allowed", "replies", "subscriptions", "time")

    def __init__(self) -> None:
        self.is_allowed, self.check_at = False, 0.0
        self.time = Bucket(SHARE, BURST_SECONDS)
        self.replies = Bucket(REPLY_BYTES_A_SECOND, REPLY_BYTES_AT_ONCE)
        self.subscriptions = Bucket(SUBSCRIPTIONS_A_SECOND, SUBSCRIPTIONS_AT_ONCE)


class Guard:
    """Judges the addresses of the network.

    Parameters
    ----------
    lan : bool
        Lets the networks in that this machine is in.
    allow : sequence of str
        Networks that are let in besides, such as ``10.1.0.0/16``.
    clock : callable, optional
        Seconds.

    Attributes
    ----------
    refused, dropped : int
        Packets and connections from outside of the networks; packets and replies for which there was no time or share left.
    """

    def __init__(self, lan: bool = False, allow: Sequence[str] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self.refused = self.dropped = 0
        self._lan = lan
        self._allowed = [network_of(text) for text in allow]
        self._clock = clock
        self._own: list[Network] = []
        self._own_hosts: frozenset[str] = frozenset()
        self._own_at = float("-inf")
        self._accounts: dict[str, _Account] = {}
        self._all = Bucket(SHARE_OF_ALL, 2 * BURST_SECONDS)

    def admits(self, host: str) -> bool:
        """Say whether a packet of this address is to be read now."""
        if is_loopback(host):
            return True
        now, account = self._clock(), self._account(host)
        if now >= account.check_at:
            account.is_allowed, account.check_at = self._is_allowed(host, now), now + NETWORKS_SECONDS
        if not account.is_allowed:
            self.refused += 1
        elif account.time.left(now) > 0 and self._all.left(now) > 0:
            return True
        else:
            self.dropped += 1
        return False

    def is_own(self, host: str) -> bool:
        """Say whether the address is one of this machine's."""
        self._look_around(self._clock())
        return is_loopback(host) or host.partition("%")[0] in self._own_hosts

    def is_refused(self, host: str) -> bool:
        """Say whether the address is of no network that is let in."""
        return not is_loopback(host) and not self._account(host).is_allowed

    def charge(self, host: str, seconds: float) -> None:
        """Count the time that a packet took."""
        if not is_loopback(host):
            now = self._clock()
            self._account(host).time.take(seconds, now)
            self._all.take(seconds, now)

    def grants(self, host: str, n_bytes: int) -> bool:
        """Say whether a reply of that size may go to this address, and count it if so."""
        return is_loopback(host) or self._takes(self._account(host).replies, n_bytes)

    def may_subscribe(self, host: str) -> bool:
        """Say whether this address may subscribe just now, and count it if so."""
        return is_loopback(host) or self._takes(self._account(host).subscriptions, 1)

    def _takes(self, bucket: Bucket, amount: float) -> bool:
        now = self._clock()
        if bucket.left(now) < amount:
            self.dropped += 1
            return False
        bucket.take(amount, now)
        return True

    def _account(self, host: str) -> _Account:
        account = self._accounts.get(host)
        if account is None:
            if len(self._accounts) >= _MAX_ACCOUNTS:
                del self._accounts[next(iter(self._accounts))]
            account = self._accounts[host] = _Account()
        return account

    def _look_around(self, now: float) -> None:
        if now - self._own_at >= NETWORKS_SECONDS:
            self._own, self._own_hosts, self._own_at = own_networks(), frozenset(own_hosts()), now

    def _is_allowed(self, host: str, now: float) -> bool:
        address = ipaddress.ip_address(host.partition("%")[0])
        self._look_around(now)
        networks = [network for network in (*self._allowed, *(self._own if self._lan else ())) if address in network]
        # What answers for many would make many of each reply.
        is_one = not address.is_multicast and not any(network.num_addresses > 2 and address == network.broadcast_address for network in networks)
        return bool(networks) and is_one


@functools.lru_cache(_MAX_ACCOUNTS)
def is_loopback(host: str) -> bool:
    """Say whether an address is this machine's own that nobody else can have."""
    return host == "::1" or host.startswith("127.")


def network_of(text: str) -> Network:
    """Return the network that a person wrote.

    Raises
    ------
    OscsynthError
        When it is none.
    """
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise OscsynthError(f"--allow {text}: must be a network such as 192.168.1.0/24 or one address") from None


def own_networks() -> list[Network]:
    """Return the networks that this machine is in at this moment."""
    return [ipaddress.ip_interface(f"{host}/{prefix}").network for host, prefix in _own_interfaces()]


def own_hosts() -> list[str]:
    """Return the addresses of this machine at this moment."""
    return [host for host, _ in _own_interfaces()]


def _own_interfaces() -> Iterable[tuple[str, int]]:
    import ifaddr

    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            # IPv6 comes with flow and scope.
            yield (ip.ip if isinstance(ip.ip, str) else ip.ip[0].partition("%")[0]), ip.network_prefix
