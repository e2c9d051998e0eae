"""Addresses of clients on the network: which belong together, and which one a proxy wrote down.

Pure: nothing is looked up, and no socket is opened.
"""

import ipaddress
import re
from typing import Final

_IPV6_HOUSEHOLD: Final = 64
"""Bits of an IPv6 address that name a household; the rest it chooses itself, 2^64 ways."""
_WITH_PORT: Final = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:]*))(?::\d{1,5})?")


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
