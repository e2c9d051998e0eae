"""Which addresses a webhook may go to: those of the open internet, unless it was allowed more.

A name is looked up once and every address it has is judged; whoever connects uses what was judged and nothing
else, so that a name that changes between the look and the call gains nothing. Connects to nothing itself.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

from appliance.addresses import refusal
from appliance.errors import ActionError

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo`, or what stands in for it."""


def checked(
    host: str, port: int, *, allow_private: bool, resolve: Resolve = socket.getaddrinfo
) -> tuple[str, ...]:
    """The addresses of a host, each of which may be posted to.

    Args:
        host: A name, or an address as text.
        port: To be connected to.
        allow_private: Whether private ones may be.
        resolve: Looks names up.

    Raises:
        ActionError: It cannot be looked up; or one of the addresses may not be posted to (for good: a name
            that mixes them is up to no good).
    """
    try:
        found = resolve(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ActionError(
            "the webhook's host cannot be looked up", hint="look at its url, and at the network"
        ) from error
    told = tuple(dict.fromkeys(str(each[4][0]) for each in found))
    for each in told:
        words = refusal(ipaddress.ip_address(each.partition("%")[0]), allow_private=allow_private)
        if words is not None:
            raise ActionError(
                f"the webhook's host is {words}",
                permanent=True,
                hint="to post within your own network, set allow_private in the settings file",
            )
    if not told:
        raise ActionError("the webhook's host has no address", hint="look at its url, and at the network")
    return told
