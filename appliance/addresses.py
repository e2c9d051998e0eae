"""Addresses on the network: which clients belong together, and which servers may be sent something.

Pure: nothing is looked up, and no socket is opened.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any, Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_IPV6_HOUSEHOLD: Final = 64
"""Bits of an IPv6 address that name a household; the rest it chooses itself, 2^64 ways."""
_WITH_PORT: Final = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:]*))(?::\d{1,5})?")

_NEVER: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "ff00::/8"),
    )
)
"""Not even when private ones are allowed: nobody in particular, several at once, examples, reserved, and
tunnels (Teredo, 6to4's relays) that hide another address."""
_PRIVATE: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        "198.18.0.0/15",
        *("::1/128", "fc00::/7", "fe80::/10", "fec0::/10"),
    )
)
"""This machine's own, a network's own, and a provider's own."""
_WRAPPED: Final = tuple(
    (ipaddress.IPv6Network(network), shift)
    for network, shift in (
        ("::ffff:0:0/96", 0),  # IPv4-mapped
        ("::ffff:0:0:0/96", 0),  # IPv4-translated
        ("::/96", 0),  # IPv4-compatible
        ("64:ff9b::/96", 0),  # NAT64
        ("64:ff9b:1::/48", 0),  # NAT64 of a network's own
        ("2002::/16", 80),  # 6to4
    )
)
"""IPv6 that is IPv4 beneath, and by how many bits the IPv4 lies from the right."""
_OPEN: Final = ipaddress.IPv6Network("2000::/3")


def network_of(client: str) -> str:
    """What a client's address is counted as: an IPv4 address itself, of IPv6 the /64.

    Args:
        client: An address, with or without a zone; an IPv4 address mapped into IPv6 is the former.

    Returns:
        An address or a network as text; empty for what is no address.
    """
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_HOUSEHOLD), strict=False))


def written(text: str) -> str:
    """The address in what a proxy wrote: `198.51.100.7`, `198.51.100.7:50123`, `[2001:db8::1]:443`.

    Returns:
        The address alone; an IPv4 address mapped into IPv6 as IPv4; empty for what holds none (`unknown`).
    """
    text = text.strip()
    found = _WITH_PORT.fullmatch(text)
    text = text if found is None else found["six"] or found["four"] or ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def refusal(address: Address, *, allow_private: bool) -> str | None:
    """Why nothing is sent to an address by somebody's wish, in words; None: it may be.

    Args:
        address: Of a server.
        allow_private: Whether private ones may be.
    """
    if isinstance(address, ipaddress.IPv6Address) and not _in(address, _PRIVATE):
        for network, shift in _WRAPPED:
            if address in network and address != ipaddress.IPv6Address("::"):
                inner = ipaddress.IPv4Address((int(address) >> shift) & 0xFFFF_FFFF)
                if not allow_private:
                    return "an IPv4 address inside an IPv6 one"
                return refusal(inner, allow_private=True)
    if _in(address, _NEVER) or address.is_multicast or address.is_unspecified:
        return "no address of a single server"
    if _in(address, _PRIVATE):
        return None if allow_private else "an address of this machine or of a private network"
    if isinstance(address, ipaddress.IPv6Address) and address not in _OPEN:
        return "no address of a single server"
    # What later versions of the registries set aside.
    return None if address.is_global or allow_private else "an address that is set aside"


def _in(address: Address, networks: Sequence[Any]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
