"""Whether an address is this box's own: of any of its interfaces, public ones included.

Found out when it is asked, as interfaces come and go. Nothing is sent, and nothing is known of other hosts:
not of a router that leads back here, nor of a neighbour.
"""

import errno
import ipaddress
import socket
from typing import Final

from appliance.errors import FunctionError

_NOT_OURS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def is_ours(address: str) -> bool:
    """Whether this box answers at an address: only where it does can a socket be bound to it.

    Where the system lets any address be bound (`net.ipv4.ip_nonlocal_bind`, likewise for IPv6), each counts
    as ours, as nothing tells them apart then.

    Args:
        address: IPv4 or IPv6, without a zone; an IPv4 address mapped into IPv6 is the former.

    Raises:
        FunctionError: It cannot be found out, as there are no descriptors left, for one.
    """
    given = ipaddress.ip_address(address)
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped is not None:
        given = given.ipv4_mapped
    family = socket.AF_INET if isinstance(given, ipaddress.IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family) as ours:
            ours.bind((str(given), 0))
    except OSError as error:
        if error.errno in _NOT_OURS:
            return False
        raise FunctionError(
            f"whether an address is this machine's own cannot be found out: {error.strerror or error}"
        ) from error
    return True
