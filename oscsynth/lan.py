"""The addresses that this computer has on its networks. Any process and thread; imports nothing of the house."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Say whether an address or name reaches this computer alone."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def is_any(host: str) -> bool:
    """Say whether listening there means listening on every network."""
    return host in ("0.0.0.0", "::", "")


def addresses(host: str) -> list[str]:
    """Return the addresses under which other computers reach what listens on ``host``: IPv4 where there is any, none for loopback."""
    if not is_any(host):
        return [] if is_loopback(host) else [host]
    import ifaddr

    found = [ip.ip if ip.is_IPv4 else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    usable = [address for address in map(str, found) if not ipaddress.ip_address(address).is_link_local and not is_loopback(address)]
    return sorted(address for address in usable if ":" not in address) or sorted(usable)
