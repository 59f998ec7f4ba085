"""Addresses of clients: one form for each, and the addresses that proxies report (`X-Forwarded-For`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["TrustedProxies", "network_of", "plain_address"]

#: Most characters of an address with brackets, a zone and a port. Longer texts are none, and take no place in a cache.
_MAX_CHARACTERS = 100
_CACHED = 4096
#: Bits of an IPv6 address that tell sites apart. A site has all addresses with these bits, and its clients may choose.
_SITE_BITS = 64
#: Bits in front of an IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2).
_MAPPED_BITS = 96


def plain_address(text: str) -> str | None:
    """Return the usual form of an IP address, None if `text` is none.

    `text` may have a port (`192.0.2.1:80`, `[2001:db8::1]:80`) or brackets. An IPv4 address that is mapped into IPv6
    (`::ffff:192.0.2.1`) becomes IPv4, and the zone of an IPv6 address goes.
    """
    return _plain(text) if len(text) <= _MAX_CHARACTERS else None


def network_of(address: str) -> str:
    """Return the name under which a client at a plain address is counted: for IPv6 its /64 network.

    A text that is no address stays as it is.
    """
    return _network(address) if ":" in address and len(address) <= _MAX_CHARACTERS else address


class TrustedProxies:
    """The proxies whose headers are believed."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Trust the addresses in `networks`, each an address or a network (`10.0.0.0/8`)."""
        self._networks = [_parsed(one) for one in networks]
        self._known = lru_cache(_CACHED)(self._is_trusted)

    def trusts(self, address: str) -> bool:
        """Return whether a proxy has this plain address."""
        return bool(self._networks) and self._known(address)

    def client_of(self, peer: str, forwarded: Sequence[str]) -> str:
        """Return the address of the client for which the plain address `peer` has sent a request.

        `forwarded` are the values of `X-Forwarded-For`. Each proxy appends the address from which it got the request.
        So the client is the last one that no proxy has. An entry that is no address counts as none: then the client is
        the proxy that has reported it.
        """
        client = peer
        for entry in reversed(",".join(forwarded).split(",")):
            if not self.trusts(client):
                break
            if not entry.strip():
                continue  # "a recipient MUST parse and ignore a reasonable number of empty list elements" (RFC 9110)
            reported = plain_address(entry.strip())
            if reported is None:
                break
            client = reported
        return client

    def _is_trusted(self, address: str) -> bool:
        try:
            given = ip_address(address)
        except ValueError:
            return False
        return any(given in network for network in self._networks)


@lru_cache(_CACHED)
def _plain(text: str) -> str | None:
    try:
        given = ip_address(_without_port(text).partition("%")[0])
    except ValueError:
        return None
    return str(_unmapped(given))


def _without_port(text: str) -> str:
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        return address if bracket and (not rest or _is_port(rest)) else ""
    address, colon, rest = text.partition(":")
    return address if colon and _is_port(colon + rest) else text


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return text.startswith(":") and digits.isascii() and digits.isdigit()


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@lru_cache(_CACHED)
def _network(address: str) -> str:
    try:
        return str(ip_network(f"{address}/{_SITE_BITS}", strict=False))
    except ValueError:
        return address


def _parsed(text: str) -> IPv4Network | IPv6Network:
    network = ip_network(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ip_network((mapped, network.prefixlen - _MAPPED_BITS))
